/* store/redis_link.c - one connection to a Redis, kept up. See redis_link.h. */
#include "store/redis_link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "crypto/random.h"
#include "net/loop.h"
#include "net/resolve.h"
#include "net/timer.h"
#include "store/redis_conn.h"
#include "store/redis_url.h"

/* How long one address has to take the connection and greet. */
#define ATTEMPT_MS 2000
/* What a deadline grants for what has arrived while the loop was held up, and is not read yet. */
#define GRACE_MS     50
#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 5000
/* A connection that was ready for so long is made again at once. */
#define STEADY_MS 1000

enum link_state {
    LINK_PAUSING,    /* until the next attempt */
    LINK_RESOLVING,  /* the host's name is being looked up */
    LINK_CONNECTING, /* an address was asked */
    LINK_GREETING,   /* AUTH and SELECT were sent */
    LINK_READY
};

struct redis_link {
    struct loop *loop;
    const struct log *log;
    const struct redis_url *url;
    const struct redis_link_events *events;
    void *data;
    uint8_t state; /* enum link_state */
    bool away;
    bool late;         /* the attempt's time is over, and it has GRACE_MS left */
    unsigned failures; /* attempts in a row */
    uint64_t since;    /* when it was last ready, or became away: loop milliseconds */
    struct timer timer;
    struct resolve *resolve; /* RESOLVING */
    struct resolved addresses;
    size_t next_address;    /* of this attempt */
    struct redis_conn conn; /* open: CONNECTING and later */
    unsigned greetings;     /* GREETING: replies to come */
    char why[256];          /* away: the reason */
};

/* ---- going down ---- */

static uint64_t pause_ms(unsigned failures)
{
    uint64_t pause = RETRY_MIN_MS;
    uint16_t chance;
    while (failures-- > 1 && pause < RETRY_MAX_MS)
        pause *= 2;
    if (pause > RETRY_MAX_MS)
        pause = RETRY_MAX_MS;
    random_bytes(&chance, sizeof(chance));
    return pause - pause / 2 * chance / UINT16_MAX;
}

static void pause_attempts(struct redis_link *link, uint64_t ms)
{
    link->state = LINK_PAUSING;
    timer_start(link->loop, &link->timer, ms);
}

/* Commands fail at once from here on. One line says so, and another when it turns out that somebody
 * has to do something about it. */
static void go_away(struct redis_link *link, int code, const char *why)
{
    if (!link->away || (code == -EACCES && strcmp(link->why, why) != 0))
        log_write(link->log, LOG_ERROR,
                  "Redis at %s is away: %s; what is kept there cannot be had meanwhile",
                  link->url->place, why);
    if (!link->away)
        link->since = loop_now(link->loop);
    link->away = true;
    snprintf(link->why, sizeof(link->why), "%s", why);
    link->events->on_down(link->data, code, link->why);
}

/* The connection is closed, or there is none. The next attempt begins in a later turn. */
static void link_lost(struct redis_link *link, int code, const char *why)
{
    bool was_ready = link->state == LINK_READY;
    bool was_steady = was_ready && loop_now(link->loop) - link->since >= STEADY_MS;
    if (was_steady)
        link->failures = 0;
    /* what is too large is our refusal: it says nothing against the next connection */
    if ((was_steady && code != QLUA_ETIMEOUT) || (was_ready && code == QLUA_ELIMIT)) {
        pause_attempts(link, 0);
        link->events->on_down(link->data, code, why);
    } else if (!was_ready && link->next_address < link->addresses.count) {
        pause_attempts(link, 0); /* the host has another address */
    } else {
        link->failures++;
        pause_attempts(link, pause_ms(link->failures));
        go_away(link, code, why);
    }
}

static void drop(struct redis_link *link, int code, const char *why)
{
    redis_conn_close(&link->conn);
    link_lost(link, code, why);
}

/* ---- the greeting ---- */

static void become_ready(struct redis_link *link)
{
    timer_stop(&link->timer);
    link->state = LINK_READY;
    link->addresses.count = 0; /* the next attempt asks anew */
    if (link->away)
        log_write(link->log, LOG_WARNING, "Redis at %s is back after %.1f s", link->url->place,
                  (double)(loop_now(link->loop) - link->since) / 1000);
    link->away = false;
    link->since = loop_now(link->loop);
    link->events->on_ready(link->data);
}

/* An error may quote the command (a proxy's does), but the password must not get into the log. */
static const char *refusal_of(const struct redis_url *url, const redisReply *reply)
{
    if (strstr(reply->str, "without any password configured") != NULL)
        return "it has none";
    bool is_secret = url->has_password &&
                     memmem(reply->str, reply->len, url->password.data, url->password.len) != NULL;
    return is_secret ? "(in words that quote it)" : reply->str;
}

static void on_greeting(struct redis_link *link, const redisReply *reply)
{
    char why[sizeof(link->why)];
    bool was_auth = link->url->has_password && link->greetings == 2;
    if (reply->type == REDIS_REPLY_ERROR) {
        snprintf(why, sizeof(why), "it refused the %s: %s", was_auth ? "password" : "database",
                 refusal_of(link->url, reply));
        drop(link, -EACCES, why);
    } else if (--link->greetings == 0) {
        become_ready(link);
    }
}

static void send_greeting(struct redis_link *link, size_t count, const struct slice *words)
{
    struct buf text = {0};
    redis_write_command(&text, count, words);
    redis_conn_send(&link->conn, buf_view(&text));
    buf_clear(&text);
    link->greetings++;
}

/* SELECT also when it is 0: whether a password is wanted shows here, not at the first command. */
static void greet(struct redis_link *link)
{
    const struct redis_url *url = link->url;
    char db[16];
    int len = snprintf(db, sizeof(db), "%u", url->db);
    link->state = LINK_GREETING;
    link->greetings = 0;
    if (url->has_password && url->user.len > 0)
        send_greeting(link, 3, (struct slice[]){SLICE("AUTH"), url->user, url->password});
    else if (url->has_password)
        send_greeting(link, 2, (struct slice[]){SLICE("AUTH"), url->password});
    send_greeting(link, 2, (struct slice[]){SLICE("SELECT"), slice_of(db, (size_t)len)});
}

/* ---- what the connection tells ---- */

static void on_open(void *data)
{
    greet(data);
}

static void on_reply(void *data, const redisReply *reply)
{
    struct redis_link *link = data;
    if (link->state == LINK_GREETING)
        on_greeting(link, reply);
    else
        link->events->on_reply(link->data, reply);
}

static void on_drained(void *data)
{
    struct redis_link *link = data;
    if (link->state == LINK_READY)
        link->events->on_ready(link->data);
}

static void on_closed(void *data, int code, const char *why)
{
    link_lost(data, code, why);
}

static const struct redis_conn_events conn_events = {on_open, on_reply, on_drained, on_closed};

/* ---- attempts ---- */

/* The next address of the host, or the Unix socket. */
static void connect_next(struct redis_link *link)
{
    const struct redis_url *url = link->url;
    const char *address =
        url->host == NULL ? NULL : link->addresses.addresses[link->next_address++];
    link->state = LINK_CONNECTING;
    link->late = false;
    timer_start(link->loop, &link->timer, ATTEMPT_MS);
    redis_conn_open(&link->conn, address, url->port, url->path);
}

static void on_resolved(void *data, const struct resolved *resolved)
{
    struct redis_link *link = data;
    char why[sizeof(link->why)];
    link->resolve = NULL;
    link->addresses = *resolved;
    if (resolved->count > 0) {
        connect_next(link);
        return;
    }
    snprintf(why, sizeof(why), "its name cannot be resolved: %s", resolved->error);
    link_lost(link, QLUA_ECLOSED, why);
}

static void begin_attempt(struct redis_link *link)
{
    const struct redis_url *url = link->url;
    link->addresses.count = link->next_address = 0;
    if (url->host != NULL && !url->is_numeric) {
        link->state = LINK_RESOLVING;
        link->resolve = resolve_new(link->loop, url->host, on_resolved, link);
        if (link->resolve == NULL)
            link_lost(link, -ENOMEM, "its name cannot be resolved: no thread for it");
        return;
    }
    if (url->host != NULL) {
        link->addresses.count = 1;
        snprintf(link->addresses.addresses[0], RESOLVE_ADDRESS_SIZE, "%s", url->host);
    }
    connect_next(link);
}

static void on_timer(struct timer *timer)
{
    struct redis_link *link = LIST_ENTRY(timer, struct redis_link, timer);
    assert(link->state != LINK_READY && link->state != LINK_RESOLVING);
    if (link->state == LINK_PAUSING && link->next_address < link->addresses.count) {
        connect_next(link);
    } else if (link->state == LINK_PAUSING) {
        begin_attempt(link);
    } else if (!link->late) {
        link->late = true;
        timer_start(link->loop, timer, GRACE_MS);
    } else {
        drop(link, QLUA_ETIMEOUT,
             link->state == LINK_CONNECTING ? "no connection within 2 s"
                                            : "no answer to the greeting within 2 s");
    }
}

/* ---- what the store calls ---- */

struct redis_link *redis_link_new(struct loop *loop, const struct log *log,
                                  const struct redis_url *url,
                                  const struct redis_link_events *events, void *data)
{
    struct redis_link *link = mem_zalloc(sizeof(*link));
    link->loop = loop;
    link->log = log;
    link->url = url;
    link->events = events;
    link->data = data;
    timer_init(&link->timer, on_timer);
    redis_conn_init(&link->conn, loop, &conn_events, link);
    pause_attempts(link, 0);
    return link;
}

void redis_link_free(struct redis_link *link)
{
    if (link == NULL)
        return;
    timer_stop(&link->timer);
    resolve_cancel(link->resolve);
    redis_conn_clear(&link->conn);
    free(link);
}

bool redis_link_is_ready(const struct redis_link *link)
{
    return link->state == LINK_READY && !redis_conn_is_full(&link->conn);
}

const char *redis_link_away(const struct redis_link *link)
{
    return link->away ? link->why : NULL;
}

void redis_link_send(struct redis_link *link, struct slice command)
{
    assert(link->state == LINK_READY);
    redis_conn_send(&link->conn, command);
}

void redis_link_overdue(struct redis_link *link)
{
    if (link->state == LINK_READY)
        drop(link, QLUA_ETIMEOUT, "it did not answer within 2 s");
    else if (!link->away)
        go_away(link, QLUA_ETIMEOUT, "no connection within 2 s");
}
