/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_bulk.h"

#include "store/store_internal.h"

struct batch {
    const struct principal *clients;
    size_t count;
};

static enum status create(struct store_tx *tx, void *context, struct err *err)
{
    const struct batch *batch = context;
    const struct principal *first = &batch->clients[0];
    const struct store_change change = {
        .account_id = first->account_id, .kind = SPAN("bulk"), .id = first->client_id};
    const struct audit_event audit = {
        .account_id = first->account_id,
        .actor_kind = SPAN("system"),
        .actor_id = SPAN("bulk"),
        .action = AUDIT_APP_CLIENT_CREATE,
        .target_id = first->id,
        .at = first->created_at,
    };
    int64_t last = 0;
    enum status status = store_counter_raise(tx, (int64_t)batch->count, &last, err);
    if (status == OK)
        status = store_change_add(tx, &change, &audit, err);
    int64_t before_first = last - (int64_t)batch->count;
    for (size_t i = 0; status == OK && i < batch->count; i++)
        status = store_principal_insert(tx, &batch->clients[i], before_first + 1 + (int64_t)i, err);
    return status;
}

enum status store_app_client_create_many(struct store *store, const struct principal *clients,
                                         size_t count, struct err *err)
{
    struct batch batch = {clients, count};
    return count == 0 ? OK : store_write(store, create, &batch, NULL, err);
}
