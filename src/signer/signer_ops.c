/* SPDX-License-Identifier: Apache-2.0 */
#include "signer/signer_ops.h"

#include "base/clock.h"
#include "config/config.h"
#include "signer/signer_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { BUFFER_BYTES_MAX = 32768 };

enum status signer_open(struct signer *signer, const struct config *config, struct span kek,
                        struct err *err)
{
    if (config->public_url.len == 0)
        return fail(err, INVALID, "the configuration for the signer names no public_url");
    signer->keys = signer_keys_new(kek);
    if (signer->keys == NULL)
        return fail(err, NO_MEMORY, "no memory for the keys");
    signer->issuer = config->public_url;
    signer->token_ttl_seconds = config->token_ttl_seconds;
    signer_clock_init(&signer->clock);
    atomic_init(&signer->held_until_us, 0);
    signer_meter_init(&signer->unseals, config->unseal_per_minute_max);
    return OK;
}

void signer_close(struct signer *signer)
{
    signer_keys_free(signer->keys);
    signer_clock_done(&signer->clock);
    signer_meter_done(&signer->unseals);
}

struct signer_worker *signer_worker_new(struct signer *signer)
{
    struct signer_worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL)
        return NULL;
    worker->signer = signer;
    buf_init(&worker->input, BUFFER_BYTES_MAX);
    buf_init(&worker->text, BUFFER_BYTES_MAX);
    buf_init(&worker->output, BUFFER_BYTES_MAX);
    return worker;
}

void signer_worker_free(struct signer_worker *worker)
{
    if (worker == NULL)
        return;
    signer_ring_done(&worker->ring);
    buf_done(&worker->input);
    buf_done(&worker->text);
    buf_done(&worker->output);
    wipe(worker, sizeof *worker);
    free(worker);
}

static void forget(struct buf *buf)
{
    if (buf->len > 0)
        wipe(buf->data, buf->len);
    buf_clear(buf);
}

void signer_worker_forget(struct signer_worker *worker)
{
    forget(&worker->input);
    forget(&worker->text);
    forget(&worker->output);
}

struct signer_time signer_time_read(struct signer *signer)
{
    int64_t now_us = signer_clock_now(&signer->clock);
    return (struct signer_time){
        .now_us = now_us, .now = now_us / 1000000, .second = clock_boot_ns() / 1000000000};
}

static enum status ping(struct signer_worker *worker, const struct signing_request *request,
                        const struct signer_time *time, struct signing_reply *reply,
                        struct err *err)
{
    (void)worker, (void)request, (void)time, (void)reply, (void)err;
    return OK;
}

static signer_op *const operations[SIGNING_OP_COUNT] = {
    [SIGNING_PING] = ping,
    [SIGNING_KEY_MAKE] = signer_op_key_make,
    [SIGNING_KEY_LOAD] = signer_op_key_load,
    [SIGNING_TOKEN] = signer_op_token,
    [SIGNING_SECRET] = signer_op_secret,
    [SIGNING_PROTECT] = signer_op_protect,
    [SIGNING_UNSEAL] = signer_op_unseal,
    [SIGNING_RECORD_MAC] = signer_op_record_mac,
    [SIGNING_CLOCK] = signer_op_clock,
};

void signer_handle(struct signer_worker *worker, const struct signing_request *request,
                   const struct signer_time *time, struct signing_reply *ret_reply, struct err *err)
{
    struct signing_reply reply = {.op = request->op};
    signer_worker_forget(worker);
    enum status status = signer_ring_refresh(&worker->ring, worker->signer->keys, err);
    if (status == OK)
        status = operations[request->op](worker, request, time, &reply, err);
    if (status == OK)
        *ret_reply = reply;
    else
        *ret_reply = (struct signing_reply){.op = request->op};
    ret_reply->status = status;
}
