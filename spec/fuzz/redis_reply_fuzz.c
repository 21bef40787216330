/* spec/fuzz/redis_reply_fuzz.c - any bytes as what a Redis answers, in pieces, to some commands. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "store/redis_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Take replies as redis_conn does; false when the connection would be dropped. */
static int take_all(struct redis_reply *reply, redisReader *reader)
{
    void *object = NULL;
    while (redisReaderGetReply(reader, &object) == REDIS_OK) {
        if (object == NULL)
            return redis_reply_check(reader) == NULL;
        const redisReply *head = object;
        if (head->type == REDIS_REPLY_STRING || head->type == REDIS_REPLY_STATUS ||
            head->type == REDIS_REPLY_ERROR)
            assert(head->str[head->len] == '\0' && head->len <= REDIS_VALUE_MAX);
        if (reply->expected == 0) {
            assert(head->type == REDIS_REPLY_ERROR);
            reader->fn->freeObject(object);
            return 0;
        }
        reply->expected--;
        reader->fn->freeObject(object);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct redis_reply reply = {.text = {0}};
    redisReader *reader = redisReaderCreate();
    if (size < 2 || reader == NULL) {
        redisReaderFree(reader);
        return 0;
    }
    redis_reply_attach(&reply, reader);
    reply.expected = data[0];
    size_t piece = (size_t)data[1] + 1;
    for (size_t at = 2; at < size; at += piece) {
        size_t len = size - at < piece ? size - at : piece;
        if (redisReaderFeed(reader, (const char *)data + at, len) != REDIS_OK ||
            !take_all(&reply, reader))
            break;
    }
    redisReaderFree(reader);
    redis_reply_clear(&reply);
    return 0;
}
