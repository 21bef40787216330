/* value/json_scan.c - JSON text as a stream of events. See json_scan.h. */
#include "value/json_scan.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "value/number.h"
#include "value/plain.h"

/* What may stand next. */
enum expect {
    EXPECT_VALUE,        /* a value */
    EXPECT_ITEM_OR_END,  /* behind "[": a value or "]" */
    EXPECT_KEY_OR_END,   /* behind "{": a key or "}" */
    EXPECT_KEY,          /* behind "," in an object */
    EXPECT_COMMA_OR_END, /* behind a value in an array or object */
    EXPECT_NOTHING       /* behind the outermost value */
};

struct scan {
    const char *at;
    const char *end;
    const char *start;
    const struct json_handler *handler;
    void *data;
    struct err *err;
    char *scratch; /* for strings with escapes */
    size_t scratch_size;
    unsigned depth;
    unsigned max_depth;
    uint64_t is_object[JSON_SCAN_MAX_DEPTH / 64]; /* a bit a level */
};

static bool in_object(const struct scan *s)
{
    return s->is_object[(s->depth - 1) / 64] >> (s->depth - 1) % 64 & 1;
}

/* Fill in line and column of `at`; columns count characters. */
static void set_place(struct scan *s, const char *at)
{
    if (s->err == NULL || s->err->line != 0)
        return;
    s->err->line = 1;
    s->err->column = 1;
    for (const char *p = s->start; p < at; p++) {
        if (*p == '\n') {
            s->err->line++;
            s->err->column = 1;
        } else if (((unsigned char)*p & 0xC0) != 0x80) {
            s->err->column++;
        }
    }
}

static int fail(struct scan *s, const char *at, int code, const char *message)
{
    err_set(s->err, code, "%s", message);
    set_place(s, at);
    return code;
}

/* "expected ..., got ..." at the place where the scan stands. */
static int fail_expected(struct scan *s, const char *expected)
{
    char message[128];
    unsigned char c = s->at < s->end ? (unsigned char)*s->at : 0;
    if (s->at == s->end)
        snprintf(message, sizeof(message), "expected %s, but the text ends", expected);
    else if (c == '\'')
        snprintf(message, sizeof(message), "expected %s, got a single quote", expected);
    else if (c > 0x20 && c < 0x7f)
        snprintf(message, sizeof(message), "expected %s, got '%c'", expected, c);
    else
        snprintf(message, sizeof(message), "expected %s, got byte 0x%02x", expected, c);
    return fail(s, s->at, QLUA_ESYNTAX, message);
}

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (unsigned char)*s->at <= ' ' &&
           (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}

/* Find the closing quote of the string whose inside begins at s->at; checks that the bytes are
 * UTF-8 and have no control characters. Leaves s->at at the quote. */
static int find_quote(struct scan *s, bool *has_escape)
{
    *has_escape = false;
    for (;;) {
        s->at += plain_span(s->at, (size_t)(s->end - s->at));
        if (s->at == s->end)
            return fail(s, s->at, QLUA_ESYNTAX, "the text ends inside a string");
        unsigned char c = (unsigned char)*s->at;
        if (c == '"')
            return 0;
        if (c == '\\') {
            *has_escape = true;
            s->at += s->end - s->at >= 2 ? 2 : 1;
        } else if (c < 0x20) {
            return fail(s, s->at, QLUA_ESYNTAX,
                        "a control character in a string; write it as an escape, as \\n");
        } else {
            uint32_t code;
            size_t n = utf8_decode(slice_of(s->at, (size_t)(s->end - s->at)), &code);
            if (code == UINT32_MAX)
                return fail(s, s->at, QLUA_ESYNTAX, "invalid UTF-8 in a string");
            s->at += n;
        }
    }
}

static void take_scratch(struct scan *s, size_t size)
{
    if (size <= s->scratch_size)
        return;
    size = size < 256 ? 256 : size + size / 2;
    if (s->handler->scratch == NULL)
        s->scratch = mem_realloc(s->scratch, size);
    else
        s->scratch = s->handler->scratch(s->data, size);
    s->scratch_size = size;
}

/* The four hex digits at p, or -1. */
static int32_t hex4(const char *p, const char *end)
{
    int32_t value = 0;
    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        char lower = ascii_lower(c);
        int digit = c >= '0' && c <= '9' ? c - '0' : lower >= 'a' ? lower - 'a' + 10 : -1;
        if (digit < 0 || digit > 15)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* Decode "\uXXXX" at p (and the second half of a surrogate pair) into out; gives the bytes read,
 * 0 when it is not hex. Python keeps a lone surrogate; UTF-8 has none, so it is U+FFFD. */
static size_t unescape_unicode(const char *p, const char *end, struct buf *out)
{
    int32_t unit = hex4(p + 2, end);
    if (unit < 0)
        return 0;
    uint32_t code = (uint32_t)unit;
    size_t n = 6;
    if (code >= 0xD800 && code <= 0xDFFF) {
        int32_t low =
            code < 0xDC00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8, end) : -1;
        if (low >= 0xDC00 && low <= 0xDFFF) {
            code = 0x10000 + ((code - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
            n = 12;
        } else {
            code = UTF8_REPLACEMENT;
        }
    }
    utf8_encode(out, code);
    return n;
}

/* The character of a two-byte escape, or 0. */
static char unescape_letter(char c)
{
    switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
    }
}

/* Decode the escapes of `raw` into the scratch. Never longer than raw: \uXXXX is at most 3 bytes
 * of UTF-8, a pair 4; the spare bytes keep utf8_encode's reserve from growing the buffer. */
static int unescape(struct scan *s, struct slice raw, struct slice *text)
{
    take_scratch(s, raw.len + 4);
    struct buf out = {.data = s->scratch, .len = 0, .cap = s->scratch_size};
    const char *end = raw.data + raw.len;
    for (const char *p = raw.data; p < end;) {
        const char *backslash = memchr(p, '\\', (size_t)(end - p));
        if (backslash == NULL)
            backslash = end;
        buf_append(&out, p, (size_t)(backslash - p));
        p = backslash;
        if (p == end)
            break;
        char letter = unescape_letter(p[1]);
        size_t n = 2;
        if (letter != 0)
            buf_char(&out, letter);
        else if (p[1] != 'u')
            return fail(s, p, QLUA_ESYNTAX, "unknown escape in a string; a backslash is \\\\");
        else if ((n = unescape_unicode(p, end, &out)) == 0)
            return fail(s, p, QLUA_ESYNTAX, "\\u needs four hexadecimal digits");
        p += n;
    }
    assert(out.data == s->scratch);
    *text = buf_view(&out);
    return 0;
}

/* The string at s->at (a quote), decoded; leaves s->at behind it. */
static int scan_string(struct scan *s, struct slice *text)
{
    bool has_escape;
    const char *inside = ++s->at;
    int rc = find_quote(s, &has_escape);
    if (rc != 0)
        return rc;
    *text = slice_of(inside, (size_t)(s->at - inside));
    s->at++;
    return has_escape ? unescape(s, *text, text) : 0;
}

/* What a callback returned: 0, or the end of the scan with the place of its event. */
static int report(struct scan *s, const char *event, int rc)
{
    if (rc < 0)
        set_place(s, event);
    return rc < 0 ? rc : 0;
}

static int scan_number(struct scan *s)
{
    const char *event = s->at;
    struct number number;
    size_t n = number_read(slice_of(s->at, (size_t)(s->end - s->at)), &number);
    if (n == 0)
        return fail(s, event, QLUA_ESYNTAX, "a number with digits missing");
    s->at += n;
    if (n <= 2 && s->at[-1] == '0' && s->at < s->end && *s->at >= '0' && *s->at <= '9')
        return fail(s, event, QLUA_ESYNTAX, "a number must not begin with 0");
    if (number.is_int)
        return report(s, event, s->handler->on_int(s->data, number.whole));
    if (isinf(number.real))
        return fail(s, event, QLUA_ESYNTAX, "a number beyond the range of a double");
    return report(s, event, s->handler->on_number(s->data, number.real));
}

static bool take_word(struct scan *s, const char *word, size_t len)
{
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

static int scan_word(struct scan *s)
{
    const char *event = s->at;
    if (take_word(s, "true", 4))
        return report(s, event, s->handler->on_bool(s->data, true));
    if (take_word(s, "false", 5))
        return report(s, event, s->handler->on_bool(s->data, false));
    if (take_word(s, "null", 4))
        return report(s, event, s->handler->on_null(s->data));
    return fail_expected(s, "a value");
}

static int open_level(struct scan *s, bool is_object)
{
    const char *event = s->at++;
    if (s->depth == s->max_depth) {
        char message[64];
        snprintf(message, sizeof(message), "nested deeper than %u levels", s->max_depth);
        return fail(s, event, QLUA_ELIMIT, message);
    }
    uint64_t bit = (uint64_t)1 << s->depth % 64;
    uint64_t *word = &s->is_object[s->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    s->depth++;
    return report(s, event,
                  is_object ? s->handler->on_object(s->data) : s->handler->on_array(s->data));
}

static int close_level(struct scan *s, enum expect *expect)
{
    const char *event = s->at++;
    bool is_object = in_object(s);
    s->depth--;
    *expect = s->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
    return report(s, event,
                  is_object ? s->handler->on_object_end(s->data)
                            : s->handler->on_array_end(s->data));
}

static int scan_value(struct scan *s, enum expect *expect)
{
    char c = *s->at;
    if (c == '{' || c == '[') {
        *expect = c == '{' ? EXPECT_KEY_OR_END : EXPECT_ITEM_OR_END;
        return open_level(s, c == '{');
    }
    *expect = s->depth == 0 ? EXPECT_NOTHING : EXPECT_COMMA_OR_END;
    if (c == '"') {
        const char *event = s->at;
        struct slice text;
        int rc = scan_string(s, &text);
        return rc != 0 ? rc : report(s, event, s->handler->on_string(s->data, text));
    }
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    return scan_word(s);
}

static int scan_key(struct scan *s, enum expect *expect)
{
    const char *event = s->at;
    if (s->at == s->end || *s->at != '"')
        return fail_expected(s, *expect == EXPECT_KEY ? "a key in double quotes"
                                                      : "a key in double quotes or '}'");
    struct slice name;
    int rc = scan_string(s, &name);
    if (rc == 0)
        rc = report(s, event, s->handler->on_key(s->data, name));
    if (rc != 0)
        return rc;
    skip_space(s);
    if (s->at == s->end || *s->at != ':')
        return fail_expected(s, "':' behind a key");
    s->at++;
    *expect = EXPECT_VALUE;
    return 0;
}

static int scan_comma(struct scan *s, enum expect *expect)
{
    bool is_object = in_object(s);
    char c = s->at < s->end ? *s->at : 0;
    if (c == ',') {
        s->at++;
        *expect = is_object ? EXPECT_KEY : EXPECT_VALUE;
        return 0;
    }
    if (c == (is_object ? '}' : ']'))
        return close_level(s, expect);
    return fail_expected(s, is_object ? "',' or '}'" : "',' or ']'");
}

static int scan_text(struct scan *s)
{
    enum expect expect = EXPECT_VALUE;
    int rc = 0;
    while (rc == 0) {
        skip_space(s);
        char c = s->at < s->end ? *s->at : 0;
        if (expect == EXPECT_COMMA_OR_END) {
            rc = scan_comma(s, &expect);
        } else if (expect == EXPECT_NOTHING) {
            return s->at == s->end ? 0 : fail_expected(s, "the end of the text");
        } else if (expect == EXPECT_KEY || (expect == EXPECT_KEY_OR_END && c != '}')) {
            rc = scan_key(s, &expect);
        } else if (expect == EXPECT_KEY_OR_END || (expect == EXPECT_ITEM_OR_END && c == ']')) {
            rc = close_level(s, &expect);
        } else if (s->at == s->end) {
            rc = fail_expected(s, expect == EXPECT_VALUE ? "a value" : "a value or ']'");
        } else {
            rc = scan_value(s, &expect);
        }
    }
    return rc;
}

int json_scan(struct slice text, const struct json_handler *handler, void *data, unsigned max_depth,
              struct err *err)
{
    assert(max_depth >= 1 && max_depth <= JSON_SCAN_MAX_DEPTH);
    struct scan s = {
        .at = text.data,
        .end = text.data + text.len,
        .start = text.data,
        .handler = handler,
        .data = data,
        .err = err,
        .max_depth = max_depth,
    };
    if (err != NULL)
        err->line = err->column = 0;
    if (slice_starts_with(text, SLICE("\xEF\xBB\xBF")))
        return fail(&s, s.at, QLUA_ESYNTAX, "the text begins with a byte order mark; remove it");
    int rc = scan_text(&s);
    if (handler->scratch == NULL)
        free(s.scratch);
    return rc;
}
