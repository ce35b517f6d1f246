/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_serve.h"

#include "base/buf.h"
#include "supervisor/program.h"
#include "supervisor/supervisor.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { PRINT_BYTES_MAX = 1 << 20 };

const struct cli_option_row cli_serve_options[] = {
    {"offline", NULL, "accept only the control socket, and end with its last connection"},
    {NULL, NULL, NULL},
};

static enum status read_config(void *context, struct arena *arena, struct config *ret_config,
                               struct err *err)
{
    return cli_read_config(context, arena, ret_config, err);
}

int cli_serve(struct cli *cli)
{
    const struct supervisor_options options = {.config = &cli->config,
                                               .read_config = read_config,
                                               .read_context = cli,
                                               .argv = cli->argv,
                                               .is_offline = cli_has(cli, "offline")};
    return supervisor_run(&options);
}

static int print(const struct cli *cli, struct buf *text)
{
    if (!buf_ok(text))
        return cli_fail(cli, "no memory");
    (void)fwrite(text->data, 1, text->len, stdout);
    return 0;
}

int cli_config_print(struct cli *cli)
{
    struct buf text AUTO(buf);
    buf_init(&text, PRINT_BYTES_MAX);
    config_print(&cli->config, true, &text);
    return print(cli, &text);
}

int cli_config_check(struct cli *cli)
{
    (void)cli; /* reading it was the check */
    (void)puts("The configuration is valid.");
    return 0;
}

int cli_config_reference(struct cli *cli)
{
    struct buf text AUTO(buf);
    buf_init(&text, PRINT_BYTES_MAX);
    config_print_markdown(&text);
    return print(cli, &text);
}

/* The front knows its routes; this program does not link them. */
int cli_routes(struct cli *cli)
{
    char path[PATH_MAX];
    struct err err = {0};
    if (program_find("posternd", path, sizeof path, &err) != OK)
        return cli_fail(cli, "%s", err.detail);
    (void)execl(path, "posternd", "--print-routes", (char *)NULL);
    return cli_fail(cli, "cannot start posternd: %s", strerror(errno));
}
