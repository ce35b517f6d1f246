/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli_secret.h"

#include "cli_fixture.h"

#include "codec/json.h"

#include <fcntl.h>
#include <sys/stat.h>

static int make_directory(void **state)
{
    char *directory = strdup("/tmp/postern-secret-XXXXXX");
    assert_non_null(directory);
    assert_non_null(mkdtemp(directory));
    *state = directory;
    return 0;
}

static int remove_directory(void **state)
{
    char *directory = *state;
    assert_int_equal(rmdir(directory), 0); /* each test removed what it made */
    free(directory);
    return 0;
}

static void path_in(const char *directory, const char *name, char path[static 64])
{
    (void)snprintf(path, 64, "%s/%s", directory, name);
}

static void without_an_option_there_is_no_file(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    int fd = 7;
    assert_int_equal(cli_secret_open(&f->cli, &fd), 0);
    assert_int_equal(fd, -1);
    cli_fixture_free(f);
}

static int write_secret(const struct cli_fixture *f, int take_fd)
{
    AUTO(json)
    json_t *client = json_pack("{s:s, s:s}", "id", "app_0123456789ab", "client_secret", "s3cret");
    assert_non_null(client);
    return cli_secret_write(&f->cli, take_fd, client);
}

static void a_secret_file_is_new_and_the_owners_alone(void **state)
{
    struct cli_fixture *f = cli_fixture_new();
    char path[64];
    char text[16] = {0};
    struct stat info;
    int fd;
    path_in(*state, "secret", path);
    cli_fixture_option(f, "secret-file", path);
    mode_t mask = umask(0);
    assert_int_equal(cli_secret_open(&f->cli, &fd), 0);
    (void)umask(mask);
    assert_int_equal(write_secret(f, fd), 0);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(fd, text, sizeof text), 6);
    assert_string_equal(text, "s3cret");
    (void)close(fd);
    assert_int_equal(CAPTURED(f, cli_secret_open(&f->cli, &fd)), 1); /* it may be in use */
    assert_non_null(strstr(f->err, "File exists"));
    assert_int_equal(fd, -1);
    assert_int_equal(unlink(path), 0);
    cli_fixture_free(f);
}

/* Not even one that leads nowhere: whoever made it would choose where the secret goes. */
static void a_link_is_not_followed(void **state)
{
    struct cli_fixture *f = cli_fixture_new();
    char path[64];
    char target[64];
    int fd;
    path_in(*state, "link", path);
    path_in(*state, "target", target);
    assert_int_equal(symlink(target, path), 0);
    cli_fixture_option(f, "secret-file", path);
    assert_int_equal(CAPTURED(f, cli_secret_open(&f->cli, &fd)), 1);
    assert_int_not_equal(access(target, F_OK), 0);
    assert_int_equal(unlink(path), 0);
    cli_fixture_free(f);
}

static void a_file_that_cannot_be_made_is_exit_status_1(void **state)
{
    struct cli_fixture *f = cli_fixture_new();
    char path[64];
    int fd;
    path_in(*state, "none/secret", path);
    cli_fixture_option(f, "secret-file", path);
    assert_int_equal(CAPTURED(f, cli_secret_open(&f->cli, &fd)), 1);
    assert_non_null(strstr(f->err, path));
    cli_fixture_free(f);
}

static void file_and_descriptor_exclude_each_other(void **state)
{
    struct cli_fixture *f = cli_fixture_new();
    char path[64];
    int fd;
    path_in(*state, "secret", path);
    cli_fixture_option(f, "secret-file", path);
    cli_fixture_option(f, "secret-fd", "1");
    assert_int_equal(CAPTURED(f, cli_secret_open(&f->cli, &fd)), 2);
    assert_int_not_equal(access(path, F_OK), 0);
    cli_fixture_free(f);
}

static void descriptors_that_are_not_open_are_exit_status_2(void **state)
{
    (void)state;
    static const char *const numbers[] = {"987654", "-1", "x", "1x", "4294967297", "1e0"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        struct cli_fixture *f = cli_fixture_new();
        int fd;
        cli_fixture_option(f, "secret-fd", numbers[i]);
        assert_int_equal(CAPTURED(f, cli_secret_open(&f->cli, &fd)), 2);
        assert_int_equal(fd, -1);
        cli_fixture_free(f);
    }
}

static void a_secret_goes_into_a_pipe(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    int ends[2];
    int fd;
    char number[16];
    char text[16] = {0};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)snprintf(number, sizeof number, "%d", ends[1]);
    cli_fixture_option(f, "secret-fd", number);
    assert_int_equal(cli_secret_open(&f->cli, &fd), 0);
    assert_int_not_equal(fd, ends[1]); /* a copy: what is named may be standard output */
    (void)close(ends[1]);
    assert_int_equal(write_secret(f, fd), 0);
    assert_int_equal(read(ends[0], text, sizeof text), 6);
    assert_int_equal(read(ends[0], text, sizeof text), 0); /* closed: no newline follows */
    (void)close(ends[0]);
    cli_fixture_free(f);
}

static void a_secret_that_cannot_be_written_is_exit_status_1(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(CAPTURED(f, write_secret(f, fd)), 1);
    assert_non_null(strstr(f->err, "No space left"));
    assert_non_null(strstr(f->err, "app-client delete app_0123456789ab"));
    assert_null(strstr(f->err, "s3cret"));
    cli_fixture_free(f);
}

static void a_pipe_without_a_reader_is_an_error_and_no_signal(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)close(ends[0]);
    f->cli.is_json = true;
    assert_int_equal(CAPTURED(f, write_secret(f, ends[1])), 1);
    AUTO(json) json_t *error = NULL;
    assert_int_equal(json_parse(span_cstr(f->err), &json_limits_default, &error, NULL), OK);
    assert_int_equal(json_object_size(error), 1);
    const char *text = json_string_value(json_object_get(error, "error"));
    assert_non_null(text);
    assert_non_null(strstr(text, "the client app_0123456789ab exists"));
    cli_fixture_free(f);
}

static void print(struct cli_fixture *f, const char *format, const char *client)
{
    AUTO(json) json_t *json = NULL;
    assert_int_equal(json_parse(span_cstr(client), &json_limits_default, &json, NULL), OK);
    cli_fixture_option(f, "format", format);
    assert_int_equal(
        CAPTURED(f, cli_secret_print(&f->cli, json, "http://127.0.0.1:8080/oauth2/token")), 0);
}

#define CLIENT(name) "{\"name\":\"" name "\",\"client_id\":\"abc\",\"client_secret\":\"s_1\"}"

static void env_lines_are_what_a_deployment_reads(void **state)
{
    (void)state;
    struct cli_fixture *f = cli_fixture_new();
    print(f, "env", CLIENT("crm"));
    assert_string_equal(f->out, "OAUTH_TOKEN_URL=http://127.0.0.1:8080/oauth2/token\n"
                                "OAUTH_CLIENT_ID=abc\nOAUTH_CLIENT_SECRET=s_1\n");
    print(f, "env", "{\"name\":\"crm\",\"client_id\":\"abc\"}"); /* the secret went to a file */
    assert_null(strstr(f->out, "SECRET"));
    cli_fixture_free(f);
}

/* Kubernetes, "Object Names and IDs": lower case letters, digits and '-', first and last no '-'. */
static void a_kubernetes_secret_has_a_name_of_the_clients(void **state)
{
    (void)state;
    static const struct {
        const char *client;
        const char *line;
    } cases[] = {
        {CLIENT("crm"), "\n  name: crm-oauth\n"},
        {CLIENT("My CRM (test)"), "\n  name: my-crm--test-oauth\n"},
        {CLIENT("--a-1-"), "\n  name: a-1-oauth\n"},
        {CLIENT("\\u00e9"), "\n  name: oauth\n"},
        {CLIENT("a: b\\\"c"), "\n  name: a--b-c-oauth\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct cli_fixture *f = cli_fixture_new();
        print(f, "k8s-secret", cases[i].client);
        assert_non_null(strstr(f->out, cases[i].line));
        assert_non_null(strstr(f->out, "  OAUTH_CLIENT_SECRET: \"s_1\"\n"));
        cli_fixture_free(f);
    }
}

#define secret_test(function)                                                                      \
    cmocka_unit_test_setup_teardown(function, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_an_option_there_is_no_file),
        secret_test(a_secret_file_is_new_and_the_owners_alone),
        secret_test(a_link_is_not_followed),
        secret_test(a_file_that_cannot_be_made_is_exit_status_1),
        secret_test(file_and_descriptor_exclude_each_other),
        cmocka_unit_test(descriptors_that_are_not_open_are_exit_status_2),
        cmocka_unit_test(a_secret_goes_into_a_pipe),
        cmocka_unit_test(a_secret_that_cannot_be_written_is_exit_status_1),
        cmocka_unit_test(a_pipe_without_a_reader_is_an_error_and_no_signal),
        cmocka_unit_test(env_lines_are_what_a_deployment_reads),
        cmocka_unit_test(a_kubernetes_secret_has_a_name_of_the_clients),
    };
    return RUN_TESTS(tests);
}
