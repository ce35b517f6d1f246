/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxies.h"

#include <string.h>

bool proxies_read(struct span names, struct span way, struct proxies *ret_proxies)
{
    static const struct span ways[] = {
        [PROXY_NONE] = SPAN_INIT("none"),
        [PROXY_FORWARDED] = SPAN_INIT("forwarded"),
        [PROXY_X_FORWARDED_FOR] = SPAN_INIT("x-forwarded-for"),
        [PROXY_PROTOCOL] = SPAN_INIT("proxy-v2"),
    };
    struct proxies proxies = {0};
    size_t chosen = 0;
    while (chosen < ARRAY_LEN(ways) && !span_equal(ways[chosen], way))
        chosen++;
    if (chosen == ARRAY_LEN(ways))
        return false;
    proxies.way = (enum proxy_way)chosen;
    for (bool goes_on = names.len > 0; goes_on;) {
        struct span name;
        goes_on = span_cut(&names, ',', &name);
        if (proxies.count == PROXIES_MAX ||
            !address_range_parse(span_trim(name), &proxies.ranges[proxies.count++]))
            return false;
    }
    *ret_proxies = proxies;
    return true;
}

bool proxies_have(const struct proxies *proxies, const struct address *address)
{
    bool is_listed = false;
    for (size_t i = 0; i < proxies->count; i++)
        is_listed |= address_is_in(address, &proxies->ranges[i]);
    return is_listed;
}

/* --- Forwarded and X-Forwarded-For: hops from the farthest to the nearest
 * ------------------------------------------ */

struct walk {
    const struct proxies *proxies;
    struct address client; /* as far as it is known */
    bool is_known;
};

/* The hop that was read last is the nearest so far. One that does not read makes everything farther
 * away unbelievable; one that is no proxy of ours makes it unimportant. */
static void step(struct walk *walk, bool is_read, const struct address *hop)
{
    if (!is_read) {
        walk->is_known = false;
        return;
    }
    bool is_listed = proxies_have(walk->proxies, hop);
    if (is_listed && walk->is_known)
        return; /* a proxy nearer to us: the client stays */
    walk->client = *hop;
    walk->is_known = true;
}

static bool is_port(struct span text)
{
    return text.len > 0 && text.len <= 5 && span_only(text, "0123456789");
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80 */
static bool read_node(struct span node, struct address *ret_address)
{
    if (node.len > 0 && node.ptr[0] == '[') {
        struct span address = span_from(node, 1);
        size_t end = span_find(address, ']');
        struct span rest = span_from(address, end + 1);
        return end < address.len && span_find(address, ':') < end &&
               address_parse(span_first(address, end), ret_address) &&
               (rest.len == 0 || (rest.ptr[0] == ':' && is_port(span_from(rest, 1))));
    }
    if (address_parse(node, ret_address))
        return true;
    size_t colon = span_find(node, ':');
    return colon < node.len && is_port(span_from(node, colon + 1)) &&
           address_parse(span_first(node, colon), ret_address);
}

static void walk_list(struct walk *walk, struct span value)
{
    for (bool goes_on = true; goes_on;) {
        struct span node;
        struct address hop;
        goes_on = span_cut(&value, ',', &node);
        bool is_read = read_node(span_trim(node), &hop);
        step(walk, is_read, &hop);
    }
}

/* A token or a quoted string, without its quotes, into text; *rest is what follows. Nodes need no
 * escapes: with one it does not read. */
static bool take_word(struct span *rest, struct span *ret_word)
{
    if (rest->len > 0 && rest->ptr[0] == '"') {
        struct span inner = span_from(*rest, 1);
        size_t end = span_find(inner, '"');
        *ret_word = span_first(inner, end);
        *rest = span_from(inner, end + 1);
        return end < inner.len && span_find(*ret_word, '\\') == ret_word->len;
    }
    size_t end = 0;
    while (end < rest->len && strchr(";, \t\"", rest->ptr[end]) == NULL)
        end++;
    *ret_word = span_first(*rest, end);
    *rest = span_from(*rest, end);
    return end > 0;
}

static void skip_blanks(struct span *rest)
{
    while (rest->len > 0 && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t'))
        *rest = span_from(*rest, 1);
}

/* One forwarded-element (RFC 7239 §4): pairs with semicolons between them. False: no such thing,
 * and the rest of the line is not looked at. */
static bool take_element(struct span *rest, bool *ret_is_read, struct address *ret_hop)
{
    bool has_for = false;
    *ret_is_read = false;
    for (bool goes_on = true; goes_on;) {
        struct span name;
        struct span word;
        skip_blanks(rest);
        size_t equals = span_find(*rest, '=');
        if (equals == rest->len)
            return false;
        name = span_first(*rest, equals);
        *rest = span_from(*rest, equals + 1);
        if (!take_word(rest, &word))
            return false;
        if (span_equal_nocase(name, SPAN("for"))) {
            *ret_is_read = !has_for && read_node(word, ret_hop);
            has_for = true;
        }
        skip_blanks(rest);
        goes_on = rest->len > 0 && rest->ptr[0] == ';';
        if (goes_on)
            *rest = span_from(*rest, 1);
    }
    return rest->len == 0 || rest->ptr[0] == ',';
}

static void walk_forwarded(struct walk *walk, struct span rest)
{
    while (rest.len > 0) {
        struct address hop;
        bool is_read;
        if (!take_element(&rest, &is_read, &hop)) {
            step(walk, false, NULL);
            return;
        }
        step(walk, is_read, &hop);
        if (rest.len > 0)
            rest = span_from(rest, 1);
    }
}

struct address proxies_client(const struct proxies *proxies, const struct exchange *x,
                              const struct address *peer)
{
    bool is_standard = proxies->way == PROXY_FORWARDED;
    struct span name = is_standard ? SPAN("forwarded") : SPAN("x-forwarded-for");
    struct walk walk = {.proxies = proxies};
    for (size_t i = 0; i < x->header_count; i++) {
        if (!span_equal_nocase(x->headers[i].name, name))
            continue;
        if (is_standard)
            walk_forwarded(&walk, x->headers[i].value);
        else
            walk_list(&walk, x->headers[i].value);
    }
    return walk.is_known ? walk.client : *peer;
}

/* --- The PROXY protocol, version 2
 * ------------------------------------------------------------------------ */

enum {
    HEAD_BYTES = 16,
    VERSION_2 = 0x20,
    COMMAND_LOCAL = 0,
    COMMAND_PROXY = 1,
    FAMILY_TCP4 = 0x11,
    FAMILY_TCP6 = 0x21,
    TCP4_BYTES = 12,
    TCP6_BYTES = 36,
};

static const unsigned char signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d,
                                            0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static enum proxy_header read_addresses(unsigned char family, struct span addresses,
                                        struct address *ret_client, bool *ret_has_client)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (family == FAMILY_TCP4) {
        if (addresses.len < TCP4_BYTES)
            return PROXY_HEADER_BAD;
        memcpy(ret_client->bytes, mapped, sizeof mapped);
        memcpy(ret_client->bytes + sizeof mapped, addresses.ptr, 4);
    } else if (family == FAMILY_TCP6) {
        if (addresses.len < TCP6_BYTES)
            return PROXY_HEADER_BAD;
        memcpy(ret_client->bytes, addresses.ptr, ADDRESS_BYTES);
    }
    *ret_has_client = family == FAMILY_TCP4 || family == FAMILY_TCP6;
    return PROXY_HEADER_GOOD;
}

enum proxy_header proxies_header_read(struct span *bytes, struct address *ret_client,
                                      bool *ret_has_client)
{
    const unsigned char *head = (const unsigned char *)bytes->ptr;
    size_t seen = bytes->len < sizeof signature ? bytes->len : sizeof signature;
    *ret_has_client = false;
    if (seen > 0 && memcmp(head, signature, seen) != 0)
        return PROXY_HEADER_BAD;
    if (bytes->len < HEAD_BYTES)
        return PROXY_HEADER_MORE;
    size_t len = (size_t)head[14] << 8 | head[15];
    unsigned command = head[12] & 0x0f;
    if ((head[12] & 0xf0) != VERSION_2 || command > COMMAND_PROXY ||
        HEAD_BYTES + len > PROXY_HEADER_BYTES_MAX)
        return PROXY_HEADER_BAD;
    if (bytes->len < HEAD_BYTES + len)
        return PROXY_HEADER_MORE;
    struct span addresses = span_first(span_from(*bytes, HEAD_BYTES), len);
    *bytes = span_from(*bytes, HEAD_BYTES + len);
    if (command == COMMAND_LOCAL)
        return PROXY_HEADER_GOOD;
    return read_addresses(head[13], addresses, ret_client, ret_has_client);
}
