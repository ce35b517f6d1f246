/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_metrics.h"

#include "base/buf.h"
#include "cli/cli_call.h"
#include "metrics/metrics.h"

#include <stdio.h>

enum { REFERENCE_BYTES_MAX = 1 << 18 };

const struct cli_option_row cli_metrics_options[] = {
    {"reference", NULL, "the table of all metrics, without a server"},
    {NULL, NULL, NULL},
};

int cli_metrics(struct cli *cli)
{
    struct buf table AUTO(buf);
    struct span text;
    buf_init(&table, REFERENCE_BYTES_MAX);
    if (cli_has(cli, "reference")) {
        metrics_write_markdown(&table);
        text = buf_span(&table);
    } else {
        int result = cli_call_text(cli, SPAN("/metrics"), &text);
        if (result != 0)
            return result;
    }
    if (!buf_ok(&table) || fwrite(text.ptr, 1, text.len, stdout) != text.len)
        return cli_fail(cli, "cannot print");
    return 0;
}
