/* SPDX-License-Identifier: Apache-2.0 */
#include "log/log.h"

#include "../unit.h"

static void expect(const struct log_line *line, const char *expected)
{
    char text[LOG_LINE_MAX];
    unsigned len = log_format(line, text);
    assert_in_range(len, 1, LOG_LINE_MAX - 1);
    assert_span_equal(span_of(text, len), expected);
}

static void a_line_of_text(void **state)
{
    (void)state;
    const struct log_line line = {.program = "posternd",
                                  .level = LOG_LEVEL_WARN,
                                  .seconds = 1800000000,
                                  .message = "the disk is full"};
    expect(&line, "2027-01-15T08:00:00Z posternd warning: the disk is full\n");
}

static void a_line_of_json(void **state)
{
    (void)state;
    const struct log_line line = {.program = "postern-signer",
                                  .is_json = true,
                                  .level = LOG_LEVEL_ERROR,
                                  .seconds = 0,
                                  .message = "no key"};
    expect(&line, "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"error\","
                  "\"program\":\"postern-signer\",\"message\":\"no key\"}\n");
}

static void a_line_about_a_request_names_it(void **state)
{
    (void)state;
    struct log_line line = {.program = "p", .message = "a", .request_id = SPAN("0123456789ABCDEF")};
    expect(&line, "1970-01-01T00:00:00Z p info: a (request 0123456789ABCDEF)\n");
    line.is_json = true;
    expect(&line, "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"program\":\"p\","
                  "\"message\":\"a\",\"request_id\":\"0123456789ABCDEF\"}\n");
}

/* One message is one line, whatever is in it: no forged lines, no terminal sequences. */
static void control_characters_and_quotes_are_escaped(void **state)
{
    (void)state;
    struct log_line line = {.program = "p", .message = "a\nb\r\x1b[31m\x7f\"\\\t"};
    expect(&line, "1970-01-01T00:00:00Z p info: "
                  "a\\u000ab\\u000d\\u001b[31m\\u007f\\u0022\\u005c\\u0009\n");
    line.is_json = true;
    expect(&line, "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"info\",\"program\":\"p\","
                  "\"message\":\"a\\u000ab\\u000d\\u001b[31m\\u007f\\u0022\\u005c\\u0009\"}\n");
}

static void a_message_that_is_too_long_is_cut_and_the_line_still_ends(void **state)
{
    (void)state;
    static const char bytes[] = {'x', '\n', '"'};
    for (size_t i = 0; i < sizeof bytes; i++) {
        char message[4 * LOG_LINE_MAX];
        char text[LOG_LINE_MAX];
        memset(message, bytes[i], sizeof message - 1);
        message[sizeof message - 1] = '\0';
        struct log_line line = {.program = "p", .message = message};
        for (int json = 0; json < 2; json++) {
            line.is_json = json == 1;
            unsigned len = log_format(&line, text);
            assert_in_range(len, LOG_LINE_MAX / 2, LOG_LINE_MAX - 1);
            assert_int_equal(text[len - 1], '\n');
            if (line.is_json)
                assert_memory_equal(text + len - 3, "\"}\n", 3);
            assert_ptr_equal(memchr(text, '\n', len), text + len - 1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_text),
        cmocka_unit_test(a_line_of_json),
        cmocka_unit_test(a_line_about_a_request_names_it),
        cmocka_unit_test(control_characters_and_quotes_are_escaped),
        cmocka_unit_test(a_message_that_is_too_long_is_cut_and_the_line_still_ends),
    };
    return RUN_TESTS(tests);
}
