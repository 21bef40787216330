/* base/slice.h - borrowed bytes: a pointer and a length.
 *
 * Place in the flow: every room passes bytes as slices. A slice owns nothing; the function
 * that hands one out says from what it borrows and until when. Not NUL-terminated.
 */
#ifndef QLUA_BASE_SLICE_H
#define QLUA_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *data;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *data, size_t len)
{
    return (struct slice){data, len};
}

static inline struct slice slice_cstr(const char *cstr)
{
    return (struct slice){cstr, strlen(cstr)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static inline char ascii_lower(char c)
{
    return (c >= 'A' && c <= 'Z') ? (char)(c | 0x20) : c;
}

/* Equal without regard to ASCII case. */
static inline bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    if (slice_eq(a, b)) /* the usual case, and eight bytes at a time */
        return true;
    for (size_t i = 0; i < a.len; i++)
        if (ascii_lower(a.data[i]) != ascii_lower(b.data[i]))
            return false;
    return true;
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static inline bool slice_ends_with(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0);
}

/* Order by bytes, as memcmp; a prefix comes first. */
static inline int slice_cmp(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n == 0 ? 0 : memcmp(a.data, b.data, n);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The part from byte `from` on; empty beyond the end. */
static inline struct slice slice_from(struct slice s, size_t from)
{
    size_t cut = from < s.len ? from : s.len;
    if (cut > 0) { /* not for an empty slice, whose data may be NULL */
        s.data += cut;
        s.len -= cut;
    }
    return s;
}

static inline bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

/* Without leading and trailing spaces and tabs (RFC 9110 5.6.3, OWS). */
static inline struct slice slice_trim(struct slice s)
{
    while (s.len > 0 && is_ows(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_ows(s.data[s.len - 1]))
        s.len--;
    return s;
}

/* The place of the first byte `c`, or s.len when there is none. */
static inline size_t slice_find(struct slice s, char c)
{
    const char *at = s.len == 0 ? NULL : memchr(s.data, c, s.len);
    return at == NULL ? s.len : (size_t)(at - s.data);
}

/* Cut off and give what stands before the next `c`; *s keeps what follows it (empty when
 * there is none). For walking lists: while (s.len > 0) part = slice_split(&s, ','). */
static inline struct slice slice_split(struct slice *s, char c)
{
    size_t at = slice_find(*s, c);
    struct slice head = {s->data, at};
    *s = slice_from(*s, at + 1);
    return head;
}

#endif
