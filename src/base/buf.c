/* base/buf.c - a growing byte buffer. See buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

#define BUF_MIN 256

void buf_grow(struct buf *buf, size_t more)
{
    if (more > SIZE_MAX / 2 - buf->len)
        mem_array(SIZE_MAX, 2); /* ends the process: no caller asks for half the address space */
    size_t need = buf->len + more;
    size_t cap = buf->cap < BUF_MIN ? BUF_MIN : buf->cap;
    while (cap < need)
        cap *= 2;
    buf->data = mem_realloc(buf->data, cap);
    buf->cap = cap;
}

void buf_clear(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    char *at = buf_reserve(buf, 128);
    int n = vsnprintf(at, 128, format, args);
    if (n >= 128) {
        at = buf_reserve(buf, (size_t)n + 1);
        vsnprintf(at, (size_t)n + 1, format, again);
    }
    if (n > 0)
        buf->len += (size_t)n;
    va_end(again);
    va_end(args);
}

void buf_uint(struct buf *buf, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    buf_append(buf, digits + at, sizeof(digits) - at);
}

void buf_shift(struct buf *buf, size_t n)
{
    assert(n <= buf->len);
    if (n == 0)
        return;
    memmove(buf->data, buf->data + n, buf->len - n);
    buf->len -= n;
}
