/* SPDX-License-Identifier: Apache-2.0 */
/* Each call that can fail fails once, in each kind of write that the store has: files (SQLite's
 * I/O), or memory (malloc and its like in the store and in SQLite).
 *
 *   call-faults io|full|memory [--every N]
 *
 * A step is done on a copy of the database as it was before it, with its n-th call failing, for
 * each n until the step needs fewer. Then: what was acknowledged is there; what was refused is
 * there whole or not at all; the store goes on, as it is or opened again; SQLite's check passes.
 * Ends with 1 when one of these does not hold; a crash or, in a build with sanitizers, a leak ends
 * it as well.
 * --every N: each N-th call only. */
#include "database.h"
#include "recorder.h"
#include "workload.h"

#include <errno.h>
#include <sqlite3.h>

enum { COPY_BYTES = 65536 };

/* --- Memory that runs out --- */

static struct {
    size_t fail_at; /* 0: never */
    bool is_armed;  /* within a call of the store */
    bool has_failed;
} memory;

static bool memory_fails(void)
{
    if (!memory.is_armed || memory.fail_at == 0 || --memory.fail_at > 0)
        return false;
    memory.has_failed = true;
    return true;
}

/* The linker leads the product's calls here (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strdup(const char *text);

void *__wrap_malloc(size_t size)
{
    return memory_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return memory_fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strdup(const char *text)
{
    return memory_fails() ? NULL : __real_strdup(text);
}

/* SQLite's own allocator, in front of what it had. */
static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int size)
{
    return memory_fails() ? NULL : sqlite_memory.xMalloc(size);
}

static void *sqlite_realloc(void *old, int size)
{
    return memory_fails() ? NULL : sqlite_memory.xRealloc(old, size);
}

static int take_sqlite_memory(void)
{
    int code = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    if (code != SQLITE_OK)
        return code;
    sqlite3_mem_methods methods = sqlite_memory;
    methods.xMalloc = sqlite_malloc;
    methods.xRealloc = sqlite_realloc;
    return sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
}

static void arm_memory(void)
{
    memory.is_armed = true;
}

static void disarm_memory(void)
{
    memory.is_armed = false;
}

/* --- What fails --- */

enum fault { FAULT_IO, FAULT_FULL, FAULT_MEMORY };

static void begin_fault(enum fault fault, size_t n)
{
    if (fault == FAULT_MEMORY) {
        memory.fail_at = n;
        memory.has_failed = false;
    } else {
        recorder_fail_at(n, fault == FAULT_FULL ? SQLITE_FULL : SQLITE_IOERR);
    }
}

/* Was it reached? */
static bool end_fault(enum fault fault)
{
    memory.fail_at = 0;
    bool has_failed = fault == FAULT_MEMORY ? memory.has_failed : recorder_has_failed() != 0;
    recorder_fail_at(0, 0);
    return has_failed;
}

/* --- A step, again and again --- */

struct run {
    enum fault fault;
    size_t every;
    char base[64]; /* the database before the step */
    struct fixture f;
    size_t failed; /* calls */
    size_t refused;
    size_t wrong;  /* acknowledged, and not there */
    size_t halves; /* neither as before nor as after */
    size_t stuck;  /* the store does not go on */
};

static void copy_file(const char *from, const char *to, const char *name)
{
    static char bytes[COPY_BYTES];
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", from, name);
    int in = open(path, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return;
    (void)snprintf(path, sizeof path, "%s/%s", to, name);
    int out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(out >= 0);
    ssize_t len;
    while ((len = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)len), len);
    (void)close(in);
    (void)close(out);
}

static void copy_database(const char *from, const char *to)
{
    database_remove(to);
    copy_file(from, to, "postern.db");
    copy_file(from, to, "postern.db-wal");
}

static void begin(struct run *run)
{
    arena_init(&run->f.arena, (size_t)64 << 20);
    run->f.store = NULL;
    run->f.change_count = 0;
    run->f.last_change = 0;
}

static void end(struct run *run)
{
    store_close(run->f.store);
    run->f.store = NULL;
    arena_done(&run->f.arena);
}

/* base: after all steps before this one; *ret_after: what the step leaves. */
static void prepare(struct run *run, size_t step, uint64_t *ret_before, uint64_t *ret_after)
{
    database_remove(run->f.directory);
    begin(run);
    for (size_t n = 0; n < step; n++)
        assert_ok(&run->f, workload_step(&run->f, n));
    end(run);
    copy_database(run->f.directory, run->base);
    assert_int_equal(database_read(run->base, false, ret_before), SQLITE_OK);
    copy_database(run->f.directory, run->base); /* a database is made where none was */
    if (step == WORKLOAD_OPEN)
        database_remove(run->base);
    begin(run);
    if (step != WORKLOAD_OPEN)
        assert_ok(&run->f, fixture_try_open(&run->f));
    assert_ok(&run->f, workload_step(&run->f, step));
    end(run);
    assert_int_equal(database_read(run->f.directory, false, ret_after), SQLITE_OK);
    assert_true(step == WORKLOAD_OPEN || step == WORKLOAD_REOPEN || *ret_before != *ret_after);
}

static bool goes_on(struct run *run)
{
    struct fixture *f = &run->f;
    if (f->store == NULL && fixture_try_open(f) != OK)
        return false;
    return store_ping(f->store, &f->err) == OK;
}

/* False: the step needs fewer than n calls. */
static bool try_call(struct run *run, size_t step, size_t n, uint64_t before, uint64_t after)
{
    struct fixture *f = &run->f;
    uint64_t digest = 0;
    copy_database(run->base, f->directory);
    begin(run);
    if (step != WORKLOAD_OPEN)
        assert_ok(f, fixture_try_open(f));
    begin_fault(run->fault, n);
    enum status status = workload_step(f, step);
    bool has_failed = end_fault(run->fault);
    if (!has_failed) {
        assert_int_equal(status, OK);
        end(run);
        return false;
    }
    run->failed++;
    run->refused += status != OK;
    bool is_stuck = !goes_on(run);
    bool is_read = database_read(f->directory, true, &digest) == SQLITE_OK;
    is_stuck |= !is_stuck && store_meta_set(f->store, SPAN("after"), SPAN("it"), &f->err) != OK;
    end(run);
    bool is_after = is_read && digest == after;
    bool is_before = is_read && digest == before && step != WORKLOAD_OPEN;
    run->stuck += is_stuck;
    if (status == OK && !is_after)
        run->wrong++;
    else if (!is_after && !is_before)
        run->halves++;
    if (is_stuck || (!is_after && !is_before))
        (void)fprintf(stderr, "step %zu, call %zu: %s %s; %s\n", step, n, status_name(status),
                      f->err.detail, is_stuck ? "the store does not go on" : "there in half");
    return true;
}

static int report(const struct run *run, const char *what, size_t kinds)
{
    (void)printf("%s, %zu kinds of write: %zu calls failed, %zu of them refused the write\n", what,
                 kinds, run->failed, run->refused);
    (void)printf(
        "crashes: 0; wrong acknowledgements: %zu; writes there in half: %zu; store that did "
        "not go on: %zu\n",
        run->wrong, run->halves, run->stuck);
    return run->failed > kinds && run->wrong + run->halves + run->stuck == 0 ? 0 : 1;
}

static bool read_options(int argc, char **argv, struct run *run)
{
    static const char *const names[] = {"io", "full", "memory"};
    run->every = 1;
    if (argc == 4 && strcmp(argv[2], "--every") == 0)
        run->every = strtoull(argv[3], NULL, 10);
    for (size_t i = 0; argc >= 2 && i < ARRAY_LEN(names); i++) {
        if (strcmp(argv[1], names[i]) == 0) {
            run->fault = (enum fault)i;
            return (argc == 2 || argc == 4) && run->every > 0;
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    static const size_t steps[] = {0,  1,  2,  5,  15, 16, 34, 35, 36, 37, 38, 39, 40, 41,
                                   42, 43, 44, 45, 46, 48, 50, 51, 53, 54, 55, 56, 57, 58};
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL || !read_options(argc, argv, run)) {
        (void)fputs("usage: call-faults io|full|memory [--every N]\n", stderr);
        return 2;
    }
    if (run->fault == FAULT_MEMORY) {
        assert_int_equal(take_sqlite_memory(), SQLITE_OK);
        workload_enter = arm_memory;
        workload_leave = disarm_memory;
    }
    assert_int_equal(recorder_install(), SQLITE_OK);
    fixture_make_directory(&run->f);
    run->f.now = 1000;
    (void)snprintf(run->base, sizeof run->base, "/tmp/postern-faults-XXXXXX");
    assert_non_null(mkdtemp(run->base));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        uint64_t before = 0;
        uint64_t after = 0;
        prepare(run, steps[i], &before, &after);
        for (size_t n = 1; try_call(run, steps[i], n, before, after); n += run->every)
            continue;
    }
    int status = report(run, argv[1], ARRAY_LEN(steps));
    database_remove(run->base);
    database_remove(run->f.directory);
    (void)rmdir(run->base);
    (void)rmdir(run->f.directory);
    (void)close(run->f.data_fd);
    free(run);
    return status;
}
