/* SPDX-License-Identifier: Apache-2.0 */
#include "log/log.h"

#include "../unit.h"

static struct span format(struct log_line *line, char *text)
{
    return span_of(text, log_format(line, text));
}

static void a_line_is_one_line_whatever_it_says(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    struct log_line line = {
        .program = "p", .level = LOG_LEVEL_WARN, .message = "a\r\nb\x1b[31m\"\\"};
    assert_span_equal(
        format(&line, text),
        "1970-01-01T00:00:00Z p warning: a\\u000d\\u000ab\\u001b[31m\\u0022\\u005c\n");
    line.is_json = true;
    assert_span_equal(format(&line, text),
                      "{\"time\":\"1970-01-01T00:00:00Z\",\"level\":\"warning\","
                      "\"program\":\"p\",\"message\":\"a\\u000d\\u000ab\\u001b[31m"
                      "\\u0022\\u005c\"}\n");
}

static void a_long_message_is_cut_and_the_line_still_ends(void **state)
{
    (void)state;
    char text[LOG_LINE_MAX];
    static char message[4 * LOG_LINE_MAX];
    for (int is_json = 0; is_json < 2; is_json++) {
        memset(message, '\n', sizeof message - 1);
        struct log_line line = {.program = "p", .is_json = is_json == 1, .message = message};
        unsigned len = log_format(&line, text);
        assert_true(len <= LOG_LINE_MAX);
        assert_int_equal(text[len - 1], '\n');
        assert_null(memchr(text, '\n', len - 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_line_whatever_it_says),
        cmocka_unit_test(a_long_message_is_cut_and_the_line_still_ends),
    };
    return RUN_TESTS(tests);
}
