/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of value that a configuration key can have: default, reading with its checks, printing.
 */
#pragma once

#include "config/config.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_INT,
    CONFIG_LISTEN,
    CONFIG_URL,
    CONFIG_ALG,
    CONFIG_SECRET_BASE,
    CONFIG_READBACK,
    CONFIG_PATH,    /* may be empty: not set */
    CONFIG_RANGES,  /* addresses and ranges with commas between them, or empty */
    CONFIG_ORIGINS, /* likewise web origins */
    CONFIG_CHOICE,  /* one of the words in `allowed`: "a, b or c" */
};

struct config_key {
    struct span name;
    enum config_kind kind;
    size_t offset;       /* in struct config */
    size_t count_offset; /* of lists */
    struct span text;    /* default of textual kinds */
    int64_t number;      /* default of numeric kinds */
    int64_t min;
    int64_t max;
    const char *allowed;
    const char *help;
};

/* Is what goes to the URL kept from others: https, or http on loopback? */
bool config_url_is_confidential(struct span url);

void config_value_default(const struct config_key *key, struct config *config);

/* INVALID with what is allowed. The value is kept as it is: it must live as long as config. */
enum status config_value_set(const struct config_key *key, struct config *config, struct span value,
                             struct err *err) MUST_USE;

/* Empties a list. */
void config_value_clear_list(const struct config_key *key, struct config *config);

/* One `key = value` line, or several for a list. */
void config_value_print(const struct config_key *key, const struct config *config, struct buf *out);
