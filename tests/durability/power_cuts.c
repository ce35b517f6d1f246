/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts the power at every point of a workload: makes the files as a disk may then have them, opens
 * them, and compares what is in the database with what had been acknowledged.
 *
 *   power-cuts [--steps N] [--tries N] [--every N] [--seed N] [--ignore-syncs]
 *
 * What a sync has not reached may be on the disk or not, in any order; a write may be there in
 * part, by sectors of 512 bytes; a name may be entered or removed or not yet. At each point (of the
 * log of all that the store did to its files): nothing of it, all of it, every choice where there
 * are few pending operations, else --tries random ones. The database must then hold exactly what
 * some step left, not before the last acknowledged one, and pass SQLite's own check; some are
 * opened by the store as well. Ends with 1 when an acknowledged write was lost, a step was there in
 * half, or a state could not be opened.
 *
 * --ignore-syncs: as if the disk lied about each sync. Then writes must be lost: it shows that the
 * comparison can fail. */
#include "database.h"
#include "recorder.h"
#include "workload.h"

#include <getopt.h>
#include <sqlite3.h>

enum {
    SECTOR = 512,
    PENDING_MAX = 4096,
    EXHAUSTIVE_MAX = 6, /* pending operations: 64 choices */
    NAMES_MAX = 8,
    STORE_OPENS_EVERY = 40,
    FILE_BYTES_MAX = 32 << 20,
};

struct options {
    size_t steps;
    size_t tries;
    size_t every;
    uint64_t seed;
    bool ignores_syncs;
};

/* A file as the disk has it for certain, and what was done to it since. */
struct inode {
    unsigned char *bytes;
    size_t size;
    size_t pending[PENDING_MAX]; /* places in the log */
    size_t pending_count;
};

/* What a name stood for, for certain, and the changes of that since. */
struct name {
    char text[RECORDER_NAME_MAX];
    int inode; /* -1: nothing */
    int pending[PENDING_MAX];
    size_t pending_count;
};

struct disk {
    struct inode inodes[RECORDER_INODES_MAX];
    struct name names[NAMES_MAX];
    size_t name_count;
};

struct run {
    struct options options;
    struct fixture *f;
    uint64_t digests[WORKLOAD_LONG + 1]; /* what each step left; [0]: the empty database */
    size_t step_count;
    struct disk *disk;
    uint64_t *seen; /* an open hash of states that were tried */
    size_t seen_capacity;
    size_t seen_count;
    size_t tried;
    size_t opened;
    size_t points;
    size_t lost;     /* acknowledged, and not there */
    size_t halves;   /* what no step left */
    size_t unopened; /* SQLite, its check or the store refused it */
    uint64_t random;
};

/* --- Small things --- */

/* xorshift64*: the same choices for the same seed. */
static uint64_t random_next(struct run *run)
{
    run->random ^= run->random >> 12;
    run->random ^= run->random << 25;
    run->random ^= run->random >> 27;
    return run->random * 0x2545f4914f6cdd1du;
}

static bool random_bit(struct run *run)
{
    return (random_next(run) >> 63) != 0;
}

/* --- The workload, recorded --- */

static void record(struct run *run)
{
    struct fixture *f = run->f;
    assert_int_equal(database_read(f->directory, false, &run->digests[0]), SQLITE_OK);
    char path[128];
    (void)snprintf(path, sizeof path, "%s/postern.db", f->directory);
    (void)unlink(path);
    recorder_start();
    for (size_t n = 0; n < run->options.steps; n++) {
        assert_ok(f, workload_step(f, n));
        workload_check(f, n + 1);
        recorder_acknowledge(n);
        assert_int_equal(database_read(f->directory, false, &run->digests[n + 1]), SQLITE_OK);
    }
    run->step_count = run->options.steps;
    recorder_stop();
}

/* --- The disk --- */

static struct name *name_of(struct disk *disk, const char *text)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        if (strcmp(disk->names[i].text, text) == 0)
            return &disk->names[i];
    }
    assert_true(disk->name_count < NAMES_MAX);
    struct name *name = &disk->names[disk->name_count++];
    name->inode = -1;
    (void)snprintf(name->text, sizeof name->text, "%s", text);
    return name;
}

static void resize(unsigned char **bytes, size_t *size, size_t wanted)
{
    assert_true(wanted <= FILE_BYTES_MAX);
    if (wanted > *size) {
        *bytes = realloc(*bytes, wanted);
        assert_non_null(*bytes);
        memset(*bytes + *size, 0, wanted - *size);
    }
    *size = wanted;
}

/* Puts one operation into a file's bytes; mask says which sectors of a write, NULL: all. */
static void apply(const struct record *op, const uint64_t *mask, unsigned char **bytes,
                  size_t *size)
{
    if (op->kind == RECORD_TRUNCATE) {
        resize(bytes, size, (size_t)op->offset);
        return;
    }
    size_t offset = (size_t)op->offset;
    for (size_t at = 0; at < op->len;) {
        size_t sector = (offset + at) / SECTOR - offset / SECTOR;
        size_t end = (offset / SECTOR + sector + 1) * SECTOR - offset;
        end = end < op->len ? end : op->len;
        if (mask == NULL || (mask[sector / 64 % 4] >> (sector % 64) & 1) != 0) {
            if (offset + end > *size)
                resize(bytes, size, offset + end);
            memcpy(*bytes + offset + at, op->bytes + at, end - at);
        }
        at = end;
    }
}

static void sync_inode(struct disk *disk, const struct record *log, int number)
{
    struct inode *inode = &disk->inodes[number];
    for (size_t i = 0; i < inode->pending_count; i++)
        apply(&log[inode->pending[i]], NULL, &inode->bytes, &inode->size);
    inode->pending_count = 0;
}

static void sync_names(struct disk *disk)
{
    for (size_t i = 0; i < disk->name_count; i++) {
        struct name *name = &disk->names[i];
        if (name->pending_count > 0)
            name->inode = name->pending[name->pending_count - 1];
        name->pending_count = 0;
    }
}

static void advance(struct run *run, const struct record *log, size_t at)
{
    struct disk *disk = run->disk;
    const struct record *op = &log[at];
    if (op->kind == RECORD_WRITE || op->kind == RECORD_TRUNCATE) {
        struct inode *inode = &disk->inodes[op->inode];
        assert_true(inode->pending_count < PENDING_MAX);
        inode->pending[inode->pending_count++] = at;
    } else if (op->kind == RECORD_ENTER || op->kind == RECORD_REMOVE) {
        struct name *name = name_of(disk, op->name);
        assert_true(name->pending_count < PENDING_MAX);
        name->pending[name->pending_count++] = op->kind == RECORD_ENTER ? op->inode : -1;
    } else if (op->kind == RECORD_SYNC && !run->options.ignores_syncs) {
        sync_inode(disk, log, op->inode);
    } else if (op->kind == RECORD_SYNC_DIRECTORY && !run->options.ignores_syncs) {
        sync_names(disk);
    }
}

/* --- One state --- */

/* Which of the pending operations are on the disk. */
enum choice {
    CHOOSE_NONE,
    CHOOSE_ALL,
    CHOOSE_BY_NUMBER, /* the bits of a number, whole operations */
    CHOOSE_AT_RANDOM, /* some, and writes in part */
};

struct state {
    enum choice choice;
    uint64_t number; /* bits are taken from below */
};

static bool take(struct run *run, struct state *state)
{
    if (state->choice == CHOOSE_BY_NUMBER) {
        bool is_taken = (state->number & 1) != 0;
        state->number >>= 1;
        return is_taken;
    }
    return state->choice == CHOOSE_ALL || (state->choice == CHOOSE_AT_RANDOM && random_bit(run));
}

static void content_of(struct run *run, const struct record *log, const struct inode *inode,
                       struct state *state, unsigned char **ret_bytes, size_t *ret_size)
{
    unsigned char *bytes = malloc(inode->size + 1);
    size_t size = inode->size;
    assert_non_null(bytes);
    if (size > 0)
        memcpy(bytes, inode->bytes, size);
    for (size_t i = 0; i < inode->pending_count; i++) {
        const struct record *op = &log[inode->pending[i]];
        if (!take(run, state))
            continue;
        /* Half of the random ones are torn. */
        const uint64_t mask[4] = {random_next(run), random_next(run), random_next(run),
                                  random_next(run)};
        bool is_torn = state->choice == CHOOSE_AT_RANDOM && random_bit(run);
        apply(op, is_torn ? mask : NULL, &bytes, &size);
    }
    *ret_bytes = bytes;
    *ret_size = size;
}

static int inode_chosen(struct run *run, const struct name *name, struct state *state)
{
    int inode = name->inode;
    for (size_t i = 0; i < name->pending_count; i++) {
        if (!take(run, state)) {
            if (state->choice != CHOOSE_BY_NUMBER)
                break;
            continue;
        }
        inode = name->pending[i];
    }
    return inode;
}

static bool is_new(struct run *run, uint64_t state)
{
    if (2 * run->seen_count >= run->seen_capacity) {
        size_t capacity = run->seen_capacity == 0 ? 1 << 16 : 4 * run->seen_capacity;
        uint64_t *seen = calloc(capacity, sizeof *seen);
        assert_non_null(seen);
        for (size_t i = 0; i < run->seen_capacity; i++) {
            size_t at = run->seen[i] % capacity;
            while (run->seen[i] != 0 && seen[at] != 0)
                at = (at + 1) % capacity;
            if (run->seen[i] != 0)
                seen[at] = run->seen[i];
        }
        free(run->seen);
        run->seen = seen;
        run->seen_capacity = capacity;
    }
    size_t at = state % run->seen_capacity;
    while (run->seen[at] != 0 && run->seen[at] != state)
        at = (at + 1) % run->seen_capacity;
    if (run->seen[at] == state)
        return false;
    run->seen[at] = state;
    run->seen_count++;
    return true;
}

static void write_file(const char *directory, const char *name, const unsigned char *bytes,
                       size_t size)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), (ssize_t)size);
    (void)close(fd);
}

/* The product starts on it, and goes on. */
static bool opens_with_store(const char *directory)
{
    struct fixture f = {.now = 1000};
    bool is_open = false;
    arena_init(&f.arena, 64 << 20);
    (void)snprintf(f.directory, sizeof f.directory, "%s", directory);
    f.data_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f.data_fd >= 0);
    if (fixture_try_open(&f) == OK)
        is_open = store_meta_set(f.store, SPAN("after"), SPAN("it"), &f.err) == OK;
    if (!is_open)
        (void)fprintf(stderr, "the store does not open it: %s\n", f.err.detail);
    store_close(f.store);
    (void)close(f.data_fd);
    arena_done(&f.arena);
    return is_open;
}

/* acknowledged: how many steps were. */
static void judge(struct run *run, const char *directory, size_t acknowledged)
{
    uint64_t digest = 0;
    run->tried++;
    if (database_read(directory, true, &digest) != SQLITE_OK) {
        run->unopened++;
        return;
    }
    /* While the store opens for the first time, each migration is a transaction of its own. */
    bool is_opening = acknowledged == 0;
    size_t next = acknowledged < run->step_count ? acknowledged + 1 : acknowledged;
    if (!is_opening && digest != run->digests[acknowledged] && digest != run->digests[next]) {
        bool is_earlier = false;
        for (size_t n = 0; n < acknowledged; n++)
            is_earlier |= run->digests[n] == digest;
        if (is_earlier)
            run->lost++;
        else
            run->halves++;
        return;
    }
    if (is_opening || run->tried % STORE_OPENS_EVERY == 0) {
        run->opened++;
        if (!opens_with_store(directory))
            run->unopened++;
    }
}

static void try_state(struct run *run, const struct record *log, const char *directory,
                      size_t acknowledged, struct state state)
{
    uint64_t fingerprint = database_hash(0xcbf29ce484222325u, &acknowledged, sizeof acknowledged);
    unsigned char *bytes[NAMES_MAX] = {0};
    size_t sizes[NAMES_MAX] = {0};
    for (size_t i = 0; i < run->disk->name_count; i++) {
        const struct name *name = &run->disk->names[i];
        int inode = inode_chosen(run, name, &state);
        fingerprint = database_hash(fingerprint, &inode, sizeof inode);
        if (inode < 0)
            continue;
        content_of(run, log, &run->disk->inodes[inode], &state, &bytes[i], &sizes[i]);
        fingerprint = database_hash(fingerprint, bytes[i], sizes[i]);
    }
    if (is_new(run, fingerprint == 0 ? 1 : fingerprint)) {
        database_remove(directory);
        for (size_t i = 0; i < run->disk->name_count; i++) {
            if (bytes[i] != NULL)
                write_file(directory, run->disk->names[i].text, bytes[i], sizes[i]);
        }
        judge(run, directory, acknowledged);
    }
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(bytes[i]);
}

static size_t pending_count(const struct disk *disk)
{
    size_t count = 0;
    for (size_t i = 0; i < disk->name_count; i++)
        count += disk->names[i].pending_count;
    for (size_t i = 0; i < RECORDER_INODES_MAX; i++)
        count += disk->inodes[i].pending_count;
    return count;
}

static void try_point(struct run *run, const struct record *log, const char *directory,
                      size_t acknowledged)
{
    size_t pending = pending_count(run->disk);
    run->points++;
    try_state(run, log, directory, acknowledged, (struct state){.choice = CHOOSE_NONE});
    if (pending == 0)
        return;
    try_state(run, log, directory, acknowledged, (struct state){.choice = CHOOSE_ALL});
    if (pending <= EXHAUSTIVE_MAX) {
        for (uint64_t n = 1; n + 1 < UINT64_C(1) << pending; n++)
            try_state(run, log, directory, acknowledged,
                      (struct state){.choice = CHOOSE_BY_NUMBER, .number = n});
    }
    for (size_t i = 0; i < run->options.tries; i++)
        try_state(run, log, directory, acknowledged, (struct state){.choice = CHOOSE_AT_RANDOM});
}

static void cut_everywhere(struct run *run, const char *directory)
{
    size_t count;
    size_t acknowledged = 0;
    const struct record *log = recorder_log(&count);
    for (size_t at = 0; at <= count; at++) {
        if (at % run->options.every == 0 || at == count || log[at].kind == RECORD_ACKNOWLEDGE)
            try_point(run, log, directory, acknowledged);
        if (at == count)
            break;
        if (log[at].kind == RECORD_ACKNOWLEDGE)
            acknowledged = (size_t)log[at].offset + 1;
        advance(run, log, at);
    }
}

/* --- The program --- */

static bool read_options(int argc, char **argv, struct options *ret)
{
    static const struct option names[] = {
        {"steps", required_argument, NULL, 'n'},  {"tries", required_argument, NULL, 't'},
        {"every", required_argument, NULL, 'e'},  {"seed", required_argument, NULL, 's'},
        {"ignore-syncs", no_argument, NULL, 'i'}, {0}};
    *ret = (struct options){.steps = WORKLOAD_SHORT, .tries = 4, .every = 1, .seed = 1};
    int option;
    while ((option = getopt_long(argc, argv, "", names, NULL)) >= 0) {
        unsigned long long value = optarg == NULL ? 0 : strtoull(optarg, NULL, 10);
        switch (option) {
        case 'n':
            ret->steps = (size_t)value;
            break;
        case 't':
            ret->tries = (size_t)value;
            break;
        case 'e':
            ret->every = (size_t)value;
            break;
        case 's':
            ret->seed = value;
            break;
        case 'i':
            ret->ignores_syncs = true;
            break;
        default:
            return false;
        }
    }
    return optind == argc && ret->steps > 0 && ret->steps <= WORKLOAD_LONG && ret->every > 0 &&
           ret->seed > 0;
}

static int report(const struct run *run)
{
    size_t records;
    (void)recorder_log(&records);
    (void)printf(
        "power cuts, seed %llu: %zu steps, %zu operations on files, %zu points; %zu states "
        "tried, %zu of them opened by the store\n",
        (unsigned long long)run->options.seed, run->step_count, records, run->points, run->tried,
        run->opened);
    (void)printf(
        "acknowledged writes lost: %zu; steps there in half: %zu; states not opened: %zu\n",
        run->lost, run->halves, run->unopened);
    size_t bad = run->lost + run->halves + run->unopened;
    if (run->options.ignores_syncs) {
        (void)printf("%s\n", run->lost > 0
                                 ? "the comparison can fail: without syncs writes are lost"
                                 : "no loss was noticed without syncs");
        return run->lost > 0 ? 0 : 1;
    }
    return bad == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/postern-power-XXXXXX";
    struct run *run = calloc(1, sizeof *run);
    struct fixture *f = calloc(1, sizeof *f);
    if (run == NULL || f == NULL || !read_options(argc, argv, &run->options)) {
        (void)fputs("usage: power-cuts [--steps N] [--tries N] [--every N] [--seed N] "
                    "[--ignore-syncs]\n",
                    stderr);
        return 2;
    }
    run->f = f;
    run->random = run->options.seed;
    run->disk = calloc(1, sizeof *run->disk);
    assert_non_null(run->disk);
    arena_init(&f->arena, (size_t)256 << 20);
    f->now = 1000;
    assert_int_equal(recorder_install(), SQLITE_OK);
    fixture_make_directory(f);
    assert_non_null(mkdtemp(directory));
    record(run);
    cut_everywhere(run, directory);
    int status = report(run);
    store_close(f->store);
    database_remove(f->directory);
    (void)rmdir(f->directory);
    database_remove(directory);
    (void)rmdir(directory);
    (void)close(f->data_fd);
    arena_done(&f->arena);
    free(f);
    for (size_t i = 0; i < RECORDER_INODES_MAX; i++)
        free(run->disk->inodes[i].bytes);
    free(run->disk);
    free(run->seen);
    free(run);
    recorder_end();
    return status;
}
