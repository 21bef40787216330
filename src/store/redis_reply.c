/* store/redis_reply.c - what a Redis answers, read with limits. See redis_reply.h. */
#include "store/redis_reply.h"

#include <string.h>

/* Bytes of a line: a status, a number, an error or the length of a value. */
#define LINE_MAX_LEN (16u * 1024)
/* Bytes of a value's length, with what ends it: more are no number that anybody means. */
#define LENGTH_MAX 24

/* NULL makes the reader fail: the connection is dropped. hiredis would end the process for an
 * answer to nothing, unless it is an error: those say why the peer closes. */
static redisReply *begin(const redisReadTask *task, int type)
{
    struct redis_reply *reply = task->privdata;
    if (reply->expected == 0 && type != REDIS_REPLY_ERROR) {
        reply->refused = "it sent an answer that nobody asked for";
        return NULL;
    }
    reply->text.len = 0;
    reply->head = (redisReply){.type = type};
    return &reply->head;
}

static void *create_string(const redisReadTask *task, char *str, size_t len)
{
    struct redis_reply *reply = task->privdata;
    redisReply *head = begin(task, task->type);
    if (head == NULL)
        return NULL;
    buf_append(&reply->text, str, len);
    buf_char(&reply->text, '\0');
    head->str = reply->text.data;
    head->len = len;
    return head;
}

static void *create_array(const redisReadTask *task, int elements)
{
    (void)elements;
    struct redis_reply *reply = task->privdata;
    reply->refused = "it sent a list, which no command asks for";
    return NULL;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    redisReply *head = begin(task, REDIS_REPLY_INTEGER);
    if (head != NULL)
        head->integer = value;
    return head;
}

static void *create_nil(const redisReadTask *task)
{
    return begin(task, REDIS_REPLY_NIL);
}

/* The one value stays; a large one's memory does not. */
static void free_object(void *object)
{
    struct redis_reply *reply = object; /* head is its first member */
    if (reply->text.cap > LINE_MAX_LEN)
        buf_clear(&reply->text);
}

void redis_reply_attach(struct redis_reply *reply, redisReader *reader)
{
    static const redisReplyObjectFunctions functions = {create_string, create_array, create_integer,
                                                        create_nil, free_object};
    reply->expected = 0;
    reply->refused = NULL;
    reader->fn = (redisReplyObjectFunctions *)&functions; /* hiredis only reads it */
    reader->privdata = reply;
}

void redis_reply_clear(struct redis_reply *reply)
{
    buf_clear(&reply->text);
}

/* The number that "123\r..." begins with; more than any limit when it is none. */
static size_t announced(const char *text, const char *end)
{
    size_t value = 0;
    for (; text < end && *text >= '0' && *text <= '9' && value <= REDIS_VALUE_MAX; text++)
        value = value * 10 + (size_t)(*text - '0');
    return value;
}

const char *redis_reply_check(const redisReader *reader)
{
    size_t left = reader->len - reader->pos;
    if (reader->err != 0 || left == 0 || reader->ridx < 0)
        return NULL;
    const char *text = reader->buf + reader->pos;
    bool is_value = reader->rstack[0].type == REDIS_REPLY_STRING;
    const char *end = is_value ? memchr(text, '\r', left < LENGTH_MAX ? left : LENGTH_MAX) : NULL;
    if (end != NULL && announced(text, end) > REDIS_VALUE_MAX)
        return "it sent a value of more than 16 MiB, which are not read";
    if (end == NULL && left > LINE_MAX_LEN)
        return "it sent a line that does not end";
    return NULL;
}
