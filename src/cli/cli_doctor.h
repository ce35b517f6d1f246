/* SPDX-License-Identifier: Apache-2.0 */
/* postern doctor: looks at the installation from outside, asks a running server for the facts that
 * it alone knows, and judges both. Changes nothing, starts nothing, prints no secret. What it
 * checks is a table of rows in cli_doctor_checks.c. */
#pragma once

#include "cli/cli.h"

#include <jansson.h>
#include <sys/types.h>

/* What the checks look at; gathered once. */
struct doctor {
    struct cli *cli;
    int data_fd;          /* -1: it cannot be opened */
    int data_errno;       /* then why */
    bool is_initialised;  /* postern.db is in it */
    const json_t *status; /* GET /control/status; NULL: no server answers */
    const char *why_not;  /* then why */
};

enum doctor_level {
    DOCTOR_OK,
    DOCTOR_SKIP, /* what it needs is not there */
    DOCTOR_WARN,
    DOCTOR_FAIL,
};

struct doctor_finding {
    enum doctor_level level;
    char sentence[512];
    char advice[256]; /* what to do; empty when all is well */
};

enum doctor_needs {
    NEEDS_NOTHING,
    NEEDS_DATA,   /* a data directory that is one, and can be opened */
    NEEDS_SERVER, /* one that answers */
};

struct doctor_check {
    const char *name;
    enum doctor_needs needs;
    void (*run)(const struct doctor *doctor, struct doctor_finding *finding);
};

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* A fact of a running server; 0 or "" when it does not tell. */
int64_t doctor_number(const struct doctor *doctor, const char *name);
const char *doctor_text(const struct doctor *doctor, const char *name);

int cli_doctor(struct cli *cli);
