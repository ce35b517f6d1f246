/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http_head.h"

/* RFC 9110 §5.6.2 */
#define TOKEN_CHARS "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
/* Narrower than RFC 3986's reg-name: what names of hosts are really made of. */
#define HOST_CHARS "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define IPV6_CHARS ".:0123456789ABCDEFabcdef"

enum { PORT_DIGITS_MAX = 5 };

static const struct span method_names[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = SPAN_INIT("GET"),         [HTTP_HEAD] = SPAN_INIT("HEAD"),
    [HTTP_POST] = SPAN_INIT("POST"),       [HTTP_PUT] = SPAN_INIT("PUT"),
    [HTTP_PATCH] = SPAN_INIT("PATCH"),     [HTTP_DELETE] = SPAN_INIT("DELETE"),
    [HTTP_OPTIONS] = SPAN_INIT("OPTIONS"),
};

static enum http_method method_of(struct span name)
{
    for (int method = 0; method < HTTP_METHOD_COUNT; method++) {
        if (span_equal(name, method_names[method]))
            return (enum http_method)method;
    }
    return HTTP_OTHER;
}

/* A fragment is never sent (RFC 9112 §3.2); quotes and angle brackets no URL library leaves as they
 * are. The rest of what RFC 3986 has encoded ("|", "^", "{"…) browsers and curl do send. */
static bool is_target_bytes(struct span target)
{
    for (size_t i = 0; i < target.len; i++) {
        char byte = target.ptr[i];
        if (byte <= ' ' || byte > '~' || byte == '#' || byte == '"' || byte == '<' || byte == '>')
            return false;
    }
    return target.len > 0;
}

/* The authority of an absolute-form target (RFC 9112 §3.2.2); *ret_rest is what follows it. */
static bool absolute_form(struct span target, struct span *ret_authority, struct span *ret_rest)
{
    struct span rest;
    if (span_starts_nocase(target, SPAN("http://")))
        rest = span_from(target, sizeof "http://" - 1);
    else if (span_starts_nocase(target, SPAN("https://")))
        rest = span_from(target, sizeof "https://" - 1);
    else
        return false;
    size_t end = span_find(rest, '/');
    size_t query = span_find(rest, '?');
    if (query < end)
        end = query;
    *ret_authority = span_first(rest, end);
    *ret_rest = span_from(rest, end);
    return true;
}

static bool split_target(struct exchange *x)
{
    struct span rest = x->target;
    struct span authority;
    if (span_equal(rest, SPAN("*"))) {
        x->path = rest;
        return x->method == HTTP_OPTIONS;
    }
    bool is_absolute = absolute_form(x->target, &authority, &rest);
    (void)span_cut(&rest, '?', &x->path);
    x->query = rest;
    if (is_absolute && x->path.len == 0)
        x->path = SPAN("/");
    return x->path.len > 0 && x->path.ptr[0] == '/';
}

/* "HTTP/" DIGIT "." DIGIT (RFC 9112 §2.3): 400 for another shape, 505 for another version. */
static int read_version(struct span version, struct http_head *head)
{
    if (span_equal(version, SPAN("HTTP/1.1")))
        return 0;
    if (span_equal(version, SPAN("HTTP/1.0"))) {
        head->is_http_1_0 = true;
        return 0;
    }
    struct span number = span_from(version, sizeof "HTTP/" - 1);
    bool is_version = span_starts(version, SPAN("HTTP/")) && number.len == 3 &&
                      number.ptr[1] == '.' && span_only(number, ".0123456789") &&
                      number.ptr[0] != '.' && number.ptr[2] != '.';
    return is_version ? 505 : 400;
}

int http_head_line(struct span line, struct exchange *x, struct http_head *ret_head)
{
    *ret_head = (struct http_head){0};
    struct span rest = line;
    struct span target;
    if (!span_cut(&rest, ' ', &x->method_name) || !span_cut(&rest, ' ', &target))
        return 400;
    if (x->method_name.len == 0 || !span_only(x->method_name, TOKEN_CHARS))
        return 400;
    if (!is_target_bytes(target))
        return 400;
    x->target = target; /* from here on the shape of an error reply follows it */
    int refused = read_version(rest, ret_head);
    if (refused != 0)
        return refused;
    x->method = method_of(x->method_name);
    /* We are no proxy; its target has another form. */
    if (span_equal(x->method_name, SPAN("CONNECT")))
        return 501;
    return split_target(x) ? 0 : 400;
}

static bool is_port(struct span port)
{
    return port.len > 0 && port.len <= PORT_DIGITS_MAX && span_only(port, "0123456789");
}

/* uri-host [ ":" port ] (RFC 9110 §7.2) */
static bool is_host(struct span host)
{
    struct span name;
    struct span rest = host;
    if (span_starts(host, SPAN("["))) {
        rest = span_from(host, 1);
        if (!span_cut(&rest, ']', &name) || name.len == 0 || !span_only(name, IPV6_CHARS))
            return false;
        return rest.len == 0 || (rest.ptr[0] == ':' && is_port(span_from(rest, 1)));
    }
    bool has_port = span_cut(&rest, ':', &name);
    return name.len > 0 && span_only(name, HOST_CHARS) && (!has_port || is_port(rest));
}

enum singleton {
    ONCE_HOST,
    ONCE_CONTENT_LENGTH,
    ONCE_TRANSFER_ENCODING,
    ONCE_EXPECT,
    ONCE_CONTENT_TYPE,
    ONCE_AUTHORIZATION,
    ONCE_COUNT
};

/* Names that may stand once (RFC 9110 §5.3; a second Authorization is somebody else's). */
static const struct span singleton_names[ONCE_COUNT] = {
    [ONCE_HOST] = SPAN_INIT("Host"),
    [ONCE_CONTENT_LENGTH] = SPAN_INIT("Content-Length"),
    [ONCE_TRANSFER_ENCODING] = SPAN_INIT("Transfer-Encoding"),
    [ONCE_EXPECT] = SPAN_INIT("Expect"),
    [ONCE_CONTENT_TYPE] = SPAN_INIT("Content-Type"),
    [ONCE_AUTHORIZATION] = SPAN_INIT("Authorization"),
};

/* Some proxies and gateways read '_' in a name as '-': a framing header in disguise. */
static bool is_disguised(struct span name)
{
    return span_equal_nocase(name, SPAN("Transfer_Encoding")) ||
           span_equal_nocase(name, SPAN("Content_Length"));
}

static bool find_singletons(const struct exchange *x,
                            const struct span *ret_values[static ONCE_COUNT])
{
    for (size_t i = 0; i < x->header_count; i++) {
        struct span name = x->headers[i].name;
        if (is_disguised(name))
            return false;
        for (int once = 0; once < ONCE_COUNT; once++) {
            if (!span_equal_nocase(name, singleton_names[once]))
                continue;
            if (ret_values[once] != NULL)
                return false;
            ret_values[once] = &x->headers[i].value;
        }
    }
    return true;
}

static bool host_agrees(const struct exchange *x, const struct http_head *head,
                        const struct span *host)
{
    struct span authority;
    struct span rest;
    bool is_absolute = absolute_form(x->target, &authority, &rest);
    if (host == NULL)
        return head->is_http_1_0 && !is_absolute;
    return is_host(*host) && (!is_absolute || span_equal_nocase(authority, *host));
}

/* RFC 9112 §6: what could be read in two ways is refused, whatever the RFC lets a server repair. */
static bool read_framing(const struct span *length, const struct span *coding,
                         struct http_head *head)
{
    if (coding != NULL) {
        head->is_chunked = true;
        return length == NULL && !head->is_http_1_0 && span_equal_nocase(*coding, SPAN("chunked"));
    }
    head->has_length = length != NULL;
    return length == NULL || span_to_int64(*length, &head->length);
}

int http_head_fields(const struct exchange *x, struct http_head *head)
{
    const struct span *once[ONCE_COUNT] = {0};
    if (!find_singletons(x, once))
        return 400;
    if (!host_agrees(x, head, once[ONCE_HOST]))
        return 400;
    if (!read_framing(once[ONCE_CONTENT_LENGTH], once[ONCE_TRANSFER_ENCODING], head))
        return 400;
    /* RFC 9110 §10.1.1: not from HTTP/1.0. */
    if (once[ONCE_EXPECT] != NULL && !head->is_http_1_0) {
        if (!span_equal_nocase(*once[ONCE_EXPECT], SPAN("100-continue")))
            return 417;
        head->expects_continue = head->is_chunked || head->length > 0;
    }
    return 0;
}
