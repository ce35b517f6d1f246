/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_decode.h"

#include "base/buf.h"
#include "base/clock.h"
#include "cli/cli_call.h"
#include "codec/json.h"
#include "codec/rfc3339.h"
#include "jose/jwt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The token from standard input ("-") or a file: never from argv, which others can read. */
static int read_token(struct cli *cli, struct span *ret_token)
{
    char *text = arena_alloc(&cli->arena, JWS_LEN_MAX + 64);
    const char *name = cli->word_count == 0 ? "-" : cli->words[0].ptr;
    int fd = strcmp(name, "-") == 0 ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cli_fail(
            cli, "cannot open %s: %s (a token comes from a file or, with -, from standard input)",
            name, strerror(errno));
    size_t len = 0;
    ssize_t got = 0;
    while (text != NULL && len < JWS_LEN_MAX + 64 &&
           (got = read(fd, text + len, JWS_LEN_MAX + 64 - len)) > 0)
        len += (size_t)got;
    if (fd != STDIN_FILENO)
        (void)close(fd);
    if (text == NULL || got < 0)
        return cli_fail(cli, "cannot read the token: %s",
                        text == NULL ? "no memory" : strerror(errno));
    struct span token = span_of(text, len);
    while (token.len > 0 && strchr(" \t\r\n", token.ptr[token.len - 1]) != NULL)
        token.len--;
    token = span_trim(token);
    if (span_starts_nocase(token, SPAN("Bearer "))) /* pasted with its scheme */
        token = span_trim(span_from(token, SPAN("Bearer ").len));
    *ret_token = token;
    return 0;
}

static void print_life(const struct jwt_claims *claims)
{
    char text[RFC3339_LEN + 1];
    struct buf when = {.data = text, .capacity = sizeof text, .limit = sizeof text};
    int64_t left = claims->expires_at - clock_wall_seconds();
    if (claims->expires_at == 0) {
        (void)puts("It does not say when it expires.");
        return;
    }
    rfc3339_write(&when, claims->expires_at);
    if (!buf_ok(&when)) { /* after the year 9999 */
        (void)puts(
            "It says that it expires at a time that cannot be. The signature was not checked.");
        return;
    }
    if (left > 0)
        (void)printf("Valid until %.*s, for another %lld s. ", (int)when.len, when.data,
                     (long long)left);
    else
        (void)printf("Expired at %.*s, %lld s ago. ", (int)when.len, when.data, (long long)-left);
    (void)puts("The signature was not checked.");
}

static int print_token(struct cli *cli, const struct jws *jws)
{
    AUTO(json) json_t *header = NULL;
    AUTO(json) json_t *payload = NULL;
    struct err err = {0};
    struct jwt_claims claims;
    if (json_parse(jws->header, &json_limits_default, &header, &err) != OK ||
        json_parse(jws->payload, &json_limits_default, &payload, &err) != OK)
        return cli_fail(cli, "the token's payload is not JSON");
    if (cli->is_json) {
        AUTO(json) json_t *both = json_pack("{s:O, s:O}", "header", header, "payload", payload);
        cli_print_json(both);
        return 0;
    }
    (void)puts("header");
    cli_print_json(header);
    (void)puts("payload");
    cli_print_json(payload);
    if (jwt_claims_parse(jws->payload, &cli->arena, &claims, &err) == OK)
        print_life(&claims);
    else
        (void)printf("%s.\n", err.detail);
    return 0;
}

int cli_decode(struct cli *cli)
{
    struct span token = {0};
    struct jws jws;
    struct err err = {0};
    if (cli->word_count == 0 && isatty(STDIN_FILENO) != 0)
        return cli_usage(cli, "give a file with the token, or the token on standard input");
    int result = read_token(cli, &token);
    if (result != 0)
        return result;
    if (jws_split(token, &cli->arena, &jws, &err) != OK)
        return cli_fail(cli, "not a token: %s", err.detail);
    return print_token(cli, &jws);
}
