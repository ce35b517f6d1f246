/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/wire.h"
#include "signing/signing.h"

#include "../unit.h"
#include "signing_samples.h"

#include <stdlib.h>

/* A copy of exactly the size, so that a sanitizer sees a read past the end. */
static char *exact_copy(struct span bytes)
{
    char *copy = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    return copy;
}

/* A frame around fields that need not be well-formed. */
static void frame_write(struct buf *out, enum signing_op op, enum status status, struct span fields)
{
    wire_write_u32(out, (uint32_t)(8 + fields.len));
    wire_write_u32(out, 7);
    wire_write_u16(out, (uint16_t)op);
    wire_write_u16(out, (uint16_t)status);
    buf_put(out, fields);
    assert_true(buf_ok(out));
}

static struct signing_frame cut(const struct buf *message)
{
    struct signing_frame frame;
    struct span bytes = buf_span(message);
    assert_int_equal(signing_frame_cut(&bytes, &frame), OK);
    assert_int_equal(bytes.len, 0);
    return frame;
}

static void every_request_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned op = 0; op < SIGNING_OP_COUNT; op++) {
        struct buf first AUTO(buf);
        struct buf again AUTO(buf);
        struct signing_request request;
        buf_init(&first, SIGNING_MESSAGE_MAX);
        buf_init(&again, SIGNING_MESSAGE_MAX);
        signing_request_write(4711, &sample_requests[op], &first);
        assert_true(buf_ok(&first));
        struct signing_frame frame = cut(&first);
        assert_int_equal(frame.id, 4711);
        assert_int_equal(frame.op, op);
        assert_int_equal(signing_request_read(&frame, &request), OK);
        signing_request_write(4711, &request, &again);
        assert_int_equal(first.len, again.len);
        assert_memory_equal(first.data, again.data, first.len);
    }
}

static void every_reply_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (unsigned op = 0; op < SIGNING_OP_COUNT; op++) {
        struct buf first AUTO(buf);
        struct buf again AUTO(buf);
        struct signing_reply reply;
        buf_init(&first, SIGNING_MESSAGE_MAX);
        buf_init(&again, SIGNING_MESSAGE_MAX);
        signing_reply_write(9, &sample_replies[op], &first);
        struct signing_frame frame = cut(&first);
        assert_int_equal(signing_reply_read(&frame, &reply), OK);
        signing_reply_write(9, &reply, &again);
        assert_int_equal(first.len, again.len);
        assert_memory_equal(first.data, again.data, first.len);
    }
}

static void the_fields_arrive(void **state)
{
    (void)state;
    struct buf message AUTO(buf);
    struct signing_request request;
    struct signing_reply reply;
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_request_write(1, &sample_requests[SIGNING_TOKEN], &message);
    struct signing_frame frame = cut(&message);
    assert_int_equal(signing_request_read(&frame, &request), OK);
    assert_span_equal(request.token.record, "the record");
    assert_span_equal(request.token.credential_id, "crd_0123456789ab");
    assert_span_equal(request.token.secret, "pst_cs_secret");
    assert_span_equal(request.token.audience, "https://auth.example.com/v2");
    assert_int_equal(request.token.ttl_seconds, 600);
    assert_true(request.token.revision == INT64_MAX);

    buf_clear(&message);
    signing_request_write(1, &sample_requests[SIGNING_KEY_LOAD], &message);
    frame = cut(&message);
    assert_int_equal(signing_request_read(&frame, &request), OK);
    assert_int_equal(request.key_load.kind, SIGNING_KEY_RECORD_MAC);
    assert_true(request.key_load.is_active);
    assert_true(span_equal(request.key_load.sealed, SPAN("\x01sealed\0box")));

    buf_clear(&message);
    signing_reply_write(1, &sample_replies[SIGNING_TOKEN], &message);
    frame = cut(&message);
    assert_int_equal(signing_reply_read(&frame, &reply), OK);
    assert_span_equal(reply.token.token, "a.b.c");
    assert_int_equal(reply.token.expires_in, 1800);
    assert_span_equal(reply.token.token_id, "jti");
}

/* The stream may be cut anywhere: then the frame is not whole yet. */
static void a_frame_cut_anywhere_is_not_whole(void **state)
{
    (void)state;
    for (unsigned op = 0; op < SIGNING_OP_COUNT; op++) {
        struct buf message AUTO(buf);
        buf_init(&message, SIGNING_MESSAGE_MAX);
        signing_request_write(1, &sample_requests[op], &message);
        for (size_t len = 0; len < message.len; len++) {
            struct signing_frame frame;
            char *copy = exact_copy(span_first(buf_span(&message), len));
            struct span bytes = span_of(copy, len);
            assert_int_equal(signing_frame_cut(&bytes, &frame), NOT_FOUND);
            assert_int_equal(bytes.len, len);
            free(copy);
        }
    }
}

/* The frame is whole, but its fields are cut: one length is right, all others are refused. */
static void fields_cut_anywhere_or_with_more_behind_are_refused(void **state)
{
    (void)state;
    for (unsigned op = 0; op < SIGNING_OP_COUNT; op++) {
        struct buf message AUTO(buf);
        struct signing_request request;
        struct signing_reply reply;
        buf_init(&message, SIGNING_MESSAGE_MAX);
        signing_request_write(1, &sample_requests[op], &message);
        struct signing_frame frame = cut(&message);
        size_t whole = frame.fields.len;
        for (size_t len = 0; len < whole; len++) {
            char *copy = exact_copy(span_first(frame.fields, len));
            const struct signing_frame part = {.op = op, .fields = span_of(copy, len)};
            assert_int_equal(signing_request_read(&part, &request), INVALID);
            free(copy);
        }
        buf_byte(&message, 'x');
        frame.fields = span_of(message.data + 12, whole + 1);
        assert_int_equal(signing_request_read(&frame, &request), INVALID);

        buf_clear(&message);
        signing_reply_write(1, &sample_replies[op], &message);
        frame = cut(&message);
        whole = frame.fields.len;
        for (size_t len = 0; len < whole; len++) {
            char *copy = exact_copy(span_first(frame.fields, len));
            const struct signing_frame part = {.op = op, .fields = span_of(copy, len)};
            assert_int_equal(signing_reply_read(&part, &reply), INVALID);
            free(copy);
        }
        buf_byte(&message, 'x');
        frame.fields = span_of(message.data + 12, whole + 1);
        assert_int_equal(signing_reply_read(&frame, &reply), INVALID);
    }
}

static void frames_that_are_not_the_protocol_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint32_t length;
        uint16_t op;
        uint16_t status;
        enum status expected;
    } cases[] = {
        {8, SIGNING_PING, OK, OK},
        {7, SIGNING_PING, OK, INVALID},
        {0, SIGNING_PING, OK, INVALID},
        {UINT32_MAX, SIGNING_PING, OK, INVALID},
        {SIGNING_MESSAGE_MAX - 4, SIGNING_PING, OK, NOT_FOUND},
        {SIGNING_MESSAGE_MAX - 3, SIGNING_PING, OK, INVALID},
        {8, SIGNING_OP_COUNT, OK, INVALID},
        {8, UINT16_MAX, OK, INVALID},
        {8, SIGNING_PING, STATUS_COUNT, INVALID},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf message AUTO(buf);
        struct signing_frame frame;
        buf_init(&message, SIGNING_MESSAGE_MAX);
        wire_write_u32(&message, cases[i].length);
        wire_write_u32(&message, 1);
        wire_write_u16(&message, cases[i].op);
        wire_write_u16(&message, cases[i].status);
        struct span bytes = buf_span(&message);
        assert_int_equal(signing_frame_cut(&bytes, &frame), cases[i].expected);
    }
}

static void frames_are_cut_one_after_the_other(void **state)
{
    (void)state;
    struct buf message AUTO(buf);
    struct signing_frame frame;
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_request_write(1, &sample_requests[SIGNING_TOKEN], &message);
    signing_request_write(2, &sample_requests[SIGNING_PING], &message);
    buf_byte(&message, '\x08');
    struct span bytes = buf_span(&message);
    assert_int_equal(signing_frame_cut(&bytes, &frame), OK);
    assert_int_equal(frame.id, 1);
    assert_int_equal(signing_frame_cut(&bytes, &frame), OK);
    assert_int_equal(frame.id, 2);
    assert_int_equal(signing_frame_cut(&bytes, &frame), NOT_FOUND);
    assert_int_equal(bytes.len, 1);
}

static void values_outside_their_range_are_refused(void **state)
{
    (void)state;
    struct buf message AUTO(buf);
    struct signing_request request;
    buf_init(&message, SIGNING_MESSAGE_MAX);
    signing_request_write(1, &sample_requests[SIGNING_KEY_MAKE], &message);
    struct signing_frame frame = cut(&message);
    message.data[12] = SIGNING_KEY_KIND_COUNT;
    assert_int_equal(signing_request_read(&frame, &request), INVALID);

    buf_clear(&message);
    signing_request_write(1, &sample_requests[SIGNING_PROTECT], &message);
    frame = cut(&message);
    message.data[message.len - 1] = 2; /* a flag is 0 or 1 */
    assert_int_equal(signing_request_read(&frame, &request), INVALID);
}

static void a_request_with_a_status_is_refused(void **state)
{
    (void)state;
    struct signing_request request;
    const struct signing_frame frame = {.op = SIGNING_PING, .status = CORRUPT};
    assert_int_equal(signing_request_read(&frame, &request), INVALID);
}

static void a_failed_reply_has_no_fields(void **state)
{
    (void)state;
    struct buf message AUTO(buf);
    struct signing_reply reply = sample_replies[SIGNING_UNSEAL];
    buf_init(&message, SIGNING_MESSAGE_MAX);
    reply.status = RATE_LIMITED;
    signing_reply_write(1, &reply, &message);
    struct signing_frame frame = cut(&message);
    assert_int_equal(frame.fields.len, 0);
    assert_int_equal(signing_reply_read(&frame, &reply), OK);
    assert_int_equal(reply.status, RATE_LIMITED);
    assert_int_equal(reply.unseal.secret.len, 0);

    buf_clear(&message);
    frame_write(&message, SIGNING_UNSEAL, RATE_LIMITED, SPAN("\x01\0\0\0s"));
    frame = cut(&message);
    assert_int_equal(signing_reply_read(&frame, &reply), INVALID);
}

/* A client may present a secret of any length: the front must notice, not the signer. */
static void what_is_too_long_is_not_written(void **state)
{
    (void)state;
    static char secret[SIGNING_MESSAGE_MAX];
    memset(secret, 's', sizeof secret);
    struct signing_request request = sample_requests[SIGNING_TOKEN];
    for (size_t len = 1024; len <= sizeof secret; len = len == 1024 ? 1025 : len * 2) {
        struct buf message AUTO(buf);
        buf_init(&message, SIGNING_MESSAGE_MAX);
        request.token.secret = span_of(secret, len);
        signing_request_write(1, &request, &message);
        assert_int_equal(buf_ok(&message), len <= 1024);
        if (buf_ok(&message)) {
            struct signing_frame frame = cut(&message);
            assert_int_equal(signing_request_read(&frame, &request), OK);
        } else {
            assert_int_equal(message.len, 0);
        }
    }
}

static void a_field_that_is_too_long_is_not_read(void **state)
{
    (void)state;
    static char alg[17];
    struct buf fields AUTO(buf);
    struct buf message AUTO(buf);
    struct signing_request request;
    buf_init(&fields, 1024);
    buf_init(&message, 1024);
    wire_write_u8(&fields, SIGNING_KEY_TOKEN);
    wire_write_bytes(&fields, span_of(alg, sizeof alg));
    frame_write(&message, SIGNING_KEY_MAKE, OK, buf_span(&fields));
    struct signing_frame frame = cut(&message);
    assert_int_equal(signing_request_read(&frame, &request), INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_read_as_it_was_written),
        cmocka_unit_test(every_reply_is_read_as_it_was_written),
        cmocka_unit_test(the_fields_arrive),
        cmocka_unit_test(a_frame_cut_anywhere_is_not_whole),
        cmocka_unit_test(fields_cut_anywhere_or_with_more_behind_are_refused),
        cmocka_unit_test(frames_that_are_not_the_protocol_are_refused),
        cmocka_unit_test(frames_are_cut_one_after_the_other),
        cmocka_unit_test(values_outside_their_range_are_refused),
        cmocka_unit_test(a_request_with_a_status_is_refused),
        cmocka_unit_test(a_failed_reply_has_no_fields),
        cmocka_unit_test(what_is_too_long_is_not_written),
        cmocka_unit_test(a_field_that_is_too_long_is_not_read),
    };
    return RUN_TESTS(tests);
}
