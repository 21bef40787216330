/* store/redis.c - a store in a Redis server. See redis.h. */
#include "store/redis.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/loop.h"
#include "net/timer.h"
#include "store/redis_conn.h"
#include "store/redis_link.h"
#include "store/redis_reply.h"
#include "store/redis_url.h"
#include "store/store.h"

/* How long a call may take. */
#define CALL_MS 2000
/* Granted beyond that for what came while the loop was held up and is not read yet. */
#define GRACE_MS 50
/* Bytes of commands without a reply. */
#define WAITING_MAX (64u * 1024 * 1024)

enum command_kind { COMMAND_GET, COMMAND_SET, COMMAND_EXPIRE, COMMAND_DEL };

static const char *const command_names[] = {"GET", "SET", "EXPIRE", "DEL"};

struct redis {
    struct store store;
    struct loop *loop;
    struct arena arena; /* of url */
    struct redis_url url;
    struct redis_link *link;
    struct list sent;      /* commands without a reply, oldest first ... */
    struct list waiting;   /* ... and younger ones, for the link to be ready */
    size_t weight;         /* of both */
    struct timer deadline; /* of the oldest */
    bool late;             /* which has GRACE_MS left */
};

/* A command lives until its reply, also when its call was cancelled. */
struct command {
    struct list node;
    struct store_call *call; /* NULL: cancelled */
    uint64_t due;
    size_t weight;
    struct buf text; /* in Redis' protocol, until it is sent */
    uint8_t kind;
};

static struct redis *redis_of(struct store *store)
{
    return LIST_ENTRY(store, struct redis, store);
}

/* ---- ends of calls ---- */

static void finish(struct store_call *call, const struct store_result *result)
{
    call->pending = false;
    call->done(call, result);
}

static void fail(const struct redis *redis, struct store_call *call, int code, const char *what,
                 const char *why)
{
    char message[512];
    snprintf(message, sizeof(message), "Redis at %s %s%s", redis->url.place, what, why);
    finish(call, &(struct store_result){.code = code, .message = message});
}

/* Take the oldest command of a list out; the caller frees it. */
static struct command *shift(struct redis *redis, struct list *list)
{
    struct command *command = LIST_ENTRY(list->next, struct command, node);
    list_remove(&command->node);
    redis->weight -= command->weight;
    return command;
}

static void command_free(struct command *command)
{
    buf_clear(&command->text);
    free(command);
}

static void answer(const struct redis *redis, const struct command *command,
                   const redisReply *reply)
{
    static const int types[] = {
        [COMMAND_GET] = REDIS_REPLY_STRING,
        [COMMAND_SET] = REDIS_REPLY_STATUS,
        [COMMAND_EXPIRE] = REDIS_REPLY_INTEGER,
        [COMMAND_DEL] = REDIS_REPLY_INTEGER,
    };
    char what[32];
    if (command->kind == COMMAND_GET && reply->type == REDIS_REPLY_NIL) {
        finish(command->call, &(struct store_result){.found = false});
    } else if (reply->type == types[command->kind]) {
        struct store_result result = {.found = reply->integer > 0};
        if (command->kind == COMMAND_GET)
            result = (struct store_result){.found = true, .value = {reply->str, reply->len}};
        finish(command->call, &result);
    } else {
        snprintf(what, sizeof(what), "refused %s: ", command_names[command->kind]);
        fail(redis, command->call, -EIO, what,
             reply->type == REDIS_REPLY_ERROR ? reply->str : "an answer of another kind");
    }
}

/* ---- what the link tells ---- */

static void on_ready(void *data)
{
    struct redis *redis = data;
    while (!list_is_empty(&redis->waiting) && redis_link_is_ready(redis->link)) {
        struct command *command = LIST_ENTRY(redis->waiting.next, struct command, node);
        redis_link_send(redis->link, buf_view(&command->text));
        buf_clear(&command->text);
        list_remove(&command->node);
        list_append(&redis->sent, &command->node);
    }
}

static void on_reply(void *data, const redisReply *reply)
{
    struct redis *redis = data;
    assert(!list_is_empty(&redis->sent) && "a reply to what was not sent");
    struct command *command = shift(redis, &redis->sent);
    if (command->call != NULL)
        answer(redis, command, reply);
    command_free(command);
}

static void take_all(struct list *from, struct list *to)
{
    list_init(to);
    while (!list_is_empty(from)) {
        struct list *node = from->next;
        list_remove(node);
        list_append(to, node);
    }
}

static void fail_all(struct redis *redis, struct list *list, int code, const char *what,
                     const char *why)
{
    while (!list_is_empty(list)) {
        struct command *command = shift(redis, list);
        if (command->call != NULL)
            fail(redis, command->call, code, what, why);
        command_free(command);
    }
}

/* Only those that are there now: a call may begin the next one when it fails. */
static void on_down(void *data, int code, const char *why)
{
    struct redis *redis = data;
    struct list sent, waiting;
    bool is_away = redis_link_away(redis->link) != NULL;
    take_all(&redis->sent, &sent);
    take_all(&redis->waiting, &waiting);
    fail_all(redis, &sent, code, "was lost: ", why);
    fail_all(redis, &waiting, code, is_away ? "is away: " : "was lost: ", why);
}

static const struct redis_link_events link_events = {on_ready, on_reply, on_down};

/* ---- deadlines ---- */

/* All calls have the same time, so the oldest is the first to be due. */
static void on_deadline(struct timer *timer)
{
    struct redis *redis = LIST_ENTRY(timer, struct redis, deadline);
    uint64_t now = loop_now(redis->loop);
    const struct list *list = list_is_empty(&redis->sent) ? &redis->waiting : &redis->sent;
    const struct command *oldest = LIST_ENTRY(list->next, struct command, node);
    if (list_is_empty(list)) {
        redis->late = false;
    } else if (oldest->due > now) {
        redis->late = false;
        timer_start(redis->loop, timer, oldest->due - now);
    } else if (!redis->late) {
        redis->late = true;
        timer_start(redis->loop, timer, GRACE_MS);
    } else {
        redis->late = false;
        redis_link_overdue(redis->link);
    }
}

/* ---- the face ---- */

static size_t weight_of(size_t count, const struct slice *words)
{
    size_t weight = sizeof(struct command);
    for (size_t i = 0; i < count; i++)
        weight += words[i].len + 16;
    return weight;
}

/* Words are the command's name and its arguments. */
static void begin(struct redis *redis, struct store_call *call, enum command_kind kind,
                  size_t count, const struct slice *words)
{
    const char *away = redis_link_away(redis->link);
    size_t weight = weight_of(count, words);
    call->pending = true;
    loop_update_now(redis->loop); /* this turn may have begun long ago */
    if (away != NULL) {
        fail(redis, call, QLUA_ECLOSED, "is away: ", away);
        return;
    }
    if (redis->weight + weight > WAITING_MAX) {
        fail(redis, call, QLUA_ELIMIT, "is too slow: ", "64 MiB of commands wait for it");
        return;
    }
    struct command *command = mem_alloc(sizeof(*command));
    *command = (struct command){
        .call = call,
        .due = loop_now(redis->loop) + CALL_MS,
        .weight = weight,
        .kind = (uint8_t)kind,
    };
    redis_write_command(&command->text, count, words);
    call->private[0] = (uint64_t)(uintptr_t)command;
    redis->weight += weight;
    list_append(&redis->waiting, &command->node);
    on_ready(redis);
    if (!timer_is_started(&redis->deadline))
        timer_start(redis->loop, &redis->deadline, CALL_MS);
}

static void redis_get(struct store *store, struct slice key, struct store_call *call)
{
    begin(redis_of(store), call, COMMAND_GET, 2, (struct slice[]){SLICE("GET"), key});
}

static void redis_set(struct store *store, struct slice key, struct slice value, uint32_t ttl,
                      struct store_call *call)
{
    struct redis *redis = redis_of(store);
    char seconds[16];
    int len = snprintf(seconds, sizeof(seconds), "%u", ttl);
    if (value.len > REDIS_VALUE_MAX) {
        call->pending = true;
        fail(redis, call, QLUA_ELIMIT,
             "was not asked to keep the value: ", "it has more than 16 MiB");
        return;
    }
    begin(redis, call, COMMAND_SET, 5,
          (struct slice[]){SLICE("SET"), key, value, SLICE("EX"), slice_of(seconds, (size_t)len)});
}

static void redis_touch(struct store *store, struct slice key, uint32_t ttl,
                        struct store_call *call)
{
    char seconds[16];
    int len = snprintf(seconds, sizeof(seconds), "%u", ttl);
    begin(redis_of(store), call, COMMAND_EXPIRE, 3,
          (struct slice[]){SLICE("EXPIRE"), key, slice_of(seconds, (size_t)len)});
}

static void redis_remove(struct store *store, struct slice key, struct store_call *call)
{
    begin(redis_of(store), call, COMMAND_DEL, 2, (struct slice[]){SLICE("DEL"), key});
}

/* What was not sent yet never is. */
static void redis_cancel(struct store *store, struct store_call *call)
{
    struct redis *redis = redis_of(store);
    struct command *command = (struct command *)(uintptr_t)call->private[0];
    assert(call->pending && command->call == call);
    call->pending = false;
    command->call = NULL;
    if (command->text.len == 0)
        return;
    list_remove(&command->node);
    redis->weight -= command->weight;
    command_free(command);
}

static void redis_close(struct store *store)
{
    struct redis *redis = redis_of(store);
    timer_stop(&redis->deadline);
    fail_all(redis, &redis->sent, QLUA_ECLOSED, "was not waited for: ", "the server ends");
    fail_all(redis, &redis->waiting, QLUA_ECLOSED, "was not waited for: ", "the server ends");
    redis_link_free(redis->link);
    arena_clear(&redis->arena);
    free(redis);
}

static const struct store_ops redis_ops = {
    .get = redis_get,
    .set = redis_set,
    .touch = redis_touch,
    .remove = redis_remove,
    .cancel = redis_cancel,
    .close = redis_close,
};

struct store *redis_open(struct loop *loop, const struct log *log,
                         const struct store_options *options, struct err *err)
{
    struct redis *redis = mem_zalloc(sizeof(*redis));
    redis->store.ops = &redis_ops;
    redis->loop = loop;
    arena_init(&redis->arena);
    list_init(&redis->sent);
    list_init(&redis->waiting);
    timer_init(&redis->deadline, on_deadline);
    struct err wrong = {0};
    int rc = redis_url_parse(&redis->arena, slice_cstr(options->place), &redis->url, &wrong);
    if (rc != 0) {
        err_set(err, rc, "has a wrong URL: %s", wrong.message);
        arena_clear(&redis->arena);
        free(redis);
        return NULL;
    }
    redis->link = redis_link_new(loop, log, &redis->url, &link_events, redis);
    return &redis->store;
}
