/* SPDX-License-Identifier: Apache-2.0 */
#include "web/route.h"

#include "codec/form.h"
#include "web/cors.h"
#include "web/reply.h"

static const struct span method_names[HTTP_METHOD_COUNT] = {
    [HTTP_GET] = SPAN_INIT("GET"),         [HTTP_HEAD] = SPAN_INIT("HEAD"),
    [HTTP_POST] = SPAN_INIT("POST"),       [HTTP_PUT] = SPAN_INIT("PUT"),
    [HTTP_PATCH] = SPAN_INIT("PATCH"),     [HTTP_DELETE] = SPAN_INIT("DELETE"),
    [HTTP_OPTIONS] = SPAN_INIT("OPTIONS"),
};

struct span http_method_name(enum http_method method)
{
    return method < HTTP_METHOD_COUNT ? method_names[method] : (struct span){0};
}

static bool is_param(struct span segment)
{
    return segment.len > 2 && segment.ptr[0] == '{' && segment.ptr[segment.len - 1] == '}';
}

/* Does the encoded path fit the row's? Parameters are whole, non-empty segments: they are cut
 * before they are decoded, so that an encoded slash stays in its segment. */
static bool path_fits(struct span pattern, struct span path, struct span params[ROUTE_PARAMS_MAX])
{
    /* What stands before the first parameter rules most rows out. */
    size_t literal_len = span_find(pattern, '{');
    if (!span_starts(path, span_first(pattern, literal_len)))
        return false;
    if (literal_len == pattern.len)
        return path.len == pattern.len;
    size_t param = 0;
    bool pattern_goes_on = true;
    bool path_goes_on = true;
    while (pattern_goes_on && path_goes_on) {
        struct span expected;
        struct span segment;
        pattern_goes_on = span_cut(&pattern, '/', &expected);
        path_goes_on = span_cut(&path, '/', &segment);
        if (is_param(expected)) {
            if (segment.len == 0 || param == ROUTE_PARAMS_MAX)
                return false;
            params[param++] = segment;
        } else if (!span_equal(expected, segment)) {
            return false;
        }
    }
    return pattern_goes_on == path_goes_on;
}

static bool is_served(const struct exchange *x, const struct route *route)
{
    return route->purposes == 0 || (route->purposes & x->purposes) != 0;
}

/* The methods that rows for this path have, HEAD with GET. */
static unsigned methods_at(const struct exchange *x, const struct route *routes, size_t count)
{
    unsigned methods = 0;
    struct span params[ROUTE_PARAMS_MAX];
    for (const struct route *route = routes; route < routes + count; route++) {
        if (is_served(x, route) && path_fits(route->path, x->path, params))
            methods |= 1u << route->method;
    }
    if ((methods & 1u << HTTP_GET) != 0)
        methods |= 1u << HTTP_HEAD;
    return methods;
}

static struct span allow_value(struct exchange *x, unsigned methods)
{
    struct buf text;
    buf_init_arena(&text, &x->arena, 128);
    for (unsigned method = 0; method < HTTP_OPTIONS; method++) {
        if ((methods & 1u << method) != 0) {
            buf_put(&text, method_names[method]);
            buf_put(&text, SPAN(", "));
        }
    }
    buf_put(&text, method_names[HTTP_OPTIONS]);
    return buf_ok(&text) ? buf_span(&text) : method_names[HTTP_OPTIONS];
}

/* The rows of a path have one rule. */
static void answer_preflight(struct exchange *x, const struct route *routes, size_t count,
                             unsigned methods)
{
    struct span method;
    struct span params[ROUTE_PARAMS_MAX];
    if (exchange_header(x, SPAN("access-control-request-method"), &method) != OK)
        return;
    for (const struct route *route = routes; route < routes + count; route++) {
        if (is_served(x, route) && path_fits(route->path, x->path, params)) {
            cors_preflight(x, route, allow_value(x, methods));
            return;
        }
    }
}

static bool decode_params(struct exchange *x, const struct span raw[ROUTE_PARAMS_MAX])
{
    for (size_t i = 0; i < ROUTE_PARAMS_MAX && raw[i].ptr != NULL; i++) {
        enum status status = percent_decode(raw[i], false, &x->arena, &x->params[i]);
        if (status != OK) {
            (void)fail(&x->err, status, "the path does not decode to UTF-8 text");
            return false;
        }
    }
    return true;
}

bool route_find(struct exchange *x, const struct route *routes, size_t count)
{
    unsigned methods = methods_at(x, routes, count);
    if (methods == 0) {
        reply_not_found(x, x->path);
        return false;
    }
    if (x->method == HTTP_OPTIONS) {
        reply_empty(x, 204);
        reply_header(x, SPAN("Allow"), allow_value(x, methods));
        answer_preflight(x, routes, count, methods);
        return false;
    }
    if (x->method == HTTP_OTHER || (methods & 1u << x->method) == 0) {
        reply_method_not_allowed(x, allow_value(x, methods));
        return false;
    }
    enum http_method method = x->method == HTTP_HEAD ? HTTP_GET : x->method;
    for (const struct route *route = routes; route < routes + count; route++) {
        struct span params[ROUTE_PARAMS_MAX] = {0};
        if (route->method == method && is_served(x, route) &&
            path_fits(route->path, x->path, params)) {
            if (!decode_params(x, params)) {
                reply_error(x, x->err.status);
                return false;
            }
            x->route = route;
            return true;
        }
    }
    reply_error(x, CORRUPT); /* methods_at() saw a row that is not there */
    return false;
}

enum status route_check(const struct route *routes, size_t count, struct err *err)
{
    for (const struct route *route = routes; route < routes + count; route++) {
        if (route->permission == PERMISSION_UNSET || route->permission >= PERMISSION_COUNT)
            return fail(err, CORRUPT, "route %.*s names no permission", SPAN_FMT(route->path));
        if (route->handle == NULL || route->name.len == 0 || route->path.len == 0)
            return fail(err, CORRUPT, "route %.*s has no handler or no name",
                        SPAN_FMT(route->path));
        if (route->method == HTTP_HEAD || route->method == HTTP_OPTIONS ||
            route->method >= HTTP_OTHER)
            return fail(err, CORRUPT, "route %.*s names a method that the router answers",
                        SPAN_FMT(route->path));
        for (const struct route *other = routes; other < route; other++) {
            if (other->method == route->method && span_equal(other->path, route->path))
                return fail(err, CORRUPT, "route %.*s stands twice", SPAN_FMT(route->path));
            if (span_equal(other->name, route->name))
                return fail(err, CORRUPT, "route name %.*s stands twice", SPAN_FMT(route->name));
        }
    }
    return OK;
}
