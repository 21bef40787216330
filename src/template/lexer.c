/* template/lexer.c - a template's source as tokens: what stands between the tags. See lexer.h. */
#include "template/lexer.h"

#include "base/arena.h"
#include "template/chars.h"
#include "template/lexer_internal.h"
#include "template/space.h"

const char *token_describe(enum token_type type)
{
    static const char *const words[] = {
        [TOKEN_EOF] = "end of template",
        [TOKEN_DATA] = "template data / text",
        [TOKEN_VARIABLE_BEGIN] = "begin of print statement",
        [TOKEN_VARIABLE_END] = "end of print statement",
        [TOKEN_BLOCK_BEGIN] = "begin of statement block",
        [TOKEN_BLOCK_END] = "end of statement block",
        [TOKEN_NAME] = "name",
        [TOKEN_STRING] = "string",
        [TOKEN_INTEGER] = "integer",
        [TOKEN_FLOAT] = "float",
        [TOKEN_ADD] = "+",
        [TOKEN_SUB] = "-",
        [TOKEN_MUL] = "*",
        [TOKEN_DIV] = "/",
        [TOKEN_FLOORDIV] = "//",
        [TOKEN_MOD] = "%",
        [TOKEN_POW] = "**",
        [TOKEN_TILDE] = "~",
        [TOKEN_LBRACKET] = "[",
        [TOKEN_RBRACKET] = "]",
        [TOKEN_LPAREN] = "(",
        [TOKEN_RPAREN] = ")",
        [TOKEN_LBRACE] = "{",
        [TOKEN_RBRACE] = "}",
        [TOKEN_EQ] = "==",
        [TOKEN_NE] = "!=",
        [TOKEN_GT] = ">",
        [TOKEN_GTEQ] = ">=",
        [TOKEN_LT] = "<",
        [TOKEN_LTEQ] = "<=",
        [TOKEN_ASSIGN] = "=",
        [TOKEN_DOT] = ".",
        [TOKEN_COLON] = ":",
        [TOKEN_PIPE] = "|",
        [TOKEN_COMMA] = ",",
        [TOKEN_SEMICOLON] = ";",
    };
    return words[type];
}

/* ---- the source, newlines ---- */

static int count_newlines(struct slice text)
{
    int count = 0;
    size_t at;
    while ((at = slice_find(text, '\n')) < text.len) {
        count++;
        text = slice_from(text, at + 1);
    }
    return count;
}

void lexer_advance(struct lexer *lexer, size_t to)
{
    lexer->line += count_newlines(slice_of(lexer->source.data + lexer->at, to - lexer->at));
    lexer->at = to;
}

/* A copy with "\n" for "\r\n" and "\r", without the last newline unless it is kept. */
static struct slice normalize(struct arena *arena, struct slice source, bool keep_last)
{
    char *copy = arena_alloc(arena, source.len);
    size_t len = 0;
    while (source.len > 0) {
        size_t plain = slice_find(source, '\r');
        memcpy(copy + len, source.data, plain);
        len += plain;
        if (plain < source.len) {
            copy[len++] = '\n';
            plain += plain + 1 < source.len && source.data[plain + 1] == '\n' ? 2 : 1;
        }
        source = slice_from(source, plain);
    }
    if (!keep_last && len > 0 && copy[len - 1] == '\n')
        len--;
    return slice_of(copy, len);
}

struct slice lexer_newlines(const struct lexer *lexer, struct slice text)
{
    struct slice newline = lexer->syntax->newline_sequence;
    int count;
    if (slice_eq(newline, SLICE("\n")) || (count = count_newlines(text)) == 0)
        return text;
    char *copy = arena_alloc(lexer->arena, text.len + (size_t)count * newline.len);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] != '\n') {
            copy[len++] = text.data[i];
        } else if (newline.len > 0) {
            memcpy(copy + len, newline.data, newline.len);
            len += newline.len;
        }
    }
    return slice_of(copy, len);
}

/* ---- what begins a tag ---- */

/* Longest first; among equals the one added first: Jinja sorts by length, then by its names for
 * them, backwards. */
static void add_rule(struct lexer *lexer, struct slice start, enum lexer_state state)
{
    if (start.len == 0)
        return; /* not in use */
    size_t len = chars_count(start);
    int i = lexer->nrules++;
    for (; i > 0 && lexer->rules[i - 1].len < len; i--)
        lexer->rules[i] = lexer->rules[i - 1];
    lexer->rules[i] = (struct lexer_rule){start, state, len};
}

/* The bytes at which a tag may begin: with line statements and line comments also those of the
 * white space before them. */
static void find_candidates(struct lexer *lexer)
{
    const struct template_syntax *syntax = lexer->syntax;
    for (int i = 0; i < lexer->nrules; i++)
        lexer->candidate[(unsigned char)lexer->rules[i].start.data[0]] = true;
    if (syntax->line_statement_prefix.len > 0 || syntax->line_comment_prefix.len > 0)
        for (const char *c = " \t\v\f\x1c\x1d\x1e\x1f\xc2\xe1\xe2\xe3"; *c != '\0'; c++)
            lexer->candidate[(unsigned char)*c] = true;
    int count = 0;
    for (int c = 0; c < 256; c++) {
        if (lexer->candidate[c]) {
            lexer->only = c;
            count++;
        }
    }
    if (count != 1)
        lexer->only = -1;
}

void lexer_init(struct lexer *lexer, struct arena *arena, const struct template_syntax *syntax,
                struct slice source, struct template_error *error)
{
    *lexer = (struct lexer){
        .arena = arena, .syntax = syntax, .error = error, .line = 1, .line_starting = true};
    lexer->source = normalize(arena, source, syntax->keep_trailing_newline);
    add_rule(lexer, syntax->variable_start, LEXER_VARIABLE);
    add_rule(lexer, syntax->line_statement_prefix, LEXER_LINE_STATEMENT);
    add_rule(lexer, syntax->line_comment_prefix, LEXER_LINE_COMMENT);
    add_rule(lexer, syntax->comment_start, LEXER_COMMENT);
    add_rule(lexer, syntax->block_start, LEXER_BLOCK);
    find_candidates(lexer);
}

/* ---- finding tags ---- */

/* White space at `at` that is no newline, but for a line statement only of its kinds. */
static size_t blank_len(const struct lexer *lexer, size_t at, bool statement)
{
    struct slice rest = lexer_rest(lexer, at);
    size_t len = 0;
    if (statement) {
        while (len < rest.len &&
               (rest.data[len] == ' ' || rest.data[len] == '\t' || rest.data[len] == '\v'))
            len++;
        return len;
    }
    rest.len = slice_find(rest, '\n');
    return space_before(rest);
}

static bool at_line_start(const struct lexer *lexer, size_t at)
{
    return at == 0 || lexer->source.data[at - 1] == '\n';
}

/* The end of blanks and prefix at `at`, 0 when there is no such line here. Line statements begin
 * a line; line comments also follow anything but white space. */
static size_t line_prefix_end(const struct lexer *lexer, size_t at, const struct lexer_rule *rule)
{
    bool statement = rule->state == LEXER_LINE_STATEMENT;
    if (!at_line_start(lexer, at) && (statement || space_is_last(slice_of(lexer->source.data, at))))
        return 0;
    /* Prefixes that begin with a blank themselves: give back blanks until one fits. */
    for (size_t blank = blank_len(lexer, at, statement) + 1; blank-- > 0;)
        if (lexer_has(lexer, at + blank, rule->start))
            return at + blank + rule->start.len;
    return 0;
}

static char sign_at(const struct lexer *lexer, size_t at)
{
    char c = at < lexer->source.len ? lexer->source.data[at] : '\0';
    return c == '-' || c == '+' ? c : '\0';
}

/* "{% raw %}" at `at`, signs included. */
static bool raw_begins(const struct lexer *lexer, size_t at, struct lexer_tag *tag)
{
    const struct template_syntax *syntax = lexer->syntax;
    if (syntax->block_start.len == 0 || !lexer_has(lexer, at, syntax->block_start))
        return false;
    at += syntax->block_start.len;
    char sign = sign_at(lexer, at);
    at += sign != '\0';
    at += space_before(lexer_rest(lexer, at));
    if (!lexer_has(lexer, at, SLICE("raw")))
        return false;
    at += 3;
    for (size_t blank = space_before(lexer_rest(lexer, at)) + 1; blank-- > 0;) {
        size_t len = lexer_end_len(lexer, at + blank, syntax->block_end, false, false);
        if (len > 0) {
            *tag = (struct lexer_tag){LEXER_RAW, sign, at + blank + len};
            return true;
        }
    }
    return false;
}

/* Does a tag begin at `at`? */
static bool tag_begins(const struct lexer *lexer, size_t at, struct lexer_tag *tag)
{
    if (raw_begins(lexer, at, tag))
        return true;
    for (int i = 0; i < lexer->nrules; i++) {
        const struct lexer_rule *rule = &lexer->rules[i];
        size_t end = 0;
        if (rule->state == LEXER_LINE_STATEMENT || rule->state == LEXER_LINE_COMMENT)
            end = line_prefix_end(lexer, at, rule);
        else if (lexer_has(lexer, at, rule->start))
            end = at + rule->start.len;
        if (end > 0) {
            char sign = sign_at(lexer, end);
            *tag = (struct lexer_tag){rule->state, sign, end + (sign != '\0')};
            return true;
        }
    }
    return false;
}

/* The place from `at` on where the next tag begins, or the source's end. */
static size_t find_tag(const struct lexer *lexer, size_t at, struct lexer_tag *tag)
{
    struct slice source = lexer->source;
    while (at < source.len) {
        if (lexer->only >= 0)
            at += slice_find(slice_from(source, at), (char)lexer->only);
        else
            while (at < source.len && !lexer->candidate[(unsigned char)source.data[at]])
                at++;
        if (at >= source.len || tag_begins(lexer, at, tag))
            break;
        at++;
    }
    return at;
}

size_t lexer_end_len(const struct lexer *lexer, size_t at, struct slice end, bool plus, bool trim)
{
    char sign = sign_at(lexer, at);
    if ((sign == '-' || (sign == '+' && plus)) && lexer_has(lexer, at + 1, end)) {
        size_t len = 1 + end.len;
        return sign == '+' ? len : len + space_before(lexer_rest(lexer, at + len));
    }
    if (!lexer_has(lexer, at, end))
        return 0;
    return end.len + (trim && lexer_has(lexer, at + end.len, SLICE("\n")));
}

/* ---- text ---- */

/* text, which stands before a tag, as the sign and the environment's options want it stripped. */
static struct slice strip(const struct lexer *lexer, struct slice text, char sign, bool variable)
{
    if (sign == '-')
        return slice_of(text.data, text.len - space_behind(text));
    if (sign == '+' || variable || !lexer->syntax->lstrip_blocks)
        return text;
    size_t line = text.len;
    while (line > 0 && text.data[line - 1] != '\n')
        line--;
    struct slice last = slice_from(text, line);
    if ((line > 0 || lexer->line_starting) && space_before(last) == last.len)
        text.len = line;
    return text;
}

/* The text from lexer->at to `end`, where a tag begins: true when there is any for a token. */
static bool take_text(struct lexer *lexer, size_t end, char sign, bool variable,
                      struct token *token)
{
    struct slice text = slice_of(lexer->source.data + lexer->at, end - lexer->at);
    struct slice kept = strip(lexer, text, sign, variable);
    *token = (struct token){
        .type = TOKEN_DATA, .line = lexer->line, .text = lexer_newlines(lexer, kept)};
    lexer_advance(lexer, end);
    return kept.len > 0;
}

static void leave(struct lexer *lexer, size_t end, enum lexer_state state)
{
    lexer_advance(lexer, end);
    lexer->line_starting = end > 0 && lexer->source.data[end - 1] == '\n';
    lexer->state = state;
}

/* Enter the pending tag: true when that is a token. */
static bool enter_tag(struct lexer *lexer, struct token *token)
{
    enum lexer_state state = lexer->tag.state;
    *token =
        (struct token){.type = state == LEXER_VARIABLE ? TOKEN_VARIABLE_BEGIN : TOKEN_BLOCK_BEGIN,
                       .line = lexer->line};
    lexer->has_tag = false;
    leave(lexer, lexer->tag.end, state);
    return state == LEXER_VARIABLE || state == LEXER_BLOCK || state == LEXER_LINE_STATEMENT;
}

/* Text up to the next tag or the end: true when there is some. */
static bool root_text(struct lexer *lexer, struct token *token)
{
    size_t end = find_tag(lexer, lexer->at, &lexer->tag);
    if (end == lexer->source.len) {
        *token = (struct token){.type = TOKEN_DATA, .line = lexer->line};
        token->text = lexer_newlines(lexer, lexer_rest(lexer, lexer->at));
        lexer_advance(lexer, end);
        return true;
    }
    lexer->has_tag = true;
    return take_text(lexer, end, lexer->tag.sign, lexer->tag.state == LEXER_VARIABLE, token);
}

/* Text up to "{% endraw %}": 1 when there is some, 0 none, -1 no end of it. */
static int raw_text(struct lexer *lexer, struct token *token)
{
    const struct template_syntax *syntax = lexer->syntax;
    struct slice source = lexer->source;
    for (size_t start = lexer->at; start < source.len; start++) {
        if (!lexer_has(lexer, start, syntax->block_start))
            continue;
        size_t at = start + syntax->block_start.len;
        char sign = sign_at(lexer, at);
        at += sign != '\0';
        at += space_before(lexer_rest(lexer, at));
        if (!lexer_has(lexer, at, SLICE("endraw")))
            continue;
        at += 6;
        for (size_t blank = space_before(lexer_rest(lexer, at)) + 1; blank-- > 0;) {
            size_t len =
                lexer_end_len(lexer, at + blank, syntax->block_end, true, syntax->trim_blocks);
            if (len == 0)
                continue;
            bool some = take_text(lexer, start, sign, false, token);
            leave(lexer, at + blank + len, LEXER_ROOT);
            return some;
        }
    }
    template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line, "Missing end of raw directive");
    return -1;
}

static bool skip_comment(struct lexer *lexer)
{
    const struct template_syntax *syntax = lexer->syntax;
    for (size_t at = lexer->at; at < lexer->source.len; at++) {
        size_t len = lexer_end_len(lexer, at, syntax->comment_end, true, syntax->trim_blocks);
        if (len > 0) {
            leave(lexer, at + len, LEXER_ROOT);
            return true;
        }
    }
    return template_fail(lexer->error, TEMPLATE_SYNTAX, lexer->line, "Missing end of comment tag");
}

/* The newline that ends a line comment is text again. */
static void skip_line_comment(struct lexer *lexer)
{
    size_t from = lexer->at;
    leave(lexer, from + slice_find(lexer_rest(lexer, from), '\n'), LEXER_ROOT);
    lexer->line_starting = false;
}

bool lexer_next(struct lexer *lexer, struct token *token)
{
    for (;;) {
        if (lexer->has_tag) {
            if (enter_tag(lexer, token))
                return true;
            continue;
        }
        if (lexer->state >= LEXER_VARIABLE)
            return lexer_tag_next(lexer, token);
        /* also within a raw block or a comment: Jinja takes the end for theirs when nothing
         * follows what begins them */
        if (lexer->at == lexer->source.len) {
            *token = (struct token){.type = TOKEN_EOF, .line = lexer->line};
            return true;
        }
        int raw = 0;
        switch (lexer->state) {
        case LEXER_ROOT:
            if (root_text(lexer, token))
                return true;
            break;
        case LEXER_RAW: raw = raw_text(lexer, token); break;
        case LEXER_COMMENT: raw = skip_comment(lexer) ? 0 : -1; break;
        default: skip_line_comment(lexer); break;
        }
        if (raw != 0)
            return raw > 0;
    }
}
