/* SPDX-License-Identifier: Apache-2.0 */
/* Documents on a real file in a directory of its own. */
#pragma once

#include "base/arena.h"
#include "documents/documents.h"

#include "../unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fixture {
    char directory[64];
    int data_fd;
    struct documents *documents;
    struct arena arena;
    struct err err;
    struct documents_hit *hits;
    size_t hit_count;
};

static const struct documents_place one = {SPAN_INIT("acc_1"), SPAN_INIT("crp_1")};
static const struct documents_place two = {SPAN_INIT("acc_1"), SPAN_INIT("crp_2")};
static const struct documents_place foreign = {SPAN_INIT("acc_2"), SPAN_INIT("crp_3")};

#define assert_ok(f, call)                                                                         \
    do {                                                                                           \
        (f)->err = (struct err){0};                                                                \
        enum status assert_status_ = (call);                                                       \
        if (assert_status_ != OK)                                                                  \
            print_error("%s: %s\n", status_name(assert_status_), (f)->err.detail);                 \
        assert_int_equal(assert_status_, OK);                                                      \
    } while (0)

#define assert_status(f, call, status)                                                             \
    do {                                                                                           \
        (f)->err = (struct err){0};                                                                \
        assert_int_equal((call), (status));                                                        \
    } while (0)

static inline void fixture_open(struct fixture *f)
{
    const struct documents_options options = {
        .data_fd = f->data_fd, .path = f->directory, .readers = 2};
    assert_ok(f, documents_open(&options, &f->documents, &f->err));
}

static inline void fixture_reopen(struct fixture *f)
{
    documents_close(f->documents);
    fixture_open(f);
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    arena_init(&f->arena, 64 << 20);
    (void)snprintf(f->directory, sizeof f->directory, "/tmp/documents-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    f->data_fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->data_fd >= 0);
    fixture_open(f);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    static const char *const files[] = {"documents.db", "documents.db-wal", "documents.db-shm"};
    struct fixture *f = *state;
    documents_close(f->documents);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(f->data_fd, files[i], 0);
    (void)close(f->data_fd);
    assert_int_equal(rmdir(f->directory), 0); /* nothing else was left there */
    arena_done(&f->arena);
    free(f);
    return 0;
}

#define documents_test(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* A document of count parts with these texts. */
static inline enum status fixture_try_add(struct fixture *f, const struct documents_place *place,
                                          const char *id, const char *const *texts, size_t count)
{
    struct document_part *parts = arena_zalloc(&f->arena, count, sizeof *parts);
    assert_non_null(parts);
    for (size_t i = 0; i < count; i++)
        parts[i] = (struct document_part){.text = span_cstr(texts[i]),
                                          .metadata = SPAN("{\"n\":1}"),
                                          .context = SPAN("where"),
                                          .custom_dimensions = SPAN("{}")};
    const struct document document = {.id = span_cstr(id),
                                      .metadata = SPAN("{\"kind\":\"note\"}"),
                                      .parts = parts,
                                      .part_count = count,
                                      .created_at = 1700000000};
    return documents_add(f->documents, place, &document, &f->err);
}

static inline void fixture_add(struct fixture *f, const struct documents_place *place,
                               const char *id, const char *text)
{
    assert_ok(f, fixture_try_add(f, place, id, &text, 1));
}

static inline void fixture_search_page(struct fixture *f, const struct documents_place *place,
                                       const char *text, int64_t limit, int64_t offset)
{
    const struct documents_scope scope = {place->corpus_id, span_cstr(text)};
    const struct documents_search search = {place->account_id, &scope, 1, .limit = limit,
                                            .offset = offset};
    assert_ok(f,
              documents_search(f->documents, &search, &f->arena, &f->hits, &f->hit_count, &f->err));
}

static inline size_t fixture_search(struct fixture *f, const struct documents_place *place,
                                    const char *text)
{
    fixture_search_page(f, place, text, 10, 0);
    return f->hit_count;
}
