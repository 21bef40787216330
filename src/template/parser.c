/* template/parser.c - a template's source as a tree: tokens, nodes, bodies, tags. See parser.h. */
#include "template/parser.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "template/parser_internal.h"

/* ---- failing ---- */

noreturn void parser_fail(struct parser *p, enum template_error_kind kind, int line,
                          const char *format, ...)
{
    char message[sizeof(p->error->message)];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    template_fail(p->error, kind, line, "%s", message);
    longjmp(p->failed, 1);
}

struct slice parser_token_text(const struct token *token)
{
    return token->type == TOKEN_NAME ? token->text : slice_cstr(token_describe(token->type));
}

void parser_enter(struct parser *p)
{
    if (++p->depth > PARSER_DEPTH_MAX)
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                    "nested too deeply: more than %d levels of brackets and statements",
                    PARSER_DEPTH_MAX);
}

/* ---- tokens ---- */

static void read_token(struct parser *p, struct token *token)
{
    if (!lexer_next(&p->lexer, token))
        longjmp(p->failed, 1);
}

struct token parser_next(struct parser *p)
{
    struct token old = p->current;
    if (p->has_ahead) {
        p->current = p->ahead;
        p->has_ahead = false;
    } else if (old.type != TOKEN_EOF) {
        read_token(p, &p->current);
        if (p->current.type == TOKEN_EOF)
            p->current.line = old.line; /* that of the last token, as in Jinja */
    }
    return old;
}

const struct token *parser_look(struct parser *p)
{
    if (!p->has_ahead) {
        struct token old = parser_next(p);
        p->ahead = p->current;
        p->current = old;
        p->has_ahead = true;
    }
    return &p->ahead;
}

static noreturn void expected(struct parser *p, const char *what)
{
    struct slice got = parser_token_text(&p->current);
    if (parser_at(p, TOKEN_EOF))
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                    "unexpected end of template, expected '%s'.", what);
    parser_fail(p, TEMPLATE_SYNTAX, p->current.line, "expected token '%s', got '%.*s'", what,
                (int)got.len, got.data);
}

struct token parser_expect(struct parser *p, enum token_type type)
{
    if (p->current.type != type)
        expected(p, token_describe(type));
    return parser_next(p);
}

void parser_expect_name(struct parser *p, const char *name)
{
    if (!parser_at_name(p, name))
        expected(p, name);
    parser_next(p);
}

bool parser_skip_if(struct parser *p, enum token_type type)
{
    if (p->current.type != type)
        return false;
    parser_next(p);
    return true;
}

bool parser_skip_name(struct parser *p, const char *name)
{
    if (!parser_at_name(p, name))
        return false;
    parser_next(p);
    return true;
}

/* ---- nodes ---- */

void *parser_node(struct parser *p, enum ast_kind kind, size_t size, int line)
{
    struct ast *node = arena_zalloc(p->arena, size);
    *node = (struct ast){.kind = kind, .line = line};
    return node;
}

void parser_raise(struct parser *p, struct ast *node, const struct ast *child)
{
    if (child == NULL || node->height > child->height)
        return;
    if (child->height >= PARSER_HEIGHT_MAX)
        parser_fail(p, TEMPLATE_SYNTAX, node->line,
                    "too many operations in one expression or branches in one if: more than %d",
                    PARSER_HEIGHT_MAX);
    node->height = child->height + 1;
}

void parser_raise_list(struct parser *p, struct ast *node, const struct ast_list *children)
{
    for (int i = 0; i < children->count; i++)
        parser_raise(p, node, children->items[i]);
}

void parser_raise_args(struct parser *p, struct ast *node, const struct ast_args *args)
{
    parser_raise_list(p, node, &args->positional);
    parser_raise_list(p, node, &args->keywords);
    parser_raise(p, node, args->star);
    parser_raise(p, node, args->star_star);
}

/* Room for one more item behind `count`: arrays double when their count is a power of two. */
static void *grow(struct parser *p, void *items, int count, size_t size)
{
    size_t used = (size_t)count;
    if (used != 0 && (used < 2 || (used & (used - 1)) != 0))
        return items;
    void *grown = arena_alloc(p->arena, (used == 0 ? 2 : used * 2) * size);
    if (used > 0)
        memcpy(grown, items, used * size);
    return grown;
}

void parser_add(struct parser *p, struct ast_list *list, struct ast *node)
{
    list->items = grow(p, list->items, list->count, sizeof(*list->items));
    list->items[list->count++] = node;
}

void parser_add_text(struct parser *p, struct slice **texts, int *count, struct slice text)
{
    *texts = grow(p, *texts, *count, sizeof(**texts));
    (*texts)[(*count)++] = text;
}

struct slice parser_join(struct parser *p, struct slice first, const struct slice *rest, int count)
{
    size_t len = first.len;
    for (int i = 0; i < count; i++)
        len += rest[i].len;
    char *text = arena_alloc(p->arena, len);
    struct slice joined = {text, 0};
    for (int i = -1; i < count; i++) {
        struct slice part = i < 0 ? first : rest[i];
        if (part.len > 0)
            memcpy(text + joined.len, part.data, part.len);
        joined.len += part.len;
    }
    return joined;
}

static struct ast *text_node(struct parser *p, enum ast_kind kind, struct slice text, int line)
{
    struct ast_text *node = PARSER_NODE(p, ast_text, kind, line);
    node->text = text;
    return &node->ast;
}

struct ast *parser_name_node(struct parser *p, struct slice name, int line)
{
    return text_node(p, AST_NAME, name, line);
}

struct ast *parser_string_node(struct parser *p, struct slice text, int line)
{
    return text_node(p, AST_STRING, text, line);
}

/* ---- unknown tags ---- */

static bool is_end(const struct parser_ends *ends, struct slice name)
{
    for (const char *const *end = ends->names; *end != NULL; end++)
        if (slice_eq(name, slice_cstr(*end)))
            return true;
    return false;
}

static void put_ends(struct buf *out, const struct parser_ends *ends)
{
    for (const char *const *end = ends->names; *end != NULL; end++)
        buf_printf(out, "%s'%s'", end == ends->names ? "" : " or ", *end);
}

/* A tag that nobody knows or, with name NULL, the end of the template within a body. */
static noreturn void fail_tag(struct parser *p, const struct slice *name, int line)
{
    char message[sizeof(p->error->message)];
    struct buf text = {0};
    if (name == NULL)
        buf_cstr(&text, "Unexpected end of template.");
    else
        buf_printf(&text, "Encountered unknown tag '%.*s'.", (int)name->len, name->data);
    bool misplaced = false;
    for (const struct parser_ends *ends = p->ends; ends != NULL && name != NULL; ends = ends->outer)
        misplaced = misplaced || is_end(ends, *name);
    if (p->ends != NULL) {
        buf_cstr(&text, misplaced ? " You probably made a nesting mistake. Jinja is expecting this"
                                    " tag, but currently looking for "
                                  : " Jinja was looking for the following tags: ");
        put_ends(&text, p->ends);
        buf_char(&text, '.');
    }
    if (p->tags != NULL)
        buf_printf(&text, " The innermost block that needs to be closed is '%.*s'.",
                   (int)p->tags->name.len, p->tags->name.data);
    snprintf(message, sizeof(message), "%.*s", (int)text.len, text.data);
    buf_clear(&text);
    parser_fail(p, TEMPLATE_SYNTAX, line, "%s", message);
}

/* ---- statements and bodies ---- */

struct statement {
    const char *name;
    parser_statement_fn *parse;
};

static parser_statement_fn *find_statement(const struct statement *table, struct slice name)
{
    for (; table->name != NULL; table++)
        if (slice_eq(name, slice_cstr(table->name)))
            return table->parse;
    return NULL;
}

static parser_statement_fn *statement_of(const struct template_syntax *syntax, struct slice name)
{
    static const struct statement always[] = {{"if", parser_if},
                                              {"for", parser_for},
                                              {"set", parser_set},
                                              {"block", parser_block},
                                              {"include", parser_include},
                                              {"extends", parser_extends},
                                              {"import", parser_import},
                                              {"from", parser_from},
                                              {"macro", parser_macro},
                                              {"call", parser_call_block},
                                              {"filter", parser_filter_block},
                                              {"with", parser_with},
                                              {"autoescape", parser_autoescape},
                                              {"print", parser_print},
                                              {NULL, NULL}};
    static const struct statement ext_do[] = {{"do", parser_do}, {NULL, NULL}};
    static const struct statement loopcontrols[] = {
        {"break", parser_break}, {"continue", parser_continue}, {NULL, NULL}};
    static const struct statement i18n[] = {{"trans", parser_trans}, {NULL, NULL}};
    static const struct statement debug[] = {{"debug", parser_debug}, {NULL, NULL}};

    parser_statement_fn *found = find_statement(always, name);
    if (found == NULL && syntax->ext_do)
        found = find_statement(ext_do, name);
    if (found == NULL && syntax->ext_loopcontrols)
        found = find_statement(loopcontrols, name);
    if (found == NULL && syntax->ext_i18n)
        found = find_statement(i18n, name);
    if (found == NULL && syntax->ext_debug)
        found = find_statement(debug, name);
    return found;
}

static void parse_statement(struct parser *p, struct ast_list *body)
{
    struct token token = p->current;
    if (token.type != TOKEN_NAME)
        parser_fail(p, TEMPLATE_SYNTAX, token.line, "tag name expected");
    parser_statement_fn *parse = statement_of(p->syntax, token.text);
    if (parse == NULL)
        fail_tag(p, &token.text, token.line);
    struct parser_tag tag = {token.text, p->tags};
    p->tags = &tag;
    parser_enter(p);
    parse(p, body);
    parser_leave(p);
    p->tags = tag.outer;
}

static void parse_output(struct parser *p, struct ast_list *body)
{
    parser_next(p);
    struct ast *expression = parser_tuple(p, 0);
    struct ast_output *output = PARSER_NODE(p, ast_output, AST_OUTPUT, expression->line);
    output->expression = expression;
    parser_add(p, body, &output->ast);
    parser_expect(p, TOKEN_VARIABLE_END);
}

/* Text, output and statements up to a tag of `ends` (NULL: none) or the end of the template. */
static struct ast_list parse_body(struct parser *p, const struct parser_ends *ends)
{
    struct ast_list body = {0};
    while (!parser_at(p, TOKEN_EOF)) {
        struct token token = p->current;
        if (token.type == TOKEN_DATA) {
            if (token.text.len > 0)
                parser_add(p, &body, text_node(p, AST_DATA, token.text, token.line));
            parser_next(p);
        } else if (token.type == TOKEN_VARIABLE_BEGIN) {
            parse_output(p, &body);
        } else {
            parser_next(p);
            if (ends != NULL && parser_at(p, TOKEN_NAME) && is_end(ends, p->current.text))
                break;
            parse_statement(p, &body);
            parser_expect(p, TOKEN_BLOCK_END);
        }
    }
    return body;
}

struct ast_list parser_body(struct parser *p, const char *const *ends)
{
    parser_skip_if(p, TOKEN_COLON); /* as Python would have it */
    parser_expect(p, TOKEN_BLOCK_END);
    struct parser_ends level = {ends, p->ends};
    p->ends = &level;
    struct ast_list body = parse_body(p, &level);
    if (parser_at(p, TOKEN_EOF))
        fail_tag(p, NULL, p->current.line);
    p->ends = level.outer;
    return body;
}

struct ast_list parser_body_until(struct parser *p, const char *end)
{
    struct ast_list body = parser_body(p, (const char *const[]){end, NULL});
    parser_next(p);
    return body;
}

bool template_parse(struct arena *arena, const struct template_syntax *syntax, struct slice source,
                    const char *name, struct ast_template **out, struct template_error *error)
{
    struct parser *p = arena_zalloc(arena, sizeof(*p));
    *error = (struct template_error){0};
    *out = NULL;
    p->arena = arena;
    p->syntax = syntax;
    p->error = error;
    lexer_init(&p->lexer, arena, syntax, source, error);
    if (setjmp(p->failed) != 0) {
        snprintf(error->name, sizeof(error->name), "%s", name == NULL ? "" : name);
        return false;
    }
    p->current = (struct token){.type = TOKEN_DATA, .line = 1}; /* before the first */
    parser_next(p);
    struct ast_template *template = arena_zalloc(arena, sizeof(*template));
    template->body = parse_body(p, NULL);
    if (p->bad_slice > 0)
        parser_fail(p, TEMPLATE_SYNTAX, p->bad_slice, "a slice can not stand beside other indexes");
    *out = template;
    return true;
}
