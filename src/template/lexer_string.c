/* template/lexer_string.c - the value of a string literal. See lexer_internal.h.
 *
 * Jinja has Python do it: first all beyond ASCII becomes an escape (\xe9, \u20ac, \U0001f40d), then
 * all escapes are decoded. A backslash before such a character thus takes the escape's own away;
 * what remains is its letters. The names of \N{...} are those of unicode_name.h.
 */
#include "base/arena.h"
#include "base/utf8.h"
#include "template/lexer_internal.h"
#include "template/unicode_name.h"

#include <stdio.h>

struct decoder {
    struct lexer *lexer;
    struct slice text;
    size_t at;
    char *out; /* room for twice the text */
    size_t len;
};

static bool fail(struct decoder *d, const char *message)
{
    return template_fail(d->lexer->error, TEMPLATE_SYNTAX, d->lexer->line, "%s", message);
}

static void put(struct decoder *d, const char *bytes, size_t len)
{
    memcpy(d->out + d->len, bytes, len);
    d->len += len;
}

/* A lone surrogate, which UTF-8 cannot say, is U+FFFD. */
static void put_code(struct decoder *d, uint32_t code)
{
    if (code >= 0xD800 && code <= 0xDFFF)
        code = UTF8_REPLACEMENT;
    struct buf encoded = {.data = d->out + d->len, .cap = 4};
    utf8_encode(&encoded, code);
    d->len += encoded.len;
}

static int hex_value(char c)
{
    c = ascii_lower(c);
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_escape(struct decoder *d, size_t digits, const char *truncated)
{
    uint32_t code = 0;
    for (size_t i = 0; i < digits; i++, d->at++) {
        int value = d->at < d->text.len ? hex_value(d->text.data[d->at]) : -1;
        if (value < 0)
            return fail(d, truncated);
        code = code << 4 | (uint32_t)value;
    }
    if (code > 0x10FFFF)
        return fail(d, "illegal Unicode character");
    put_code(d, code);
    return true;
}

static void octal_escape(struct decoder *d)
{
    uint32_t code = 0;
    for (int i = 0; i < 3 && d->at < d->text.len; i++, d->at++) {
        char c = d->text.data[d->at];
        if (c < '0' || c > '7')
            break;
        code = code * 8 + (uint32_t)(c - '0');
    }
    put_code(d, code);
}

/* The letters of the escape that stands for a character beyond ASCII. */
static void bare_escape(struct decoder *d)
{
    uint32_t code;
    char letters[16];
    d->at += utf8_decode(slice_from(d->text, d->at), &code);
    if (code == UINT32_MAX)
        code = UTF8_REPLACEMENT;
    const char *format = code <= 0xff ? "\\x%02x" : code <= 0xffff ? "\\u%04x" : "\\U%08x";
    int len = snprintf(letters, sizeof(letters), format, (unsigned)code);
    put(d, letters, (size_t)len);
}

static bool name_escape(struct decoder *d)
{
    struct slice rest = slice_from(d->text, d->at);
    size_t close = slice_find(rest, '}');
    if (rest.len == 0 || rest.data[0] != '{' || close == rest.len || close == 1)
        return fail(d, "malformed \\N character escape");
    uint32_t code = unicode_named(slice_of(rest.data + 1, close - 1));
    if (code == UINT32_MAX)
        return fail(d, "unknown Unicode character name");
    d->at += close + 1;
    put_code(d, code);
    return true;
}

/* What follows a backslash, which d->at has passed. */
static bool escape(struct decoder *d)
{
    static const char letters[] = "\\\\''\"\"a\ab\bf\fn\nr\rt\tv\v";
    char c = d->text.data[d->at];
    if ((unsigned char)c >= 0x80) {
        bare_escape(d);
        return true;
    }
    if (c >= '0' && c <= '7') {
        octal_escape(d);
        return true;
    }
    d->at++;
    switch (c) {
    case '\n': return true; /* the line goes on */
    case 'x': return hex_escape(d, 2, "truncated \\xXX escape");
    case 'u': return hex_escape(d, 4, "truncated \\uXXXX escape");
    case 'U': return hex_escape(d, 8, "truncated \\UXXXXXXXX escape");
    case 'N': return name_escape(d);
    default: break;
    }
    for (const char *pair = letters; *pair != '\0'; pair += 2) {
        if (*pair == c) {
            put(d, pair + 1, 1);
            return true;
        }
    }
    put(d, (char[]){'\\', c}, 2);
    return true;
}

bool lexer_string(struct lexer *lexer, struct slice raw, struct slice *value)
{
    raw = lexer_newlines(lexer, raw);
    size_t plain = slice_find(raw, '\\');
    *value = raw;
    if (plain == raw.len)
        return true;
    struct decoder d = {.lexer = lexer, .text = raw};
    d.out = arena_alloc(lexer->arena, raw.len * 2 + 4);
    while (d.at < raw.len) {
        plain = slice_find(slice_from(raw, d.at), '\\');
        put(&d, raw.data + d.at, plain);
        d.at += plain;
        if (d.at == raw.len)
            break;
        d.at++;
        if (!escape(&d))
            return false;
    }
    *value = slice_of(d.out, d.len);
    return true;
}
