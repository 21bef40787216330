/* template/parser_load.c - statements that have to do with other templates: block, extends,
 * include, import, from. See parser.h. */
#include "template/parser_internal.h"
#include "template/space.h"

static bool is_blank(const struct ast_list *body)
{
    for (int i = 0; i < body->count; i++) {
        if (body->items[i]->kind != AST_DATA)
            return false;
        struct slice text = ((struct ast_text *)body->items[i])->text;
        if (space_before(text) != text.len)
            return false;
    }
    return true;
}

void parser_block(struct parser *p, struct ast_list *body)
{
    struct ast_block *node = PARSER_NODE(p, ast_block, AST_BLOCK, parser_next(p).line);
    node->name = parser_expect(p, TOKEN_NAME).text;
    node->scoped = parser_skip_name(p, "scoped");
    node->required = parser_skip_name(p, "required");
    if (parser_at(p, TOKEN_SUB))
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                    "Block names in Jinja have to be valid Python identifiers and may not contain"
                    " hyphens, use an underscore instead.");
    node->body = parser_body_until(p, "endblock");
    if (node->required && !is_blank(&node->body))
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                    "Required blocks can only contain comments or whitespace");
    if (parser_at(p, TOKEN_NAME) && slice_eq(p->current.text, node->name))
        parser_next(p);
    parser_add(p, body, &node->ast);
}

void parser_extends(struct parser *p, struct ast_list *body)
{
    struct ast_extends *node = PARSER_NODE(p, ast_extends, AST_EXTENDS, parser_next(p).line);
    node->template = parser_expression(p);
    parser_add(p, body, &node->ast);
}

/* Is "with context" or "without context" here? Jinja's from takes a string for the first word. */
static bool take_context(struct parser *p, bool string_too, bool *with)
{
    bool word = parser_at(p, TOKEN_NAME) || (string_too && parser_at(p, TOKEN_STRING));
    bool is_with = word && slice_eq(p->current.text, SLICE("with"));
    if (!is_with && !(word && slice_eq(p->current.text, SLICE("without"))))
        return false;
    if (!token_is_name(parser_look(p), "context"))
        return false;
    *with = is_with;
    parser_next(p);
    parser_next(p);
    return true;
}

void parser_include(struct parser *p, struct ast_list *body)
{
    struct ast_include *node = PARSER_NODE(p, ast_include, AST_INCLUDE, parser_next(p).line);
    node->with_context = true;
    node->template = parser_expression(p);
    if (parser_at_name(p, "ignore") && token_is_name(parser_look(p), "missing")) {
        node->ignore_missing = true;
        parser_next(p);
        parser_next(p);
    }
    take_context(p, false, &node->with_context);
    parser_add(p, body, &node->ast);
}

void parser_import(struct parser *p, struct ast_list *body)
{
    struct ast_import *node = PARSER_NODE(p, ast_import, AST_IMPORT, parser_next(p).line);
    node->template = parser_expression(p);
    parser_expect_name(p, "as");
    node->target = parser_target_name(p, NULL);
    take_context(p, false, &node->with_context);
    parser_add(p, body, &node->ast);
}

/* "name" or "name as alias". */
static void parse_imported(struct parser *p, struct ast_from_import *node)
{
    int line, aliases = node->count;
    struct slice alias = {"", 0};
    struct slice name = parser_target_name(p, &line);
    if (name.data[0] == '_')
        parser_fail(p, TEMPLATE_ASSERTION, line,
                    "names starting with an underline can not be imported");
    if (parser_skip_name(p, "as"))
        alias = parser_target_name(p, NULL);
    parser_add_text(p, &node->aliases, &aliases, alias);
    parser_add_text(p, &node->names, &node->count, name);
}

void parser_from(struct parser *p, struct ast_list *body)
{
    struct ast_from_import *node =
        PARSER_NODE(p, ast_from_import, AST_FROM_IMPORT, parser_next(p).line);
    node->template = parser_expression(p);
    parser_expect_name(p, "import");
    for (;;) {
        if (node->count > 0)
            parser_expect(p, TOKEN_COMMA);
        if (!parser_at(p, TOKEN_NAME))
            parser_expect(p, TOKEN_NAME);
        if (take_context(p, false, &node->with_context))
            break;
        parse_imported(p, node);
        if (take_context(p, true, &node->with_context) || !parser_at(p, TOKEN_COMMA))
            break;
    }
    parser_add(p, body, &node->ast);
}
