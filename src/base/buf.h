/* base/buf.h - a growing byte buffer.
 *
 * Place in the flow: answers are written into one, bodies are gathered in one. The bytes are
 * not NUL-terminated. A zeroed struct buf is an empty buffer; buf_clear gives its memory back.
 */
#ifndef QLUA_BASE_BUF_H
#define QLUA_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/slice.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
};

/* Make room for `more` bytes behind len (grows by doubling; a sum that overflows ends the process).
 */
void buf_grow(struct buf *buf, size_t more);

/* Free the memory; the buffer is empty and usable again. */
void buf_clear(struct buf *buf);

/* Append as printf does. */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Append a decimal number. */
void buf_uint(struct buf *buf, uint64_t number);

/* Drop the first n bytes (n <= len), moving the rest to the front. */
void buf_shift(struct buf *buf, size_t n);

/* At least `more` writable bytes behind len: the place to write them; of an empty buffer that may
 * be NULL when they are none. Add what was written to len. */
static inline char *buf_reserve(struct buf *buf, size_t more)
{
    if (buf->cap - buf->len < more)
        buf_grow(buf, more);
    return (char *)((uintptr_t)buf->data + buf->len); /* C knows no NULL + 0 */
}

static inline void buf_append(struct buf *buf, const void *data, size_t len)
{
    if (len == 0)
        return;
    memcpy(buf_reserve(buf, len), data, len);
    buf->len += len;
}

static inline void buf_slice(struct buf *buf, struct slice s)
{
    buf_append(buf, s.data, s.len);
}

static inline void buf_char(struct buf *buf, char c)
{
    *buf_reserve(buf, 1) = c;
    buf->len++;
}

static inline void buf_cstr(struct buf *buf, const char *cstr)
{
    buf_append(buf, cstr, strlen(cstr));
}

/* The bytes so far: borrowed until the buffer next changes. */
static inline struct slice buf_view(const struct buf *buf)
{
    return (struct slice){buf->data, buf->len};
}

#endif
