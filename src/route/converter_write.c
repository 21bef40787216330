/* route/converter_write.c - a value as the text of a URL. See converter.h. */
#include "route/converter.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "route/number.h"
#include "route/quote.h"

/* Room for the text of any value that is not a text already. */
struct scratch {
    char bytes[64];
};

static int refuse(struct err *err, struct slice text, const char *expected)
{
    return err_set(err, -EINVAL, "'%.*s' is not %s", (int)(text.len < 64 ? text.len : 64),
                   text.data, expected);
}

/* Python's str(value), or an empty slice with data NULL when a value has none in a path. */
static struct slice text_of(const struct route_value *value, struct scratch *scratch)
{
    int n;
    switch (value->type) {
    case ROUTE_STRING:
    case ROUTE_UUID:
    case ROUTE_CUSTOM:
        return slice_of(value->text.data == NULL ? "" : value->text.data, value->text.len);
    case ROUTE_BOOL: return slice_cstr(value->boolean ? "True" : "False");
    case ROUTE_INT:
        n = snprintf(scratch->bytes, sizeof(scratch->bytes), "%lld", (long long)value->integer);
        return slice_of(scratch->bytes, (size_t)n);
    case ROUTE_FLOAT:
        return slice_of(scratch->bytes, number_write_float(scratch->bytes, value->number));
    default: return slice_of(NULL, 0);
    }
}

static int write_int(const struct converter *c, const struct route_value *value, struct slice text,
                     struct buf *out, struct err *err)
{
    int64_t number;
    if (value->type == ROUTE_BOOL)
        number = value->boolean;
    else if (value->type == ROUTE_FLOAT && fabs(value->number) < 0x1p63)
        number = (int64_t)value->number; /* Python's int() drops the fraction, too */
    else if (!number_read_int(text, &number))
        return refuse(err, text, "a whole number");
    uint64_t magnitude = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    char digits[24];
    int n = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)magnitude);
    if (number < 0)
        buf_char(out, '-');
    for (size_t width = (size_t)n + (number < 0); width < c->fixed_digits; width++)
        buf_char(out, '0');
    buf_append(out, digits, (size_t)n);
    return 0;
}

static int write_float(const struct route_value *value, struct slice text, struct buf *out,
                       struct err *err)
{
    char digits[NUMBER_FLOAT_SIZE];
    double number;
    int64_t integer;
    if (value->type == ROUTE_FLOAT)
        number = value->number;
    else if (value->type == ROUTE_BOOL)
        number = value->boolean;
    else if (number_read_int(text, &integer))
        number = (double)integer;
    else if (!number_read_float(text, &number))
        return refuse(err, text, "a number");
    buf_append(out, digits, number_write_float(digits, number));
    return 0;
}

static int compare_items(const void *a, const void *b)
{
    return slice_cmp(*(const struct slice *)a, *(const struct slice *)b);
}

/* "'black' is not one of 'green', 'red'": the items sorted. */
static int refuse_item(const struct converter *c, struct slice text, struct err *err)
{
    struct buf list = {0};
    struct buf items = {0};
    for (size_t i = 0; i < c->nitems; i++)
        buf_append(&items, &c->items[i], sizeof(c->items[i]));
    qsort(items.data, c->nitems, sizeof(struct slice), compare_items);
    for (size_t i = 0; i < c->nitems; i++) {
        struct slice item = ((const struct slice *)(void *)items.data)[i];
        buf_cstr(&list, i == 0 ? "one of '" : ", '");
        buf_slice(&list, item);
        buf_char(&list, '\'');
    }
    buf_char(&list, '\0');
    int rc = refuse(err, text, list.data);
    buf_clear(&items);
    buf_clear(&list);
    return rc;
}

static void write_text(struct slice text, bool quoted, struct buf *out)
{
    if (quoted)
        route_quote_path(out, text);
    else
        buf_slice(out, text);
}

/* str(UUID) is lower case; a text given to url_for is written as it is. */
static void write_uuid(const struct route_value *value, struct slice text, bool quoted,
                       struct buf *out)
{
    size_t start = out->len;
    write_text(text, quoted, out);
    for (size_t i = start; value->type == ROUTE_UUID && i < out->len; i++)
        out->data[i] = ascii_lower(out->data[i]);
}

int converter_write(const struct converter *c, const struct route_value *value, bool quoted,
                    struct buf *out, struct err *err)
{
    struct scratch scratch;
    struct slice text = text_of(value, &scratch);
    if (text.data == NULL)
        return err_set(err, -EINVAL, "a table has no place in a path");
    switch (c->kind) {
    case CONVERTER_INT: return write_int(c, value, text, out, err);
    case CONVERTER_FLOAT: return write_float(value, text, out, err);
    case CONVERTER_UUID: write_uuid(value, text, quoted, out); return 0;
    case CONVERTER_ANY:
        if (!converter_fits(c, text))
            return refuse_item(c, text, err);
        break;
    default: break;
    }
    write_text(text, quoted, out);
    return 0;
}
