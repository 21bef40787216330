/* store/store.c - the worker's open stores. See store.h. */
#include "store/store.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "store/lmdb.h"
#include "store/lmdb_env.h"
#include "store/redis.h"

/* By enum store_kind. */
static const struct {
    /* Make one: as store_open says, without the list. */
    struct store *(*open)(struct loop *loop, const struct log *log,
                          const struct store_options *options, struct err *err);
    /* The one name of a place that has several, on the heap; NULL: places have one. */
    char *(*place)(const char *place);
} kinds[] = {
    [STORE_LMDB] = {lmdb_store_open, lmdb_env_place},
    [STORE_REDIS] = {redis_open, NULL},
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

static struct store *find(const struct stores *stores, enum store_kind kind, const char *place)
{
    for (struct list *node = stores->open.next; node != &stores->open; node = node->next) {
        struct store *store = LIST_ENTRY(node, struct store, node);
        if (store->kind == (int)kind && strcmp(store->place, place) == 0)
            return store;
    }
    return NULL;
}

/* One that is not open yet; takes place. */
static struct store *open_new(struct stores *stores, enum store_kind kind, char *place,
                              uint64_t size, struct err *err)
{
    struct store_options options = {.kind = kind, .place = place, .size = size};
    struct store *store = kinds[kind].open(stores->loop, stores->log, &options, err);
    if (store == NULL) {
        free(place);
        return NULL;
    }
    store->kind = (int)kind;
    store->place = place;
    list_append(&stores->open, &store->node);
    return store;
}

struct store *store_open(struct stores *stores, const struct store_options *options,
                         struct err *err)
{
    enum store_kind kind = options->kind;
    if (kinds[kind].open == NULL) {
        err_set(err, QLUA_ELIMIT, "this kind of store is not in this version");
        return NULL;
    }
    char *place =
        kinds[kind].place != NULL ? kinds[kind].place(options->place) : mem_strdup(options->place);
    struct store *store = find(stores, kind, place);
    if (store == NULL)
        return open_new(stores, kind, place, options->size, err);
    free(place);
    return store;
}
