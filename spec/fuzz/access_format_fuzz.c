/* spec/fuzz/access_format_fuzz.c - the access log's format: any text, and a line so written. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "http/access_format.h"
#include "http/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request whose texts are the input's, too. */
static void write_line(const struct access_format *format, struct slice text)
{
    static struct request req;
    struct access_moment moment = {SLICE("31/Jan/2026:12:00:00 +0000"), 1234567, 1};
    struct buf line = {0};
    memset(&req, 0, offsetof(struct request, arena));
    arena_init(&req.arena);
    fields_init(&req.headers, &req.arena, true);
    fields_add(&req.headers, SLICE("Referer"), text);
    fields_add(&req.headers, SLICE("X-Request-Id"), text);
    req.target.raw_path = req.target.query = req.host = req.answer_head = text;
    req.peer = SLICE("127.0.0.1");
    req.method = METHOD_GET;
    req.trusted_peer = true;
    access_format_append(format, &line, &req, &moment);
    access_format_append(format, &line, &req, &moment);
    buf_clear(&line);
    arena_clear(&req.arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct arena arena;
    arena_init(&arena);
    struct slice text = slice_of((const char *)data, size);
    struct access_format *format = access_format_new(arena_cstr(&arena, text), &err);
    assert((format == NULL) == (err.code != 0));
    if (format != NULL)
        write_line(format, text);
    access_format_free(format);
    arena_clear(&arena);
    return 0;
}
