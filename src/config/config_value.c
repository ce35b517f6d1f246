/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config_value.h"

#include "base/address.h"
#include "base/buf.h"

#include <arpa/inet.h>
#include <string.h>

enum { HOST_NAME_LEN_MAX = 253 }; /* RFC 1035 §2.3.4, as text */

static struct span *text_at(const struct config_key *key, struct config *config)
{
    return (struct span *)(void *)((char *)config + key->offset);
}

static int64_t *number_at(const struct config_key *key, struct config *config)
{
    return (int64_t *)(void *)((char *)config + key->offset);
}

static bool is_number(enum config_kind kind)
{
    return kind == CONFIG_INT || kind == CONFIG_READBACK;
}

void config_value_default(const struct config_key *key, struct config *config)
{
    if (is_number(key->kind)) {
        *number_at(key, config) = key->number;
    } else {
        *text_at(key, config) = key->text;
        if (key->kind == CONFIG_LISTEN)
            *(size_t *)(void *)((char *)config + key->count_offset) = 1;
    }
}

static enum status refuse(const struct config_key *key, struct err *err)
{
    return fail(err, INVALID, "%.*s: must be %s", SPAN_FMT(key->name), key->allowed);
}

static bool is_one_of(struct span value, const char *const *choices)
{
    while (*choices != NULL && !span_equal(value, span_cstr(*choices)))
        choices++;
    return *choices != NULL;
}

/* Is the value a whole word of "a, b or c"? */
static bool is_choice(struct span value, struct span allowed)
{
    struct span word;
    bool goes_on = true;
    while (goes_on) {
        goes_on = span_cut(&allowed, ' ', &word);
        if (word.len > 0 && word.ptr[word.len - 1] == ',')
            word.len--;
        if (span_equal(word, value) && !span_equal(word, SPAN("or")))
            return true;
    }
    return false;
}

/* The address as text for inet_pton, without the brackets of IPv6. */
static bool is_address(struct span address, bool *ret_is_loopback)
{
    char text[INET6_ADDRSTRLEN + 1];
    struct in_addr v4;
    struct in6_addr v6;
    bool is_v6 = address.len > 2 && address.ptr[0] == '[' && address.ptr[address.len - 1] == ']';
    if (is_v6)
        address = span_first(span_from(address, 1), address.len - 2);
    if (address.len == 0 || address.len >= sizeof text)
        return false;
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    if (inet_pton(is_v6 ? AF_INET6 : AF_INET, text, is_v6 ? (void *)&v6 : (void *)&v4) != 1)
        return false;
    *ret_is_loopback = is_v6 ? IN6_IS_ADDR_LOOPBACK(&v6) : ntohl(v4.s_addr) >> 24 == 127;
    return true;
}

static bool read_purposes(struct span names, unsigned *ret_purposes)
{
    static const struct {
        struct span name;
        unsigned purpose;
    } rows[] = {
        {SPAN_INIT("token"), CONFIG_FOR_TOKEN},
        {SPAN_INIT("api"), CONFIG_FOR_API},
        {SPAN_INIT("console"), CONFIG_FOR_CONSOLE},
        {SPAN_INIT("metrics"), CONFIG_FOR_METRICS},
    };
    *ret_purposes = 0;
    for (bool goes_on = true; goes_on;) {
        struct span name;
        unsigned purpose = 0;
        goes_on = span_cut(&names, ',', &name);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            purpose |= span_equal(rows[i].name, name) ? rows[i].purpose : 0;
        if (purpose == 0)
            return false;
        *ret_purposes |= purpose;
    }
    return true;
}

enum status config_listen_read(struct span value, struct config_listen *ret_listen, struct err *err)
{
    struct config_listen listen = {.purposes = CONFIG_FOR_ALL & ~(unsigned)CONFIG_FOR_METRICS};
    int64_t port;
    struct span word;
    bool goes_on = span_cut(&value, ' ', &listen.address);
    size_t colon = listen.address.len;
    while (colon > 0 && listen.address.ptr[colon - 1] != ':')
        colon--;
    if (colon == 0 || !span_to_int64(span_from(listen.address, colon), &port) || port > 65535 ||
        !is_address(span_first(listen.address, colon - 1), &listen.is_loopback))
        return fail(err, INVALID,
                    "listen: must be ADDR:PORT, such as 127.0.0.1:8080 or [::1]:8080");
    while (goes_on) {
        goes_on = span_cut(&value, ' ', &word);
        if (span_equal(word, SPAN("tls")))
            listen.is_tls = true;
        else if (!span_starts(word, SPAN("for=")) ||
                 !read_purposes(span_from(word, 4), &listen.purposes))
            return fail(err, INVALID,
                        "listen: after ADDR:PORT come tls and for=token,api,console,metrics");
    }
    *ret_listen = listen;
    return OK;
}

static enum status set_listen(const struct config_key *key, struct config *config,
                              struct span value, struct err *err)
{
    struct config_listen listen;
    enum status status = config_listen_read(value, &listen, err);
    if (status != OK)
        return status;
    size_t *count = (size_t *)(void *)((char *)config + key->count_offset);
    if (*count == CONFIG_LISTEN_MAX)
        return fail(err, INVALID, "listen: at most %d addresses", CONFIG_LISTEN_MAX);
    text_at(key, config)[(*count)++] = value;
    return OK;
}

void config_value_clear_list(const struct config_key *key, struct config *config)
{
    *(size_t *)(void *)((char *)config + key->count_offset) = 0;
}

/* A name that resolvers and URL parsers agree on: what ends in a number is an IPv4 address to
 * browsers (URL Standard, "ends in a number checker"), in other spellings than one. */
static bool is_host_name(struct span name)
{
    struct in_addr v4;
    char text[HOST_NAME_LEN_MAX + 1];
    struct span rest = name;
    struct span label;
    if (name.len == 0 || name.len > HOST_NAME_LEN_MAX)
        return false;
    for (bool goes_on = true; goes_on;) {
        goes_on = span_cut(&rest, '.', &label);
        if (label.len == 0 || label.len > 63 || label.ptr[0] == '-' ||
            label.ptr[label.len - 1] == '-' ||
            !span_only(label, "abcdefghijklmnopqrstuvwxyz0123456789-"))
            return false;
    }
    if (!span_only(label, "0123456789") && !span_starts(label, SPAN("0x")))
        return true;
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return inet_pton(AF_INET, text, &v4) == 1;
}

/* An IPv6 address as RFC 5952 has it. */
static bool is_canonical_v6(struct span address)
{
    struct in6_addr v6;
    char text[INET6_ADDRSTRLEN];
    char canonical[INET6_ADDRSTRLEN];
    if (address.len == 0 || address.len >= sizeof text)
        return false;
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    return inet_pton(AF_INET6, text, &v6) == 1 &&
           inet_ntop(AF_INET6, &v6, canonical, sizeof canonical) != NULL &&
           span_equal(span_cstr(canonical), address);
}

/* A port in its one spelling, and not the scheme's own: nobody writes that. */
static bool is_port(struct span text, int64_t default_port)
{
    int64_t port;
    return span_to_int64(text, &port) && port >= 1 && port <= 65535 &&
           !span_starts(text, SPAN("0")) && port != default_port;
}

/* Cuts the host off: a name, or an address without its brackets. What is left is empty or begins
 * with the colon of a port. */
static bool cut_host(struct span *rest, struct span *ret_host)
{
    bool is_bracketed = span_starts(*rest, SPAN("["));
    size_t end = span_find(*rest, is_bracketed ? ']' : ':');
    if (is_bracketed && end == rest->len)
        return false;
    *ret_host = is_bracketed ? span_from(span_first(*rest, end), 1) : span_first(*rest, end);
    *rest = span_from(*rest, is_bracketed ? end + 1 : end);
    return is_bracketed ? is_canonical_v6(*ret_host) : is_host_name(*ret_host);
}

/* RFC 8414 §2, narrowed: an origin in the one spelling that browsers and clients compare equal. */
static bool is_any_origin(struct span url)
{
    bool is_https = span_starts(url, SPAN("https://"));
    struct span rest = span_from(url, is_https ? SPAN("https://").len : SPAN("http://").len);
    struct span host;
    if ((!is_https && !span_starts(url, SPAN("http://"))) || !cut_host(&rest, &host))
        return false;
    return rest.len == 0 ||
           (rest.ptr[0] == ':' && is_port(span_from(rest, 1), is_https ? 443 : 80));
}

bool config_url_is_confidential(struct span url)
{
    bool is_loopback = false;
    struct span rest = span_from(url, SPAN("http://").len);
    struct span authority = rest;
    struct span host;
    if (span_starts(url, SPAN("https://")))
        return true;
    if (!span_starts(url, SPAN("http://")) || !cut_host(&rest, &host))
        return false;
    authority = span_first(authority, authority.len - rest.len);
    return (is_address(authority, &is_loopback) && is_loopback) ||
           span_equal(host, SPAN("localhost"));
}

static bool is_origin(struct span url)
{
    return is_any_origin(url) && config_url_is_confidential(url);
}

static enum status set_url(const struct config_key *key, struct config *config, struct span value,
                           struct err *err)
{
    if (value.len > 0 && !is_any_origin(value)) /* http: see config_check() */
        return fail(err, INVALID, "public_url: must be https://HOST[:PORT], lower case, no path");
    *text_at(key, config) = value;
    return OK;
}

static bool is_range(struct span text)
{
    struct address_range range;
    return address_range_parse(text, &range);
}

enum { LIST_MAX = 64 };

static bool is_list_of(struct span value, bool (*is_one)(struct span text))
{
    size_t count = 0;
    for (bool goes_on = value.len > 0; goes_on;) {
        struct span one;
        goes_on = span_cut(&value, ',', &one);
        if (++count > LIST_MAX || !is_one(span_trim(one)))
            return false;
    }
    return true;
}

static bool is_secret_base(struct span value)
{
    return value.len >= 2 && value.len <= 16 && value.ptr[0] >= 'a' && value.ptr[0] <= 'z' &&
           span_only(value, "abcdefghijklmnopqrstuvwxyz0123456789_");
}

enum { READBACK_COUNT_MAX = 100000 };

static enum status set_readback(const struct config_key *key, struct config *config,
                                struct span value, struct err *err)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
    int64_t *seconds = number_at(key, config);
    if (span_equal(value, SPAN("never"))) {
        *seconds = 0;
        return OK;
    }
    if (span_equal(value, SPAN("always"))) {
        *seconds = INT64_MAX;
        return OK;
    }
    int64_t count;
    if (value.len < 2 || !span_to_int64(span_first(value, value.len - 1), &count) || count < 1 ||
        count > READBACK_COUNT_MAX)
        return refuse(key, err);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (value.ptr[value.len - 1] == units[i].letter) {
            *seconds = count * units[i].seconds;
            return OK;
        }
    }
    return refuse(key, err);
}

static enum status set_int(const struct config_key *key, struct config *config, struct span value,
                           struct err *err)
{
    int64_t number;
    if (!span_to_int64(value, &number) || number < key->min || number > key->max)
        return fail(err, INVALID, "%.*s: must be a number from %lld to %lld", SPAN_FMT(key->name),
                    (long long)key->min, (long long)key->max);
    *number_at(key, config) = number;
    return OK;
}

enum status config_value_set(const struct config_key *key, struct config *config, struct span value,
                             struct err *err)
{
    static const char *const algs[] = {"RS256", "PS256", "ES256", "EdDSA", NULL};
    bool is_good = true;
    switch (key->kind) {
    case CONFIG_INT:
        return set_int(key, config, value, err);
    case CONFIG_LISTEN:
        return set_listen(key, config, value, err);
    case CONFIG_URL:
        return set_url(key, config, value, err);
    case CONFIG_READBACK:
        return set_readback(key, config, value, err);
    case CONFIG_ALG:
        is_good = is_one_of(value, algs);
        break;
    case CONFIG_CHOICE:
        is_good = is_choice(value, span_cstr(key->allowed));
        break;
    case CONFIG_RANGES:
        is_good = is_list_of(value, is_range);
        break;
    case CONFIG_ORIGINS:
        is_good = is_list_of(value, is_origin);
        break;
    case CONFIG_PATH:
        break;
    case CONFIG_SECRET_BASE:
        is_good = is_secret_base(value);
        break;
    case CONFIG_TEXT:
        is_good = value.len > 0;
        break;
    }
    if (!is_good)
        return refuse(key, err);
    *text_at(key, config) = value;
    return OK;
}

static void print_readback(int64_t seconds, struct buf *out)
{
    if (seconds == 0)
        buf_put(out, SPAN("never"));
    else if (seconds == INT64_MAX)
        buf_put(out, SPAN("always"));
    else if (seconds % 86400 == 0 && seconds > 86400)
        buf_printf(out, "%lldd", (long long)seconds / 86400);
    else if (seconds % 3600 == 0)
        buf_printf(out, "%lldh", (long long)seconds / 3600);
    else
        buf_printf(out, "%lldm", (long long)seconds / 60);
}

static bool may_be_empty(enum config_kind kind)
{
    return kind == CONFIG_URL || kind == CONFIG_PATH || kind == CONFIG_RANGES ||
           kind == CONFIG_ORIGINS;
}

void config_value_print(const struct config_key *key, const struct config *config, struct buf *out)
{
    const char *at = (const char *)config + key->offset;
    size_t count = key->kind == CONFIG_LISTEN
                       ? *(const size_t *)(const void *)((const char *)config + key->count_offset)
                       : 1;
    for (size_t i = 0; i < count; i++) {
        struct span text =
            is_number(key->kind) ? (struct span){0} : ((const struct span *)(const void *)at)[i];
        if (may_be_empty(key->kind) && text.len == 0)
            buf_put(out, SPAN("# ")); /* not set */
        buf_printf(out, "%.*s = ", SPAN_FMT(key->name));
        if (key->kind == CONFIG_INT)
            buf_int64(out, *(const int64_t *)(const void *)at);
        else if (key->kind == CONFIG_READBACK)
            print_readback(*(const int64_t *)(const void *)at, out);
        else
            buf_put(out, text);
        buf_byte(out, '\n');
    }
}
