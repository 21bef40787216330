/* route/converter.c - what a variable of a rule accepts. See converter.h. */
#include "route/converter.h"

#include <assert.h>

#include "base/arena.h"
#include "base/err.h"
#include "route/number.h"

#define UUID_LENGTH 36
#define MAX_PARAMS  4

/* The names a kind goes by and its parameters, in the order of positional arguments. */
static const struct builtin {
    const char *name;
    enum converter_kind kind;
    const char *params[MAX_PARAMS];
} builtins[] = {
    {"string", CONVERTER_STRING, {"minlength", "maxlength", "length", NULL}},
    {"int", CONVERTER_INT, {"fixed_digits", "min", "max", "signed"}},
    {"float", CONVERTER_FLOAT, {"min", "max", "signed", NULL}},
    {"path", CONVERTER_PATH, {NULL}},
    {"any", CONVERTER_ANY, {NULL}},
    {"uuid", CONVERTER_UUID, {NULL}},
    {"default", CONVERTER_STRING, {"minlength", "maxlength", "length", NULL}},
};

#define NBUILTINS (sizeof(builtins) / sizeof(builtins[0]))

int converter_kind_of(struct slice name)
{
    for (size_t i = 0; i < NBUILTINS; i++)
        if (slice_eq(name, slice_cstr(builtins[i].name)))
            return (int)builtins[i].kind;
    return -1;
}

const char *const converter_names[CONVERTER_NAMES] = {"string", "int", "float",
                                                      "path",   "any", "uuid"};

static const char *name_of_kind(enum converter_kind kind)
{
    for (size_t i = 0; i < NBUILTINS; i++)
        if (builtins[i].kind == kind)
            return builtins[i].name;
    assert(!"a kind without a name");
    return "";
}

static int fault(struct err *err, int column, const char *message)
{
    err->column = column;
    return err_set(err, QLUA_ESYNTAX, "%s", message);
}

/* ---- arguments ------------------------------------------------------------------------- */

static int unknown_argument(enum converter_kind kind, const char *const params[],
                            const struct argument *argument, struct err *err)
{
    char list[128] = "";
    for (size_t i = 0; i < MAX_PARAMS && params[i] != NULL; i++) {
        strncat(list, i == 0 ? "" : ", ", sizeof(list) - strlen(list) - 1);
        strncat(list, params[i], sizeof(list) - strlen(list) - 1);
    }
    struct slice given = argument->name.len > 0 ? argument->name : argument->text;
    err->column = argument->column;
    return err_set(err, QLUA_ESYNTAX, "converter '%s' has no place for the argument '%.*s'; %s%s",
                   name_of_kind(kind), (int)(given.len < 64 ? given.len : 64), given.data,
                   list[0] == '\0' ? "it takes none" : "it takes ", list);
}

/* Sort the arguments by parameter: given[i] is params[i]'s, or NULL when absent or None. */
static int assign(enum converter_kind kind, const char *const params[],
                  const struct arguments *arguments, const struct argument *given[],
                  struct err *err)
{
    for (size_t i = 0; i < arguments->count; i++) {
        const struct argument *argument = &arguments->list[i];
        size_t at = 0;
        if (argument->name.len == 0)
            at = i;
        else
            while (at < MAX_PARAMS && params[at] != NULL &&
                   !slice_eq(argument->name, slice_cstr(params[at])))
                at++;
        if (at >= MAX_PARAMS || params[at] == NULL)
            return unknown_argument(kind, params, argument, err);
        if (given[at] != NULL)
            return fault(err, argument->column, "this argument is given twice");
        given[at] = argument;
    }
    for (size_t i = 0; i < MAX_PARAMS; i++)
        if (given[i] != NULL && given[i]->type == ARGUMENT_NONE)
            given[i] = NULL;
    return 0;
}

/* A whole number of at least `least`; *number stays when the argument is absent. */
static int take_size(const struct argument *argument, int64_t least, size_t *number,
                     struct err *err)
{
    if (argument == NULL)
        return 0;
    if (argument->type != ARGUMENT_INT || argument->integer < least) {
        return fault(err, argument->column,
                     least == 0 ? "expected a whole number here, 0 or more"
                                : "expected a whole number here, 1 or more");
    }
    *number = (size_t)argument->integer;
    return 0;
}

static int take_bool(const struct argument *argument, bool *flag, struct err *err)
{
    if (argument == NULL)
        return 0;
    if (argument->type != ARGUMENT_BOOL)
        return fault(err, argument->column, "expected True or False here");
    *flag = argument->boolean;
    return 0;
}

static int init_string(struct converter *c, const struct argument *const given[], int column,
                       struct err *err)
{
    size_t length = 0;
    int rc = take_size(given[0], 1, &c->min_length, err);
    if (rc == 0)
        rc = take_size(given[1], 1, &c->max_length, err);
    if (rc == 0)
        rc = take_size(given[2], 1, &length, err);
    if (rc == 0 && length != 0)
        c->min_length = c->max_length = length;
    if (rc == 0 && c->min_length > c->max_length)
        rc = fault(err, column, "minlength is above maxlength: this matches nothing");
    return rc;
}

static int init_int(struct converter *c, const struct argument *const given[], int column,
                    struct err *err)
{
    int rc = take_size(given[0], 0, &c->fixed_digits, err);
    if (rc == 0)
        rc = take_bool(given[3], &c->is_signed, err);
    for (size_t i = 1; rc == 0 && i <= 2; i++)
        if (given[i] != NULL && given[i]->type != ARGUMENT_INT)
            rc = fault(err, given[i]->column, "expected a whole number of at most 64 bits here");
    if (rc != 0)
        return rc;
    c->has_min = given[1] != NULL;
    c->has_max = given[2] != NULL;
    c->min.integer = c->has_min ? given[1]->integer : 0;
    c->max.integer = c->has_max ? given[2]->integer : 0;
    if (c->has_min && c->has_max && c->min.integer > c->max.integer)
        return fault(err, column, "min is above max: this matches nothing");
    return 0;
}

static double number_of(const struct argument *argument)
{
    return argument->type == ARGUMENT_INT ? (double)argument->integer : argument->number;
}

static int init_float(struct converter *c, const struct argument *const given[], int column,
                      struct err *err)
{
    int rc = take_bool(given[2], &c->is_signed, err);
    for (size_t i = 0; rc == 0 && i <= 1; i++)
        if (given[i] != NULL && given[i]->type != ARGUMENT_INT && given[i]->type != ARGUMENT_FLOAT)
            rc = fault(err, given[i]->column, "expected a number here");
    if (rc != 0)
        return rc;
    c->has_min = given[0] != NULL;
    c->has_max = given[1] != NULL;
    c->min.number = c->has_min ? number_of(given[0]) : 0;
    c->max.number = c->has_max ? number_of(given[1]) : 0;
    if (c->has_min && c->has_max && c->min.number > c->max.number)
        return fault(err, column, "min is above max: this matches nothing");
    return 0;
}

static int init_any(struct converter *c, struct arena *arena, const struct arguments *arguments,
                    int column, struct err *err)
{
    if (arguments->count == 0)
        return fault(err, column, "any() needs at least one item, as in any(red, \"light blue\")");
    struct slice *items = arena_array(arena, arguments->count, sizeof(*items));
    for (size_t i = 0; i < arguments->count; i++) {
        const struct argument *argument = &arguments->list[i];
        if (argument->name.len > 0)
            return fault(err, argument->column, "any() takes items, not name=value");
        if (argument->text.len == 0 || slice_find(argument->text, '/') < argument->text.len)
            return fault(err, argument->column, "an item of any() is neither empty nor has a '/'");
        items[i] = arena_dup(arena, argument->text);
    }
    c->items = items;
    c->nitems = arguments->count;
    return 0;
}

int converter_init(struct converter *c, enum converter_kind kind, struct arena *arena,
                   const struct arguments *arguments, int column, struct err *err)
{
    static const char *const none[MAX_PARAMS] = {NULL};
    const char *const *params = none;
    const struct argument *given[MAX_PARAMS] = {NULL};

    *c = (struct converter){.kind = kind, .custom = -1, .min_length = 1, .max_length = SIZE_MAX};
    if (kind == CONVERTER_CUSTOM && arguments->count > 0)
        return fault(err, arguments->list[0].column, "a custom converter takes no arguments");
    if (kind == CONVERTER_ANY)
        return init_any(c, arena, arguments, column, err);
    for (size_t i = 0; i < NBUILTINS; i++)
        if (builtins[i].kind == kind)
            params = builtins[i].params;
    int rc = assign(kind, params, arguments, given, err);
    if (rc != 0)
        return rc;
    switch (kind) {
    case CONVERTER_STRING: return init_string(c, given, column, err);
    case CONVERTER_INT: return init_int(c, given, column, err);
    case CONVERTER_FLOAT: return init_float(c, given, column, err);
    default: return 0;
    }
}

/* ---- the form of a text ---------------------------------------------------------------- */

int converter_weight(const struct converter *c)
{
    switch (c->kind) {
    case CONVERTER_INT:
    case CONVERTER_FLOAT: return 50;
    case CONVERTER_PATH: return 200;
    default: return 100;
    }
}

bool converter_same_form(const struct converter *a, const struct converter *b)
{
    if (a->kind != b->kind || a->is_signed != b->is_signed || a->min_length != b->min_length ||
        a->max_length != b->max_length || a->nitems != b->nitems)
        return false;
    for (size_t i = 0; i < a->nitems; i++)
        if (!slice_eq(a->items[i], b->items[i]))
            return false;
    return true;
}

bool converter_same(const struct converter *a, const struct converter *b)
{
    /* min and max share their bits with what they are read as */
    return converter_same_form(a, b) && a->custom == b->custom &&
           a->fixed_digits == b->fixed_digits && a->has_min == b->has_min &&
           a->has_max == b->has_max && a->min.integer == b->min.integer &&
           a->max.integer == b->max.integer;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t skip_digits(struct slice text, size_t at)
{
    while (at < text.len && is_digit(text.data[at]))
        at++;
    return at;
}

/* The place n characters (of UTF-8) behind at, SIZE_MAX when `end` comes before. */
static size_t skip_characters(struct slice text, size_t at, size_t end, size_t n)
{
    for (; n > 0; n--) {
        if (at >= end)
            return SIZE_MAX;
        at++;
        while (at < end && ((unsigned char)text.data[at] & 0xC0) == 0x80)
            at++;
    }
    return at;
}

static bool string_ends(const struct converter *c, struct slice text, size_t at, size_t *lo,
                        size_t *hi)
{
    size_t end = at + slice_find(slice_from(text, at), '/');
    *lo = skip_characters(text, at, end, c->min_length);
    *hi = end;
    if (*lo == SIZE_MAX)
        return false;
    if (c->max_length != SIZE_MAX) {
        size_t most = skip_characters(text, *lo, end, c->max_length - c->min_length);
        *hi = most < end ? most : end;
    }
    return true;
}

static bool uuid_ends(struct slice text, size_t at, size_t *lo, size_t *hi)
{
    if (text.len - at < UUID_LENGTH)
        return false;
    for (size_t i = 0; i < UUID_LENGTH; i++) {
        char c = ascii_lower(text.data[at + i]);
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f')))
            return false;
    }
    *lo = *hi = at + UUID_LENGTH;
    return true;
}

static bool number_ends(const struct converter *c, struct slice text, size_t at, size_t *lo,
                        size_t *hi)
{
    if (c->is_signed && at < text.len && text.data[at] == '-')
        at++;
    size_t end = skip_digits(text, at);
    if (end == at)
        return false;
    if (c->kind == CONVERTER_FLOAT) {
        if (end == text.len || text.data[end] != '.')
            return false;
        at = end + 1;
        end = skip_digits(text, at);
        if (end == at)
            return false;
    }
    *lo = at + 1;
    *hi = end;
    return true;
}

bool converter_ends(const struct converter *c, struct slice text, size_t at, size_t *lo, size_t *hi)
{
    switch (c->kind) {
    case CONVERTER_STRING:
    case CONVERTER_CUSTOM: return string_ends(c, text, at, lo, hi);
    case CONVERTER_INT:
    case CONVERTER_FLOAT: return number_ends(c, text, at, lo, hi);
    case CONVERTER_UUID: return uuid_ends(text, at, lo, hi);
    case CONVERTER_PATH:
        *lo = at + 1;
        *hi = text.len;
        return at < text.len && text.data[at] != '/';
    case CONVERTER_ANY: break;
    }
    assert(!"the ends of any() are not a range");
    return false;
}

bool converter_fits(const struct converter *c, struct slice text)
{
    size_t lo, hi;
    if (c->kind == CONVERTER_ANY) {
        for (size_t i = 0; i < c->nitems; i++)
            if (slice_eq(text, c->items[i]))
                return true;
        return false;
    }
    return converter_ends(c, text, 0, &lo, &hi) && lo <= text.len && text.len <= hi;
}

/* ---- the value of a text --------------------------------------------------------------- */

bool converter_rejects(const struct converter *c)
{
    return c->kind == CONVERTER_INT || c->kind == CONVERTER_FLOAT || c->kind == CONVERTER_CUSTOM;
}

static bool read_int(const struct converter *c, struct slice text, struct route_value *value)
{
    value->type = ROUTE_INT;
    if (c->fixed_digits != 0 && text.len != c->fixed_digits)
        return false;
    if (!number_read_int(text, &value->integer))
        return false;
    return !(c->has_min && value->integer < c->min.integer) &&
           !(c->has_max && value->integer > c->max.integer);
}

static bool read_float(const struct converter *c, struct slice text, struct route_value *value)
{
    value->type = ROUTE_FLOAT;
    if (!number_read_float(text, &value->number))
        return false;
    return !(c->has_min && value->number < c->min.number) &&
           !(c->has_max && value->number > c->max.number);
}

bool converter_read(const struct converter *c, struct slice text, struct route_value *value)
{
    switch (c->kind) {
    case CONVERTER_INT: return read_int(c, text, value);
    case CONVERTER_FLOAT: return read_float(c, text, value);
    case CONVERTER_UUID: value->type = ROUTE_UUID; break;
    case CONVERTER_CUSTOM: value->type = ROUTE_CUSTOM; break;
    default: value->type = ROUTE_STRING; break;
    }
    value->text = text;
    return true;
}
