/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include "base/arena.h"
#include "base/buf.h"
#include "config/config_value.h"

#include <stddef.h>
#include <string.h>

enum {
    CONFIG_LINE_MAX = 4096,
    KEY_LEN_MAX = 40,
    FILE_NAME_SHOWN_MAX = 25,
};

#define AT(member) offsetof(struct config, member)

/* One row per key: reading, checking, printing, flags, POSTERN_ variables and docs come from here.
 */
static const struct config_key keys[] = {
    {.name = SPAN_INIT("data"),
     .kind = CONFIG_TEXT,
     .offset = AT(data),
     .text = SPAN_INIT("/var/lib/postern"),
     .allowed = "a path",
     .help = "Data directory: database, keys, control socket. An empty one is initialised at first "
             "start."},
    {.name = SPAN_INIT("listen"),
     .kind = CONFIG_LISTEN,
     .offset = AT(listen),
     .count_offset = AT(listen_count),
     .text = SPAN_INIT("127.0.0.1:8080"),
     .allowed = "ADDR:PORT [tls] [for=token,api,console,metrics], repeatable",
     .help = "Where to accept HTTP, and for what (without for=: all but metrics). Port 0 picks a "
             "free one. IPv6 as [::1]:8080. Beyond loopback with tls, or allow_plain_http."},
    {.name = SPAN_INIT("tls_certificate"),
     .kind = CONFIG_PATH,
     .offset = AT(tls_certificate),
     .text = SPAN_INIT(""),
     .allowed = "a path",
     .help = "Certificate of the tls listeners with its chain, PEM. A changed file is taken while "
             "the server runs; one that does not fit leaves the old one in force."},
    {.name = SPAN_INIT("tls_key"),
     .kind = CONFIG_PATH,
     .offset = AT(tls_key),
     .text = SPAN_INIT(""),
     .allowed = "a path",
     .help = "Private key of the certificate, PEM, not readable by others."},
    {.name = SPAN_INIT("allow_plain_http"),
     .kind = CONFIG_CHOICE,
     .offset = AT(allow_plain_http),
     .text = SPAN_INIT("false"),
     .allowed = "true or false",
     .help = "Accept HTTP without TLS beyond loopback: only where the network itself is private."},
    {.name = SPAN_INIT("trusted_proxies"),
     .kind = CONFIG_RANGES,
     .offset = AT(trusted_proxies),
     .text = SPAN_INIT(""),
     .allowed = "addresses such as 10.0.0.5 or fd00::/8, commas between them",
     .help =
         "Reverse proxies that may say who their client is (proxy_header), and may come without "
         "TLS from beyond loopback. Nobody else is believed."},
    {.name = SPAN_INIT("proxy_header"),
     .kind = CONFIG_CHOICE,
     .offset = AT(proxy_header),
     .text = SPAN_INIT("none"),
     .allowed = "none, forwarded, x-forwarded-for or proxy-v2",
     .help =
         "How they say it; the other ways are not looked at. With proxy-v2 every connection of a "
         "trusted proxy must begin so."},
    {.name = SPAN_INIT("cors_origins"),
     .kind = CONFIG_ORIGINS,
     .offset = AT(cors_origins),
     .text = SPAN_INIT(""),
     .allowed = "origins such as https://app.example.com, commas between them",
     .help =
         "Whose web pages may call /v2 with a token that they hold. The token endpoint is open to "
         "this server's own pages only."},
    {.name = SPAN_INIT("public_url"),
     .kind = CONFIG_URL,
     .offset = AT(public_url),
     .text = SPAN_INIT(""),
     .allowed = "an origin such as https://auth.example.com",
     .help = "The issuer: how clients reach this server; https, but for loopback or "
             "allow_plain_http. Empty: the first listener's URL, for trying out; needed when that "
             "is a wildcard, or behind proxies."},
    {.name = SPAN_INIT("token_alg"),
     .kind = CONFIG_ALG,
     .offset = AT(token_alg),
     .text = SPAN_INIT("RS256"),
     .allowed = "RS256, PS256, ES256 or EdDSA",
     .help = "Signature algorithm of access tokens. A key is made when there is none for it."},
    {.name = SPAN_INIT("metadata_authorization_endpoint"),
     .kind = CONFIG_CHOICE,
     .offset = AT(metadata_authorization_endpoint),
     .text = SPAN_INIT("false"),
     .allowed = "true or false",
     .help = "Name an authorization endpoint in the metadata, for client libraries that refuse "
             "metadata without one (MCP's do). It serves nobody: its answer is always 400."},
    {.name = SPAN_INIT("token_ttl_seconds"),
     .kind = CONFIG_INT,
     .offset = AT(token_ttl_seconds),
     .number = 1800,
     .min = 1,
     .max = 86400,
     .help = "Life of an access token. Clients refresh two minutes early: keep it well above 120."},
    {.name = SPAN_INIT("secret_base"),
     .kind = CONFIG_SECRET_BASE,
     .offset = AT(secret_base),
     .text = SPAN_INIT("pst"),
     .allowed = "a letter, then 1 to 15 of a-z, 0-9 and _",
     .help = "First part of new secrets, for leak scanners; may name the environment: acme_live."},
    {.name = SPAN_INIT("secret_readback"),
     .kind = CONFIG_READBACK,
     .offset = AT(secret_readback_seconds),
     .number = 86400,
     .allowed = "never, always, or a time such as 1h, 30m, 7d",
     .help = "How long after it was made a client secret can be read back. never keeps no copy."},
    {.name = SPAN_INIT("unseal_per_minute_max"),
     .kind = CONFIG_INT,
     .offset = AT(unseal_per_minute_max),
     .number = 60,
     .min = 1,
     .max = 100000,
     .help = "Secrets that can be read back in one minute, over all accounts."},
    {.name = SPAN_INIT("loops"),
     .kind = CONFIG_INT,
     .offset = AT(loops),
     .number = 0,
     .min = 0,
     .max = 64,
     .help = "Event loops; 0: one per processor core."},
    {.name = SPAN_INIT("workers"),
     .kind = CONFIG_INT,
     .offset = AT(workers),
     .number = 4,
     .min = 1,
     .max = 64,
     .help = "Threads for requests that wait: SQL, blocking calls."},
    {.name = SPAN_INIT("worker_queue_max"),
     .kind = CONFIG_INT,
     .offset = AT(worker_queue_max),
     .number = 1024,
     .min = 1,
     .max = 100000,
     .help = "Requests that may wait for a worker; more are answered 503 with Retry-After."},
    {.name = SPAN_INIT("connections_max"),
     .kind = CONFIG_INT,
     .offset = AT(connections_max),
     .number = 10000,
     .min = 1,
     .max = 1000000,
     .help = "Open connections; more are answered 503 and closed."},
    {.name = SPAN_INIT("address_failures_per_minute_max"),
     .kind = CONFIG_INT,
     .offset = AT(address_failures_per_minute_max),
     .number = 300,
     .min = 0,
     .max = 1000000,
     .help = "Wrong secrets and tokens from one address (IPv6: a /64); over it 429. 0: no limit."},
    {.name = SPAN_INIT("client_failures_per_minute_max"),
     .kind = CONFIG_INT,
     .offset = AT(client_failures_per_minute_max),
     .number = 30,
     .min = 0,
     .max = 1000000,
     .help = "Wrong secrets for one client from one address; over it 429. The client is not "
             "refused elsewhere, nor where its secret was right within a day. 0: no limit."},
    {.name = SPAN_INIT("address_requests_per_second_max"),
     .kind = CONFIG_INT,
     .offset = AT(address_requests_per_second_max),
     .number = 0,
     .min = 0,
     .max = 1000000,
     .help = "Requests of any kind from one address; over it 429. 0: no limit."},
    {.name = SPAN_INIT("requests_per_second_max"),
     .kind = CONFIG_INT,
     .offset = AT(requests_per_second_max),
     .number = 0,
     .min = 0,
     .max = 1000000,
     .help = "Requests from the network altogether; over it 503. 0: no limit."},
    {.name = SPAN_INIT("client_tokens_per_second_max"),
     .kind = CONFIG_INT,
     .offset = AT(client_tokens_per_second_max),
     .number = 0,
     .min = 0,
     .max = 1000000,
     .help = "Tokens issued to one client; over it 429. 0: no limit."},
    {.name = SPAN_INIT("queue_milliseconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(queue_milliseconds_max),
     .number = 100,
     .min = 0,
     .max = 60000,
     .help = "Time that requests may wait for signer or workers; when all wait longer, the newest "
             "are answered 503 until the rest is done in time. 0: no limit."},
    {.name = SPAN_INIT("target_bytes_max"),
     .kind = CONFIG_INT,
     .offset = AT(target_bytes_max),
     .number = 8192,
     .min = 256,
     .max = 65536,
     .help = "Length of a request target (path and query); over it 414."},
    {.name = SPAN_INIT("header_bytes_max"),
     .kind = CONFIG_INT,
     .offset = AT(header_bytes_max),
     .number = 16384,
     .min = 1024,
     .max = 262144,
     .help = "All header names and values of a request together; over it 431."},
    {.name = SPAN_INIT("header_count_max"),
     .kind = CONFIG_INT,
     .offset = AT(header_count_max),
     .number = 100,
     .min = 10,
     .max = 1000,
     .help = "Header lines of a request; over it 431."},
    {.name = SPAN_INIT("body_bytes_max"),
     .kind = CONFIG_INT,
     .offset = AT(body_bytes_max),
     .number = 262144,
     .min = 1024,
     .max = 16777216,
     .help = "Body of a management request; over it 413. OAuth endpoints take 65536."},
    {.name = SPAN_INIT("head_seconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(head_seconds_max),
     .number = 10,
     .min = 1,
     .max = 3600,
     .help = "Time for a request's head to arrive; over it 408."},
    {.name = SPAN_INIT("body_seconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(body_seconds_max),
     .number = 30,
     .min = 1,
     .max = 3600,
     .help = "Time for a request's body to arrive; over it 408."},
    {.name = SPAN_INIT("idle_seconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(idle_seconds_max),
     .number = 60,
     .min = 1,
     .max = 3600,
     .help = "Time a connection may stay open between requests."},
    {.name = SPAN_INIT("write_seconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(write_seconds_max),
     .number = 30,
     .min = 1,
     .max = 3600,
     .help = "Time without progress while a reply is sent; then the connection is closed."},
    {.name = SPAN_INIT("drain_seconds_max"),
     .kind = CONFIG_INT,
     .offset = AT(drain_seconds_max),
     .number = 10,
     .min = 1,
     .max = 3600,
     .help = "Time that running requests get to end after SIGTERM."},
    {.name = SPAN_INIT("use_flush_seconds"),
     .kind = CONFIG_INT,
     .offset = AT(use_flush_seconds),
     .number = 5,
     .min = 1,
     .max = 3600,
     .help = "How often the use of credentials is written to the store."},
    {.name = SPAN_INIT("sandbox"),
     .kind = CONFIG_CHOICE,
     .offset = AT(sandbox),
     .text = SPAN_INIT("auto"),
     .allowed = "auto, strict or off",
     .help = "Confinement of front and signer: auto needs a system call filter and takes Landlock "
             "where the kernel has it; strict needs both, and users of their own when started as "
             "root; off takes neither."},
    {.name = SPAN_INIT("log_format"),
     .kind = CONFIG_CHOICE,
     .offset = AT(log_format),
     .text = SPAN_INIT("text"),
     .allowed = "text or json",
     .help = "Form of the log lines on standard error."},
    {.name = SPAN_INIT("log_requests"),
     .kind = CONFIG_CHOICE,
     .offset = AT(log_requests),
     .text = SPAN_INIT("false"),
     .allowed = "true or false",
     .help = "One log line for each request: method, route, status, time, address, request id."},
    {.name = SPAN_INIT("documents"),
     .kind = CONFIG_CHOICE,
     .offset = AT(documents),
     .text = SPAN_INIT("on"),
     .allowed = "on or off",
     .help = "Documents of corpora and queries by their words, in DATA/documents.db. off answers "
             "404 there and opens no file; what is kept stays."},
    {.name = SPAN_INIT("events"),
     .kind = CONFIG_CHOICE,
     .offset = AT(events),
     .text = SPAN_INIT("file"),
     .allowed = "off, file or stderr",
     .help = "Where the line for each token issued or refused goes: files in DATA/events, or "
             "standard error."},
    {.name = SPAN_INIT("events_bytes_max"),
     .kind = CONFIG_INT,
     .offset = AT(events_bytes_max),
     .number = 268435456,
     .min = 1048576,
     .max = 1099511627776,
     .help = "Size of all event files together; the oldest are removed."},
    {.name = SPAN_INIT("events_days_max"),
     .kind = CONFIG_INT,
     .offset = AT(events_days_max),
     .number = 30,
     .min = 1,
     .max = 3650,
     .help = "Age at which event files are removed."},
};

static const struct config_key *find_key(struct span name)
{
    for (const struct config_key *key = keys; key < keys + ARRAY_LEN(keys); key++) {
        if (span_equal(key->name, name))
            return key;
    }
    return NULL;
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof *config);
    for (const struct config_key *key = keys; key < keys + ARRAY_LEN(keys); key++)
        config_value_default(key, config);
}

void config_source_begin(struct config *config)
{
    config->keys_given = 0;
}

/* The value in what stands behind the '=' of a line. A comment may follow it, set off by white
 * space. */
static struct span value_of_line(struct span line)
{
    bool is_after_blank = true;
    for (size_t i = 0; i < line.len; i++) {
        if (line.ptr[i] == '#' && is_after_blank)
            return span_trim(span_first(line, i));
        is_after_blank = line.ptr[i] == ' ' || line.ptr[i] == '\t';
    }
    return span_trim(line);
}

/* What a flag says must survive being printed and read as a file: so it goes to the children. */
static bool fits_in_a_line(struct span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.ptr[i];
        if (byte < 0x20 || byte == 0x7f)
            return false;
    }
    return span_equal(value_of_line(value), value);
}

enum status config_set(struct config *config, struct span name, struct span value,
                       struct arena *arena, struct err *err)
{
    const struct config_key *key = find_key(name);
    if (key == NULL)
        return fail(err, NOT_FOUND, "%.*s: there is no such configuration key",
                    SPAN_FMT(span_first(name, KEY_LEN_MAX)));
    if (!fits_in_a_line(value))
        return fail(err, INVALID, "%.*s: no control character, ' #' or blank at an end",
                    SPAN_FMT(key->name));
    _Static_assert(ARRAY_LEN(keys) <= 64, "a bit each in keys_given");
    uint64_t bit = UINT64_C(1) << (key - keys);
    bool is_again = (config->keys_given & bit) != 0;
    if (is_again && key->kind != CONFIG_LISTEN)
        return fail(err, INVALID, "%.*s: stands more than once", SPAN_FMT(key->name));
    if (!is_again && key->kind == CONFIG_LISTEN)
        config_value_clear_list(key, config); /* what weaker sources said */
    config->keys_given |= bit;
    struct span kept = arena_copy(arena, value);
    if (kept.ptr == NULL)
        return fail(err, NO_MEMORY, "no memory for the configuration");
    return config_value_set(key, config, kept, err);
}

/* One line of a file: empty, a comment, or `key = value`. */
static enum status read_line(struct config *config, struct span line, struct arena *arena,
                             struct err *err)
{
    struct span name;
    line = span_trim(line);
    if (line.len > 0 && line.ptr[line.len - 1] == '\r')
        line = span_trim(span_first(line, line.len - 1));
    if (line.len == 0 || line.ptr[0] == '#')
        return OK;
    if (!span_cut(&line, '=', &name))
        return fail(err, INVALID, "expected `key = value`");
    return config_set(config, span_trim(name), value_of_line(line), arena, err);
}

enum status config_read_file(struct config *config, struct span text, const char *name,
                             struct arena *arena, struct err *err)
{
    bool goes_on = true;
    /* The end of a long path tells files apart, and leaves room for what to do. */
    size_t name_len = strlen(name);
    const char *name_end =
        name_len > FILE_NAME_SHOWN_MAX ? name + name_len - FILE_NAME_SHOWN_MAX : name;
    config_source_begin(config);
    for (int number = 1; goes_on; number++) {
        struct span line;
        struct err why = {0};
        goes_on = span_cut(&text, '\n', &line);
        enum status status = read_line(config, line, arena, &why);
        if (status != OK)
            return fail(err, status == NOT_FOUND ? INVALID : status, "%s, line %d: %s", name_end,
                        number, why.detail);
    }
    return OK;
}

/* TOKEN_ALG as token_alg; empty, which no key is, when it is not written as our variables are. */
static struct span key_of_variable(struct span variable, char name[static KEY_LEN_MAX])
{
    if (variable.len > KEY_LEN_MAX || !span_only(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"))
        return SPAN("");
    for (size_t i = 0; i < variable.len; i++)
        name[i] = variable.ptr[i] == '_' ? '_' : (char)(variable.ptr[i] - 'A' + 'a');
    return span_of(name, variable.len);
}

enum status config_read_environment(struct config *config, const char *const *environment,
                                    struct arena *arena, struct err *err)
{
    config_source_begin(config);
    for (const char *const *entry = environment; *entry != NULL; entry++) {
        struct span rest = span_cstr(*entry);
        struct span variable;
        char name[KEY_LEN_MAX];
        if (!span_starts(rest, SPAN("POSTERN_")) || !span_cut(&rest, '=', &variable))
            continue;
        variable = span_from(variable, SPAN("POSTERN_").len);
        if (span_equal(variable, SPAN("BUILD")))
            continue; /* the scripts' */
        struct err why = {0};
        struct span key = key_of_variable(variable, name);
        if (find_key(key) == NULL)
            return fail(err, INVALID, "environment variable POSTERN_%.*s: there is no such key",
                        SPAN_FMT(span_first(variable, KEY_LEN_MAX)));
        enum status status = config_set(config, key, rest, arena, &why);
        if (status != OK)
            return fail(err, status, "environment variable POSTERN_%.*s: %s",
                        SPAN_FMT(span_first(variable, KEY_LEN_MAX)), why.detail);
    }
    return OK;
}

/* The issuer must be a URL that clients can use, and keep their secrets. */
static enum status check_url(const struct config *config, bool is_plain_allowed, struct err *err)
{
    struct config_listen first = {0};
    if (config->public_url.len > 0) {
        if (!is_plain_allowed && !config_url_is_confidential(config->public_url))
            return fail(err, INVALID,
                        "public_url: must be https (http on loopback, or with allow_plain_http = "
                        "true)");
        return OK;
    }
    if (config->listen_count == 0 || config_listen_read(config->listen[0], &first, NULL) != OK)
        return OK;
    if (span_starts(first.address, SPAN("0.0.0.0:")) || span_starts(first.address, SPAN("[::]:")))
        return fail(err, INVALID,
                    "listen: %.*s does not say where clients find the server: set public_url",
                    SPAN_FMT(first.address));
    if (!first.is_tls && !first.is_loopback && !is_plain_allowed)
        return fail(err, INVALID,
                    "public_url: name the https URL that clients use at the proxies, or set "
                    "allow_plain_http = true");
    return OK;
}

enum status config_check(const struct config *config, struct err *err)
{
    bool is_plain_allowed = span_equal(config->allow_plain_http, SPAN("true"));
    if (config->data.len == 0)
        return fail(err, INVALID, "data: a data directory is needed");
    if (config->header_bytes_max < config->target_bytes_max / 8)
        return fail(err, INVALID, "header_bytes_max is too small beside target_bytes_max");
    bool has_certificate = config->tls_certificate.len > 0;
    if (has_certificate != (config->tls_key.len > 0))
        return fail(err, INVALID, "tls_certificate and tls_key are given together or not at all");
    for (size_t i = 0; i < config->listen_count; i++) {
        struct config_listen listen;
        enum status status = config_listen_read(config->listen[i], &listen, err);
        if (status != OK)
            return status;
        if (listen.is_tls && !has_certificate)
            return fail(err, INVALID, "listen: tls needs tls_certificate and tls_key");
        if (!listen.is_tls && !listen.is_loopback && config->trusted_proxies.len == 0 &&
            !is_plain_allowed)
            return fail(err, INVALID,
                        "listen: %.*s is beyond loopback: add tls, or allow_plain_http = true, or "
                        "name trusted_proxies",
                        SPAN_FMT(listen.address));
    }
    if (config->trusted_proxies.len == 0 && !span_equal(config->proxy_header, SPAN("none")))
        return fail(err, INVALID, "proxy_header needs trusted_proxies");
    return check_url(config, is_plain_allowed, err);
}

struct span config_url(const struct config *config, struct arena *arena)
{
    struct config_listen first;
    if (config->public_url.len > 0)
        return config->public_url;
    if (config->listen_count == 0 || config_listen_read(config->listen[0], &first, NULL) != OK ||
        span_equal(span_from(first.address, first.address.len - 2), SPAN(":0")))
        return (struct span){0};
    return arena_printf(arena, "%s://%.*s", first.is_tls ? "https" : "http",
                        SPAN_FMT(first.address));
}

void config_print(const struct config *config, bool with_help, struct buf *out)
{
    for (const struct config_key *key = keys; key < keys + ARRAY_LEN(keys); key++) {
        if (with_help)
            buf_printf(out, "%s# %s\n", key == keys ? "" : "\n", key->help);
        config_value_print(key, config, out);
    }
}

/* The value behind '=', as a file would have it. */
static struct span default_of(const struct config_key *key, struct buf *line)
{
    struct config defaults;
    struct span name;
    config_defaults(&defaults);
    config_value_print(key, &defaults, line);
    struct span value = buf_span(line);
    (void)span_cut(&value, '=', &name);
    return span_trim(span_first(value, value.len == 0 ? 0 : value.len - 1));
}

static void print_allowed(const struct config_key *key, struct buf *out)
{
    if (key->kind == CONFIG_INT)
        buf_printf(out, "%lld to %lld", (long long)key->min, (long long)key->max);
    else
        buf_put(out, span_cstr(key->allowed));
}

void config_print_markdown(struct buf *out)
{
    buf_put(out, SPAN("| key | default | allowed | meaning |\n| --- | --- | --- | --- |\n"));
    for (const struct config_key *key = keys; key < keys + ARRAY_LEN(keys); key++) {
        struct buf line AUTO(buf);
        buf_init(&line, CONFIG_LINE_MAX);
        struct span value = default_of(key, &line);
        buf_printf(out, "| `%.*s` | %s%.*s%s | ", SPAN_FMT(key->name), value.len == 0 ? "" : "`",
                   SPAN_FMT(value), value.len == 0 ? "" : "`");
        print_allowed(key, out);
        buf_printf(out, " | %s |\n", key->help);
    }
}

void config_key_print_values(size_t index, struct buf *out)
{
    struct buf line AUTO(buf);
    buf_init(&line, CONFIG_LINE_MAX);
    struct span value = default_of(&keys[index], &line);
    print_allowed(&keys[index], out);
    if (value.len > 0)
        buf_printf(out, "; default %.*s", SPAN_FMT(value));
}

size_t config_key_count(void)
{
    return ARRAY_LEN(keys);
}

struct span config_key_name(size_t index)
{
    return keys[index].name;
}

const char *config_key_help(size_t index)
{
    return keys[index].help;
}
