/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_internal.h"

#include "base/arena.h"

#include <string.h>

/* A grant that was there before its corpus was deleted may stay: the MAC may cover it. */
static const char find_scope[] =
    "SELECT id FROM corpus WHERE account_id = :account_id AND id = :corpus_id "
    "UNION ALL SELECT scope_id FROM role_grant "
    "WHERE account_id = :account_id AND holder_kind = :holder_kind AND holder_id = :holder_id "
    "AND scope_kind = 'corpus' AND scope_id = :corpus_id";
static const char insert_grant[] =
    "INSERT INTO role_grant (account_id, holder_kind, holder_id, position, scope_kind, scope_id, "
    "role) "
    "VALUES (:account_id, :holder_kind, :holder_id, :position, :scope_kind, :scope_id, :role)";
static const char delete_grants[] =
    "DELETE FROM role_grant WHERE account_id = :account_id AND holder_kind = :holder_kind "
    "AND holder_id = :holder_id";
static const char select_grants[] =
    "SELECT role_grant.scope_kind, role_grant.role, role_grant.scope_id, corpus.key "
    "FROM role_grant LEFT JOIN corpus ON role_grant.scope_kind = 'corpus' "
    "AND corpus.account_id = role_grant.account_id AND corpus.id = role_grant.scope_id "
    "WHERE role_grant.account_id = :account_id AND role_grant.holder_kind = :holder_kind "
    "AND role_grant.holder_id = :holder_id ORDER BY role_grant.position";

static void bind_holder(struct sql_stmt *stmt, const struct principal *holder)
{
    sql_bind_text(stmt, ":account_id", holder->account_id);
    sql_bind_text(stmt, ":holder_kind", principal_kind_names[holder->kind]);
    sql_bind_text(stmt, ":holder_id", holder->id);
}

enum status store_role_grant_check(struct store_tx *tx, const struct principal *holder,
                                   struct err *err)
{
    for (size_t i = 0; i < holder->corpus_grant_count; i++) {
        const struct corpus_grant *grant = &holder->corpus_grants[i];
        struct sql_stmt *row = sql_prepare(tx->conn, find_scope);
        bind_holder(row, holder);
        sql_bind_text(row, ":corpus_id", grant->corpus_id);
        bool is_found = sql_next(row);
        enum status status = sql_end(row, err);
        if (status != OK)
            return status;
        if (!is_found)
            return fail(err, INVALID, "there is no corpus \"%.*s\"", SPAN_FMT(grant->corpus_key));
    }
    return OK;
}

/* One grant, in terms of the table. */
struct row {
    struct span account_id;
    struct span holder_kind;
    struct span holder_id;
    int64_t position;
    struct span scope_kind;
    struct span scope_id;
    struct span role;
};

static enum status insert(struct store_tx *tx, const struct row *row, struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, insert_grant);
    sql_bind_text(stmt, ":account_id", row->account_id);
    sql_bind_text(stmt, ":holder_kind", row->holder_kind);
    sql_bind_text(stmt, ":holder_id", row->holder_id);
    sql_bind_int64(stmt, ":position", row->position);
    sql_bind_text(stmt, ":scope_kind", row->scope_kind);
    sql_bind_text(stmt, ":scope_id", row->scope_id);
    sql_bind_text(stmt, ":role", row->role);
    return sql_run(stmt, NULL, err);
}

enum status store_role_grant_insert(struct store_tx *tx, const struct principal *holder,
                                    struct err *err)
{
    if (holder->corpus_grant_count > GRANTS_MAX || holder->agent_grant_count > GRANTS_MAX)
        return fail(err, INVALID, "a holder has at most %d grants of a kind", GRANTS_MAX);
    struct row row = {
        .account_id = holder->account_id,
        .holder_kind = principal_kind_names[holder->kind],
        .holder_id = holder->id,
        .scope_kind = SPAN("api"),
    };
    enum status status = OK;
    for (unsigned role = 0; status == OK && role < API_ROLE_COUNT; role++) {
        if ((holder->api_roles & 1u << role) == 0)
            continue;
        row.role = api_role_names[role];
        status = insert(tx, &row, err);
        row.position++;
    }
    row.scope_kind = SPAN("corpus");
    for (size_t i = 0; status == OK && i < holder->corpus_grant_count; i++) {
        row.scope_id = holder->corpus_grants[i].corpus_id;
        row.role = corpus_role_names[holder->corpus_grants[i].role];
        status = insert(tx, &row, err);
        row.position++;
    }
    row.scope_kind = SPAN("agent");
    for (size_t i = 0; status == OK && i < holder->agent_grant_count; i++) {
        row.scope_id = holder->agent_grants[i].agent_key;
        row.role = agent_role_names[holder->agent_grants[i].role];
        status = insert(tx, &row, err);
        row.position++;
    }
    return status;
}

enum status store_role_grant_delete(struct store_tx *tx, const struct principal *holder,
                                    struct err *err)
{
    struct sql_stmt *stmt = sql_prepare(tx->conn, delete_grants);
    bind_holder(stmt, holder);
    return sql_run(stmt, NULL, err);
}

/* Grants on their way out, until their number is known. */
struct grants {
    api_role_set api_roles;
    struct corpus_grant corpus[GRANTS_MAX];
    size_t corpus_count;
    struct agent_grant agent[GRANTS_MAX];
    size_t agent_count;
};

static size_t read_role(struct sql_stmt *row, const struct span *names, size_t count)
{
    size_t role = 0;
    if (!role_find(names, count, sql_get_text(row, NULL), &role))
        sql_reject(row, "a role with an unknown name");
    return role;
}

static void read_grant(struct sql_stmt *row, struct arena *arena, struct grants *grants)
{
    struct span scope = sql_get_text(row, NULL);
    if (span_equal(scope, SPAN("api"))) {
        grants->api_roles |= 1u << read_role(row, api_role_names, API_ROLE_COUNT);
    } else if (span_equal(scope, SPAN("corpus")) && grants->corpus_count < GRANTS_MAX) {
        struct corpus_grant *grant = &grants->corpus[grants->corpus_count++];
        size_t role = read_role(row, corpus_role_names, CORPUS_ROLE_COUNT);
        grant->role = (enum corpus_role)role;
        grant->corpus_id = sql_get_text(row, arena);
        (void)sql_get_text_or_null(row, arena, &grant->corpus_key);
    } else if (span_equal(scope, SPAN("agent")) && grants->agent_count < GRANTS_MAX) {
        struct agent_grant *grant = &grants->agent[grants->agent_count++];
        size_t role = read_role(row, agent_role_names, AGENT_ROLE_COUNT);
        grant->role = (enum agent_role)role;
        grant->agent_key = sql_get_text(row, arena);
    } else {
        sql_reject(row, "a grant that is too many or of an unknown kind");
    }
}

static enum status keep(const struct grants *grants, struct arena *arena, struct principal *holder,
                        struct err *err)
{
    holder->api_roles = grants->api_roles;
    holder->corpus_grants = arena_zalloc(arena, grants->corpus_count, sizeof grants->corpus[0]);
    holder->agent_grants = arena_zalloc(arena, grants->agent_count, sizeof grants->agent[0]);
    if (holder->corpus_grants == NULL || holder->agent_grants == NULL)
        return fail(err, NO_MEMORY, "no memory for a holder's grants");
    holder->corpus_grant_count = grants->corpus_count;
    holder->agent_grant_count = grants->agent_count;
    memcpy(holder->corpus_grants, grants->corpus, grants->corpus_count * sizeof grants->corpus[0]);
    memcpy(holder->agent_grants, grants->agent, grants->agent_count * sizeof grants->agent[0]);
    return OK;
}

enum status store_role_grant_read(struct sql_conn *conn, struct arena *arena,
                                  struct principal *holder, struct err *err)
{
    struct grants grants;
    grants.api_roles = 0;
    grants.corpus_count = 0;
    grants.agent_count = 0;
    struct sql_stmt *row = sql_prepare(conn, select_grants);
    bind_holder(row, holder);
    while (sql_next(row))
        read_grant(row, arena, &grants);
    enum status status = sql_end(row, err);
    return status == OK ? keep(&grants, arena, holder, err) : status;
}
