/* store/store.c - the worker's open stores. See store.h. */
#include "store/store.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"

/* Makes a store of one kind: as store_open says, without the list. */
typedef struct store *open_fn(struct loop *loop, const struct log *log,
                              const struct store_options *options, struct err *err);

/* By enum store_kind. */
static open_fn *const openers[] = {
    [STORE_LMDB] = NULL,
    [STORE_REDIS] = NULL,
};

void stores_init(struct stores *stores, struct loop *loop, const struct log *log)
{
    *stores = (struct stores){.loop = loop, .log = log};
    list_init(&stores->open);
}

void stores_close(struct stores *stores)
{
    while (!list_is_empty(&stores->open)) {
        struct store *store = LIST_ENTRY(stores->open.next, struct store, node);
        char *place = store->place;
        list_remove(&store->node);
        store->ops->close(store);
        free(place);
    }
}

static struct store *find(const struct stores *stores, const struct store_options *options)
{
    for (struct list *node = stores->open.next; node != &stores->open; node = node->next) {
        struct store *store = LIST_ENTRY(node, struct store, node);
        if (store->kind == (int)options->kind && strcmp(store->place, options->place) == 0)
            return store;
    }
    return NULL;
}

struct store *store_open(struct stores *stores, const struct store_options *options,
                         struct err *err)
{
    struct store *store = find(stores, options);
    if (store != NULL)
        return store;
    open_fn *open = openers[options->kind];
    if (open == NULL) {
        err_set(err, QLUA_ELIMIT, "this kind of store is not in this version");
        return NULL;
    }
    store = open(stores->loop, stores->log, options, err);
    if (store == NULL)
        return NULL;
    store->kind = (int)options->kind;
    store->place = mem_strdup(options->place);
    list_append(&stores->open, &store->node);
    return store;
}
