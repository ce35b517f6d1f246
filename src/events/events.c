/* SPDX-License-Identifier: Apache-2.0 */
#include "events/events.h"

#include "base/buf.h"
#include "base/clock.h"
#include "codec/json.h"
#include "events/events_file.h"
#include "log/log.h"
#include "metrics/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 2048, BATCH_BYTES_MAX = 65536 };

struct events {
    enum events_sink sink;
    struct events_file file;
    struct metrics *metrics;
    pthread_t thread;
    bool is_failing; /* said in the operator's log */

    pthread_mutex_t lock; /* everything below, held to copy and to swap, never to write */
    pthread_cond_t is_work;
    char *filling; /* whole lines */
    size_t filling_len;
    size_t queue_bytes;
    int64_t dropped; /* since the last line that the log has of it */
    bool is_ending;
};

static bool write_all(struct events *events, struct span lines)
{
    if (events->sink == EVENTS_FILE)
        return events_file_write(&events->file, lines, clock_wall_seconds());
    while (lines.len > 0) {
        ssize_t written = write(STDERR_FILENO, lines.ptr, lines.len);
        if (written < 0 && errno != EINTR)
            return false;
        lines = span_from(lines, written < 0 ? 0 : (size_t)written);
    }
    return true;
}

static int64_t count_lines(struct span lines)
{
    int64_t count = 0;
    for (size_t i = 0; i < lines.len; i++)
        count += lines.ptr[i] == '\n';
    return count;
}

static void drop(struct events *events, int64_t count)
{
    (void)pthread_mutex_lock(&events->lock);
    events->dropped += count;
    (void)pthread_mutex_unlock(&events->lock);
    metric_add(events->metrics, METRIC_EVENTS_DROPPED, count);
}

/* Whole lines, at most BATCH_BYTES_MAX of them, so that files and losses are cut fine. */
static void write_batch(struct events *events, struct span lines)
{
    int64_t count = count_lines(lines);
    if (write_all(events, lines)) {
        metric_add(events->metrics, METRIC_EVENTS_WRITTEN, count);
        events->is_failing = false;
        return;
    }
    if (!events->is_failing)
        log_warn("the event log cannot be written and loses lines: %s", strerror(errno));
    events->is_failing = true;
    drop(events, count);
}

static void write_lines(struct events *events, struct span lines)
{
    while (lines.len > 0) {
        size_t len = lines.len < BATCH_BYTES_MAX ? lines.len : BATCH_BYTES_MAX;
        while (lines.ptr[len - 1] != '\n') /* a line is shorter than a batch */
            len--;
        write_batch(events, span_first(lines, len));
        lines = span_from(lines, len);
    }
}

static void write_dropped(struct events *events, int64_t dropped)
{
    char text[LINE_BYTES_MAX];
    struct buf line = {.data = text, .capacity = sizeof text, .limit = sizeof text};
    struct json_writer writer;
    json_writer_init(&writer, &line);
    json_object_open(&writer);
    json_member_time(&writer, SPAN("time"), clock_wall_seconds());
    json_member_text(&writer, SPAN("event"), SPAN("lines_dropped"));
    json_member_int(&writer, SPAN("count"), dropped);
    json_object_close(&writer);
    buf_byte(&line, '\n');
    if (!write_all(events, buf_span(&line))) {
        (void)pthread_mutex_lock(&events->lock);
        events->dropped += dropped; /* told later */
        (void)pthread_mutex_unlock(&events->lock);
    }
}

static void *run(void *context)
{
    struct events *events = context;
    char *writing = malloc(events->queue_bytes);
    if (writing == NULL)
        log_error("no memory for the event log");
    (void)pthread_mutex_lock(&events->lock);
    while (writing != NULL) {
        while (events->filling_len == 0 && !events->is_ending)
            (void)pthread_cond_wait(&events->is_work, &events->lock);
        size_t len = events->filling_len;
        int64_t dropped = events->dropped;
        if (len == 0)
            break;
        char *filled = events->filling;
        events->filling = writing;
        events->filling_len = 0;
        events->dropped = 0;
        (void)pthread_mutex_unlock(&events->lock);
        writing = filled;
        /* What was lost came after what is here. */
        write_lines(events, span_of(writing, len));
        if (dropped > 0)
            write_dropped(events, dropped);
        (void)pthread_mutex_lock(&events->lock);
    }
    (void)pthread_mutex_unlock(&events->lock);
    free(writing);
    return NULL;
}

enum status events_open(const struct events_options *options, struct events **ret_events,
                        struct err *err)
{
    struct events *events = calloc(1, sizeof *events);
    if (events == NULL)
        return fail(err, NO_MEMORY, "no memory for the event log");
    events->sink = options->sink;
    events->metrics = options->metrics;
    events->queue_bytes = options->queue_bytes;
    events->filling = malloc(options->queue_bytes);
    events->file = (struct events_file){.fd = -1, .dir_fd = -1};
    (void)pthread_mutex_init(&events->lock, NULL);
    (void)pthread_cond_init(&events->is_work, NULL);
    enum status status =
        events->filling == NULL ? fail(err, NO_MEMORY, "no memory for the event log") : OK;
    if (status == OK && options->sink == EVENTS_FILE)
        status = events_file_open(&events->file, options->data_fd, options->bytes_max,
                                  options->seconds_max, err);
    if (status == OK && pthread_create(&events->thread, NULL, run, events) != 0)
        status = fail(err, UNAVAILABLE, "cannot start the event log's thread");
    if (status == OK) {
        *ret_events = events;
        return OK;
    }
    events_file_close(&events->file);
    free(events->filling);
    free(events);
    return status;
}

void events_close(struct events *events)
{
    if (events == NULL)
        return;
    (void)pthread_mutex_lock(&events->lock);
    events->is_ending = true;
    (void)pthread_cond_signal(&events->is_work);
    (void)pthread_mutex_unlock(&events->lock);
    (void)pthread_join(events->thread, NULL);
    events_file_close(&events->file);
    (void)pthread_cond_destroy(&events->is_work);
    (void)pthread_mutex_destroy(&events->lock);
    free(events->filling);
    free(events);
}

static void member(struct json_writer *writer, struct span name, struct span text)
{
    if (text.len > 0)
        json_member_text(writer, name, text);
}

static void format(const struct event *event, struct buf *line)
{
    struct json_writer writer;
    json_writer_init(&writer, line);
    json_object_open(&writer);
    json_member_time(&writer, SPAN("time"), event->at);
    json_member_text(&writer, SPAN("event"),
                     event->is_issued ? SPAN("token_issued") : SPAN("token_refused"));
    member(&writer, SPAN("error"), event->error);
    member(&writer, SPAN("jti"), event->token_id);
    member(&writer, SPAN("credential_id"), event->credential_id);
    member(&writer, SPAN("client_id"), event->client_id);
    member(&writer, SPAN("app_client_id"), event->app_client_id);
    member(&writer, SPAN("audience"), event->audience);
    member(&writer, SPAN("address"), event->address);
    member(&writer, SPAN("request_id"), event->request_id);
    json_object_close(&writer);
    buf_byte(line, '\n');
}

void events_put(struct events *events, const struct event *event)
{
    if (events == NULL)
        return;
    char text[LINE_BYTES_MAX];
    struct buf line = {.data = text, .capacity = sizeof text, .limit = sizeof text};
    format(event, &line);
    (void)pthread_mutex_lock(&events->lock);
    bool has_room = buf_ok(&line) && line.len <= events->queue_bytes - events->filling_len;
    bool was_empty = events->filling_len == 0;
    if (has_room) {
        memcpy(events->filling + events->filling_len, line.data, line.len);
        events->filling_len += line.len;
        if (was_empty)
            (void)pthread_cond_signal(&events->is_work);
    } else {
        events->dropped++;
    }
    (void)pthread_mutex_unlock(&events->lock);
    if (!has_room)
        metric_add(events->metrics, METRIC_EVENTS_DROPPED, 1);
}
