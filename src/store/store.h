/* store/store.h - bytes under a key that expire, kept outside of the request: the one face of the
 * server-side stores, and the list of those that a worker has open.
 *
 * Place in the flow: a worker opens one per place (path or URL) on first use and keeps it over
 * reloads; bind/store.c gives it to Lua, where a session interface keeps sessions in it. Behind the
 * face are store/lmdb (this machine) and store/redis (many machines). Knows no sessions.
 */
#ifndef QLUA_STORE_STORE_H
#define QLUA_STORE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/slice.h"

struct err;
struct log;
struct loop;
struct store;

/* What an operation came to. */
struct store_result {
    int code;            /* 0, or a negative code of base/err.h or errno */
    bool found;          /* get, touch: the key is there and has not expired */
    struct slice value;  /* get: borrowed until done returns */
    const char *message; /* code != 0: what went wrong, for people; borrowed as value is */
};

/* One operation under way: embedded in what waits for it. The caller sets done and data. */
struct store_call {
    struct list node; /* the store's */
    /* Called once, perhaps before the call that began it has returned; never after a cancel. The
     * call's storage may be freed in it, and other calls begun and cancelled. Must not raise. */
    void (*done)(struct store_call *call, const struct store_result *result);
    void *data;
    bool pending;        /* begun, and done was not called yet: the store keeps it */
    uint64_t private[4]; /* what the store behind the face keeps of it */
};

/* Keys and values are copied before the function returns. Any key and any value will do; how large
 * they may be is the store's, which fails the call otherwise. A ttl is in seconds, >= 1. */
struct store_ops {
    void (*get)(struct store *store, struct slice key, struct store_call *call);
    void (*set)(struct store *store, struct slice key, struct slice value, uint32_t ttl,
                struct store_call *call);
    /* Set only the expiry, of a key that is there: atomic, so that no value is lost. */
    void (*touch)(struct store *store, struct slice key, uint32_t ttl, struct store_call *call);
    /* No failure when there is no such key. */
    void (*remove)(struct store *store, struct slice key, struct store_call *call);
    /* Forget a pending call: done is not called. A write that was sent may still happen. */
    void (*cancel)(struct store *store, struct store_call *call);
    /* Write what is batched, fail what is still pending, free. May turn the loop. */
    void (*close)(struct store *store);
};

struct store {
    const struct store_ops *ops;
    /* the list's, in store.c: what the store behind the face leaves alone */
    struct list node;
    int kind;     /* enum store_kind */
    char *place;  /* the path or URL it was opened for */
    bool failing; /* its latest operation failed: bind/store.c says so */
};

enum store_kind { STORE_LMDB, STORE_REDIS };

struct store_options {
    enum store_kind kind;
    const char *place; /* LMDB: absolute path of the file; Redis: URL */
    uint64_t size;     /* LMDB: bytes that the file may grow to */
};

/* The stores that a worker has open. */
struct stores {
    struct loop *loop;
    const struct log *log;
    struct list open;
};

void stores_init(struct stores *stores, struct loop *loop, const struct log *log);
/* Close them all: when nobody calls any more, and before the loop is freed. */
void stores_close(struct stores *stores);

/* The store of this kind at this place, opened when it is not open yet. It is the list's and lives
 * until stores_close. NULL and *err when it cannot be opened: a place that cannot be right, or a
 * file that cannot be used; a server that is merely away is no reason. The message names the
 * place, without any password in it, and the reason. */
struct store *store_open(struct stores *stores, const struct store_options *options,
                         struct err *err);

#endif
