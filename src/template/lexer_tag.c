/* template/lexer_tag.c - names, literals and operators within a tag. See lexer.h. */
#include "base/arena.h"
#include "base/utf8.h"
#include "template/chars.h"
#include "template/lexer_internal.h"
#include "template/space.h"
#include "template/unicode.h"
#include "value/number.h"

#include <stdio.h>

/* ---- numbers ---- */

static bool is_digit_of(struct slice text, size_t at, int base)
{
    if (at >= text.len)
        return false;
    char c = ascii_lower(text.data[at]);
    int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
    return value < base;
}

/* The value of a decimal digit of any script, or -1: they stand in rows of ten. */
static int digit_value(uint32_t code)
{
    if (code < 0x80)
        return code >= '0' && code <= '9' ? (int)(code - '0') : -1;
    int before = -1;
    for (; unicode_is_decimal(code); code--)
        before++;
    return before < 0 ? -1 : before % 10;
}

/* Bytes of a decimal digit at `at`, and its value; 0 when there is none. */
static size_t digit_at(struct slice text, size_t at, int *value)
{
    if (at >= text.len)
        return 0;
    uint32_t code;
    size_t len = chars_decode(slice_from(text, at), &code);
    *value = digit_value(code);
    return *value < 0 ? 0 : len;
}

/* The end of \d+ with single underscores between, from `at`; `at` when there is none. */
static size_t digits_end(struct slice text, size_t at)
{
    int value;
    size_t len, end = at;
    while ((len = digit_at(text, at, &value)) > 0) {
        end = at + len;
        at = end + (end < text.len && text.data[end] == '_');
    }
    return end;
}

/* The end of a float at the front of text, 0 when there is none: digits, then a fraction, an
 * exponent, or both. */
static size_t float_end(struct slice text)
{
    size_t whole = digits_end(text, 0);
    if (whole == 0)
        return 0;
    size_t end = whole;
    if (end < text.len && text.data[end] == '.') {
        size_t fraction = digits_end(text, end + 1);
        end = fraction > end + 1 ? fraction : end;
    }
    if (end < text.len && ascii_lower(text.data[end]) == 'e') {
        size_t sign =
            end + 1 < text.len && (text.data[end + 1] == '+' || text.data[end + 1] == '-');
        size_t exponent = digits_end(text, end + 1 + sign);
        if (exponent > end + 1 + sign)
            end = exponent;
    }
    return end > whole ? end : 0;
}

/* The end of an integer at the front of text, 0 when there is none; *base is its base. */
static size_t integer_end(struct slice text, int *base)
{
    *base = 10;
    char first = text.data[0];
    if (first >= '1' && first <= '9')
        return digits_end(text, 0);
    if (first != '0')
        return 0;
    char letter = text.len > 1 ? ascii_lower(text.data[1]) : '\0';
    int based = letter == 'b' ? 2 : letter == 'o' ? 8 : letter == 'x' ? 16 : 0;
    size_t end = based == 0 ? 1 : 2;
    int digits = based == 0 ? 1 : based; /* of a plain 0 only zeros follow */
    for (;;) {
        size_t at = end + (end < text.len && text.data[end] == '_');
        if (!is_digit_of(text, at, digits))
            break;
        end = at + 1;
    }
    if (based == 0 || end == 2)
        return based == 0 ? end : 1;
    *base = based;
    return end;
}

static double based_value(struct slice text, int base)
{
    double value = 0;
    for (size_t i = 2; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);
        if (c != '_')
            value = value * base + (c <= '9' ? c - '0' : c - 'a' + 10);
    }
    return value;
}

/* A decimal number, without underscores and leading zeros, as value/number reads it. */
static double decimal_value(struct lexer *lexer, struct slice text)
{
    char *plain = arena_alloc(lexer->arena, text.len + 1);
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        int value = -1;
        size_t digit = digit_at(text, at, &value);
        if (digit > 0) {
            plain[len++] = (char)('0' + value);
            at += digit;
            continue;
        }
        if (text.data[at] != '_')
            plain[len++] = text.data[at];
        at++;
    }
    size_t zeros = 0;
    while (zeros + 1 < len && plain[zeros] == '0' && plain[zeros + 1] >= '0' &&
           plain[zeros + 1] <= '9')
        zeros++;
    struct number number;
    number_read(slice_of(plain + zeros, len - zeros), &number);
    return number.is_int ? (double)number.whole : number.real;
}

/* A number at the front of rest: its length, or 0. After a "." there are only integers, so that
 * a.1.2 is read as two lookups. */
static size_t read_number(struct lexer *lexer, struct slice rest, struct token *token)
{
    int base = 10;
    size_t len = 0;
    char first = rest.data[0];
    if ((unsigned char)first < 0x80 && (first < '0' || first > '9'))
        return 0;
    if (lexer->at == 0 || lexer->source.data[lexer->at - 1] != '.')
        len = float_end(rest);
    token->type = TOKEN_FLOAT;
    if (len == 0) {
        len = integer_end(rest, &base);
        token->type = TOKEN_INTEGER;
    }
    if (len > 0) {
        struct slice text = slice_of(rest.data, len);
        token->number = base == 10 ? decimal_value(lexer, text) : based_value(text, base);
    }
    return len;
}

/* ---- names and strings ---- */

static bool is_ascii_name(char c)
{
    char lower = ascii_lower(c);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* A run of characters that Jinja takes for a name: its length, or 0; *valid tells whether it is
 * an identifier. */
static size_t name_end(struct slice text, bool *valid)
{
    size_t at = 0;
    *valid = true;
    while (at < text.len) {
        char c = text.data[at];
        if (is_ascii_name(c) && (at > 0 || c > '9')) {
            at++;
            continue;
        }
        if ((unsigned char)c < 0x80)
            break;
        uint32_t code;
        size_t len = chars_decode(slice_from(text, at), &code);
        bool part = unicode_is_name(code);
        if (!part && !unicode_is_alnum(code))
            break;
        if (!part || (at == 0 && !unicode_is_name_start(code)))
            *valid = false;
        at += len;
    }
    return at;
}

/* The length of a string literal at the front of text, quotes included; 0 when it has no end. */
static size_t string_end(struct slice text)
{
    for (size_t at = 1; at < text.len; at++) {
        if (text.data[at] == text.data[0])
            return at + 1;
        if (text.data[at] == '\\')
            at++;
    }
    return 0;
}

/* ---- operators ---- */

/* The operator of one character; TOKEN_EOF when it is none. */
static enum token_type operator_of(char c)
{
    switch (c) {
    case '+': return TOKEN_ADD;
    case '-': return TOKEN_SUB;
    case '/': return TOKEN_DIV;
    case '*': return TOKEN_MUL;
    case '%': return TOKEN_MOD;
    case '~': return TOKEN_TILDE;
    case '[': return TOKEN_LBRACKET;
    case ']': return TOKEN_RBRACKET;
    case '(': return TOKEN_LPAREN;
    case ')': return TOKEN_RPAREN;
    case '{': return TOKEN_LBRACE;
    case '}': return TOKEN_RBRACE;
    case '>': return TOKEN_GT;
    case '<': return TOKEN_LT;
    case '=': return TOKEN_ASSIGN;
    case '.': return TOKEN_DOT;
    case ':': return TOKEN_COLON;
    case '|': return TOKEN_PIPE;
    case ',': return TOKEN_COMMA;
    case ';': return TOKEN_SEMICOLON;
    default: return TOKEN_EOF;
    }
}

/* The operator of two characters, which is tried first. */
static enum token_type pair_of(char c, char next)
{
    if (next == '=') {
        switch (c) {
        case '=': return TOKEN_EQ;
        case '!': return TOKEN_NE;
        case '>': return TOKEN_GTEQ;
        case '<': return TOKEN_LTEQ;
        default: return TOKEN_EOF;
        }
    }
    if (c == next && (c == '/' || c == '*'))
        return c == '/' ? TOKEN_FLOORDIV : TOKEN_POW;
    return TOKEN_EOF;
}

/* The operator at the front of text and its length, 0 when there is none. */
static size_t read_operator(struct slice text, enum token_type *type)
{
    *type = text.len > 1 ? pair_of(text.data[0], text.data[1]) : TOKEN_EOF;
    if (*type != TOKEN_EOF)
        return 2;
    *type = operator_of(text.data[0]);
    return *type != TOKEN_EOF;
}

/* Keep the account of brackets: within them the end of a tag is read as operators. */
static bool balance(struct lexer *lexer, char c)
{
    char closing = c == '(' ? ')' : c == '[' ? ']' : c == '{' ? '}' : '\0';
    if (closing != '\0') {
        if (lexer->nbrackets == LEXER_BRACKETS_MAX)
            return template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line,
                                 "nested too deeply: more than %d open brackets",
                                 LEXER_BRACKETS_MAX);
        lexer->brackets[lexer->nbrackets++] = closing;
        return true;
    }
    if (c != ')' && c != ']' && c != '}')
        return true;
    if (lexer->nbrackets == 0)
        return template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line, "unexpected '%c'", c);
    char expected = lexer->brackets[--lexer->nbrackets];
    if (expected != c)
        return template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line,
                             "unexpected '%c', expected '%c'", c, expected);
    return true;
}

/* A character that begins nothing, shown as Python's repr shows it. */
static bool unexpected_char(struct lexer *lexer)
{
    struct slice rest = lexer_rest(lexer, lexer->at);
    size_t place = chars_count(slice_of(lexer->source.data, lexer->at));
    uint32_t code;
    size_t len = utf8_decode(rest, &code);
    char shown[16];
    if (code == '\'')
        snprintf(shown, sizeof(shown), "\"'\"");
    else if (code == '\\')
        snprintf(shown, sizeof(shown), "'\\\\'");
    else if (code != UINT32_MAX && unicode_is_printable(code))
        snprintf(shown, sizeof(shown), "'%.*s'", (int)len, rest.data);
    else if (code == UINT32_MAX)
        snprintf(shown, sizeof(shown), "'\\x%02x'", (unsigned char)rest.data[0]);
    else if (code <= 0xff)
        snprintf(shown, sizeof(shown), "'\\x%02x'", (unsigned)code);
    else if (code <= 0xffff)
        snprintf(shown, sizeof(shown), "'\\u%04x'", (unsigned)code);
    else
        snprintf(shown, sizeof(shown), "'\\U%08x'", (unsigned)code);
    return template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line, "unexpected char %s at %zu",
                         shown, place);
}

/* ---- tokens ---- */

/* The length of what ends the tag here, 0 when it goes on. A line statement ends with its line
 * and takes the empty lines after it along. */
static size_t tag_end_len(const struct lexer *lexer)
{
    const struct template_syntax *syntax = lexer->syntax;
    if (lexer->state == LEXER_VARIABLE)
        return lexer_end_len(lexer, lexer->at, syntax->variable_end, false, false);
    if (lexer->state == LEXER_BLOCK)
        return lexer_end_len(lexer, lexer->at, syntax->block_end, true, syntax->trim_blocks);
    struct slice rest = lexer_rest(lexer, lexer->at);
    size_t len = space_before(rest);
    if (len == rest.len)
        return len;
    while (len > 0 && rest.data[len - 1] != '\n')
        len--;
    return len;
}

static bool tag_ends(struct lexer *lexer, struct token *token)
{
    if (lexer->nbrackets > 0)
        return false;
    size_t len = tag_end_len(lexer);
    bool at_end = lexer->state == LEXER_LINE_STATEMENT && lexer->at == lexer->source.len;
    if (len == 0 && !at_end)
        return false;
    token->type = lexer->state == LEXER_VARIABLE ? TOKEN_VARIABLE_END : TOKEN_BLOCK_END;
    lexer_advance(lexer, lexer->at + len);
    lexer->line_starting = len > 0 && lexer->source.data[lexer->at - 1] == '\n';
    lexer->state = LEXER_ROOT;
    return true;
}

/* A name or a string; 0 when there is neither here, -1 on failure. */
static int read_word(struct lexer *lexer, struct slice rest, struct token *token)
{
    bool valid;
    size_t len = name_end(rest, &valid);
    if (len > 0) {
        token->type = TOKEN_NAME;
        token->text = slice_of(rest.data, len);
        lexer->at += len;
        if (valid)
            return 1;
        template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line,
                      "Invalid character in identifier");
        return -1;
    }
    if (rest.data[0] != '\'' && rest.data[0] != '"')
        return 0;
    len = string_end(rest);
    if (len == 0)
        return 0;
    token->type = TOKEN_STRING;
    if (!lexer_string(lexer, slice_of(rest.data + 1, len - 2), &token->text))
        return -1;
    lexer_advance(lexer, lexer->at + len);
    return 1;
}

bool lexer_tag_next(struct lexer *lexer, struct token *token)
{
    for (;;) {
        *token = (struct token){.type = TOKEN_EOF, .line = lexer->line};
        if (tag_ends(lexer, token) || lexer->at == lexer->source.len)
            return true;
        size_t blank = space_before(lexer_rest(lexer, lexer->at));
        if (blank == 0)
            break;
        lexer_advance(lexer, lexer->at + blank);
    }
    struct slice rest = lexer_rest(lexer, lexer->at);
    size_t len = read_number(lexer, rest, token);
    if (len > 0) {
        lexer->at += len;
        return true;
    }
    int word = read_word(lexer, rest, token);
    if (word != 0)
        return word > 0;
    len = read_operator(rest, &token->type);
    if (len == 0)
        return unexpected_char(lexer);
    lexer->at += len;
    return balance(lexer, rest.data[0]);
}
