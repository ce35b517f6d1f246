/* SPDX-License-Identifier: Apache-2.0 */
#include "web/guard.h"

#include "limit/limits.h"
#include "web/app.h"
#include "web/reply.h"

static struct limits *limits_of(const struct exchange *x)
{
    return x->peer.is_control ? NULL : x->app->limits;
}

static bool admits(struct exchange *x, enum status status, unsigned wait_seconds)
{
    if (status == OK)
        return true;
    x->next = NEXT_REPLY;
    reply_wait(x, status, wait_seconds);
    return false;
}

bool guard_admits_request(struct exchange *x)
{
    unsigned wait_seconds = 0;
    enum status status = limits_of(x) == NULL ? OK
                                              : limits_request(limits_of(x), x->peer.address,
                                                               x->began_ns, &wait_seconds);
    return admits(x, status, wait_seconds);
}

bool guard_admits_check(struct exchange *x, struct span client)
{
    unsigned wait_seconds = 0;
    enum status status = limits_of(x) == NULL
                             ? OK
                             : limits_before_check(limits_of(x), x->peer.address, client,
                                                   x->began_ns, &wait_seconds);
    return admits(x, status, wait_seconds);
}

bool guard_tells_failure(struct exchange *x, struct span client)
{
    unsigned wait_seconds = 0;
    enum status status = limits_of(x) == NULL ? OK
                                              : limits_failed(limits_of(x), x->peer.address, client,
                                                              x->began_ns, &wait_seconds);
    return admits(x, status, wait_seconds);
}

bool guard_admits_token(struct exchange *x, struct span client)
{
    unsigned wait_seconds = 0;
    enum status status = limits_of(x) == NULL ? OK
                                              : limits_before_token(limits_of(x), client,
                                                                    x->began_ns, &wait_seconds);
    return admits(x, status, wait_seconds);
}

void guard_passed(const struct exchange *x, struct span client)
{
    if (limits_of(x) != NULL)
        limits_succeeded(limits_of(x), x->peer.address, client, x->began_ns);
}

void guard_token_made(const struct exchange *x, struct span client)
{
    if (limits_of(x) != NULL)
        limits_token_made(limits_of(x), client, x->began_ns);
}
