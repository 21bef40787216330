/* store/redis_link.h - one connection to a Redis, kept up: looked up, made, greeted, and made again
 * when it is lost.
 *
 * Place in the flow: store/redis sends its commands through it and is told of replies in the order
 * of the commands. Below is store/redis_conn. Knows no keys.
 *
 * A link is *ready*, or *away*: an attempt has failed and none has succeeded since. In between,
 * right after the start and after a loss, it is neither: commands had better wait, it will not be
 * long. While it is away, attempts follow each other in 100 ms, doubling to 5 s, less up to a half
 * by chance, so that workers do not come all at once. One line of the log says that it is away and
 * why, another that it is back (one more when it is there by now, but refuses the greeting).
 */
#ifndef QLUA_STORE_REDIS_LINK_H
#define QLUA_STORE_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <stdbool.h>

#include "base/slice.h"

struct log;
struct loop;
struct redis_link;
struct redis_url;

/* How a link calls upward. None is called from within a function of the link but
 * redis_link_overdue.
 */
struct redis_link_events {
    /* Commands can be sent that could not before. */
    void (*on_ready)(void *data);
    /* The reply to the oldest command without one; borrowed until this returns. */
    void (*on_reply)(void *data, const redisReply *reply);
    /* Nothing that was sent gets a reply any more, and nothing that waits will be sent soon: code
     * (base/err.h) and why, in words that follow on "Redis at HOST:PORT". */
    void (*on_down)(void *data, int code, const char *why);
};

/* Begins the first attempt. `url` stays the caller's and must outlive the link. */
struct redis_link *redis_link_new(struct loop *loop, const struct log *log,
                                  const struct redis_url *url,
                                  const struct redis_link_events *events, void *data);
/* No event follows. Not from inside of one. */
void redis_link_free(struct redis_link *link);

/* Can commands be sent now? Otherwise on_ready says when. */
bool redis_link_is_ready(const struct redis_link *link);
/* Why commands fail now, as on_down tells it; NULL when the link is ready or soon will be. */
const char *redis_link_away(const struct redis_link *link);

/* Send a command in Redis' protocol (copied), when ready. Those of one turn leave together. */
void redis_link_send(struct redis_link *link, struct slice command);

/* No reply within the time a command may take: the connection is dropped, or a first attempt given
 * up waiting for. Calls on_down. */
void redis_link_overdue(struct redis_link *link);

#endif
