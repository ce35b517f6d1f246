/* SPDX-License-Identifier: Apache-2.0 */
/* The text form of generated secrets: <base>_<kind>_<id12><secret43><crc6>.
 *
 * base is the operator's ([a-z][a-z0-9_]{1,15}); kind says what it opens; id12 is the random part
 * of the credential's id (crd_<id12>); secret43 carries 256 random bits; crc6 is CRC-32 (ISO-HDLC,
 * as in zlib) of everything before it, in base62. All in [A-Za-z0-9_], so a form, an HTTP Basic
 * header and a shell read it the same way (RFC 6749 §2.3.1 and what clients make of it). */
#pragma once

#include "base/attr.h"
#include "base/span.h"
#include "base/status.h"

enum secret_kind {
    SECRET_CLIENT,   /* cs: app client secret */
    SECRET_PERSONAL, /* pk: personal API key */
    SECRET_QUERY,    /* qk: API key that may query */
    SECRET_INDEX,    /* ik: API key that may query and index */
    SECRET_ONE_TIME, /* oc: a user's one-time code */
    SECRET_KIND_COUNT
};

enum {
    SECRET_ID_LEN = 12,
    SECRET_RANDOM_LEN = 43,
    SECRET_CRC_LEN = 6,
    SECRET_BASE_LEN_MAX = 16,
    SECRET_TEXT_LEN_MAX =
        SECRET_BASE_LEN_MAX + 4 + SECRET_ID_LEN + SECRET_RANDOM_LEN + SECRET_CRC_LEN,
    SECRET_HINT_LEN = 4, /* the last characters, shown to tell secrets apart */
};

struct secret_parts {
    struct span base;
    enum secret_kind kind;
    struct span id; /* SECRET_ID_LEN characters */
};

bool secret_base_is_valid(struct span base);

/* Makes a new secret for the credential whose id's random part is id (12 base62 characters). Writes
 * at most SECRET_TEXT_LEN_MAX characters without a NUL; answers how many. */
size_t secret_make(struct span base, enum secret_kind kind, struct span id,
                   char text[static SECRET_TEXT_LEN_MAX]);

/* Takes a text apart when it has the form and its checksum is right, whatever its base. INVALID
 * otherwise: no look-up is needed to refuse junk. The parts borrow text. */
enum status secret_parse(struct span text, struct secret_parts *ret_parts) MUST_USE;

const char *secret_kind_code(enum secret_kind kind); /* "cs", "pk", "qk", "ik", "oc" */
