/* http/range.c - the Range header (RFC 9110 14). See range.h. */
#include "http/range.h"

#include <stdbool.h>

/* Cut a run of digits off *s. False when there is none; too large a number is UINT64_MAX, which
 * lies behind every file's end. */
static bool take_number(struct slice *s, uint64_t *number)
{
    size_t i = 0;
    *number = 0;
    for (; i < s->len && s->data[i] >= '0' && s->data[i] <= '9'; i++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(s->data[i] - '0'), number))
            *number = UINT64_MAX;
    *s = slice_from(*s, i);
    return i > 0;
}

/* "-n": the last n bytes. */
static enum range_result last_bytes(struct slice spec, uint64_t size, uint64_t *first,
                                    uint64_t *last)
{
    uint64_t count;
    spec = slice_from(spec, 1);
    if (!take_number(&spec, &count) || spec.len > 0)
        return RANGE_IGNORED;
    if (count == 0)
        return RANGE_UNSATISFIABLE;
    *first = count < size ? size - count : 0;
    *last = size - 1;
    return RANGE_SATISFIABLE;
}

/* "a-b" or "a-". */
static enum range_result from_to(struct slice spec, uint64_t size, uint64_t *first, uint64_t *last)
{
    uint64_t a, b = UINT64_MAX;
    if (!take_number(&spec, &a) || spec.len == 0 || spec.data[0] != '-')
        return RANGE_IGNORED;
    spec = slice_from(spec, 1);
    if (spec.len > 0 && (!take_number(&spec, &b) || spec.len > 0))
        return RANGE_IGNORED;
    if (b < a) /* RFC 9110 14.1.1: invalid, and an invalid range is ignored */
        return RANGE_IGNORED;
    if (a >= size)
        return RANGE_UNSATISFIABLE;
    *first = a;
    *last = b < size ? b : size - 1;
    return RANGE_SATISFIABLE;
}

/* The only element of a list that may have empty ones (RFC 9110 5.6.1.2); empty when there are
 * several or none. */
static struct slice only_element(struct slice list)
{
    struct slice only = {list.data, 0};
    while (list.len > 0) {
        struct slice element = slice_trim(slice_split(&list, ','));
        if (element.len > 0 && only.len > 0)
            return slice_of(list.data, 0);
        if (element.len > 0)
            only = element;
    }
    return only;
}

enum range_result range_parse(struct slice value, uint64_t size, uint64_t *first, uint64_t *last)
{
    size_t equals = slice_find(value, '=');
    struct slice unit = slice_trim(slice_of(value.data, equals));
    if (size == 0 || equals == value.len || !slice_eq_nocase(unit, SLICE("bytes")))
        return RANGE_IGNORED;
    struct slice spec = only_element(slice_from(value, equals + 1));
    if (spec.len == 0)
        return RANGE_IGNORED;
    return spec.data[0] == '-' ? last_bytes(spec, size, first, last)
                               : from_to(spec, size, first, last);
}
