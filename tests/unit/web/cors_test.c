/* SPDX-License-Identifier: Apache-2.0 */
#include "web/cors.h"

#include "config/config.h"
#include "web/route.h"

#include "../exchange_fixture.h"

static const struct span own[] = {SPAN_INIT("https://auth.example.com"),
                                  SPAN_INIT("http://localhost:8080")};

static void open_from(struct exchange_fixture *f, struct config *config, const struct route *route,
                      const char *origin)
{
    fixture_open(f, HTTP_GET, "/v2/corpora");
    *config = (struct config){.cors_origins = SPAN("https://app.example, https://b.example:8443")};
    f->app.config = config;
    f->app.origins = own;
    f->app.origin_count = ARRAY_LEN(own);
    f->x.route = route;
    if (origin != NULL)
        fixture_header(f, "Origin", origin);
}

static void each_rule_allows_its_origins_and_no_other(void **state)
{
    (void)state;
    static const struct {
        enum cors cors;
        const char *origin;
        const char *allowed; /* empty: none */
    } cases[] = {
        {CORS_NONE, "https://auth.example.com", ""},
        {CORS_ANY_ORIGIN, "https://evil.example", "*"},
        {CORS_ANY_ORIGIN, NULL, "*"},
        {CORS_OWN, "https://auth.example.com", "https://auth.example.com"},
        {CORS_OWN, "http://localhost:8080", "http://localhost:8080"},
        {CORS_OWN, "https://app.example", ""},
        {CORS_OWN, "https://evil.example", ""},
        {CORS_OWN, "null", ""},
        {CORS_OWN, "https://auth.example.com.evil.example", ""},
        {CORS_OWN, "http://auth.example.com", ""},
        {CORS_OWN, NULL, ""},
        {CORS_CONFIGURED, "https://app.example", "https://app.example"},
        {CORS_CONFIGURED, "https://b.example:8443", "https://b.example:8443"},
        {CORS_CONFIGURED, "https://b.example", ""},
        {CORS_CONFIGURED, "https://app.example, https://b.example:8443", ""},
        {CORS_CONFIGURED, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct config config;
        const struct route route = {.cors = cases[i].cors};
        open_from(&f, &config, &route, cases[i].origin);
        cors_reply(&f.x);
        assert_span_equal(fixture_reply_header(&f, "Access-Control-Allow-Origin"),
                          cases[i].allowed);
        bool depends = cases[i].cors == CORS_OWN || cases[i].cors == CORS_CONFIGURED;
        assert_span_equal(fixture_reply_header(&f, "Vary"), depends ? "Origin" : "");
        assert_span_equal(fixture_reply_header(&f, "Access-Control-Allow-Credentials"), "");
        fixture_close(&f);
    }
}

static void a_preflight_says_what_may_be_sent(void **state)
{
    (void)state;
    struct exchange_fixture f;
    struct config config;
    const struct route route = {.cors = CORS_CONFIGURED};
    open_from(&f, &config, &route, "https://app.example");
    cors_preflight(&f.x, &route, SPAN("GET, POST"));
    assert_span_equal(fixture_reply_header(&f, "Access-Control-Allow-Methods"), "GET, POST");
    assert_span_equal(fixture_reply_header(&f, "Access-Control-Max-Age"), "600");
    fixture_close(&f);
    open_from(&f, &config, &route, "https://evil.example");
    cors_preflight(&f.x, &route, SPAN("GET, POST"));
    assert_span_equal(fixture_reply_header(&f, "Access-Control-Allow-Methods"), "");
    assert_span_equal(fixture_reply_header(&f, "Access-Control-Allow-Origin"), "");
    fixture_close(&f);
}

static void a_foreign_page_is_known_by_its_origin_or_the_browsers_word(void **state)
{
    (void)state;
    static const struct {
        const char *origin;
        const char *site;
        bool is_foreign;
    } cases[] = {
        {NULL, NULL, false},
        {"https://auth.example.com", NULL, false},
        {"https://auth.example.com", "cross-site", false}, /* two of our own hosts */
        {"https://evil.example", NULL, true},
        {"null", NULL, true},
        {"", NULL, true},
        {NULL, "cross-site", true},
        {NULL, "same-origin", false},
        {NULL, "none", false},
        {"https://evil.example", "same-origin", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct exchange_fixture f;
        struct config config;
        open_from(&f, &config, NULL, cases[i].origin);
        if (cases[i].site != NULL)
            fixture_header(&f, "Sec-Fetch-Site", cases[i].site);
        assert_int_equal(cors_is_foreign_page(&f.x), cases[i].is_foreign);
        fixture_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_allows_its_origins_and_no_other),
        cmocka_unit_test(a_preflight_says_what_may_be_sent),
        cmocka_unit_test(a_foreign_page_is_known_by_its_origin_or_the_browsers_word),
    };
    return RUN_TESTS(tests);
}
