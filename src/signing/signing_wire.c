/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/wire.h"
#include "signing/record.h"
#include "signing/signing_internal.h"

#include <assert.h>
#include <string.h>

const struct span signing_key_kind_names[SIGNING_KEY_KIND_COUNT] = {
    [SIGNING_KEY_TOKEN] = SPAN_INIT("token"),
    [SIGNING_KEY_PEPPER] = SPAN_INIT("pepper"),
    [SIGNING_KEY_RECORD_MAC] = SPAN_INIT("record_mac"),
};

enum {
    FRAME_HEAD_BYTES = 12,  /* length, id, op, status */
    FRAME_LENGTH_BYTES = 4, /* of these, those that the length does not count */
    ALG_LEN_MAX = 16,
    ID_LEN_MAX = 64,
    CHECK_LEN_MAX = 32,
    JWK_LEN_MAX = 4096,
    SEALED_KEY_LEN_MAX = 8192,
    SEALED_SECRET_LEN_MAX = 1100,
    SECRET_LEN_MAX = 1024,
    AUDIENCE_LEN_MAX = 1024,
    HASH_LEN_MAX = 64,
    MARK_LEN_MAX = 40,
};

/* The largest messages: a token request, and the reply with a new key. */
static_assert(FRAME_HEAD_BYTES + RECORD_LEN_MAX + RECORD_MAC_BYTES + ID_LEN_MAX + SECRET_LEN_MAX +
                      AUDIENCE_LEN_MAX + 64 <
                  SIGNING_MESSAGE_MAX,
              "a token request fits");
static_assert(FRAME_HEAD_BYTES + ID_LEN_MAX + JWK_LEN_MAX + SEALED_KEY_LEN_MAX + CHECK_LEN_MAX +
                      16 <
                  SIGNING_MESSAGE_MAX,
              "a new key fits");

/* --- The messages: one row per field, in the order of the wire --- */

enum field_form { FIELD_BYTES, FIELD_I64, FIELD_FLAG, FIELD_KIND };

struct message_field {
    enum field_form form;
    size_t offset; /* in struct signing_request or signing_reply */
    size_t limit;  /* of bytes; both ends hold to it, so what was written is read */
};

struct message {
    const struct message_field *fields;
    size_t count;
};

#define REQUEST_FIELD(form, member, limit)                                                         \
    {                                                                                              \
        form, offsetof(struct signing_request, member), limit                                      \
    }
#define REPLY_FIELD(form, member, limit)                                                           \
    {                                                                                              \
        form, offsetof(struct signing_reply, member), limit                                        \
    }
#define MESSAGE(rows)                                                                              \
    {                                                                                              \
        rows, ARRAY_LEN(rows)                                                                      \
    }

static const struct message_field key_make_request[] = {
    REQUEST_FIELD(FIELD_KIND, key_make.kind, 0),
    REQUEST_FIELD(FIELD_BYTES, key_make.alg, ALG_LEN_MAX),
};

static const struct message_field key_load_request[] = {
    REQUEST_FIELD(FIELD_KIND, key_load.kind, 0),
    REQUEST_FIELD(FIELD_BYTES, key_load.alg, ALG_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, key_load.id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, key_load.sealed, SEALED_KEY_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, key_load.check_value, CHECK_LEN_MAX),
    REQUEST_FIELD(FIELD_FLAG, key_load.is_active, 0),
};

static const struct message_field token_request[] = {
    REQUEST_FIELD(FIELD_BYTES, token.record, RECORD_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, token.record_mac, RECORD_MAC_BYTES),
    REQUEST_FIELD(FIELD_BYTES, token.credential_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, token.secret, SECRET_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, token.audience, AUDIENCE_LEN_MAX),
    REQUEST_FIELD(FIELD_I64, token.ttl_seconds, 0),
    REQUEST_FIELD(FIELD_I64, token.revision, 0),
};

enum { SECRET_REQUEST_FIELDS = 4 }; /* of those of a token */

static const struct message_field protect_request[] = {
    REQUEST_FIELD(FIELD_BYTES, protect.account_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, protect.owner_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, protect.credential_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, protect.secret, SECRET_LEN_MAX),
    REQUEST_FIELD(FIELD_FLAG, protect.keep_sealed, 0),
};

static const struct message_field unseal_request[] = {
    REQUEST_FIELD(FIELD_BYTES, unseal.account_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, unseal.owner_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, unseal.credential_id, ID_LEN_MAX),
    REQUEST_FIELD(FIELD_BYTES, unseal.sealed, SEALED_SECRET_LEN_MAX),
};

static const struct message_field record_mac_request[] = {
    REQUEST_FIELD(FIELD_BYTES, record_mac.record, RECORD_LEN_MAX),
};

static const struct message_field clock_request[] = {
    REQUEST_FIELD(FIELD_BYTES, clock.mark, MARK_LEN_MAX),
    REQUEST_FIELD(FIELD_FLAG, clock.is_accepted, 0),
};

static const struct message requests[SIGNING_OP_COUNT] = {
    [SIGNING_PING] = {NULL, 0},
    [SIGNING_KEY_MAKE] = MESSAGE(key_make_request),
    [SIGNING_KEY_LOAD] = MESSAGE(key_load_request),
    [SIGNING_TOKEN] = MESSAGE(token_request),
    [SIGNING_SECRET] = {token_request, SECRET_REQUEST_FIELDS},
    [SIGNING_PROTECT] = MESSAGE(protect_request),
    [SIGNING_UNSEAL] = MESSAGE(unseal_request),
    [SIGNING_RECORD_MAC] = MESSAGE(record_mac_request),
    [SIGNING_CLOCK] = MESSAGE(clock_request),
};

static const struct message_field key_make_reply[] = {
    REPLY_FIELD(FIELD_BYTES, key_make.id, ID_LEN_MAX),
    REPLY_FIELD(FIELD_BYTES, key_make.public_jwk, JWK_LEN_MAX),
    REPLY_FIELD(FIELD_BYTES, key_make.sealed, SEALED_KEY_LEN_MAX),
    REPLY_FIELD(FIELD_BYTES, key_make.check_value, CHECK_LEN_MAX),
};

static const struct message_field token_reply[] = {
    REPLY_FIELD(FIELD_BYTES, token.token, SIGNING_TOKEN_LEN_MAX),
    REPLY_FIELD(FIELD_I64, token.expires_in, 0),
    REPLY_FIELD(FIELD_BYTES, token.token_id, ID_LEN_MAX),
};

static const struct message_field protect_reply[] = {
    REPLY_FIELD(FIELD_BYTES, protect.hash, HASH_LEN_MAX),
    REPLY_FIELD(FIELD_BYTES, protect.sealed, SEALED_SECRET_LEN_MAX),
};

static const struct message_field unseal_reply[] = {
    REPLY_FIELD(FIELD_BYTES, unseal.secret, SECRET_LEN_MAX),
};

static const struct message_field record_mac_reply[] = {
    REPLY_FIELD(FIELD_BYTES, record_mac.mac, RECORD_MAC_BYTES),
};

static const struct message_field clock_reply[] = {
    REPLY_FIELD(FIELD_I64, clock.now_us, 0),
    REPLY_FIELD(FIELD_FLAG, clock.is_held, 0),
    REPLY_FIELD(FIELD_BYTES, clock.mark, MARK_LEN_MAX),
};

static const struct message replies[SIGNING_OP_COUNT] = {
    [SIGNING_PING] = {NULL, 0},
    [SIGNING_KEY_MAKE] = MESSAGE(key_make_reply),
    [SIGNING_KEY_LOAD] = {NULL, 0},
    [SIGNING_TOKEN] = MESSAGE(token_reply),
    [SIGNING_SECRET] = {NULL, 0},
    [SIGNING_PROTECT] = MESSAGE(protect_reply),
    [SIGNING_UNSEAL] = MESSAGE(unseal_reply),
    [SIGNING_RECORD_MAC] = MESSAGE(record_mac_reply),
    [SIGNING_CLOCK] = MESSAGE(clock_reply),
};

/* --- Fields, by their rows --- */

static void write_bytes(struct buf *out, struct span bytes, size_t limit)
{
    if (bytes.len > limit)
        out->has_failed = true;
    wire_write_bytes(out, bytes);
}

static void write_field(const struct message_field *field, const char *object, struct buf *out)
{
    struct span bytes;
    int64_t number;
    bool flag;
    enum signing_key_kind kind;
    switch (field->form) {
    case FIELD_BYTES:
        memcpy(&bytes, object + field->offset, sizeof bytes);
        write_bytes(out, bytes, field->limit);
        return;
    case FIELD_I64:
        memcpy(&number, object + field->offset, sizeof number);
        wire_write_i64(out, number);
        return;
    case FIELD_FLAG:
        memcpy(&flag, object + field->offset, sizeof flag);
        wire_write_u8(out, flag ? 1 : 0);
        return;
    case FIELD_KIND:
        memcpy(&kind, object + field->offset, sizeof kind);
        assert(kind < SIGNING_KEY_KIND_COUNT);
        wire_write_u8(out, (uint8_t)kind);
        return;
    }
}

static void read_field(const struct message_field *field, struct wire_reader *reader, char *object)
{
    switch (field->form) {
    case FIELD_BYTES: {
        struct span bytes = wire_read_bytes(reader, field->limit);
        memcpy(object + field->offset, &bytes, sizeof bytes);
        return;
    }
    case FIELD_I64: {
        int64_t number = wire_read_i64(reader);
        memcpy(object + field->offset, &number, sizeof number);
        return;
    }
    case FIELD_FLAG: {
        uint8_t byte = wire_read_u8(reader);
        bool flag = byte == 1;
        reader->has_failed |= byte > 1;
        memcpy(object + field->offset, &flag, sizeof flag);
        return;
    }
    case FIELD_KIND: {
        uint8_t byte = wire_read_u8(reader);
        enum signing_key_kind kind = byte < SIGNING_KEY_KIND_COUNT ? byte : SIGNING_KEY_TOKEN;
        reader->has_failed |= byte >= SIGNING_KEY_KIND_COUNT;
        memcpy(object + field->offset, &kind, sizeof kind);
        return;
    }
    }
}

static bool read_fields(const struct message *message, struct span fields, void *object)
{
    struct wire_reader reader = wire_reader_of(fields);
    for (size_t i = 0; i < message->count; i++)
        read_field(&message->fields[i], &reader, object);
    return wire_end(&reader);
}

struct frame_head {
    uint32_t id;
    enum signing_op op;
    enum status status;
};

static void write_frame(struct frame_head head, const struct message *message, const void *object,
                        struct buf *out)
{
    size_t start = out->len;
    assert(head.op < SIGNING_OP_COUNT && head.status < STATUS_COUNT);
    wire_write_u32(out, 0); /* the length, known at the end */
    wire_write_u32(out, head.id);
    wire_write_u16(out, (uint16_t)head.op);
    wire_write_u16(out, (uint16_t)head.status);
    for (size_t i = 0; i < message->count; i++)
        write_field(&message->fields[i], object, out);
    size_t size = out->len - start;
    if (!buf_ok(out) || size > SIGNING_MESSAGE_MAX) {
        out->has_failed = true;
        out->len = start;
        return;
    }
    size_t rest = size - FRAME_LENGTH_BYTES;
    for (size_t i = 0; i < FRAME_LENGTH_BYTES; i++)
        out->data[start + i] = (char)(rest >> (8 * i));
}

/* --- The wire --- */

enum status signing_frame_cut(struct span *bytes, struct signing_frame *ret_frame)
{
    struct wire_reader reader = wire_reader_of(*bytes);
    size_t size = wire_read_u32(&reader);
    if (reader.has_failed)
        return NOT_FOUND;
    if (size < FRAME_HEAD_BYTES - FRAME_LENGTH_BYTES ||
        size > SIGNING_MESSAGE_MAX - FRAME_LENGTH_BYTES)
        return INVALID;
    if (reader.rest.len < size)
        return NOT_FOUND;
    uint32_t id = wire_read_u32(&reader);
    uint16_t op = wire_read_u16(&reader);
    uint16_t status = wire_read_u16(&reader);
    if (op >= SIGNING_OP_COUNT || status >= STATUS_COUNT)
        return INVALID;
    struct span fields = wire_read_fixed(&reader, size - (FRAME_HEAD_BYTES - FRAME_LENGTH_BYTES));
    *ret_frame = (struct signing_frame){.id = id, .op = op, .status = status, .fields = fields};
    *bytes = reader.rest;
    return OK;
}

void signing_request_write(uint32_t id, const struct signing_request *request, struct buf *out)
{
    const struct frame_head head = {.id = id, .op = request->op};
    write_frame(head, &requests[request->op], request, out);
}

enum status signing_request_read(const struct signing_frame *frame,
                                 struct signing_request *ret_request)
{
    struct signing_request request = {.op = frame->op};
    if (frame->status != OK || !read_fields(&requests[frame->op], frame->fields, &request))
        return INVALID;
    *ret_request = request;
    return OK;
}

static const struct message no_fields = {NULL, 0};

void signing_reply_write(uint32_t id, const struct signing_reply *reply, struct buf *out)
{
    const struct frame_head head = {.id = id, .op = reply->op, .status = reply->status};
    write_frame(head, reply->status == OK ? &replies[reply->op] : &no_fields, reply, out);
}

enum status signing_reply_read(const struct signing_frame *frame, struct signing_reply *ret_reply)
{
    struct signing_reply reply = {.op = frame->op, .status = frame->status};
    const struct message *message = frame->status == OK ? &replies[frame->op] : &no_fields;
    if (!read_fields(message, frame->fields, &reply))
        return INVALID;
    *ret_reply = reply;
    return OK;
}

enum status signing_reply_copy(struct signing_reply *reply, struct arena *arena)
{
    char *object = (char *)reply;
    const struct message *message = reply->status == OK ? &replies[reply->op] : &no_fields;
    for (size_t i = 0; i < message->count; i++) {
        struct span bytes;
        if (message->fields[i].form != FIELD_BYTES)
            continue;
        memcpy(&bytes, object + message->fields[i].offset, sizeof bytes);
        bytes = arena_copy(arena, bytes);
        if (bytes.ptr == NULL)
            return NO_MEMORY;
        memcpy(object + message->fields[i].offset, &bytes, sizeof bytes);
    }
    return OK;
}
