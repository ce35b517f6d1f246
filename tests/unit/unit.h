/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes: cmocka in the order it wants, and a few asserts for our types. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/span.h"

#define assert_span_equal(actual, text)                                                            \
    do {                                                                                           \
        struct span assert_span_ = (actual);                                                       \
        assert_int_equal(assert_span_.len, strlen(text));                                          \
        if (assert_span_.len > 0)                                                                  \
            assert_memory_equal(assert_span_.ptr, text, assert_span_.len);                         \
    } while (0)

#define RUN_TESTS(tests) cmocka_run_group_tests(tests, NULL, NULL)
