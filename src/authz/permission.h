/* SPDX-License-Identifier: Apache-2.0 */
/* What a route asks of its caller. There is no default: a zeroed row denies. */
#pragma once

enum permission {
    PERMISSION_UNSET = 0,     /* never allowed; the table test refuses it */
    PERMISSION_PUBLIC,        /* no caller is looked for */
    PERMISSION_AUTHENTICATED, /* any principal of the account; the handler narrows what it sees */
    PERMISSION_APP_CLIENT_MANAGE,
    PERMISSION_CORPUS_CREATE,
    PERMISSION_CORPUS_READ,   /* by API role, or by a role on the corpus that the path names */
    PERMISSION_CORPUS_DELETE, /* likewise */
    PERMISSION_COUNT
};
