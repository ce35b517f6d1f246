/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_clock.h"

#include "cli/cli_call.h"

#include <stdio.h>

int cli_clock_accept(struct cli *cli)
{
    struct cli_answer answer;
    int result = cli_call(cli, "POST", SPAN("/control/clock"), NULL, &answer);
    if (result != 0)
        return result;
    if (cli->is_json)
        cli_print_json(answer.json);
    else
        (void)printf("The clock is accepted; for tokens it is %s.\n",
                     json_string_value(json_object_get(answer.json, "now")));
    cli_answer_done(&answer);
    return 0;
}
