/* SPDX-License-Identifier: Apache-2.0 */
/* seed-clients: fills an initialised data directory that nobody serves with many clients, as the
 * management API would make them: secrets hashed and records authenticated by a postern-signer,
 * rows written by the store. Sealed copies are not kept, as with secret_readback_seconds = 0. */
#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/random.h"
#include "config/config.h"
#include "crypto/digest.h"
#include "crypto/secret.h"
#include "server/front_keys.h"
#include "signing/record.h"
#include "signing/signing.h"
#include "store/store_bulk.h"
#include "supervisor/data_dir.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    BATCH = 2000, /* clients in one transaction, and requests at the signer at once */
    BATCH_BYTES_MAX = 64 << 20,
    ARENA_BYTES_MAX = 1 << 20,
    CONFIG_BYTES_MAX = 65536,
    GRANTS_BYTES_MAX = 4096,
    SIGNER_WAIT_MS = 10000,
    PROGRESS_EVERY = 50000,
    FD_TEXT = 12,
    ID_PLACE_LEN = 5, /* base62: 916 million places */
};

static_assert((int)BATCH <= (int)SIGNING_WAITING_MAX, "a batch may wait at the signer");

struct options {
    const char *data;
    const char *signer; /* the program */
    const char *credentials;
    int64_t count;
    int64_t credentials_count;
};

struct seeder {
    const struct options *options;
    struct config config;
    struct data_dir dir;
    struct store *store;
    struct signing_lane *lane;
    struct front_keys keys;
    pid_t signer;
    struct arena arena;
    struct span account_id;
    FILE *credentials;
    int64_t now;
    int64_t made;
    int64_t listed;
    unsigned char grants_digest[SHA256_BYTES]; /* of no grants */
};

/* A client in the making, and the signer's answers to it. */
struct draft {
    struct arena *arena;
    struct principal *client;
    struct credential *credential;
    struct span secret;
    size_t *waiting;
    enum status *status; /* of the batch: the first failure */
};

/* --- The signer --------------------------------------------------------------------------------*/

static int config_file(const struct seeder *seeder, struct err *err)
{
    struct buf text AUTO(buf);
    buf_init(&text, CONFIG_BYTES_MAX);
    config_print(&seeder->config, false, &text);
    int fd = memfd_create("configuration", MFD_CLOEXEC);
    if (fd >= 0 && buf_ok(&text) && write(fd, text.data, text.len) == (ssize_t)text.len)
        return fd;
    (void)fail(err, UNAVAILABLE, "cannot hand over the configuration");
    return -1;
}

static void become_signer(const char *path, const int lanes[static 2], int kek_fd, int config_fd)
{
    char lane_text[2 * FD_TEXT];
    char kek_text[FD_TEXT];
    char config_text[FD_TEXT];
    const int fds[] = {lanes[0], lanes[1], kek_fd, config_fd};
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        (void)fcntl(fds[i], F_SETFD, 0);
    (void)snprintf(lane_text, sizeof lane_text, "%d,%d", lanes[0], lanes[1]);
    (void)snprintf(kek_text, sizeof kek_text, "%d", kek_fd);
    (void)snprintf(config_text, sizeof config_text, "%d", config_fd);
    (void)execl(path, "postern-signer", "--lanes", lane_text, "--kek", kek_text, "--config",
                config_text, (char *)NULL);
    _exit(127);
}

/* Two lanes: one that blocks, to hand over the keys, and one that takes a batch at once. */
static enum status start_signer(struct seeder *seeder, struct signing_lane **ret_blocking,
                                struct err *err)
{
    int first[2];
    int second[2];
    int config_fd = config_file(seeder, err);
    if (config_fd < 0)
        return UNAVAILABLE;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first) != 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second) != 0)
        return fail(err, UNAVAILABLE, "cannot make the lanes: %s", strerror(errno));
    seeder->signer = fork();
    if (seeder->signer == 0)
        become_signer(seeder->options->signer, (const int[]){first[1], second[1]},
                      seeder->dir.kek_fd, config_fd);
    (void)close(config_fd);
    (void)close(first[1]);
    (void)close(second[1]);
    *ret_blocking = signing_lane_new(first[0], true);
    seeder->lane = signing_lane_new(second[0], false);
    if (seeder->signer < 0 || *ret_blocking == NULL || seeder->lane == NULL)
        return fail(err, NO_MEMORY, "cannot start a signer");
    return OK;
}

/* As the front does at its start, but nothing is made: what is missing is an error. */
static enum status load_keys(struct seeder *seeder, struct signing_lane *lane, struct err *err)
{
    struct front_keys *keys = &seeder->keys;
    arena_init(&keys->arena, ARENA_BYTES_MAX);
    enum status status =
        store_server_key_list(seeder->store, &keys->arena, &keys->keys, &keys->count, err);
    if (status == OK && keys->count == 0)
        return fail(err, NOT_FOUND, "the database holds no keys: start `postern serve` once");
    return status == OK ? front_keys_load(keys, lane, err) : status;
}

/* Sends what was submitted and takes the answers until none is missing. */
static enum status pump(struct signing_lane *lane, const size_t *waiting, struct err *err)
{
    while (*waiting > 0) {
        bool is_left = signing_flush(lane);
        struct pollfd watched = {.fd = signing_lane_fd(lane),
                                 .events = (short)(is_left ? POLLIN | POLLOUT : POLLIN)};
        if (poll(&watched, 1, SIGNER_WAIT_MS) <= 0 || !signing_receive(lane))
            return fail(err, UNAVAILABLE, "the signer does not answer");
    }
    return OK;
}

static void auto_signing_lane(struct signing_lane **lane)
{
    signing_lane_free(*lane);
}

/* --- A batch -----------------------------------------------------------------------------------*/

static void answered(struct draft *draft, enum status status)
{
    (*draft->waiting)--;
    if (*draft->status == OK)
        *draft->status = status;
}

static void on_protected(void *context, const struct signing_reply *reply)
{
    struct draft *draft = context;
    draft->credential->hash = arena_copy(draft->arena, reply->protect.hash);
    answered(draft, reply->status);
}

static void on_authenticated(void *context, const struct signing_reply *reply)
{
    struct draft *draft = context;
    draft->client->record_mac = arena_copy(draft->arena, reply->record_mac.mac);
    answered(draft, reply->status);
}

/* The first letters of all ids of a client: where client number stands among count, as a fraction.
 * So ids are spread evenly, as random ones are, but ascend: inserting a million random keys into
 * several indexes would rewrite the database many times over. */
static void place_id(const struct seeder *seeder, int64_t number, const char *alphabet, char *text)
{
    int64_t letters = (int64_t)strlen(alphabet);
    for (size_t i = 0; i < ID_PLACE_LEN; i++) {
        number *= letters;
        text[i] = alphabet[number / seeder->options->count];
        number %= seeder->options->count;
    }
}

static struct span make_id(const struct seeder *seeder, int64_t number, struct arena *arena,
                           const char *prefix, size_t len)
{
    const char *alphabet =
        len == CLIENT_ID_LEN ? "0123456789abcdefghijklmnopqrstuvwxyz" : random_base62;
    char text[CLIENT_ID_LEN];
    random_text(text, len, alphabet);
    place_id(seeder, number, alphabet, text);
    return arena_printf(arena, "%s%.*s", prefix, (int)len, text);
}

static enum status draft_client(const struct seeder *seeder, int64_t number, struct draft *draft)
{
    struct arena *arena = draft->arena;
    struct credential *credential = arena_zalloc(arena, 1, sizeof *credential);
    char *secret = arena_alloc(arena, SECRET_TEXT_LEN_MAX);
    struct span credential_id = make_id(seeder, number, arena, "crd_", ID_RANDOM_LEN);
    *draft->client = (struct principal){
        .id = make_id(seeder, number, arena, "app_", ID_RANDOM_LEN),
        .account_id = seeder->account_id,
        .client_id = make_id(seeder, number, arena, "", CLIENT_ID_LEN),
        .name = arena_printf(arena, "seeded %09lld", (long long)number),
        .is_enabled = true,
        .api_roles = 1u << API_ROLE_VIEWER,
        .version = 1,
        .created_at = seeder->now,
        .updated_at = seeder->now,
        .credentials = credential,
        .credential_count = 1,
    };
    if (credential == NULL || secret == NULL || credential_id.ptr == NULL ||
        draft->client->id.ptr == NULL || draft->client->client_id.ptr == NULL ||
        draft->client->name.ptr == NULL)
        return NO_MEMORY;
    size_t len = secret_make(seeder->config.secret_base, SECRET_CLIENT,
                             span_from(credential_id, SPAN("crd_").len), secret);
    draft->secret = span_of(secret, len);
    draft->credential = credential;
    *credential = (struct credential){.id = credential_id,
                                      .kind = CREDENTIAL_CLIENT_SECRET,
                                      .hint = span_from(draft->secret, len - SECRET_HINT_LEN),
                                      .created_at = seeder->now};
    return OK;
}

static enum status ask_protect(struct seeder *seeder, struct draft *draft)
{
    const struct signing_request protect = {.op = SIGNING_PROTECT,
                                            .protect = {.account_id = seeder->account_id,
                                                        .owner_id = draft->client->id,
                                                        .credential_id = draft->credential->id,
                                                        .secret = draft->secret}};
    return signing_submit(seeder->lane, &protect, on_protected, draft);
}

static enum status ask_record_mac(struct seeder *seeder, struct draft *draft)
{
    struct buf record;
    buf_init_arena(&record, draft->arena, RECORD_LEN_MAX);
    record_write(draft->client, seeder->grants_digest, &record);
    if (!buf_ok(&record))
        return NO_MEMORY;
    const struct signing_request ask = {.op = SIGNING_RECORD_MAC,
                                        .record_mac = {.record = buf_span(&record)}};
    return signing_submit(seeder->lane, &ask, on_authenticated, draft);
}

static enum status ask_all(struct seeder *seeder, struct draft *drafts, size_t count,
                           enum status (*ask)(struct seeder *seeder, struct draft *draft),
                           struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = ask(seeder, &drafts[i]);
        if (status != OK)
            return fail(err, status, "cannot ask the signer");
        (*drafts[i].waiting)++;
    }
    enum status status = pump(seeder->lane, drafts[0].waiting, err);
    if (status == OK && *drafts[0].status != OK)
        return fail(err, *drafts[0].status, "the signer refused a secret or a record");
    return status;
}

/* Which of the clients have their credentials listed: spread evenly, first made first. */
static void list_credentials(struct seeder *seeder, const struct draft *drafts, size_t count)
{
    const struct options *options = seeder->options;
    for (size_t i = 0; seeder->credentials != NULL && i < count; i++) {
        int64_t number = seeder->made + (int64_t)i;
        if (number * options->credentials_count / options->count < seeder->listed)
            continue;
        seeder->listed++;
        (void)fprintf(seeder->credentials, "%.*s %.*s\n", SPAN_FMT(drafts[i].client->client_id),
                      SPAN_FMT(drafts[i].secret));
    }
}

static enum status make_batch(struct seeder *seeder, size_t count, struct arena *arena,
                              struct err *err)
{
    size_t waiting = 0;
    enum status outcome = OK;
    struct principal *clients = arena_zalloc(arena, count, sizeof *clients);
    struct draft *drafts = arena_zalloc(arena, count, sizeof *drafts);
    if (clients == NULL || drafts == NULL)
        return fail(err, NO_MEMORY, "no memory for a batch");
    for (size_t i = 0; i < count; i++) {
        drafts[i] = (struct draft){
            .arena = arena, .client = &clients[i], .waiting = &waiting, .status = &outcome};
        if (draft_client(seeder, seeder->made + (int64_t)i, &drafts[i]) != OK)
            return fail(err, NO_MEMORY, "no memory for a client");
    }
    enum status status = ask_all(seeder, drafts, count, ask_protect, err);
    if (status == OK)
        status = ask_all(seeder, drafts, count, ask_record_mac, err);
    if (status == OK)
        status = store_app_client_create_many(seeder->store, clients, count, err);
    if (status == OK)
        list_credentials(seeder, drafts, count);
    return status;
}

static enum status make_all(struct seeder *seeder, struct err *err)
{
    struct arena arena;
    enum status status = OK;
    arena_init(&arena, BATCH_BYTES_MAX);
    while (status == OK && seeder->made < seeder->options->count) {
        int64_t left = seeder->options->count - seeder->made;
        size_t count = left < BATCH ? (size_t)left : BATCH;
        status = make_batch(seeder, count, &arena, err);
        arena_reset(&arena);
        if (status != OK)
            break;
        seeder->made += (int64_t)count;
        if (seeder->made % PROGRESS_EVERY == 0 || seeder->made == seeder->options->count)
            (void)fprintf(stderr, "seeded %lld of %lld clients\n", (long long)seeder->made,
                          (long long)seeder->options->count);
    }
    arena_done(&arena);
    return status;
}

/* --- Beginning and end -------------------------------------------------------------------------*/

static enum status open_store(struct seeder *seeder, struct err *err)
{
    const struct store_options options = {.data_fd = seeder->dir.fd,
                                          .path = seeder->options->data,
                                          .now = clock_wall_microseconds(),
                                          .readers = 1};
    enum status status = store_open(&options, &seeder->store, err);
    if (status == OK)
        status = store_account_first(seeder->store, &seeder->arena, &seeder->account_id, err);
    if (status == NOT_FOUND)
        return fail(err, NOT_FOUND, "the database has no account: start `postern serve` once");
    return status;
}

static enum status open_credentials(struct seeder *seeder, struct err *err)
{
    if (seeder->options->credentials == NULL)
        return OK;
    int fd =
        open(seeder->options->credentials, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, (mode_t)0600);
    seeder->credentials = fd < 0 ? NULL : fdopen(fd, "w");
    return seeder->credentials != NULL
               ? OK
               : fail(err, UNAVAILABLE, "cannot write the credentials: %s", strerror(errno));
}

static void digest_no_grants(struct seeder *seeder)
{
    struct buf grants AUTO(buf);
    const struct principal nobody = {0};
    buf_init(&grants, GRANTS_BYTES_MAX);
    record_write_grants(&nobody, &grants);
    sha256(buf_span(&grants), seeder->grants_digest);
}

static enum status seed(struct seeder *seeder, struct err *err)
{
    AUTO(signing_lane) struct signing_lane *blocking = NULL;
    enum status status = data_dir_open(span_cstr(seeder->options->data), false, &seeder->dir, err);
    if (status == OK)
        status = open_store(seeder, err);
    if (status == OK)
        status = open_credentials(seeder, err);
    if (status == OK)
        status = start_signer(seeder, &blocking, err);
    if (status == OK)
        status = load_keys(seeder, blocking, err);
    digest_no_grants(seeder);
    if (status == OK)
        status = make_all(seeder, err);
    if (seeder->credentials != NULL && fclose(seeder->credentials) != 0 && status == OK)
        status = fail(err, UNAVAILABLE, "cannot write the credentials: %s", strerror(errno));
    store_close(seeder->store);
    return status;
}

/* The signer ends with its lanes. */
static void end_signer(struct seeder *seeder)
{
    signing_lane_free(seeder->lane);
    if (seeder->signer > 0)
        (void)waitpid(seeder->signer, NULL, 0);
    front_keys_close(&seeder->keys);
}

static bool read_option(const char *name, const char *value, struct options *options)
{
    if (strcmp(name, "--data") == 0)
        options->data = value;
    else if (strcmp(name, "--signer") == 0)
        options->signer = value;
    else if (strcmp(name, "--credentials") == 0)
        options->credentials = value;
    else if (strcmp(name, "--count") == 0)
        return span_to_int64(span_cstr(value), &options->count);
    else if (strcmp(name, "--credentials-count") == 0)
        return span_to_int64(span_cstr(value), &options->credentials_count);
    else
        return false;
    return true;
}

static bool read_options(int argc, char **argv, struct options *options)
{
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc || !read_option(argv[i], argv[i + 1], options))
            return false;
    }
    if (options->credentials_count == 0 || options->credentials_count > options->count)
        options->credentials_count = options->count;
    return options->data != NULL && options->count > 0 && options->count <= 100000000;
}

/* postern-signer stands two folders above this program in the build folder. */
static void find_signer(char path[static PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    size_t kept = slash == NULL ? 0 : (size_t)(slash - path);
    (void)snprintf(path + kept, PATH_MAX - kept, "/../../postern-signer");
}

int main(int argc, char **argv)
{
    char signer[PATH_MAX];
    struct err err = {0};
    struct options options = {.signer = signer};
    find_signer(signer);
    if (!read_options(argc, argv, &options)) {
        (void)fprintf(stderr,
                      "usage: %s --data DIR --count N [--credentials FILE] "
                      "[--credentials-count K] [--signer PROGRAM]\n",
                      argv[0]);
        return 2;
    }
    struct seeder seeder = {.options = &options, .signer = -1, .now = clock_wall_seconds()};
    arena_init(&seeder.arena, ARENA_BYTES_MAX);
    config_defaults(&seeder.config);
    seeder.config.public_url = SPAN("http://localhost"); /* no token is made */
    enum status status = seed(&seeder, &err);
    end_signer(&seeder);
    arena_done(&seeder.arena);
    if (status != OK)
        (void)fprintf(stderr, "seed-clients: %s\n",
                      err.detail[0] != '\0' ? err.detail : status_name(status));
    return status == OK ? 0 : 1;
}
