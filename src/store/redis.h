/* store/redis.h - a store in a Redis server, shared by many machines.
 *
 * Place in the flow: behind the face of store/store.h. Commands (GET, SET ... EX, EXPIRE, DEL) go
 * out over the one connection of store/redis_link without waiting for each other's replies. Knows
 * no sessions.
 *
 * An operation takes 2 s at most, connecting included: then it fails, and so do all others that
 * have no reply yet, for the connection is dropped. While Redis is away operations fail at once.
 * What was sent when the connection was lost may have happened or not. Values have 16 MiB at most:
 * a larger one is refused when it is set, and makes the connection be dropped, unread, when
 * somebody else has put it there.
 */
#ifndef QLUA_STORE_REDIS_H
#define QLUA_STORE_REDIS_H

struct err;
struct log;
struct loop;
struct store;
struct store_options;

/* Open a store; options->place is its URL (store/redis_url.h). Returns at once: whether there is a
 * Redis shows later, in the log. NULL and *err, whose words follow on "the store", when the URL is
 * none. */
struct store *redis_open(struct loop *loop, const struct log *log,
                         const struct store_options *options, struct err *err);

#endif
