/* SPDX-License-Identifier: Apache-2.0 */
/* Whose client it is when a proxy stands before us: only what a listed proxy says is believed, and
 * of its ways to say it only the configured one. Pure functions.
 *
 * The client is the nearest hop that is no listed proxy: whatever stands further away, anybody may
 * have written. */
#pragma once

#include "base/address.h"
#include "web/exchange.h"

enum proxy_way {
    PROXY_NONE,
    PROXY_FORWARDED,       /* RFC 7239 */
    PROXY_X_FORWARDED_FOR, /* what came before it */
    PROXY_PROTOCOL,        /* version 2, before everything else on the connection */
};

enum { PROXIES_MAX = 64, PROXY_HEADER_BYTES_MAX = 1024 };

struct proxies {
    enum proxy_way way;
    struct address_range ranges[PROXIES_MAX];
    size_t count;
};

/* names: addresses and ranges with commas between them, or empty. way: "none", "forwarded",
 * "x-forwarded-for" or "proxy-v2". False: they are not. */
bool proxies_read(struct span names, struct span way, struct proxies *ret_proxies) MUST_USE;

bool proxies_have(const struct proxies *proxies, const struct address *address);

/* The client of a request that came from peer, a listed proxy. What the header says ends at the
 * first hop, seen from us, that does not read: then the hop before it, or peer itself, counts. */
struct address proxies_client(const struct proxies *proxies, const struct exchange *x,
                              const struct address *peer);

enum proxy_header {
    PROXY_HEADER_MORE, /* not whole yet */
    PROXY_HEADER_GOOD, /* *ret_client is set, unless the proxy speaks for itself */
    PROXY_HEADER_BAD,
};

/* Takes the header of the PROXY protocol, version 2, off the front of *bytes (HAProxy's
 * proxy-protocol.txt, section 2.2). *ret_has_client: it names a TCP client. */
enum proxy_header proxies_header_read(struct span *bytes, struct address *ret_client,
                                      bool *ret_has_client) MUST_USE;
