/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: `key = value` lines with '#' comments; flag > POSTERN_KEY > file > default. One
 * table (config.c) has a row per key and reads, checks, prints and documents it. Immutable once
 * made. */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

struct arena;
struct buf;

enum { CONFIG_LISTEN_MAX = 16 };

/* What a listener may serve, as bits. */
enum config_purpose {
    CONFIG_FOR_TOKEN = 1, /* /oauth…, key set and metadata */
    CONFIG_FOR_API = 2,   /* /v2 */
    CONFIG_FOR_CONSOLE = 4,
    CONFIG_FOR_METRICS = 8,
    CONFIG_FOR_ALL = 15,
};

/* One value of listen: "ADDR:PORT [tls] [for=token,api,console,metrics]". */
struct config_listen {
    struct span address; /* ADDR:PORT */
    bool is_tls;
    bool is_loopback;
    unsigned purposes; /* unless named: all but metrics */
};

struct config {
    struct span data;                      /* data directory */
    struct span listen[CONFIG_LISTEN_MAX]; /* config_listen_read() takes one apart */
    size_t listen_count;
    struct span tls_certificate; /* paths; empty: no TLS */
    struct span tls_key;
    struct span allow_plain_http; /* "true": also beyond loopback */
    struct span trusted_proxies;  /* addresses and ranges, commas between them; empty: none */
    struct span proxy_header;     /* what they say of the client: none, forwarded, … */
    struct span cors_origins;     /* whose pages may call /v2, commas between them */
    struct span public_url;       /* the issuer; empty: the first listener's URL */
    struct span token_alg; /* of a token key that is made now: RS256, PS256, ES256 or EdDSA */
    struct span metadata_authorization_endpoint; /* true or false: name one in the metadata */
    int64_t token_ttl_seconds;
    struct span secret_base;
    int64_t secret_readback_seconds; /* 0: never; INT64_MAX: always */
    int64_t unseal_per_minute_max;
    int64_t loops;   /* event loops; 0: one per core */
    int64_t workers; /* threads that may block */
    int64_t worker_queue_max;
    int64_t connections_max;
    int64_t address_failures_per_minute_max;
    int64_t client_failures_per_minute_max; /* of one client, from one address */
    int64_t address_requests_per_second_max;
    int64_t requests_per_second_max;
    int64_t client_tokens_per_second_max;
    int64_t queue_milliseconds_max;
    int64_t target_bytes_max;
    int64_t header_bytes_max;
    int64_t header_count_max;
    int64_t body_bytes_max; /* of management requests; OAuth's are 64 KiB */
    int64_t head_seconds_max;
    int64_t body_seconds_max;
    int64_t idle_seconds_max;
    int64_t write_seconds_max;
    int64_t drain_seconds_max;
    int64_t use_flush_seconds;
    struct span log_format;   /* text or json */
    struct span log_requests; /* true or false: a line for each request */
    struct span sandbox;      /* auto, strict or off */
    struct span documents;    /* on or off */
    struct span events;       /* where the event log goes: off, file or stderr */
    int64_t events_bytes_max;
    int64_t events_days_max;
    uint64_t
        keys_given; /* while one source is read: which it has said, by their place in the table */
};

void config_defaults(struct config *config);

/* Applies the lines of a file; name is for messages. INVALID with file, line and what to do. Values
 * are copied into the arena. */
enum status config_read_file(struct config *config, struct span text, const char *name,
                             struct arena *arena, struct err *err) MUST_USE;

/* Applies one value by key ("token_alg"), as flags and POSTERN_TOKEN_ALG do. NOT_FOUND: no such
 * key. INVALID also for a key that its source has given before, unless it is a list, whose first
 * value replaces the list of a weaker source: begin each source with config_source_begin(). */
enum status config_set(struct config *config, struct span name, struct span value,
                       struct arena *arena, struct err *err) MUST_USE;
void config_source_begin(struct config *config);

/* Every POSTERN_… variable of environ that names a key. INVALID for an unknown one or a bad value.
 */
enum status config_read_environment(struct config *config, const char *const *environ,
                                    struct arena *arena, struct err *err) MUST_USE;

/* Takes a value of listen apart. INVALID with what is wrong. */
enum status config_listen_read(struct span value, struct config_listen *ret_listen,
                               struct err *err) MUST_USE;

/* Where a server with this configuration will be: public_url, else the first listener's URL. Empty:
 * that listener's port is not fixed, or there is none. It is in the arena or in config; a NULL ptr
 * with a length of 0 also when the arena is full. */
struct span config_url(const struct config *config, struct arena *arena);

/* Relations between values. */
enum status config_check(const struct config *config, struct err *err) MUST_USE;

/* The whole configuration as a file that reads back to the same; with comments when documented. */
void config_print(const struct config *config, bool with_help, struct buf *out);

/* docs/config.md, made from the table. */
void config_print_markdown(struct buf *out);

/* The keys, for --help and for flags: --token-alg is token_alg. */
size_t config_key_count(void);
struct span config_key_name(size_t index);
const char *config_key_help(size_t index);
/* What it may be, and its default: "text or json; default text". */
void config_key_print_values(size_t index, struct buf *out);
