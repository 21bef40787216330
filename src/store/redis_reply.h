/* store/redis_reply.h - what a Redis answers, read with limits.
 *
 * Place in the flow: store/redis_conn hangs it into hiredis' reader, whose own functions make
 * lists of any size and trust the peer to answer only what it was asked. Here a reply is a single
 * value, asked for, of a bounded size, and lives in one buffer that the next one reuses.
 */
#ifndef QLUA_STORE_REDIS_REPLY_H
#define QLUA_STORE_REDIS_REPLY_H

#include <hiredis/hiredis.h>

#include "base/buf.h"

/* Bytes of a value. Redis itself allows 512 MiB, which no worker should have to hold. */
#define REDIS_VALUE_MAX (16u * 1024 * 1024)

struct redis_reply {
    redisReply head; /* the value itself: str borrows from text, NUL-terminated */
    struct buf text;
    unsigned expected;   /* replies that were asked for and have not come yet */
    const char *refused; /* why the reader was made to fail; NULL: it was not */
};

/* Make `reader` give &reply->head as each reply, until it is freed. */
void redis_reply_attach(struct redis_reply *reply, redisReader *reader);
void redis_reply_clear(struct redis_reply *reply);

/* Call when the reader has taken all it can: why what is left of it, the beginning of a reply,
 * must not be read on (too large); NULL when it may. */
const char *redis_reply_check(const redisReader *reader);

#endif
