/* SPDX-License-Identifier: Apache-2.0 */
/* bench-sign MILLISECONDS BYTES [ALG]: what a bare signature costs here, as the yardstick for a
 * token. For each algorithm, or the one named, a line "ALG CPU-MICROSECONDS COUNT": an input of
 * that size is hashed and signed again and again, with everything that can be prepared prepared,
 * and nothing checked afterwards. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

enum {
    BYTES_MAX = 1 << 20,
    MILLISECONDS_MAX = 600000,
    SIGNATURE_BYTES_MAX = 512,
    DIGEST_BYTES = 32,
    ROUND = 16, /* signatures between two looks at the clock */
    RSA_BITS = 2048,
};

struct bench {
    EVP_PKEY_CTX *context;      /* signs a digest */
    EVP_MD *sha256;             /* fetched once */
    EVP_MD_CTX *digest_context; /* likewise */
    EVP_MD_CTX *eddsa_template; /* copied for each signature: cheaper than a new start */
    EVP_MD_CTX *eddsa_context;
    const unsigned char *input;
    size_t input_bytes;
};

struct algorithm {
    const char *name;
    EVP_PKEY *(*make_key)(void);
    int (*prepare)(struct bench *bench, EVP_PKEY *key);
    int (*sign)(struct bench *bench);
};

static EVP_PKEY *make_rsa(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS);
}

static EVP_PKEY *make_p256(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
}

static EVP_PKEY *make_ed25519(void)
{
    return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static int prepare_digest(struct bench *bench, EVP_PKEY *key)
{
    bench->context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    bench->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    bench->digest_context = EVP_MD_CTX_new();
    return bench->context != NULL && bench->sha256 != NULL && bench->digest_context != NULL &&
           EVP_PKEY_sign_init(bench->context) == 1 &&
           EVP_PKEY_CTX_set_signature_md(bench->context, bench->sha256) == 1;
}

static int prepare_rsa(struct bench *bench, EVP_PKEY *key)
{
    return prepare_digest(bench, key) &&
           EVP_PKEY_CTX_set_rsa_padding(bench->context, RSA_PKCS1_PADDING) == 1;
}

static int prepare_eddsa(struct bench *bench, EVP_PKEY *key)
{
    bench->eddsa_template = EVP_MD_CTX_new();
    bench->eddsa_context = EVP_MD_CTX_new();
    return bench->eddsa_template != NULL && bench->eddsa_context != NULL &&
           EVP_DigestSignInit(bench->eddsa_template, NULL, NULL, NULL, key) == 1;
}

static int sign_digest(struct bench *bench)
{
    unsigned char digest[DIGEST_BYTES];
    unsigned char signature[SIGNATURE_BYTES_MAX];
    size_t size = sizeof signature;
    return EVP_DigestInit_ex2(bench->digest_context, bench->sha256, NULL) == 1 &&
           EVP_DigestUpdate(bench->digest_context, bench->input, bench->input_bytes) == 1 &&
           EVP_DigestFinal_ex(bench->digest_context, digest, NULL) == 1 &&
           EVP_PKEY_sign(bench->context, signature, &size, digest, sizeof digest) == 1;
}

static int sign_eddsa(struct bench *bench)
{
    unsigned char signature[SIGNATURE_BYTES_MAX];
    size_t size = sizeof signature;
    return EVP_MD_CTX_copy_ex(bench->eddsa_context, bench->eddsa_template) == 1 &&
           EVP_DigestSign(bench->eddsa_context, signature, &size, bench->input,
                          bench->input_bytes) == 1;
}

static const struct algorithm algorithms[] = {
    {"RS256", make_rsa, prepare_rsa, sign_digest},
    {"ES256", make_p256, prepare_digest, sign_digest},
    {"EdDSA", make_ed25519, prepare_eddsa, sign_eddsa},
};

static double cpu_microseconds(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) != 0)
        abort();
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static int sign_round(const struct algorithm *algorithm, struct bench *bench)
{
    for (int i = 0; i < ROUND; i++) {
        if (!algorithm->sign(bench))
            return 0;
    }
    return 1;
}

static int measure(const struct algorithm *algorithm, struct bench *bench, double microseconds)
{
    if (!sign_round(algorithm, bench)) /* tables and caches, before the clock starts */
        return 0;
    unsigned long count = 0;
    double start = cpu_microseconds();
    double spent = 0;
    while (spent < microseconds) {
        if (!sign_round(algorithm, bench))
            return 0;
        count += ROUND;
        spent = cpu_microseconds() - start;
    }
    (void)printf("%s %.3f %lu\n", algorithm->name, spent / (double)count, count);
    return 1;
}

static int run(const struct algorithm *algorithm, const unsigned char *input, size_t input_bytes,
               double microseconds)
{
    struct bench bench = {.input = input, .input_bytes = input_bytes};
    EVP_PKEY *key = algorithm->make_key();
    int is_done =
        key != NULL && algorithm->prepare(&bench, key) && measure(algorithm, &bench, microseconds);
    EVP_MD_CTX_free(bench.eddsa_context);
    EVP_MD_CTX_free(bench.eddsa_template);
    EVP_MD_CTX_free(bench.digest_context);
    EVP_MD_free(bench.sha256);
    EVP_PKEY_CTX_free(bench.context);
    EVP_PKEY_free(key);
    return is_done;
}

static int run_all(const char *only, const unsigned char *input, size_t input_bytes,
                   double microseconds)
{
    int count = 0;
    for (size_t i = 0; i < sizeof algorithms / sizeof algorithms[0]; i++) {
        if (only != NULL && strcmp(only, algorithms[i].name) != 0)
            continue;
        count++;
        if (!run(&algorithms[i], input, input_bytes, microseconds)) {
            (void)fprintf(stderr, "%s: OpenSSL does not sign\n", algorithms[i].name);
            return 0;
        }
    }
    return count > 0;
}

int main(int argc, char **argv)
{
    int is_usable = argc == 3 || argc == 4;
    unsigned long milliseconds = is_usable ? strtoul(argv[1], NULL, 10) : 0;
    unsigned long bytes = is_usable ? strtoul(argv[2], NULL, 10) : 0;
    if (milliseconds == 0 || milliseconds > MILLISECONDS_MAX || bytes == 0 || bytes > BYTES_MAX) {
        (void)fprintf(stderr, "usage: %s MILLISECONDS BYTES [ALG]\n", argv[0]);
        return 2;
    }
    unsigned char *input = malloc(bytes);
    if (input == NULL)
        return 1;
    memset(input, 'e', bytes);
    int is_done = run_all(argc == 4 ? argv[3] : NULL, input, bytes, (double)milliseconds * 1e3);
    free(input);
    return is_done ? 0 : 1;
}
