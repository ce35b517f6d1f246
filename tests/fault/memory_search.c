/* SPDX-License-Identifier: Apache-2.0 */
/* Does a process hold key material? Proof of rule R1, with its own control: the same search must
 * find the keys in the signer.
 *
 *   memory-search needles DATA       the keys of a data directory that nobody serves, one `name
 * hex` a line memory-search search FILE PID…   how often each needle stands in each process's
 * readable memory
 *
 * Not only encodings: OpenSSL keeps numbers as machine words, so each is looked for in both byte
 * orders. */
#include "base/arena.h"
#include "base/buf.h"
#include "codec/hex.h"
#include "crypto/seal.h"
#include "jose/jose_alg.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum { NEEDLES_MAX = 64, NEEDLE_BYTES_MAX = 32, CHUNK_BYTES = 1 << 20, MATERIAL_BYTES_MAX = 8192 };

struct needle {
    char name[64];
    unsigned char bytes[NEEDLE_BYTES_MAX];
    size_t len;
};

static int complain(const char *what)
{
    perror(what);
    return 2;
}

static void print_needle(const char *name, const char *order, const unsigned char *bytes,
                         size_t len)
{
    struct buf hex AUTO(buf);
    buf_init(&hex, 4096);
    hex_write(&hex, span_of(bytes, len < NEEDLE_BYTES_MAX ? len : NEEDLE_BYTES_MAX));
    (void)printf("%s%s %.*s\n", name, order, SPAN_FMT(buf_span(&hex)));
}

static void print_number(const EVP_PKEY *key, const char *param, const char *name)
{
    BIGNUM *number = NULL;
    unsigned char bytes[1024];
    if (EVP_PKEY_get_bn_param(key, param, &number) != 1)
        return;
    int len = BN_num_bytes(number);
    if (BN_bn2binpad(number, bytes, len) == len)
        print_needle(name, ":big-endian", bytes, (size_t)len);
    if (BN_bn2lebinpad(number, bytes, len) == len)
        print_needle(name, ":words", bytes, (size_t)len);
    BN_clear_free(number);
}

static void print_token_key(struct span der)
{
    static const struct {
        const char *param;
        const char *name;
    } numbers[] = {
        {OSSL_PKEY_PARAM_RSA_D, "rsa-d"},          {OSSL_PKEY_PARAM_RSA_FACTOR1, "rsa-p"},
        {OSSL_PKEY_PARAM_RSA_FACTOR2, "rsa-q"},    {OSSL_PKEY_PARAM_RSA_EXPONENT1, "rsa-dp"},
        {OSSL_PKEY_PARAM_RSA_EXPONENT2, "rsa-dq"}, {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "rsa-qi"},
        {OSSL_PKEY_PARAM_PRIV_KEY, "ec-scalar"},
    };
    const unsigned char *at = (const unsigned char *)der.ptr;
    unsigned char seed[32];
    size_t len = sizeof seed;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
    if (key == NULL) {
        (void)fprintf(stderr, "a token key does not read\n");
        exit(2);
    }
    if (EVP_PKEY_is_a(key, "ED25519") && EVP_PKEY_get_raw_private_key(key, seed, &len) == 1)
        print_needle("ed25519-seed", "", seed, len);
    else
        for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
            print_number(key, numbers[i].param, numbers[i].name);
    EVP_PKEY_free(key);
}

static int print_key(struct span kek, const struct server_key *key)
{
    struct buf identity AUTO(buf);
    struct buf material AUTO(buf);
    struct err err = {0};
    buf_init(&identity, 1024);
    buf_init(&material, MATERIAL_BYTES_MAX);
    buf_put(&identity, SPAN("server_key\0"));
    buf_put(&identity, key->kind);
    buf_byte(&identity, '\0');
    buf_put(&identity, key->id);
    if (unseal(kek, buf_span(&identity), key->sealed, &material, &err) != OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        return 2;
    }
    char name[32];
    (void)snprintf(name, sizeof name, "%.*s", SPAN_FMT(key->kind));
    if (span_equal(key->kind, SPAN("token")))
        print_token_key(buf_span(&material));
    else
        print_needle(name, "", (const unsigned char *)material.data, material.len);
    return 0;
}

static int print_needles(const char *path)
{
    char kek[SEAL_KEY_BYTES];
    int dir = open(path, O_RDONLY | O_DIRECTORY);
    int kek_fd = openat(dir, "keys/kek", O_RDONLY);
    if (dir < 0 || kek_fd < 0 || read(kek_fd, kek, sizeof kek) != (ssize_t)sizeof kek)
        return complain(path);
    const struct store_options options = {.data_fd = dir, .path = path, .now = 1, .readers = 1};
    struct store *store;
    struct arena arena;
    struct server_key *keys;
    size_t count = 0;
    struct err err = {0};
    arena_init(&arena, 1 << 20);
    enum status status = store_open(&options, &store, &err);
    if (status == OK)
        status = store_server_key_list(store, &arena, &keys, &count, &err);
    if (status != OK) {
        (void)fprintf(stderr, "%s\n", err.detail);
        return 2;
    }
    print_needle("kek", "", (const unsigned char *)kek, sizeof kek);
    int result = 0;
    for (size_t i = 0; i < count; i++)
        result |= print_key(span_of(kek, sizeof kek), &keys[i]);
    store_close(store);
    arena_done(&arena);
    return result;
}

static size_t read_needles(const char *path, struct needle needles[static NEEDLES_MAX])
{
    char line[512];
    size_t count = 0;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        exit(complain(path));
    while (count < NEEDLES_MAX && fgets(line, sizeof line, file) != NULL) {
        struct needle *needle = &needles[count++];
        char *hex = strchr(line, ' ');
        if (hex == NULL)
            exit(complain("a line without a needle"));
        *hex++ = '\0';
        (void)snprintf(needle->name, sizeof needle->name, "%.60s", line);
        for (needle->len = 0; needle->len < NEEDLE_BYTES_MAX && hex[0] > ' ' && hex[1] > ' ';
             hex += 2) {
            char digits[3] = {hex[0], hex[1], '\0'};
            needle->bytes[needle->len++] = (unsigned char)strtoul(digits, NULL, 16);
        }
    }
    (void)fclose(file);
    return count;
}

static size_t count_in(const unsigned char *memory, size_t size, const struct needle *needle)
{
    size_t found = 0;
    const unsigned char *at = memory;
    const unsigned char *hit;
    while ((hit = memmem(at, size - (size_t)(at - memory), needle->bytes, needle->len)) != NULL) {
        found++;
        at = hit + 1;
    }
    return found;
}

/* Chunks overlap by a needle's length, so that none hides on a border. */
static void search_region(int memory_fd, unsigned long from, unsigned long to,
                          const struct needle *needles, size_t count, size_t *hits)
{
    static unsigned char chunk[CHUNK_BYTES + NEEDLE_BYTES_MAX];
    for (unsigned long at = from; at < to; at += CHUNK_BYTES) {
        size_t want = to - at < sizeof chunk ? to - at : sizeof chunk;
        ssize_t got = pread(memory_fd, chunk, want, (off_t)at);
        for (size_t i = 0; got > 0 && i < count; i++)
            hits[i] += count_in(chunk, (size_t)got, &needles[i]);
    }
}

static int search(const char *pid, const struct needle *needles, size_t count)
{
    char path[64];
    char line[1024];
    size_t hits[NEEDLES_MAX] = {0};
    unsigned long searched = 0;
    (void)snprintf(path, sizeof path, "/proc/%s/mem", pid);
    int memory_fd = open(path, O_RDONLY);
    (void)snprintf(path, sizeof path, "/proc/%s/maps", pid);
    FILE *maps = fopen(path, "r");
    if (memory_fd < 0 || maps == NULL)
        return complain(path);
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long from;
        unsigned long to;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, mode) != 3 || mode[0] != 'r' ||
            strstr(line, "[vvar]") != NULL || strstr(line, "[vsyscall]") != NULL)
            continue;
        search_region(memory_fd, from, to, needles, count, hits);
        searched += to - from;
    }
    (void)fclose(maps);
    (void)close(memory_fd);
    (void)printf("%s searched %lu\n", pid, searched);
    for (size_t i = 0; i < count; i++)
        (void)printf("%s %s %zu\n", pid, needles[i].name, hits[i]);
    return searched == 0 ? 2 : 0;
}

int main(int argc, char **argv)
{
    static struct needle needles[NEEDLES_MAX];
    if (argc == 3 && strcmp(argv[1], "needles") == 0)
        return print_needles(argv[2]);
    if (argc < 4 || strcmp(argv[1], "search") != 0) {
        (void)fprintf(stderr,
                      "usage: memory-search needles DATA | memory-search search FILE PID…\n");
        return 2;
    }
    size_t count = read_needles(argv[2], needles);
    int result = count == 0 ? 2 : 0;
    for (int i = 3; i < argc; i++)
        result |= search(argv[i], needles, count);
    return result;
}
