/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include "base/clock.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_BYTES_MAX = 16384,
    TICKET_NAME_BYTES = 16,
    TICKET_KEY_BYTES = 32,
    TICKET_KEY_SECONDS = 6 * 3600, /* a key makes tickets for so long, and is read for twice that */
    SESSION_SECONDS = 6 * 3600,
};

struct ticket_key {
    unsigned char name[TICKET_NAME_BYTES];
    unsigned char cipher[TICKET_KEY_BYTES];
    unsigned char mac[TICKET_KEY_BYTES];
    int64_t made_at; /* seconds of the boot clock; 0: none */
};

struct tls_context {
    SSL_CTX *ssl;
    BIO_METHOD *bytes;
    int64_t not_after;
    pthread_mutex_t lock;
    struct ticket_key keys[2]; /* the current one, and the one before */
};

struct tls {
    SSL *ssl;
    struct span *in; /* during a call: what the peer sent */
    struct buf *out; /* during a call: what is to be sent */
    bool has_failed;
};

/* --- Bytes of the caller as OpenSSL's input and output
 * ------------------------------------------------ */

static int bytes_read(BIO *bio, char *into, int size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size <= 0)
        return 0;
    if (tls->in == NULL || tls->in->len == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    struct span part = span_first(*tls->in, (size_t)size);
    memcpy(into, part.ptr, part.len);
    *tls->in = span_from(*tls->in, part.len);
    return (int)part.len;
}

static int bytes_write(BIO *bio, const char *from, int size)
{
    struct tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (tls->out == NULL || size < 0)
        return -1;
    buf_put(tls->out, span_of(from, (size_t)size));
    return buf_ok(tls->out) ? size : -1;
}

static long bytes_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *bytes_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "bytes");
    if (method == NULL || BIO_meth_set_read(method, bytes_read) != 1 ||
        BIO_meth_set_write(method, bytes_write) != 1 ||
        BIO_meth_set_ctrl(method, bytes_control) != 1) {
        BIO_meth_free(method);
        return NULL;
    }
    return method;
}

/* --- Session tickets: stateless, under keys of this process that change
 * ------------------------------- */

static bool make_ticket_key(struct ticket_key *key, int64_t now)
{
    key->made_at = now;
    return RAND_bytes(key->name, sizeof key->name) == 1 &&
           RAND_priv_bytes(key->cipher, sizeof key->cipher) == 1 &&
           RAND_priv_bytes(key->mac, sizeof key->mac) == 1;
}

/* The key to make a ticket with; the caller holds the lock. NULL: no random numbers. */
static const struct ticket_key *current_key(struct tls_context *context, int64_t now)
{
    struct ticket_key *key = &context->keys[0];
    if (key->made_at != 0 && now - key->made_at < TICKET_KEY_SECONDS)
        return key;
    context->keys[1] = *key;
    return make_ticket_key(key, now) ? key : NULL;
}

static const struct ticket_key *named_key(const struct tls_context *context,
                                          const unsigned char *name, int64_t now)
{
    for (size_t i = 0; i < ARRAY_LEN(context->keys); i++) {
        const struct ticket_key *key = &context->keys[i];
        if (key->made_at != 0 && now - key->made_at < INT64_C(2) * TICKET_KEY_SECONDS &&
            memcmp(key->name, name, sizeof key->name) == 0)
            return key;
    }
    return NULL;
}

static bool use_ticket_key(const struct ticket_key *key, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                           EVP_MAC_CTX *mac, int is_new)
{
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                          sizeof key->mac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->cipher, iv, is_new) == 1 &&
           EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 goes on, 0 makes a full handshake, 2 renews the
 * ticket, -1 fails. */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int is_new)
{
    struct tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    int64_t now = clock_boot_ns() / 1000000000;
    (void)pthread_mutex_lock(&context->lock);
    const struct ticket_key *key =
        is_new != 0 ? current_key(context, now) : named_key(context, name, now);
    bool is_old = key == &context->keys[1];
    struct ticket_key copy = key == NULL ? (struct ticket_key){0} : *key;
    (void)pthread_mutex_unlock(&context->lock);
    int result = is_new != 0 ? -1 : 0;
    if (key != NULL && is_new != 0) {
        memcpy(name, copy.name, sizeof copy.name);
        if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1 &&
            use_ticket_key(&copy, iv, cipher, mac, is_new))
            result = 1;
    } else if (key != NULL) {
        /* RFC 8446 §C.4: a ticket of 1.3 is for one connection, so each connection gets another. */
        bool renews = is_old || SSL_version(ssl) == TLS1_3_VERSION;
        result = use_ticket_key(&copy, iv, cipher, mac, is_new) ? (renews ? 2 : 1) : -1;
    }
    OPENSSL_cleanse(&copy, sizeof copy);
    return result;
}

/* RFC 7301 §3.2: a client that speaks other protocols only is told so. */
static int on_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                   const unsigned char *offered, unsigned offered_len, void *context)
{
    static const unsigned char ours[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char *name;
    (void)ssl;
    (void)context;
    if (SSL_select_next_proto(&name, ret_len, ours, sizeof ours, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *ret_name = name;
    return SSL_TLSEXT_ERR_OK;
}

/* --- Certificate and key
 * ------------------------------------------------------------------------------- */

static enum status refuse(struct err *err, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    ERR_clear_error();
    return fail(err, INVALID, "%s%s%s", what, reason == NULL ? "" : ": ",
                reason == NULL ? "" : reason);
}

static BIO *memory_of(struct span text)
{
    return text.len > INT_MAX ? NULL : BIO_new_mem_buf(text.ptr, (int)text.len);
}

/* No key of ours has a password: whoever starts this process has no terminal. */
static int no_password(char *into, int size, int is_writing, void *context)
{
    (void)into;
    (void)size;
    (void)is_writing;
    (void)context;
    return -1;
}

static enum status use_chain(struct tls_context *context, BIO *bio, struct err *err)
{
    X509 *certificate = PEM_read_bio_X509_AUX(bio, NULL, no_password, NULL);
    if (certificate == NULL)
        return refuse(err, "tls_certificate holds no certificate in PEM form");
    struct tm end = {0};
    bool is_used = SSL_CTX_use_certificate(context->ssl, certificate) == 1 &&
                   ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1;
    context->not_after = is_used ? timegm(&end) : 0;
    X509_free(certificate);
    if (!is_used)
        return refuse(err, "tls_certificate cannot be used");
    X509 *next;
    while ((next = PEM_read_bio_X509(bio, NULL, no_password, NULL)) != NULL) {
        if (SSL_CTX_add0_chain_cert(context->ssl, next) != 1) {
            X509_free(next);
            return refuse(err, "the chain in tls_certificate cannot be used");
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return refuse(err, "the chain in tls_certificate does not read");
    ERR_clear_error();
    return OK;
}

static enum status use_pair(struct tls_context *context, struct span certificate, struct span key,
                            struct err *err)
{
    BIO *certificate_bio = memory_of(certificate);
    BIO *key_bio = memory_of(key);
    EVP_PKEY *pkey = NULL;
    enum status status = certificate_bio == NULL || key_bio == NULL
                             ? fail(err, NO_MEMORY, "no memory for TLS")
                             : use_chain(context, certificate_bio, err);
    if (status == OK) {
        pkey = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);
        if (pkey == NULL)
            status = refuse(err, "tls_key holds no private key in PEM form without a password");
    }
    if (status == OK && (SSL_CTX_use_PrivateKey(context->ssl, pkey) != 1 ||
                         SSL_CTX_check_private_key(context->ssl) != 1))
        status = refuse(err, "tls_key and tls_certificate do not belong together");
    EVP_PKEY_free(pkey);
    BIO_free(certificate_bio);
    BIO_free(key_bio);
    return status;
}

/* RFC 9325 §3 and §4: nothing below 1.2; with 1.2 ephemeral keys and authenticated ciphers only. */
static bool set_rules(struct tls_context *context)
{
    SSL_CTX *ssl = context->ssl;
    static const unsigned char id[] = "postern";
    char groups[] = "X25519:P-256:P-384"; /* the macro takes const away */
    (void)SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    (void)SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_timeout(ssl, SESSION_SECONDS);
    SSL_CTX_set_alpn_select_cb(ssl, on_alpn, NULL);
    SSL_CTX_set_app_data(ssl, context);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(ssl, groups) == 1 && SSL_CTX_set_num_tickets(ssl, 1) == 1 &&
           SSL_CTX_set_session_id_context(ssl, id, sizeof id - 1) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl, on_ticket) == 1;
}

enum status tls_context_new(struct span certificate, struct span key,
                            struct tls_context **ret_context, struct err *err)
{
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return fail(err, NO_MEMORY, "no memory for TLS");
    (void)pthread_mutex_init(&context->lock, NULL);
    context->ssl = SSL_CTX_new(TLS_server_method());
    context->bytes = bytes_method();
    enum status status = context->ssl == NULL || context->bytes == NULL || !set_rules(context)
                             ? fail(err, NO_MEMORY, "OpenSSL does not take our TLS rules")
                             : use_pair(context, certificate, key, err);
    if (status != OK) {
        tls_context_free(context);
        return status;
    }
    *ret_context = context;
    return OK;
}

void tls_context_free(struct tls_context *context)
{
    if (context == NULL)
        return;
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->bytes);
    OPENSSL_cleanse(context->keys, sizeof context->keys);
    (void)pthread_mutex_destroy(&context->lock);
    free(context);
}

int64_t tls_not_after(const struct tls_context *context)
{
    return context->not_after;
}

/* --- Connections
 * ---------------------------------------------------------------------------------------- */

struct tls *tls_new(struct tls_context *context)
{
    struct tls *tls = calloc(1, sizeof *tls);
    BIO *bio = BIO_new(context->bytes);
    if (tls != NULL)
        tls->ssl = SSL_new(context->ssl);
    if (bio == NULL || tls == NULL || tls->ssl == NULL) {
        BIO_free(bio);
        tls_free(tls);
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_free(tls->ssl);
    free(tls);
}

static enum tls_result failure_of(struct tls *tls)
{
    int reason = ERR_GET_REASON(ERR_peek_error());
    tls->has_failed = true;
    ERR_clear_error();
    return reason == SSL_R_HTTP_REQUEST ? TLS_PLAIN : TLS_FAILED;
}

enum tls_result tls_read(struct tls *tls, struct span *bytes, char *into, size_t size,
                         size_t *ret_len, struct buf *out)
{
    enum tls_result result = TLS_FULL;
    size_t len = 0;
    tls->in = bytes;
    tls->out = out;
    ERR_clear_error();
    while (len < size) {
        size_t room = size - len;
        int got = SSL_read(tls->ssl, into + len, room > INT_MAX ? INT_MAX : (int)room);
        if (got > 0) {
            len += (size_t)got;
            continue;
        }
        int error = SSL_get_error(tls->ssl, got);
        if (error == SSL_ERROR_WANT_READ)
            result = TLS_MORE;
        else if (error == SSL_ERROR_ZERO_RETURN)
            result = TLS_ENDED;
        else
            result = failure_of(tls);
        break;
    }
    tls->in = NULL;
    tls->out = NULL;
    *ret_len = len;
    return result;
}

bool tls_write(struct tls *tls, struct span text, struct buf *out)
{
    tls->out = out;
    ERR_clear_error();
    while (text.len > 0 && !tls->has_failed) {
        struct span part = span_first(text, RECORD_BYTES_MAX);
        int written = SSL_write(tls->ssl, part.ptr, (int)part.len);
        if (written <= 0)
            (void)failure_of(tls);
        else
            text = span_from(text, (size_t)written);
    }
    tls->out = NULL;
    return !tls->has_failed;
}

void tls_end(struct tls *tls, struct buf *out)
{
    if (tls->has_failed || SSL_in_init(tls->ssl) != 0)
        return;
    tls->out = out;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl);
    ERR_clear_error();
    tls->out = NULL;
}
