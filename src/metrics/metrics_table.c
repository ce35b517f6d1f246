/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/metrics_table.h"

#include "base/attr.h"

static const struct span algs[] = {SPAN_INIT("RS256"), SPAN_INIT("PS256"), SPAN_INIT("ES256"),
                                   SPAN_INIT("EdDSA"), SPAN_INIT("other")};
static const struct span errors[] = {SPAN_INIT("invalid_request"),
                                     SPAN_INIT("invalid_client"),
                                     SPAN_INIT("unauthorized_client"),
                                     SPAN_INIT("unsupported_grant_type"),
                                     SPAN_INIT("invalid_scope"),
                                     SPAN_INIT("invalid_target"),
                                     SPAN_INIT("temporarily_unavailable"),
                                     SPAN_INIT("server_error"),
                                     SPAN_INIT("other")};
static const struct span status_classes[] = {SPAN_INIT("1xx"), SPAN_INIT("2xx"), SPAN_INIT("3xx"),
                                             SPAN_INIT("4xx"), SPAN_INIT("5xx")};
static const struct span refusals[] = {
    SPAN_INIT("400"), SPAN_INIT("408"), SPAN_INIT("413"), SPAN_INIT("414"), SPAN_INIT("417"),
    SPAN_INIT("431"), SPAN_INIT("501"), SPAN_INIT("503"), SPAN_INIT("505"), SPAN_INIT("other")};
static const struct span lanes[] = {SPAN_INIT("loop"), SPAN_INIT("worker")};
static const struct span results[] = {SPAN_INIT("hit"), SPAN_INIT("miss")};
static const struct span limits[] = {
    SPAN_INIT("address"),  SPAN_INIT("client"),      SPAN_INIT("failures"),    SPAN_INIT("global"),
    SPAN_INIT("overload"), SPAN_INIT("connections"), SPAN_INIT("descriptors"), SPAN_INIT("other")};
static const struct span processes[] = {SPAN_INIT("front"), SPAN_INIT("signer")};
static const struct span versions[] = {SPAN_INIT(POSTERN_VERSION)};

#define VALUES(list) .values = (list), .count = ARRAY_LEN(list)

const struct metric_label_row metric_label_rows[METRIC_LABEL_COUNT] = {
    [METRIC_LABEL_NONE] = {.count = 1},
    [METRIC_LABEL_ALG] = {.name = SPAN_INIT("alg"), VALUES(algs)},
    [METRIC_LABEL_ERROR] = {.name = SPAN_INIT("error"), VALUES(errors)},
    [METRIC_LABEL_ROUTE] = {.name = SPAN_INIT("route"),
                            .help = "the operation's name in openapi/postern.yaml, or none"},
    [METRIC_LABEL_STATUS] = {.name = SPAN_INIT("status"), VALUES(status_classes)},
    [METRIC_LABEL_REFUSAL] = {.name = SPAN_INIT("status"), VALUES(refusals)},
    [METRIC_LABEL_LANE] = {.name = SPAN_INIT("lane"), VALUES(lanes)},
    [METRIC_LABEL_RESULT] = {.name = SPAN_INIT("result"), VALUES(results)},
    [METRIC_LABEL_LIMIT] = {.name = SPAN_INIT("limit"), VALUES(limits)},
    [METRIC_LABEL_PROCESS] = {.name = SPAN_INIT("process"), VALUES(processes)},
    [METRIC_LABEL_VERSION] = {.name = SPAN_INIT("version"), VALUES(versions)},
};

const struct metric_row metric_rows[METRIC_COUNT] = {
    [METRIC_TOKENS_ISSUED] = {.name = SPAN_INIT("postern_tokens_issued_total"),
                              .labels = {METRIC_LABEL_ALG},
                              .help = "Access tokens issued."},
    [METRIC_TOKENS_REFUSED] = {.name = SPAN_INIT("postern_tokens_refused_total"),
                               .labels = {METRIC_LABEL_ERROR},
                               .help = "Token requests refused, by OAuth error."},
    [METRIC_REQUESTS] = {.name = SPAN_INIT("postern_http_requests_total"),
                         .labels = {METRIC_LABEL_ROUTE, METRIC_LABEL_STATUS},
                         .is_sparse = true,
                         .help = "Requests answered."},
    [METRIC_REQUEST_SECONDS] = {.name = SPAN_INIT("postern_http_request_duration_seconds"),
                                .kind = METRIC_HISTOGRAM,
                                .labels = {METRIC_LABEL_LANE},
                                .help = "From the end of a request's head to its reply. loop: "
                                        "answered from memory and by the signer; worker: with the "
                                        "database."},
    [METRIC_EDGE_REFUSALS] = {.name = SPAN_INIT("postern_http_refusals_total"),
                              .labels = {METRIC_LABEL_REFUSAL},
                              .is_sparse = true,
                              .help = "Requests refused before any route saw them: framing, "
                                      "limits, time."},
    [METRIC_CONNECTIONS_OPEN] = {.name = SPAN_INIT("postern_connections"),
                                 .kind = METRIC_GAUGE,
                                 .help = "Open connections, control socket included."},
    [METRIC_CONNECTIONS_ACCEPTED] = {.name = SPAN_INIT("postern_connections_accepted_total"),
                                     .help = "Connections accepted and kept."},
    [METRIC_CONNECTIONS_REFUSED] = {.name = SPAN_INIT("postern_connections_refused_total"),
                                    .help = "Connections turned away with 503: connections_max or "
                                            "no descriptor left."},
    [METRIC_SIGNER_WAITING] = {.name = SPAN_INIT("postern_signer_waiting"),
                               .kind = METRIC_GAUGE,
                               .help = "Requests that wait for the signer."},
    [METRIC_SIGNER_SECONDS] = {.name = SPAN_INIT("postern_signer_duration_seconds"),
                               .kind = METRIC_HISTOGRAM,
                               .help = "From asking the signer to its answer, on the event loops."},
    [METRIC_WORKERS_WAITING] = {.name = SPAN_INIT("postern_workers_waiting"),
                                .kind = METRIC_GAUGE,
                                .help = "Jobs that wait for a worker."},
    [METRIC_WORKERS_SHED] = {.name = SPAN_INIT("postern_workers_shed_total"),
                             .help = "Jobs for which the workers' queue had no room "
                                     "(worker_queue_max)."},
    [METRIC_COMMIT_SECONDS] = {.name = SPAN_INIT("postern_store_commit_duration_seconds"),
                               .kind = METRIC_HISTOGRAM,
                               .help = "Writes to the database, from the writer's lock to the "
                                       "durable commit."},
    [METRIC_COMMITS_FAILED] = {.name = SPAN_INIT("postern_store_commits_failed_total"),
                               .help = "Writes that the database did not take (not those refused "
                                       "for what they say)."},
    [METRIC_REVISION] = {.name = SPAN_INIT("postern_revision"),
                         .kind = METRIC_GAUGE,
                         .help = "Last change of the store that is applied in memory."},
    [METRIC_CLIENTS] = {.name = SPAN_INIT("postern_clients_in_memory"),
                        .kind = METRIC_GAUGE,
                        .help = "Application clients, API keys and users in memory."},
    [METRIC_CLIENT_BYTES] = {.name = SPAN_INIT("postern_clients_in_memory_bytes"),
                             .kind = METRIC_GAUGE,
                             .help = "Memory of the client table."},
    [METRIC_CLIENT_LOOKUPS] = {.name = SPAN_INIT("postern_client_lookups_total"),
                               .labels = {METRIC_LABEL_RESULT},
                               .help = "Look-ups in the client table by the token endpoint; a miss "
                                       "reads the database."},
    [METRIC_USES_WRITTEN] = {.name = SPAN_INIT("postern_credential_uses_written_total"),
                             .help = "Credentials whose use was written to the database."},
    [METRIC_UNSEALS] = {.name = SPAN_INIT("postern_secrets_unsealed_total"),
                        .help = "Secrets read back."},
    [METRIC_EVENTS_WRITTEN] = {.name = SPAN_INIT("postern_events_written_total"),
                               .help = "Lines written to the event log."},
    [METRIC_EVENTS_DROPPED] = {.name = SPAN_INIT("postern_events_dropped_total"),
                               .help = "Lines that the event log lost: its sink was too slow or "
                                       "failed."},
    [METRIC_LIMITS_HIT] = {.name = SPAN_INIT("postern_limits_hit_total"),
                           .labels = {METRIC_LABEL_LIMIT},
                           .is_sparse = true,
                           .help = "Requests answered 429 or 503 because of a limit."},
    [METRIC_TLS_NOT_AFTER] = {.name = SPAN_INIT("postern_tls_certificate_not_after_seconds"),
                              .kind = METRIC_GAUGE,
                              .is_sparse = true,
                              .help = "When the TLS certificate in use expires, since the epoch."},
    [METRIC_SANDBOX] = {.name = SPAN_INIT("postern_sandbox_in_force"),
                        .kind = METRIC_GAUGE,
                        .labels = {METRIC_LABEL_PROCESS},
                        .help = "1 when the process runs under its system call filter."},
    [METRIC_LANDLOCK_ABI] = {.name = SPAN_INIT("postern_landlock_abi"),
                             .kind = METRIC_GAUGE,
                             .help = "Version of Landlock that confines front and signer; 0: "
                                     "none."},
    [METRIC_HEAP_BYTES] = {.name = SPAN_INIT("postern_heap_bytes"),
                           .kind = METRIC_GAUGE,
                           .help = "Memory that the front has allocated."},
    [METRIC_MEMORY_PEAK] = {.name = SPAN_INIT("postern_resident_memory_peak_bytes"),
                            .kind = METRIC_GAUGE,
                            .help = "The most memory that the front had resident."},
    [METRIC_CPU_SECONDS] = {.name = SPAN_INIT("process_cpu_seconds_total"),
                            .is_in_micro = true,
                            .help = "Processor time of the front, user and system."},
    [METRIC_START_TIME] = {.name = SPAN_INIT("process_start_time_seconds"),
                           .kind = METRIC_GAUGE,
                           .help = "When the front started, since the epoch."},
    [METRIC_BUILD_INFO] = {.name = SPAN_INIT("postern_build_info"),
                           .kind = METRIC_GAUGE,
                           .labels = {METRIC_LABEL_VERSION},
                           .help = "Always 1; the version is in the label."},
};
