/* SPDX-License-Identifier: Apache-2.0 */
#include "model/audit_event.h"

#include "../unit.h"

static void every_action_has_its_own_dotted_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < AUDIT_ACTION_COUNT; i++) {
        struct span name = audit_action_names[i];
        size_t dot = span_find(name, '.');
        assert_true(dot > 0 && dot + 1 < name.len);
        for (size_t other = 0; other < i; other++)
            assert_false(span_equal(name, audit_action_names[other]));
    }
    assert_span_equal(audit_action_names[AUDIT_APP_CLIENT_REVEAL], "app_client.reveal");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_action_has_its_own_dotted_name)};
    return RUN_TESTS(tests);
}
