/* SPDX-License-Identifier: Apache-2.0 */
#include "web/route.h"

#include "web/reply.h"

#include "../exchange_fixture.h"

static void handle(struct exchange *x)
{
    (void)x;
}

static const struct route routes[] = {
    {.method = HTTP_GET,
     .path = SPAN_INIT("/v2/things"),
     .permission = PERMISSION_AUTHENTICATED,
     .handle = handle,
     .name = SPAN_INIT("list")},
    {.method = HTTP_POST,
     .path = SPAN_INIT("/v2/things"),
     .permission = PERMISSION_AUTHENTICATED,
     .handle = handle,
     .name = SPAN_INIT("create")},
    {.method = HTTP_GET,
     .path = SPAN_INIT("/v2/things/{thing}"),
     .permission = PERMISSION_AUTHENTICATED,
     .handle = handle,
     .name = SPAN_INIT("get")},
    {.method = HTTP_POST,
     .path = SPAN_INIT("/v2/things/{thing}/parts/{part}"),
     .permission = PERMISSION_PUBLIC,
     .handle = handle,
     .name = SPAN_INIT("part")},
};

static bool find(struct exchange_fixture *f, enum http_method method, const char *path)
{
    fixture_open(f, method, path);
    return route_find(&f->x, routes, ARRAY_LEN(routes));
}

static void rows_are_found_with_their_parameters(void **state)
{
    (void)state;
    struct exchange_fixture f;
    assert_true(find(&f, HTTP_POST, "/v2/things"));
    assert_span_equal(f.x.route->name, "create");
    fixture_close(&f);
    assert_true(find(&f, HTTP_POST, "/v2/things/a%40b/parts/c%2Fd"));
    assert_span_equal(f.x.route->name, "part");
    assert_span_equal(f.x.params[0], "a@b");
    assert_span_equal(f.x.params[1], "c/d"); /* cut before it is decoded */
    fixture_close(&f);
}

static void head_is_get(void **state)
{
    (void)state;
    struct exchange_fixture f;
    assert_true(find(&f, HTTP_HEAD, "/v2/things/x"));
    assert_span_equal(f.x.route->name, "get");
    fixture_close(&f);
}

static void unknown_paths_are_404(void **state)
{
    (void)state;
    static const char *const paths[] = {"/",
                                        "/v2",
                                        "/v2/things/",
                                        "/v2/things/a/",
                                        "/v2/things//parts/b",
                                        "/v2//things",
                                        "//v2/things",
                                        "/V2/things",
                                        "/v2/things/a/parts/b/c",
                                        "/v2/%74hings"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct exchange_fixture f;
        assert_false(find(&f, HTTP_GET, paths[i]));
        assert_int_equal(f.x.reply.status, 404);
        assert_true(fixture_reply_has(&f, "\"id\":\""));
        fixture_close(&f);
    }
}

static void other_methods_are_405_with_allow(void **state)
{
    (void)state;
    struct exchange_fixture f;
    assert_false(find(&f, HTTP_DELETE, "/v2/things"));
    assert_int_equal(f.x.reply.status, 405);
    assert_span_equal(fixture_reply_header(&f, "Allow"), "GET, HEAD, POST, OPTIONS");
    fixture_close(&f);
    assert_false(find(&f, HTTP_OTHER, "/v2/things/x"));
    assert_int_equal(f.x.reply.status, 405);
    assert_span_equal(fixture_reply_header(&f, "Allow"), "GET, HEAD, OPTIONS");
    fixture_close(&f);
}

/* RFC 6749 §5.2's shape, as for every other error there. */
static void errors_under_oauth_have_oauths_shape(void **state)
{
    (void)state;
    struct exchange_fixture f;
    assert_false(find(&f, HTTP_POST, "/oauth2/nothing"));
    assert_int_equal(f.x.reply.status, 404);
    assert_true(fixture_reply_has(&f, "\"error\":\"invalid_request\",\"error_description\":\""));
    assert_false(fixture_reply_has(&f, "messages"));
    fixture_close(&f);
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    reply_method_not_allowed(&f.x, SPAN("POST"));
    assert_int_equal(f.x.reply.status, 405);
    assert_span_equal(fixture_reply_header(&f, "Allow"), "POST");
    assert_true(fixture_reply_has(&f, "\"error\":\"invalid_request\",\"error_description\":\""));
    fixture_close(&f);
    fixture_open(&f, HTTP_POST, "/oauth2/token");
    reply_error(&f.x, UNAVAILABLE);
    assert_true(fixture_reply_has(&f, "\"error\":\"temporarily_unavailable\""));
    assert_true(fixture_reply_header(&f, "Retry-After").len > 0);
    fixture_close(&f);
}

static void options_is_204_with_allow(void **state)
{
    (void)state;
    struct exchange_fixture f;
    assert_false(find(&f, HTTP_OPTIONS, "/v2/things/x/parts/y"));
    assert_int_equal(f.x.reply.status, 204);
    assert_span_equal(fixture_reply_header(&f, "Allow"), "POST, OPTIONS");
    fixture_close(&f);
}

static void paths_that_do_not_decode_are_400(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v2/things/%", "/v2/things/%zz", "/v2/things/%00",
                                        "/v2/things/%c0%af", "/v2/things/%ed%a0%80"};
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct exchange_fixture f;
        assert_false(find(&f, HTTP_GET, paths[i]));
        assert_int_equal(f.x.reply.status, 400);
        fixture_close(&f);
    }
}

static void a_sound_table_passes(void **state)
{
    (void)state;
    assert_int_equal(route_check(routes, ARRAY_LEN(routes), NULL), OK);
}

/* A21: an endpoint without a rule does not start. */
static void each_unsound_row_is_refused(void **state)
{
    (void)state;
    for (int fault = 0; fault < 6; fault++) {
        struct route rows[2] = {routes[0], routes[1]};
        struct err err = {0};
        if (fault == 0)
            rows[1].permission = PERMISSION_UNSET;
        if (fault == 1)
            rows[1].handle = NULL;
        if (fault == 2)
            rows[1].name = (struct span){0};
        if (fault == 3)
            rows[1].method = HTTP_GET; /* twice the same */
        if (fault == 4)
            rows[1].method = HTTP_OPTIONS;
        if (fault == 5)
            rows[1].name = rows[0].name;
        assert_int_equal(route_check(rows, 2, &err), CORRUPT);
        assert_true(err.detail[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found_with_their_parameters),
        cmocka_unit_test(head_is_get),
        cmocka_unit_test(unknown_paths_are_404),
        cmocka_unit_test(other_methods_are_405_with_allow),
        cmocka_unit_test(errors_under_oauth_have_oauths_shape),
        cmocka_unit_test(options_is_204_with_allow),
        cmocka_unit_test(paths_that_do_not_decode_are_400),
        cmocka_unit_test(a_sound_table_passes),
        cmocka_unit_test(each_unsound_row_is_refused),
    };
    return RUN_TESTS(tests);
}
