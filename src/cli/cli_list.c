/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_list.h"

#include "base/buf.h"
#include "cli/cli_call.h"
#include "codec/form.h"
#include "codec/json.h"

enum { TARGET_LEN_MAX = 2048, PAGE_LIMIT_MAX = 100 };

/* One page into all; *page_key is the key of the next one, empty at the end. Exit status. */
static int fetch_page(struct cli *cli, struct span path, const char *plural, json_t *all,
                      size_t limit, struct span *page_key)
{
    struct buf target;
    struct span filter = cli_option(cli, "filter");
    struct cli_answer answer;
    buf_init_arena(&target, &cli->arena, TARGET_LEN_MAX);
    buf_put(&target, path);
    buf_printf(&target, "?limit=%zu", limit < PAGE_LIMIT_MAX ? limit : (size_t)PAGE_LIMIT_MAX);
    if (filter.len > 0) {
        buf_put(&target, SPAN("&filter="));
        percent_encode(&target, filter);
    }
    if (page_key->len > 0) {
        buf_put(&target, SPAN("&page_key="));
        percent_encode(&target, *page_key);
    }
    if (!buf_ok(&target))
        return cli_usage(cli, "the filter is too long");
    int result = cli_call(cli, "GET", buf_span(&target), NULL, &answer);
    if (result != 0)
        return result;
    (void)json_array_extend(all, json_object_get(answer.json, plural));
    const json_t *metadata = json_object_get(answer.json, "metadata");
    *page_key = arena_copy(&cli->arena, json_text(json_object_get(metadata, "page_key")));
    cli_answer_done(&answer);
    return 0;
}

int cli_list(struct cli *cli, struct span path, const char *plural, json_t **ret_items)
{
    struct span wanted = cli_option(cli, "limit");
    int64_t limit = INT64_MAX;
    if (wanted.len > 0 && (!span_to_int64(wanted, &limit) || limit == 0))
        return cli_usage(cli, "--limit takes a number above 0");
    AUTO(json) json_t *all = json_array();
    struct span page_key = {0};
    int result = all == NULL ? cli_fail(cli, "no memory") : 0;
    do {
        size_t left = (size_t)limit - json_array_size(all);
        if (result == 0)
            result = fetch_page(cli, path, plural, all, left, &page_key);
    } while (result == 0 && page_key.len > 0 && json_array_size(all) < (size_t)limit);
    if (result != 0)
        return result;
    *ret_items = all;
    all = NULL;
    return 0;
}
