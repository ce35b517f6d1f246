/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include "../unit.h"

/* Of base/status.h, not cmocka's. */
#undef fail

static void ok_is_zero_and_every_status_has_a_name_of_its_own(void **state)
{
    (void)state;
    assert_int_equal(OK, 0);
    for (unsigned a = 0; a < STATUS_COUNT; a++) {
        assert_true(strlen(status_name((enum status)a)) > 0);
        for (unsigned b = 0; b < a; b++)
            assert_string_not_equal(status_name((enum status)a), status_name((enum status)b));
    }
    assert_string_equal(status_name(STATUS_COUNT), "unknown");
}

static void fail_answers_its_status_also_without_err(void **state)
{
    (void)state;
    assert_int_equal(fail(NULL, CONFLICT, "%d", 1), CONFLICT);
}

static void a_long_detail_is_cut_and_ends(void **state)
{
    (void)state;
    struct err err;
    char text[1000];
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memset(&err, 0xff, sizeof err);
    err.status = OK;
    assert_int_equal(fail(&err, INVALID, "%s", text), INVALID);
    assert_int_equal(strlen(err.detail), sizeof err.detail - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ok_is_zero_and_every_status_has_a_name_of_its_own),
        cmocka_unit_test(fail_answers_its_status_also_without_err),
        cmocka_unit_test(a_long_detail_is_cut_and_ends),
    };
    return RUN_TESTS(tests);
}
