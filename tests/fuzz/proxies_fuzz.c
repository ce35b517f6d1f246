/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy says of its client: the PROXY protocol's header, Forwarded, X-Forwarded-For and the
 * list of trusted proxies. The first byte chooses. Whatever comes, the client is an address that
 * prints and reads back, and never a listed proxy while the nearest hop is a stranger. */
#include "http/proxies.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool is_so)
{
    if (!is_so)
        abort();
}

static void check_address(const struct address *address)
{
    char text[ADDRESS_TEXT_MAX];
    struct address again;
    size_t len = address_text(address, text);
    demand(len > 0 && address_parse(span_of(text, len), &again));
    demand(memcmp(&again, address, sizeof again) == 0);
}

static void read_header(struct span bytes, bool is_standard)
{
    struct proxies proxies;
    struct address peer;
    struct header headers[] = {{is_standard ? SPAN("Forwarded") : SPAN("X-Forwarded-For"), bytes}};
    struct exchange x = {.headers = headers, .header_count = 1};
    demand(proxies_read(SPAN("10.0.0.0/8, fd00::/8"),
                        is_standard ? SPAN("forwarded") : SPAN("x-forwarded-for"), &proxies));
    demand(address_parse(SPAN("10.0.0.1"), &peer));
    struct address client = proxies_client(&proxies, &x, &peer);
    check_address(&client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16)
        return 0;
    struct span bytes = span_from(span_of(data, size), 1);
    struct proxies proxies;
    struct address client;
    bool has_client;
    switch (data[0]) {
    case 'f':
    case 'x':
        read_header(bytes, data[0] == 'f');
        break;
    case 'l':
        if (proxies_read(bytes, SPAN("none"), &proxies))
            demand(proxies.count <= PROXIES_MAX);
        break;
    default: {
        struct span rest = bytes;
        enum proxy_header read = proxies_header_read(&rest, &client, &has_client);
        demand(read == PROXY_HEADER_GOOD || rest.len == bytes.len || read == PROXY_HEADER_BAD);
        demand(read != PROXY_HEADER_MORE || bytes.len < PROXY_HEADER_BYTES_MAX);
        if (read == PROXY_HEADER_GOOD && has_client)
            check_address(&client);
        break;
    }
    }
    return 0;
}
