/* store/lmdb.c - the store on this machine: queue, batches, timers. See lmdb.h.
 *
 * One job at a time runs in the pool: it commits the batch and, when it is time, takes a step of
 * the sweep. Meanwhile writes gather in the queue, the next batch. Syncing is a job of its own,
 * which commits do not wait for.
 */
#include "store/lmdb.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/pool.h"
#include "net/timer.h"
#include "store/lmdb_env.h"
#include "store/lmdb_key.h"
#include "store/store.h"

/* A commit is on the disk so much later at most. */
#define SYNC_MS 1000
/* How often to look whether a step of the sweep is due; and while a pass goes on. */
#define SWEEP_LOOK_MS 1000
#define SWEEP_NEXT_MS 100
/* A job that takes longer waits for the lock of a process that was stopped, or for a dead disk. */
#define STUCK_MS 5000
/* What may be queued: more than that comes only where the file cannot be written. */
#define QUEUED_MAX (64u * 1024 * 1024)
#define BUCKETS    256

struct lmdb_store {
    struct store base;
    struct loop *loop;
    const struct log *log;
    struct lmdb_env *env;
    struct list queue;            /* writes for the next batch */
    struct list batch;            /* the job's */
    struct list buckets[BUCKETS]; /* both lists' writes by key, the newest first */
    size_t queued_bytes;
    struct later start;
    struct timer sweep_timer;
    struct timer sync_timer;
    struct timer stuck_timer;
    bool running; /* the job */
    bool syncing; /* the other one */
    bool sweep;   /* the job takes a step too ... */
    bool full;    /* ... due or not: the file is full */
    bool stuck;   /* it has been running for STUCK_MS: nobody else is to wait */
    int swept;    /* of the job: records removed, or a code */
    int sync_code;
    /* the code that was logged last for each of these, 0: all is well */
    int sync_problem;
    int sweep_problem;
    int stuck_problem;
    char message[512];
};

static struct lmdb_store *of(struct store *store)
{
    return LIST_ENTRY(store, struct lmdb_store, base);
}

/* ---- what is queued ---- */

static struct list *bucket_of(struct lmdb_store *store, struct slice key)
{
    uint32_t hash = 2166136261u; /* FNV-1a; who chooses keys gains nothing from long chains */
    for (size_t i = 0; i < key.len; i++)
        hash = (hash ^ (unsigned char)key.data[i]) * 16777619u;
    return &store->buckets[(hash ^ hash >> 16) % BUCKETS];
}

/* The newest queued write that says what the value of key is, or NULL. */
static const struct lmdb_write *find_queued(struct lmdb_store *store, struct slice key)
{
    struct list *bucket = bucket_of(store, key);
    for (struct list *node = bucket->next; node != bucket; node = node->next) {
        struct lmdb_write *write = LIST_ENTRY(node, struct lmdb_write, bucket);
        if (write->kind != LMDB_TOUCH && slice_eq(lmdb_write_key(write), key))
            return write;
    }
    return NULL;
}

/* ---- what calls come to ---- */

static void finish(struct store_call *call, const struct store_result *result)
{
    call->pending = false;
    call->done(call, result);
}

static void finish_failed(struct lmdb_store *store, struct store_call *call, int code)
{
    struct store_result result = {.code = code, .message = store->message};
    lmdb_env_explain(store->env, code, store->message, sizeof(store->message));
    finish(call, &result);
}

/* Calls fail one by one, with the reason; this is for what no call is told. Once, until it is well
 * again or something else. */
static void log_problem(struct lmdb_store *store, int *last, int code, const char *what)
{
    bool is_new = code != 0 && code != *last;
    *last = code;
    if (!is_new)
        return;
    lmdb_env_explain(store->env, code, store->message, sizeof(store->message));
    log_write(store->log, LOG_ERROR, "session store: %s: %s", what, store->message);
}

/* ---- syncing ---- */

static void on_synced(void *data)
{
    struct lmdb_store *store = data;
    store->syncing = false;
    log_problem(store, &store->sync_problem, store->sync_code,
                "commits may not have reached the disk");
}

static void run_sync(void *data)
{
    struct lmdb_store *store = data;
    store->sync_code = lmdb_env_sync(store->env);
}

static void on_sync_timer(struct timer *timer)
{
    struct lmdb_store *store = LIST_ENTRY(timer, struct lmdb_store, sync_timer);
    if (!store->syncing)
        store->syncing = pool_run(store->loop, run_sync, on_synced, store) == 0;
    else
        timer_start(store->loop, timer, SYNC_MS); /* a slow disk: this one comes after */
}

/* ---- the job ---- */

static void start_job(struct lmdb_store *store);

static void on_later(void *data)
{
    start_job(data);
}

/* In a thread of the pool: batch, sweep and full are the job's until on_job. */
static void run_job(void *data)
{
    struct lmdb_store *store = data;
    int64_t now = clock_date_ms();
    if (!list_is_empty(&store->batch))
        lmdb_env_apply(store->env, &store->batch, now);
    store->swept = store->sweep ? lmdb_sweep_step(store->env, now, store->full) : 0;
}

/* The first of a list that is taken apart. */
static struct lmdb_write *first_write(struct list *list)
{
    return LIST_ENTRY(list->next, struct lmdb_write, node);
}

/* What the batch came to, before anybody is told: reads go to the file from here on. */
static void settle_batch(struct lmdb_store *store)
{
    bool full = false;
    for (struct list *node = store->batch.next; node != &store->batch; node = node->next) {
        struct lmdb_write *write = LIST_ENTRY(node, struct lmdb_write, node);
        list_remove(&write->bucket);
        store->queued_bytes -= sizeof(*write) + write->key_len + write->record_len;
        full |= lmdb_env_is_full(write->code);
        if (write->code == 0 && !timer_is_started(&store->sync_timer))
            timer_start(store->loop, &store->sync_timer, SYNC_MS);
    }
    store->full = full;
    store->sweep = full; /* what has expired makes room */
}

/* Callbacks may queue new writes and cancel calls of this batch. */
static void tell_batch(struct lmdb_store *store)
{
    struct list told;
    list_init(&told);
    while (!list_is_empty(&store->batch)) {
        struct list *node = store->batch.next;
        list_remove(node);
        list_append(&told, node);
    }
    while (!list_is_empty(&told)) {
        struct lmdb_write *write = first_write(&told);
        struct store_result result = {.found = write->found};
        list_remove(&write->node);
        if (write->call != NULL && write->code != 0)
            finish_failed(store, write->call, write->code);
        else if (write->call != NULL)
            finish(write->call, &result);
        free(write);
    }
}

static void on_job(void *data)
{
    struct lmdb_store *store = data;
    bool resized =
        lmdb_env_is_resized(store->swept) ||
        (!list_is_empty(&store->batch) && lmdb_env_is_resized(first_write(&store->batch)->code));
    if (resized && lmdb_env_resize(store->env) == 0 &&
        pool_run(store->loop, run_job, on_job, store) == 0)
        return; /* once more, with the size that another process gave the file */
    timer_stop(&store->stuck_timer);
    store->running = store->stuck = false;
    store->stuck_problem = 0;
    if (store->sweep) {
        log_problem(store, &store->sweep_problem, store->swept < 0 ? store->swept : 0,
                    "what has expired is not removed");
        timer_start(store->loop, &store->sweep_timer,
                    store->swept > 0 ? SWEEP_NEXT_MS : SWEEP_LOOK_MS);
    }
    settle_batch(store);
    tell_batch(store);
    start_job(store);
}

static void start_job(struct lmdb_store *store)
{
    if (store->running || (list_is_empty(&store->queue) && !store->sweep))
        return;
    while (!list_is_empty(&store->queue)) {
        struct list *node = store->queue.next;
        list_remove(node);
        list_append(&store->batch, node);
    }
    store->running = true;
    timer_start(store->loop, &store->stuck_timer, STUCK_MS);
    if (pool_run(store->loop, run_job, on_job, store) != 0) {
        for (struct list *node = store->batch.next; node != &store->batch; node = node->next)
            LIST_ENTRY(node, struct lmdb_write, node)->code = -EAGAIN;
        store->swept = 0;
        on_job(store);
    }
}

static void on_sweep_timer(struct timer *timer)
{
    struct lmdb_store *store = LIST_ENTRY(timer, struct lmdb_store, sweep_timer);
    if (!store->running && lmdb_sweep_is_due(store->env, clock_date_ms())) {
        store->sweep = true;
        start_job(store);
        return;
    }
    timer_start(store->loop, timer, SWEEP_LOOK_MS);
}

/* Fail whoever waits for these; their writes stay, and happen when they can. */
static void give_up(struct lmdb_store *store, struct list *writes)
{
    struct list *node = writes->next;
    while (node != writes) {
        struct lmdb_write *write = LIST_ENTRY(node, struct lmdb_write, node);
        struct store_call *call = write->call;
        write->call = NULL;
        if (call == NULL) {
            node = node->next;
            continue;
        }
        finish_failed(store, call, -ETIMEDOUT);
        node = writes->next; /* whatever the callback has done to the list */
    }
}

static void on_stuck(struct timer *timer)
{
    struct lmdb_store *store = LIST_ENTRY(timer, struct lmdb_store, stuck_timer);
    store->stuck = true;
    log_problem(store, &store->stuck_problem, -ETIMEDOUT, "writes wait");
    give_up(store, &store->batch);
    give_up(store, &store->queue);
}

/* ---- the face ---- */

static void lmdb_get(struct store *base, struct slice name, struct store_call *call)
{
    struct lmdb_store *store = of(base);
    struct store_result result = {0};
    struct lmdb_key key;
    int64_t now = clock_date_ms();
    lmdb_key_init(&key, name);
    call->pending = true;
    const struct lmdb_write *queued = find_queued(store, key.name);
    if (queued != NULL) {
        result.found = queued->kind == LMDB_SET && queued->expiry > now;
        result.value = result.found ? lmdb_write_value(queued) : slice_of(NULL, 0);
        finish(call, &result);
        return;
    }
    result.code = lmdb_env_read(store->env, key.name, now, &result.found, &result.value);
    if (lmdb_env_is_resized(result.code) && !store->running) {
        lmdb_env_read_end(store->env);
        lmdb_env_resize(store->env);
        result.code = lmdb_env_read(store->env, key.name, now, &result.found, &result.value);
    }
    if (result.code != 0)
        finish_failed(store, call, result.code);
    else
        finish(call, &result);
    lmdb_env_read_end(store->env);
}

static void queue_write(struct lmdb_store *store, enum lmdb_write_kind kind, struct slice name,
                        struct slice value, uint32_t ttl, struct store_call *call)
{
    struct lmdb_key key;
    lmdb_key_init(&key, name);
    call->pending = true;
    size_t size = sizeof(struct lmdb_write) + key.name.len + value.len + sizeof(int64_t);
    if (store->stuck || size > QUEUED_MAX || store->queued_bytes > QUEUED_MAX - size) {
        finish_failed(store, call, store->stuck ? -ETIMEDOUT : QLUA_ELIMIT);
        return;
    }
    struct lmdb_write *write =
        lmdb_write_new(kind, key.name, value, clock_date_ms() + (int64_t)ttl * 1000);
    struct list *bucket = bucket_of(store, key.name);
    write->call = call;
    call->private[0] = (uint64_t)(uintptr_t)write;
    store->queued_bytes += sizeof(*write) + write->key_len + write->record_len;
    list_append(&store->queue, &write->node);
    list_append(bucket->next, &write->bucket); /* in front: the newest is found first */
    if (!store->running)                       /* with the others of this turn */
        loop_later(store->loop, &store->start);
}

static void lmdb_set(struct store *base, struct slice key, struct slice value, uint32_t ttl,
                     struct store_call *call)
{
    queue_write(of(base), LMDB_SET, key, value, ttl, call);
}

static void lmdb_touch(struct store *base, struct slice key, uint32_t ttl, struct store_call *call)
{
    queue_write(of(base), LMDB_TOUCH, key, slice_of(NULL, 0), ttl, call);
}

static void lmdb_remove(struct store *base, struct slice key, struct store_call *call)
{
    queue_write(of(base), LMDB_REMOVE, key, slice_of(NULL, 0), 0, call);
}

/* Reads are never pending. */
static void lmdb_cancel(struct store *base, struct store_call *call)
{
    (void)base;
    struct lmdb_write *write = (void *)(uintptr_t)call->private[0];
    if (call->pending)
        write->call = NULL;
    call->pending = false;
}

static void lmdb_close(struct store *base)
{
    struct lmdb_store *store = of(base);
    timer_stop(&store->sweep_timer);
    timer_stop(&store->sync_timer);
    while (store->running || store->syncing || store->start.queued ||
           !list_is_empty(&store->queue)) {
        start_job(store);
        loop_turn(store->loop, true);
    }
    timer_stop(&store->sweep_timer); /* the last jobs have set them again */
    timer_stop(&store->sync_timer);
    lmdb_env_close(store->env);
    free(store);
}

struct store *lmdb_store_open(struct loop *loop, const struct log *log,
                              const struct store_options *options, struct err *err)
{
    static const struct store_ops ops = {.get = lmdb_get,
                                         .set = lmdb_set,
                                         .touch = lmdb_touch,
                                         .remove = lmdb_remove,
                                         .cancel = lmdb_cancel,
                                         .close = lmdb_close};
    struct lmdb_env *env = lmdb_env_open(options->place, options->size, err);
    if (env == NULL)
        return NULL;
    struct lmdb_store *store = mem_zalloc(sizeof(*store));
    store->base.ops = &ops;
    store->loop = loop;
    store->log = log;
    store->env = env;
    list_init(&store->queue);
    list_init(&store->batch);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&store->buckets[i]);
    store->start = (struct later){.fn = on_later, .data = store};
    timer_init(&store->sweep_timer, on_sweep_timer);
    timer_init(&store->sync_timer, on_sync_timer);
    timer_init(&store->stuck_timer, on_stuck);
    timer_start(loop, &store->sweep_timer, SWEEP_LOOK_MS);
    return &store->base;
}
