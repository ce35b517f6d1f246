/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

static enum status delete_corpus(struct fixture *f, struct span account_id, struct span key)
{
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_DELETE, key);
    return store_corpus_delete(f->store, account_id, key, &audit, &f->revision, &f->err);
}

static enum status get_corpus(struct fixture *f, struct span account_id, struct span key,
                              struct corpus *ret_corpus)
{
    return store_corpus_get(f->store, account_id, key, &f->arena, ret_corpus, &f->err);
}

static void what_is_created_reads_back(void **state)
{
    struct fixture *f = *state;
    struct corpus corpus = fixture_corpus(f, 1);
    corpus.description = SPAN("text");
    corpus.has_description = true;
    corpus.is_enabled = false;
    corpus.save_history = true;
    corpus.documents_are_questions = true;
    corpus.encoder_id = SPAN("enc_1");
    corpus.filter_attributes = SPAN("[{\"name\":\"a\"}]");
    corpus.custom_dimensions = SPAN("[1]");
    corpus.version = 7;
    corpus.updated_at = 1700000009;
    fixture_create_corpus(f, &corpus);
    assert_string_equal(f->last_kind, "corpus");
    assert_string_equal(f->last_id, "crp_1");
    struct corpus got;
    assert_ok(f, get_corpus(f, ACCOUNT, corpus.key, &got));
    assert_span_equal(got.id, "crp_1");
    assert_span_equal(got.key, "key-1");
    assert_span_equal(got.account_id, "acc_1");
    assert_span_equal(got.name, "Corpus 1");
    assert_true(got.has_description);
    assert_span_equal(got.description, "text");
    assert_false(got.is_enabled);
    assert_true(got.save_history);
    assert_false(got.queries_are_answers);
    assert_true(got.documents_are_questions);
    assert_span_equal(got.encoder_id, "enc_1");
    assert_span_equal(got.encoder_name, "boomerang-2023-q3");
    assert_span_equal(got.filter_attributes, "[{\"name\":\"a\"}]");
    assert_span_equal(got.custom_dimensions, "[1]");
    assert_int_equal(got.version, 7);
    assert_int_equal(got.sequence, f->revision);
    assert_int_equal(got.created_at, 1700000001);
    assert_int_equal(got.updated_at, 1700000009);
}

static void a_key_is_unique_in_its_account_only(void **state)
{
    struct fixture *f = *state;
    struct corpus first = fixture_corpus(f, 1);
    struct corpus second = fixture_corpus(f, 2);
    second.key = first.key;
    fixture_create_corpus(f, &first);
    assert_status(f, fixture_try_create_corpus(f, &second, NULL), CONFLICT);
    second.account_id = OTHER_ACCOUNT;
    second.id = first.id;
    assert_status(f, fixture_try_create_corpus(f, &second, NULL), CONFLICT);
    second.id = SPAN("crp_2");
    fixture_create_corpus(f, &second);
    struct corpus got;
    assert_ok(f, get_corpus(f, OTHER_ACCOUNT, first.key, &got));
    assert_span_equal(got.id, "crp_2");
    assert_status(f, get_corpus(f, ACCOUNT, SPAN("none"), &got), NOT_FOUND);
}

static void an_idempotency_key_makes_one_corpus(void **state)
{
    struct fixture *f = *state;
    const struct store_idempotency key = {SPAN("once"), SPAN("digest")};
    const struct store_idempotency other = {SPAN("once"), SPAN("another")};
    struct corpus corpus = fixture_corpus(f, 1);
    assert_ok(f, fixture_try_create_corpus(f, &corpus, &key));
    corpus.id = SPAN("crp_new");
    assert_ok(f, fixture_try_create_corpus(f, &corpus, &key));
    assert_span_equal(f->existing_id, "crp_1");
    assert_int_equal(f->revision, 0);
    assert_status(f, fixture_try_create_corpus(f, &corpus, &other), CONFLICT);
}

static void delete_is_of_ones_own(void **state)
{
    struct fixture *f = *state;
    struct corpus corpus = fixture_corpus(f, 1);
    fixture_create_corpus(f, &corpus);
    size_t audited = fixture_audit_count(f, ACCOUNT);
    assert_status(f, delete_corpus(f, OTHER_ACCOUNT, corpus.key), NOT_FOUND);
    assert_status(f, delete_corpus(f, ACCOUNT, SPAN("none")), NOT_FOUND);
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited);
    int64_t before = f->last_change;
    assert_ok(f, delete_corpus(f, ACCOUNT, corpus.key));
    assert_true(f->revision > before);
    assert_string_equal(f->last_id, "crp_1");
    assert_int_equal(fixture_audit_count(f, ACCOUNT), audited + 1);
    struct corpus got;
    assert_status(f, get_corpus(f, ACCOUNT, corpus.key, &got), NOT_FOUND);
    assert_status(f, delete_corpus(f, ACCOUNT, corpus.key), NOT_FOUND);
}

static enum status update_corpus(struct fixture *f, const struct corpus *corpus,
                                 const struct job *job)
{
    const struct audit_event audit = fixture_audit(AUDIT_CORPUS_UPDATE, corpus->id);
    return store_corpus_update(f->store, corpus, job, &audit, &f->revision, &f->err);
}

static void an_update_writes_what_may_change_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct corpus corpus = fixture_corpus(f, 1);
    struct corpus got;
    fixture_create_corpus(f, &corpus);
    corpus.name = SPAN("New");
    corpus.has_description = true;
    corpus.description = SPAN("d");
    corpus.is_enabled = !corpus.is_enabled;
    corpus.save_history = !corpus.save_history;
    corpus.filter_attributes = SPAN("[{\"name\":\"b\"}]");
    corpus.encoder_name = SPAN("not written");
    corpus.version++;
    corpus.updated_at = 1700000500;
    assert_ok(f, update_corpus(f, &corpus, NULL));
    assert_string_equal(f->last_kind, "corpus");
    assert_ok(f, get_corpus(f, ACCOUNT, corpus.key, &got));
    assert_span_equal(got.name, "New");
    assert_span_equal(got.description, "d");
    assert_int_equal(got.is_enabled, corpus.is_enabled);
    assert_int_equal(got.save_history, corpus.save_history);
    assert_span_equal(got.filter_attributes, "[{\"name\":\"b\"}]");
    assert_span_equal(got.encoder_name, "boomerang-2023-q3");
    assert_int_equal(got.version, corpus.version);
    assert_int_equal(got.updated_at, 1700000500);
}

static void an_update_of_an_older_version_or_of_nothing_changes_nothing(void **state)
{
    struct fixture *f = *state;
    struct corpus corpus = fixture_corpus(f, 1);
    struct corpus got;
    const struct job job = {.id = SPAN("job_1"),
                            .account_id = ACCOUNT,
                            .type = SPAN("t"),
                            .corpus_id = corpus.id,
                            .corpus_key = corpus.key,
                            .state = SPAN("completed"),
                            .created_by = SPAN("app_1"),
                            .created_at = 5,
                            .completed_at = 6};
    struct job found;
    fixture_create_corpus(f, &corpus);
    int64_t revision = store_revision(f->store);
    assert_status(f, update_corpus(f, &corpus, &job), CONFLICT); /* the version was not raised */
    corpus.version += 2;
    assert_status(f, update_corpus(f, &corpus, &job), CONFLICT);
    corpus.version--;
    corpus.account_id = OTHER_ACCOUNT;
    assert_status(f, update_corpus(f, &corpus, &job), NOT_FOUND);
    corpus.account_id = ACCOUNT;
    corpus.id = SPAN("crp_9"); /* another one of that key, before this one was made */
    assert_status(f, update_corpus(f, &corpus, &job), NOT_FOUND);
    assert_true(store_revision(f->store) == revision);
    assert_status(f, store_job_get(f->store, ACCOUNT, SPAN("job_1"), &f->arena, &found, &f->err),
                  NOT_FOUND);
    corpus.id = SPAN("crp_1");
    assert_ok(f, update_corpus(f, &corpus, &job));
    assert_ok(f, store_job_get(f->store, ACCOUNT, SPAN("job_1"), &f->arena, &found, &f->err));
    assert_span_equal(found.corpus_key, "key-1");
    assert_span_equal(found.state, "completed");
    assert_span_equal(found.created_by, "app_1");
    assert_int_equal(found.created_at, 5);
    assert_int_equal(found.completed_at, 6);
    assert_int_equal(found.sequence, f->revision);
    assert_status(f,
                  store_job_get(f->store, OTHER_ACCOUNT, SPAN("job_1"), &f->arena, &found, &f->err),
                  NOT_FOUND);
    assert_ok(f, get_corpus(f, ACCOUNT, corpus.key, &got));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(what_is_created_reads_back),
        store_test(an_update_writes_what_may_change_and_nothing_else),
        store_test(an_update_of_an_older_version_or_of_nothing_changes_nothing),
        store_test(a_key_is_unique_in_its_account_only),
        store_test(an_idempotency_key_makes_one_corpus),
        store_test(delete_is_of_ones_own),
    };
    return RUN_TESTS(tests);
}
