/* SPDX-License-Identifier: Apache-2.0 */
#include "signing/record.h"

#include "base/buf.h"

#include "../unit.h"

#include <stdlib.h>

static const unsigned char digest[RECORD_DIGEST_BYTES] = "0123456789abcdef0123456789abcdef";

static struct credential two_credentials[] = {
    {.id = SPAN_INIT("crd_bbbbbbbbbbbb"),
     .kind = CREDENTIAL_CLIENT_SECRET,
     .hash = SPAN_INIT("\x01hash of b"),
     .expires_at = 1000,
     .retired_at = 2000},
    {.id = SPAN_INIT("crd_aaaaaaaaaaaa"),
     .kind = CREDENTIAL_API_KEY,
     .hash = SPAN_INIT("\x01hash of a")},
};

static struct principal make_client(void)
{
    return (struct principal){
        .id = SPAN("app_0123456789ab"),
        .account_id = SPAN("acc_0123456789ab"),
        .client_id = SPAN("abcdefghijklmnopqrstuvwxyz"),
        .is_enabled = true,
        .version = 3,
        .token_ttl_seconds = 600,
        .api_roles = 1U << API_ROLE_OWNER | 1U << API_ROLE_VIEWER,
        .credentials = two_credentials,
        .credential_count = 2,
    };
}

static void write_record(const struct principal *client, struct buf *out)
{
    buf_init(out, RECORD_LEN_MAX);
    record_write(client, digest, out);
}

static void a_record_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct buf bytes AUTO(buf);
    struct record record;
    const struct principal client = make_client();
    write_record(&client, &bytes);
    assert_true(buf_ok(&bytes));
    assert_int_equal(record_read(buf_span(&bytes), &record, NULL), OK);
    assert_int_equal(record.kind, PRINCIPAL_APP_CLIENT);
    assert_span_equal(record.id, "app_0123456789ab");
    assert_span_equal(record.account_id, "acc_0123456789ab");
    assert_span_equal(record.client_id, "abcdefghijklmnopqrstuvwxyz");
    assert_true(record.is_enabled);
    assert_int_equal(record.version, 3);
    assert_int_equal(record.token_ttl_seconds, 600);
    assert_int_equal(record.api_roles, client.api_roles);
    assert_int_equal(record.grants_digest.len, RECORD_DIGEST_BYTES);
    assert_memory_equal(record.grants_digest.ptr, digest, RECORD_DIGEST_BYTES);
    assert_int_equal(record.credential_count, 2);
    assert_span_equal(record.credentials[0].id, "crd_aaaaaaaaaaaa"); /* sorted */
    assert_int_equal(record.credentials[0].kind, CREDENTIAL_API_KEY);
    assert_span_equal(record.credentials[1].hash, "\x01hash of b");
    assert_int_equal(record.credentials[1].expires_at, 1000);
    assert_int_equal(record.credentials[1].retired_at, 2000);
}

static void the_order_of_credentials_does_not_matter(void **state)
{
    (void)state;
    struct buf one AUTO(buf);
    struct buf other AUTO(buf);
    struct principal client = make_client();
    struct credential turned[] = {two_credentials[1], two_credentials[0]};
    write_record(&client, &one);
    client.credentials = turned;
    write_record(&client, &other);
    assert_int_equal(one.len, other.len);
    assert_memory_equal(one.data, other.data, one.len);
}

/* Whatever the MAC is to cover changes the bytes. */
static void every_covered_field_changes_the_record(void **state)
{
    (void)state;
    struct buf original AUTO(buf);
    const struct principal client = make_client();
    write_record(&client, &original);
    for (int i = 0; i < 12; i++) {
        struct principal changed = client;
        struct credential credentials[] = {two_credentials[0], two_credentials[1]};
        unsigned char grants[RECORD_DIGEST_BYTES];
        memcpy(grants, digest, sizeof grants);
        changed.credentials = credentials;
        switch (i) {
        case 0:
            changed.id = SPAN("app_0123456789ac");
            break;
        case 1:
            changed.account_id = SPAN("acc_0123456789ac");
            break;
        case 2:
            changed.client_id = SPAN("abcdefghijklmnopqrstuvwxyy");
            break;
        case 3:
            changed.is_enabled = false;
            break;
        case 4:
            changed.version++;
            break;
        case 5:
            changed.token_ttl_seconds++;
            break;
        case 6:
            changed.api_roles |= 1U << API_ROLE_ADMINISTRATOR;
            break;
        case 7:
            grants[0] ^= 1;
            break;
        case 8:
            credentials[0].hash = SPAN("\x01hash of c");
            break;
        case 9:
            credentials[0].expires_at = 0;
            break;
        case 10:
            credentials[0].retired_at = 0;
            break;
        default:
            changed.credential_count = 1;
            break;
        }
        struct buf bytes AUTO(buf);
        buf_init(&bytes, RECORD_LEN_MAX);
        record_write(&changed, grants, &bytes);
        assert_false(span_equal(buf_span(&bytes), buf_span(&original)));
    }
}

static void a_record_cut_anywhere_or_with_more_behind_is_refused(void **state)
{
    (void)state;
    struct buf bytes AUTO(buf);
    struct record record;
    struct err err = {0};
    const struct principal client = make_client();
    write_record(&client, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        char *copy = malloc(len == 0 ? 1 : len);
        assert_non_null(copy);
        memcpy(copy, bytes.data, len);
        assert_int_equal(record_read(span_of(copy, len), &record, NULL), INVALID);
        free(copy);
    }
    buf_byte(&bytes, '\0');
    assert_int_equal(record_read(buf_span(&bytes), &record, &err), INVALID);
    assert_true(strlen(err.detail) > 0);
}

/* At the places where the encoding of make_client() holds numbers with a range. */
static void values_outside_their_range_are_refused(void **state)
{
    (void)state;
    enum { ENABLED_AT = 2 + 20 + 20 + 30, TTL_AT = ENABLED_AT + 9, ROLES_AT = TTL_AT + 8 };
    static const struct {
        size_t at;
        unsigned char byte;
    } cases[] = {
        {0, 2},               /* version */
        {1, 0},               /* kind */
        {1, 4},               /* kind */
        {ENABLED_AT, 2},      /* a flag */
        {TTL_AT + 7, 0x80},   /* negative */
        {ROLES_AT + 3, 0x80}, /* a role that there is not */
        {ROLES_AT + 4 + RECORD_DIGEST_BYTES, CREDENTIALS_MAX + 1},
        {ROLES_AT + 4 + RECORD_DIGEST_BYTES + 1 + 20, CREDENTIAL_KIND_COUNT},
    };
    const struct principal client = make_client();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf bytes AUTO(buf);
        struct record record;
        write_record(&client, &bytes);
        assert_int_not_equal((unsigned char)bytes.data[cases[i].at], cases[i].byte);
        bytes.data[cases[i].at] = (char)cases[i].byte;
        assert_int_equal(record_read(buf_span(&bytes), &record, NULL), INVALID);
    }
}

static void the_largest_client_fits_and_a_larger_one_is_not_written(void **state)
{
    (void)state;
    static char long_text[65];
    struct credential credentials[CREDENTIALS_MAX + 1];
    struct principal client = make_client();
    struct record record;
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < ARRAY_LEN(credentials); i++)
        credentials[i] =
            (struct credential){.id = span_of(long_text, 64), .hash = span_of(long_text, 64)};
    client.id = client.account_id = client.client_id = span_of(long_text, 64);
    client.credentials = credentials;
    client.credential_count = CREDENTIALS_MAX;
    client.api_roles = (1U << API_ROLE_COUNT) - 1;
    struct buf bytes AUTO(buf);
    write_record(&client, &bytes);
    assert_true(buf_ok(&bytes));
    assert_int_equal(record_read(buf_span(&bytes), &record, NULL), OK);

    struct buf more AUTO(buf);
    client.credential_count = CREDENTIALS_MAX + 1;
    write_record(&client, &more);
    assert_false(buf_ok(&more));
    buf_clear(&more);
    client.credential_count = 0;
    client.client_id = span_of(long_text, 65);
    record_write(&client, digest, &more);
    assert_false(buf_ok(&more));
}

static void grants_do_not_depend_on_order_but_on_everything_else(void **state)
{
    (void)state;
    struct corpus_grant corpora[] = {
        {.corpus_key = SPAN("b"), .corpus_id = SPAN("crp_2"), .role = CORPUS_ROLE_EDITOR},
        {.corpus_key = SPAN("a"), .corpus_id = SPAN("crp_1"), .role = CORPUS_ROLE_VIEWER},
    };
    struct corpus_grant turned[] = {corpora[1], corpora[0]};
    struct agent_grant agents[] = {
        {.agent_key = SPAN("x"), .role = AGENT_ROLE_USER},
        {.agent_key = SPAN("x"), .role = AGENT_ROLE_VIEWER},
    };
    struct agent_grant agents_turned[] = {agents[1], agents[0]};
    struct principal client = {.corpus_grants = corpora,
                                .corpus_grant_count = 2,
                                .agent_grants = agents,
                                .agent_grant_count = 2};
    struct buf one AUTO(buf);
    struct buf other AUTO(buf);
    buf_init(&one, 4096);
    buf_init(&other, 4096);
    record_write_grants(&client, &one);
    client.corpus_grants = turned;
    client.agent_grants = agents_turned;
    record_write_grants(&client, &other);
    assert_true(buf_ok(&one));
    assert_true(span_equal(buf_span(&one), buf_span(&other)));

    turned[0].role = CORPUS_ROLE_OWNER;
    buf_clear(&other);
    record_write_grants(&client, &other);
    assert_false(span_equal(buf_span(&one), buf_span(&other)));
    turned[0].role = CORPUS_ROLE_VIEWER;
    turned[0].corpus_id = SPAN("crp_3");
    buf_clear(&other);
    record_write_grants(&client, &other);
    assert_false(span_equal(buf_span(&one), buf_span(&other)));
    client.corpus_grant_count = 0;
    buf_clear(&other);
    record_write_grants(&client, &other);
    assert_false(span_equal(buf_span(&one), buf_span(&other)));
    client.agent_grant_count = GRANTS_MAX + 1;
    buf_clear(&other);
    record_write_grants(&client, &other);
    assert_false(buf_ok(&other));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_read_as_it_was_written),
        cmocka_unit_test(the_order_of_credentials_does_not_matter),
        cmocka_unit_test(every_covered_field_changes_the_record),
        cmocka_unit_test(a_record_cut_anywhere_or_with_more_behind_is_refused),
        cmocka_unit_test(values_outside_their_range_are_refused),
        cmocka_unit_test(the_largest_client_fits_and_a_larger_one_is_not_written),
        cmocka_unit_test(grants_do_not_depend_on_order_but_on_everything_else),
    };
    return RUN_TESTS(tests);
}
