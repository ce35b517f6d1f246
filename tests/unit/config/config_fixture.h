/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration at its defaults, and the numeric keys with their bounds. */
#pragma once

#include "../unit.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/config.h"

struct fixture {
    struct arena arena;
    struct config config;
    struct err err;
};

static inline void open_defaults(struct fixture *f)
{
    *f = (struct fixture){0};
    arena_init(&f->arena, 1 << 20);
    config_defaults(&f->config);
}

static inline enum status set(struct fixture *f, const char *key, const char *value)
{
    f->err = (struct err){0};
    config_source_begin(&f->config);
    return config_set(&f->config, span_cstr(key), span_cstr(value), &f->arena, &f->err);
}

/* Written apart from the table in config.c: a bound that changes there is meant to. */
static const struct {
    const char *key;
    int64_t initial;
    int64_t min;
    int64_t max;
} numbers[] = {
    {"token_ttl_seconds", 1800, 1, 86400},
    {"unseal_per_minute_max", 60, 1, 100000},
    {"loops", 0, 0, 64},
    {"workers", 4, 1, 64},
    {"worker_queue_max", 1024, 1, 100000},
    {"address_failures_per_minute_max", 300, 0, 1000000},
    {"client_failures_per_minute_max", 30, 0, 1000000},
    {"address_requests_per_second_max", 0, 0, 1000000},
    {"requests_per_second_max", 0, 0, 1000000},
    {"client_tokens_per_second_max", 0, 0, 1000000},
    {"queue_milliseconds_max", 100, 0, 60000},
    {"connections_max", 10000, 1, 1000000},
    {"target_bytes_max", 8192, 256, 65536},
    {"header_bytes_max", 16384, 1024, 262144},
    {"header_count_max", 100, 10, 1000},
    {"body_bytes_max", 262144, 1024, 16777216},
    {"head_seconds_max", 10, 1, 3600},
    {"body_seconds_max", 30, 1, 3600},
    {"idle_seconds_max", 60, 1, 3600},
    {"write_seconds_max", 30, 1, 3600},
    {"drain_seconds_max", 10, 1, 3600},
    {"use_flush_seconds", 5, 1, 3600},
    {"events_bytes_max", 268435456, 1048576, 1099511627776},
    {"events_days_max", 30, 1, 3650},
};

static inline bool prints(const struct config *config, const char *key, int64_t value)
{
    struct buf text AUTO(buf);
    char line[64];
    buf_init(&text, 1 << 16);
    config_print(config, false, &text);
    buf_byte(&text, '\0');
    (void)snprintf(line, sizeof line, "\n%s = %lld\n", key, (long long)value);
    return buf_ok(&text) && strstr(text.data, line) != NULL;
}

static inline enum status set_number(struct fixture *f, const char *key, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%lld", (long long)value);
    return set(f, key, text);
}
