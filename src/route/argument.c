/* route/argument.c - what stands between a converter's parentheses. See argument.h. */
#include "route/argument.h"

#include "base/arena.h"
#include "base/err.h"
#include "route/number.h"

struct reader {
    struct slice text;
    size_t at;
    int column; /* of the text's first byte */
    struct err *err;
};

static int fail(struct reader *r, size_t at, const char *message)
{
    r->err->column = r->column + (int)at;
    return err_set(r->err, QLUA_ESYNTAX, "%s", message);
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-' || (unsigned char)c >= 0x80;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.len ? r->text.data[r->at] : '\0';
}

static void skip_spaces(struct reader *r)
{
    while (is_ows(peek(r)))
        r->at++;
}

static struct slice read_word(struct reader *r)
{
    size_t start = r->at;
    while (r->at < r->text.len && is_word(r->text.data[r->at]))
        r->at++;
    return slice_of(r->text.data + start, r->at - start);
}

static int read_quoted(struct reader *r, struct argument *argument)
{
    size_t start = r->at++;
    struct slice rest = slice_from(r->text, r->at);
    size_t length = slice_find(rest, r->text.data[start]);
    if (length == rest.len)
        return fail(r, start, "the quote is not closed");
    argument->type = ARGUMENT_TEXT;
    argument->text = slice_of(rest.data, length);
    r->at += length + 1;
    return 0;
}

/* What an unquoted word means. */
static void classify(struct argument *argument)
{
    struct slice word = argument->text;
    argument->type = ARGUMENT_TEXT;
    if (slice_eq(word, SLICE("None"))) {
        argument->type = ARGUMENT_NONE;
    } else if (slice_eq(word, SLICE("True")) || slice_eq(word, SLICE("False"))) {
        argument->type = ARGUMENT_BOOL;
        argument->boolean = word.data[0] == 'T';
    } else if (number_read_int(word, &argument->integer)) {
        argument->type = ARGUMENT_INT;
    } else if (number_read_float(word, &argument->number)) {
        argument->type = ARGUMENT_FLOAT;
    }
}

static bool is_prefix_of_quote(const struct reader *r, struct slice word)
{
    /* Python's u"" and r"" are read as plain quotes. */
    return word.len == 1 && slice_find(SLICE("urUR"), word.data[0]) < 4 &&
           (peek(r) == '"' || peek(r) == '\'');
}

static int read_value(struct reader *r, struct argument *argument)
{
    if (peek(r) == '"' || peek(r) == '\'')
        return read_quoted(r, argument);
    size_t start = r->at;
    argument->text = read_word(r);
    if (is_prefix_of_quote(r, argument->text))
        return read_quoted(r, argument);
    if (argument->text.len == 0)
        return fail(r, start,
                    "an argument is a number, True, False, None, a word or a quoted text");
    classify(argument);
    return 0;
}

static int read_argument(struct reader *r, struct argument *argument)
{
    size_t start = r->at;
    *argument = (struct argument){.column = r->column + (int)start};
    int rc = read_value(r, argument);
    if (rc != 0)
        return rc;
    skip_spaces(r);
    if (peek(r) == '=') {
        argument->name = argument->text;
        r->at++;
        skip_spaces(r);
        rc = read_value(r, argument);
        if (rc != 0)
            return rc;
        skip_spaces(r);
    }
    if (r->at < r->text.len && peek(r) != ',')
        return fail(r, r->at, "expected a comma here; quote a text that is not a plain word");
    return 0;
}

int argument_parse(struct arena *arena, struct slice text, int column, struct arguments *arguments,
                   struct err *err)
{
    struct reader r = {.text = text, .column = column, .err = err};
    size_t commas = 0;
    for (size_t i = 0; i < text.len; i++)
        commas += text.data[i] == ',';
    arguments->list = arena_array(arena, commas + 1, sizeof(*arguments->list));
    arguments->count = 0;
    skip_spaces(&r);
    while (r.at < text.len) {
        int rc = read_argument(&r, &arguments->list[arguments->count++]);
        if (rc != 0)
            return rc;
        r.at++; /* the comma; one may stand behind the last argument, as in Python */
        skip_spaces(&r);
    }
    return 0;
}
