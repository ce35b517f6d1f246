/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static struct audit_row *list(struct fixture *f, int64_t before, size_t limit, size_t *ret_count)
{
    struct audit_row *rows = NULL;
    assert_ok(f, store_audit_list(f->store, ACCOUNT, before, limit, &f->arena, &rows, ret_count,
                                  &f->err));
    return rows;
}

static void each_change_leaves_one_row_newest_first(void **state)
{
    struct fixture *f = *state;
    struct principal client = fixture_client(f, 1);
    struct corpus corpus = fixture_corpus(f, 1);
    fixture_create(f, &client);
    int64_t created = f->revision;
    fixture_create_corpus(f, &corpus);
    struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_UPDATE, client.id);
    client.version++;
    assert_ok(f, store_principal_update(f->store, &client, &audit, &f->revision, &f->err));
    audit = fixture_audit(AUDIT_CORPUS_DELETE, corpus.id);
    assert_ok(f, store_corpus_delete(f->store, ACCOUNT, corpus.key, &audit, &f->revision, &f->err));
    audit = fixture_audit(AUDIT_APP_CLIENT_DELETE, client.id);
    assert_ok(f, store_principal_delete(f->store, PRINCIPAL_APP_CLIENT, ACCOUNT, client.id, &audit, &f->revision, &f->err));
    static const char *const actions[] = {"app_client.delete", "corpus.delete",
                                          "app_client.update", "corpus.create",
                                          "app_client.create", "account.create"};
    size_t count;
    const struct audit_row *rows = list(f, INT64_MAX, 100, &count);
    assert_int_equal(count, ARRAY_LEN(actions));
    for (size_t i = 0; i < count; i++)
        assert_span_equal(rows[i].action, actions[i]);
    assert_span_equal(rows[4].target_id, "app_1");
    assert_span_equal(rows[4].actor_kind, "control");
    assert_span_equal(rows[4].actor_id, "uid 0 pid 1");
    assert_int_equal(rows[4].at, 1700000000);
    assert_int_equal(rows[4].sequence, created);
    rows = list(f, rows[1].sequence, 2, &count);
    assert_int_equal(count, 2);
    assert_span_equal(rows[0].action, "app_client.update");
    assert_int_equal(fixture_audit_count(f, OTHER_ACCOUNT), 1);
}

static void an_event_alone_is_no_change(void **state)
{
    struct fixture *f = *state;
    size_t heard = f->change_count;
    const struct audit_event audit = fixture_audit(AUDIT_APP_CLIENT_REVEAL, SPAN("app_1"));
    assert_ok(f, store_audit_add(f->store, &audit, &f->err));
    assert_ok(f, store_audit_add(f->store, &audit, &f->err));
    size_t count;
    const struct audit_row *rows = list(f, INT64_MAX, 100, &count);
    assert_int_equal(count, 3);
    assert_span_equal(rows[0].action, "app_client.reveal");
    assert_true(rows[0].sequence > rows[1].sequence);
    assert_int_equal(f->change_count, heard);
    struct principal client = fixture_client(f, 1);
    fixture_create(f, &client); /* and the numbers go on */
    assert_true(f->revision > rows[0].sequence);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(each_change_leaves_one_row_newest_first),
        store_test(an_event_alone_is_no_change),
    };
    return RUN_TESTS(tests);
}
