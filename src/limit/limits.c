/* SPDX-License-Identifier: Apache-2.0 */
#include "limit/limits.h"

#include "base/random.h"
#include "base/siphash.h"
#include "limit/limit_table.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    CELLS = 1 << 17, /* of each table: 2 MiB */
    CLIENT_LEN_MAX = 256,
    IPV6_PREFIX_BYTES = 8,
    SOURCE_BYTES_MAX = INET6_ADDRSTRLEN,
    KEY_TEXT_MAX = 1 + 1 + SOURCE_BYTES_MAX + CLIENT_LEN_MAX,
};

static const int64_t second_ns = 1000000000;
static const int64_t known_ns = 1000000000LL * 24 * 3600;

enum kind {
    KIND_ADDRESS_FAILURES,
    KIND_CLIENT_FAILURES,
    KIND_ADDRESS_REQUESTS,
    KIND_REQUESTS,
    KIND_CLIENT_TOKENS,
    KIND_COUNT,
    KIND_KNOWN = KIND_COUNT,
};

enum count {
    COUNT_FAILURES,
    COUNT_FAILURES_REFUSED,
    COUNT_REQUESTS_REFUSED,
    COUNT_OVERALL_REFUSED,
    COUNT_TOKENS_REFUSED,
    COUNT_SHED,
    COUNT_COUNT,
};

/* Three tables, so that keys of one use do not push out those of another. */
struct limits {
    struct siphash_key key; /* random: nobody outside can aim at another's cell */
    struct limit_budget budgets[KIND_COUNT];
    struct limit_table *failures;
    struct limit_table *known;
    struct limit_table *rates;
    atomic_uint_fast64_t counts[COUNT_COUNT];
};

struct limits *limits_new(const struct limit_options *options)
{
    struct limits *limits = calloc(1, sizeof *limits);
    if (limits == NULL)
        return NULL;
    random_bytes(&limits->key, sizeof limits->key);
    struct limit_budget *budgets = limits->budgets;
    budgets[KIND_ADDRESS_FAILURES] =
        limit_budget_of(options->address_failures_per_minute, 60 * second_ns);
    budgets[KIND_CLIENT_FAILURES] =
        limit_budget_of(options->client_failures_per_minute, 60 * second_ns);
    budgets[KIND_ADDRESS_REQUESTS] =
        limit_budget_of(options->address_requests_per_second, second_ns);
    budgets[KIND_REQUESTS] = limit_budget_of(options->requests_per_second, second_ns);
    budgets[KIND_CLIENT_TOKENS] = limit_budget_of(options->client_tokens_per_second, second_ns);
    limits->failures = limit_table_new(CELLS);
    limits->known = limit_table_new(CELLS);
    limits->rates = limit_table_new(CELLS);
    if (limits->failures == NULL || limits->known == NULL || limits->rates == NULL) {
        limits_free(limits);
        return NULL;
    }
    return limits;
}

void limits_free(struct limits *limits)
{
    if (limits == NULL)
        return;
    limit_table_free(limits->failures);
    limit_table_free(limits->known);
    limit_table_free(limits->rates);
    free(limits);
}

static void count(struct limits *limits, enum count what)
{
    (void)atomic_fetch_add_explicit(&limits->counts[what], 1, memory_order_relaxed);
}

static uint64_t counted(const struct limits *limits, enum count what)
{
    return atomic_load_explicit(&limits->counts[what], memory_order_relaxed);
}

void limits_counts(const struct limits *limits, struct limit_counts *ret_counts)
{
    *ret_counts = (struct limit_counts){
        .failures = counted(limits, COUNT_FAILURES),
        .failures_refused = counted(limits, COUNT_FAILURES_REFUSED),
        .requests_refused = counted(limits, COUNT_REQUESTS_REFUSED),
        .overall_refused = counted(limits, COUNT_OVERALL_REFUSED),
        .tokens_refused = counted(limits, COUNT_TOKENS_REFUSED),
        .requests_shed = counted(limits, COUNT_SHED),
    };
}

void limits_count_shed(struct limits *limits)
{
    count(limits, COUNT_SHED);
}

/* The bytes that name a source: 4 of IPv4 (also when written in IPv6, RFC 4291 §2.5.5.2), 8 of
 * IPv6, or the text itself. Answers how many. */
static size_t source_of(struct span address, unsigned char source[static SOURCE_BYTES_MAX])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    struct in_addr in;
    struct in6_addr in6;
    size_t len = address.len < sizeof text ? address.len : sizeof text - 1;
    if (len > 0)
        memcpy(text, address.ptr, len);
    text[len] = '\0';
    if (inet_pton(AF_INET, text, &in) == 1) {
        memcpy(source, &in, sizeof in);
        return sizeof in;
    }
    if (inet_pton(AF_INET6, text, &in6) == 1) {
        bool is_mapped = memcmp(&in6, mapped, sizeof mapped) == 0;
        const unsigned char *bytes = in6.s6_addr + (is_mapped ? sizeof mapped : 0);
        size_t size = is_mapped ? sizeof in : IPV6_PREFIX_BYTES;
        memcpy(source, bytes, size);
        return size;
    }
    memcpy(source, text, len);
    return len;
}

static uint64_t key_of(const struct limits *limits, enum kind kind, struct span address,
                       struct span client)
{
    unsigned char text[KEY_TEXT_MAX];
    size_t source_len = source_of(address, text + 2);
    size_t client_len = client.len < CLIENT_LEN_MAX ? client.len : CLIENT_LEN_MAX;
    text[0] = (unsigned char)kind;
    text[1] = (unsigned char)source_len;
    if (client_len > 0)
        memcpy(text + 2 + source_len, client.ptr, client_len);
    return siphash(&limits->key, span_of((const char *)text, 2 + source_len + client_len));
}

/* Retry-After's seconds: never earlier than there is something left. */
static unsigned seconds_of(int64_t wait_ns)
{
    return (unsigned)((wait_ns + second_ns - 1) / second_ns);
}

/* 0: allowed. */
static int64_t take_rate(struct limits *limits, enum kind kind, struct span address, int64_t now_ns)
{
    struct limit_budget budget = limits->budgets[kind];
    if (budget.interval_ns == 0)
        return 0;
    return limit_table_take(limits->rates, key_of(limits, kind, address, (struct span){0}), budget,
                            now_ns);
}

enum status limits_request(struct limits *limits, struct span address, int64_t now_ns,
                           unsigned *ret_wait_seconds)
{
    int64_t wait_ns = take_rate(limits, KIND_ADDRESS_REQUESTS, address, now_ns);
    *ret_wait_seconds = seconds_of(wait_ns);
    if (wait_ns > 0) {
        count(limits, COUNT_REQUESTS_REFUSED);
        return RATE_LIMITED;
    }
    wait_ns = take_rate(limits, KIND_REQUESTS, (struct span){0}, now_ns);
    *ret_wait_seconds = seconds_of(wait_ns);
    if (wait_ns > 0) {
        count(limits, COUNT_OVERALL_REFUSED);
        return UNAVAILABLE;
    }
    return OK;
}

/* A credential that names no client is its source's alone. */
static struct limit_budget client_budget(const struct limits *limits, struct span client)
{
    return client.len == 0 ? (struct limit_budget){0} : limits->budgets[KIND_CLIENT_FAILURES];
}

/* The longer of the two waits; 0: both budgets have something left. */
static int64_t failures_wait_ns(struct limits *limits, struct span address, struct span client,
                                int64_t now_ns)
{
    int64_t address_wait = limit_table_wait_ns(
        limits->failures, key_of(limits, KIND_ADDRESS_FAILURES, address, (struct span){0}),
        limits->budgets[KIND_ADDRESS_FAILURES], now_ns);
    int64_t client_wait =
        limit_table_wait_ns(limits->failures, key_of(limits, KIND_CLIENT_FAILURES, address, client),
                            client_budget(limits, client), now_ns);
    return address_wait > client_wait ? address_wait : client_wait;
}

enum status limits_before_check(struct limits *limits, struct span address, struct span client,
                                int64_t now_ns, unsigned *ret_wait_seconds)
{
    int64_t wait_ns = failures_wait_ns(limits, address, client, now_ns);
    *ret_wait_seconds = seconds_of(wait_ns);
    if (wait_ns == 0 ||
        limit_table_is_marked(limits->known, key_of(limits, KIND_KNOWN, address, client), now_ns))
        return OK;
    count(limits, COUNT_FAILURES_REFUSED);
    return RATE_LIMITED;
}

enum status limits_failed(struct limits *limits, struct span address, struct span client,
                          int64_t now_ns, unsigned *ret_wait_seconds)
{
    int64_t wait_ns = failures_wait_ns(limits, address, client, now_ns);
    *ret_wait_seconds = seconds_of(wait_ns);
    count(limits, COUNT_FAILURES);
    limit_table_count(limits->failures,
                      key_of(limits, KIND_ADDRESS_FAILURES, address, (struct span){0}),
                      limits->budgets[KIND_ADDRESS_FAILURES], now_ns);
    limit_table_count(limits->failures, key_of(limits, KIND_CLIENT_FAILURES, address, client),
                      client_budget(limits, client), now_ns);
    if (wait_ns == 0)
        return OK;
    count(limits, COUNT_FAILURES_REFUSED);
    return RATE_LIMITED;
}

void limits_succeeded(struct limits *limits, struct span address, struct span client,
                      int64_t now_ns)
{
    limit_table_mark(limits->known, key_of(limits, KIND_KNOWN, address, client), now_ns + known_ns);
}

enum status limits_before_token(struct limits *limits, struct span client, int64_t now_ns,
                                unsigned *ret_wait_seconds)
{
    struct limit_budget budget = limits->budgets[KIND_CLIENT_TOKENS];
    int64_t wait_ns = 0;
    if (budget.interval_ns != 0)
        wait_ns = limit_table_wait_ns(limits->rates,
                                      key_of(limits, KIND_CLIENT_TOKENS, (struct span){0}, client),
                                      budget, now_ns);
    *ret_wait_seconds = seconds_of(wait_ns);
    if (wait_ns == 0)
        return OK;
    count(limits, COUNT_TOKENS_REFUSED);
    return RATE_LIMITED;
}

void limits_token_made(struct limits *limits, struct span client, int64_t now_ns)
{
    struct limit_budget budget = limits->budgets[KIND_CLIENT_TOKENS];
    if (budget.interval_ns != 0)
        limit_table_count(limits->rates,
                          key_of(limits, KIND_CLIENT_TOKENS, (struct span){0}, client), budget,
                          now_ns);
}
