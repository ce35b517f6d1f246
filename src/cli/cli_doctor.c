/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_doctor.h"

#include "cli/cli_call.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {
    [DOCTOR_OK] = "ok", [DOCTOR_SKIP] = "skipped", [DOCTOR_WARN] = "warn", [DOCTOR_FAIL] = "fail"};

int64_t doctor_number(const struct doctor *doctor, const char *name)
{
    return json_integer_value(json_object_get(doctor->status, name));
}

const char *doctor_text(const struct doctor *doctor, const char *name)
{
    const char *text = json_string_value(json_object_get(doctor->status, name));
    return text == NULL ? "" : text;
}

static void run_check(const struct doctor *doctor, const struct doctor_check *check,
                      struct doctor_finding *finding)
{
    *finding = (struct doctor_finding){0};
    const char *missing = NULL;
    if (check->needs == NEEDS_SERVER && doctor->status == NULL)
        missing = "Needs a running server.";
    else if (check->needs == NEEDS_DATA && !doctor->is_initialised)
        missing = "Needs the data directory.";
    if (missing == NULL) {
        check->run(doctor, finding);
        return;
    }
    finding->level = DOCTOR_SKIP;
    (void)snprintf(finding->sentence, sizeof finding->sentence, "%s", missing);
}

static void print_finding(const struct doctor_check *check, const struct doctor_finding *finding)
{
    (void)printf("%-7s  %-11s  %s\n", level_names[finding->level], check->name, finding->sentence);
    if (finding->advice[0] != '\0')
        (void)printf("%-7s  %-11s  -> %s\n", "", "", finding->advice);
}

static void add_finding(json_t *list, const struct doctor_check *check,
                        const struct doctor_finding *finding)
{
    (void)json_array_append_new(list, json_pack("{ssssssss}", "check", check->name, "result",
                                                level_names[finding->level], "message",
                                                finding->sentence, "advice", finding->advice));
}

/* DOCTOR_FAIL when a check failed. */
static enum doctor_level run_all(const struct doctor *doctor)
{
    enum doctor_level worst = DOCTOR_OK;
    json_t *list AUTO(json) = json_array();
    for (size_t i = 0; i < doctor_check_count; i++) {
        struct doctor_finding finding;
        run_check(doctor, &doctor_checks[i], &finding);
        if (finding.level > worst)
            worst = finding.level;
        if (doctor->cli->is_json)
            add_finding(list, &doctor_checks[i], &finding);
        else
            print_finding(&doctor_checks[i], &finding);
    }
    if (doctor->cli->is_json) {
        json_t *report AUTO(json) = json_pack(
            "{sssO}", "result", worst == DOCTOR_SKIP ? "ok" : level_names[worst], "checks", list);
        cli_print_json(report);
    }
    return worst;
}

int cli_doctor(struct cli *cli)
{
    struct err err = {0};
    json_t *status AUTO(json) = NULL;
    const char *data = arena_cstr(&cli->arena, cli->config.data);
    if (data == NULL)
        return cli_fail(cli, "no memory");
    int data_fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct doctor doctor = {.cli = cli, .data_fd = data_fd, .data_errno = errno};
    doctor.is_initialised = data_fd >= 0 && faccessat(data_fd, "postern.db", F_OK, 0) == 0;
    if (cli_call_running(cli, SPAN("/control/status"), &status, &err) != OK)
        doctor.why_not = err.detail;
    doctor.status = status;
    enum doctor_level worst = run_all(&doctor);
    if (data_fd >= 0)
        (void)close(data_fd);
    return worst == DOCTOR_FAIL ? 1 : 0;
}
