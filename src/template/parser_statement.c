/* template/parser_statement.c - statements but for those that load templates. See parser.h. */
#include "template/parser_internal.h"

/* ---- if, for ---- */

static struct ast_if *parse_branch(struct parser *p, int line)
{
    static const char *const ends[] = {"elif", "else", "endif", NULL};
    struct ast_if *node = PARSER_NODE(p, ast_if, AST_IF, line);
    node->test = parser_tuple(p, PARSER_NO_COND);
    node->yes = parser_body(p, ends);
    return node;
}

/* An elif is an if in the else part of the one before it; their number counts as height. */
void parser_if(struct parser *p, struct ast_list *body)
{
    struct ast_if *node = parse_branch(p, parser_next(p).line);
    parser_add(p, body, &node->ast);
    while (parser_skip_name(p, "elif")) {
        struct ast_if *branch = parse_branch(p, p->current.line);
        branch->is_elif = true;
        parser_raise(p, &branch->ast, &node->ast);
        parser_add(p, &node->no, &branch->ast);
        node = branch;
    }
    if (parser_skip_name(p, "else"))
        node->no = parser_body(p, (const char *const[]){"endif", NULL});
    parser_next(p);
}

void parser_for(struct parser *p, struct ast_list *body)
{
    static const char *const ends[] = {"endfor", "else", NULL};
    struct ast_for *node = PARSER_NODE(p, ast_for, AST_FOR, parser_next(p).line);
    node->target = parser_target(p);
    parser_expect_name(p, "in");
    node->iterable = parser_tuple(p, PARSER_NO_COND);
    if (parser_skip_name(p, "if"))
        node->test = parser_expression(p);
    node->recursive = parser_skip_name(p, "recursive");
    node->body = parser_body(p, ends);
    struct token end = parser_next(p);
    if (token_is_name(&end, "else"))
        node->otherwise = parser_body_until(p, "endfor");
    parser_add(p, body, &node->ast);
}

/* ---- set, with ---- */

/* "ns.attr", or what else may be assigned to. */
static struct ast *parse_set_target(struct parser *p)
{
    if (parser_look(p)->type != TOKEN_DOT)
        return parser_target(p);
    struct token name = parser_expect(p, TOKEN_NAME);
    parser_next(p);
    struct ast_nsref *node = PARSER_NODE(p, ast_nsref, AST_NSREF, name.line);
    node->name = name.text;
    node->attr = parser_expect(p, TOKEN_NAME).text;
    return &node->ast;
}

void parser_set(struct parser *p, struct ast_list *body)
{
    int line = parser_next(p).line;
    struct ast *target = parse_set_target(p);
    if (parser_skip_if(p, TOKEN_ASSIGN)) {
        struct ast_set *node = PARSER_NODE(p, ast_set, AST_SET, line);
        node->target = target;
        node->value = parser_tuple(p, 0);
        parser_add(p, body, &node->ast);
        return;
    }
    struct ast_set_block *node = PARSER_NODE(p, ast_set_block, AST_SET_BLOCK, line);
    node->target = target;
    node->filter = parser_filters(p, NULL, false);
    node->body = parser_body_until(p, "endset");
    parser_add(p, body, &node->ast);
}

void parser_with(struct parser *p, struct ast_list *body)
{
    struct ast_with *node = PARSER_NODE(p, ast_with, AST_WITH, parser_next(p).line);
    while (!parser_at(p, TOKEN_BLOCK_END)) {
        if (node->targets.count > 0)
            parser_expect(p, TOKEN_COMMA);
        parser_add(p, &node->targets, parser_target(p));
        parser_expect(p, TOKEN_ASSIGN);
        parser_add(p, &node->values, parser_expression(p));
    }
    node->body = parser_body_until(p, "endwith");
    parser_add(p, body, &node->ast);
}

/* ---- macro, call, filter, autoescape ---- */

static void parse_signature(struct parser *p, struct ast_macro *node)
{
    parser_expect(p, TOKEN_LPAREN);
    while (!parser_at(p, TOKEN_RPAREN)) {
        if (node->nparams > 0)
            parser_expect(p, TOKEN_COMMA);
        struct slice name = parser_target_name(p, NULL);
        if (parser_skip_if(p, TOKEN_ASSIGN))
            parser_add(p, &node->defaults, parser_expression(p));
        else if (node->defaults.count > 0)
            parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                        "non-default argument follows default argument");
        parser_add_text(p, &node->params, &node->nparams, name);
    }
    parser_expect(p, TOKEN_RPAREN);
}

void parser_macro(struct parser *p, struct ast_list *body)
{
    struct ast_macro *node = PARSER_NODE(p, ast_macro, AST_MACRO, parser_next(p).line);
    node->name = parser_target_name(p, NULL);
    parse_signature(p, node);
    node->body = parser_body_until(p, "endmacro");
    parser_add(p, body, &node->ast);
}

void parser_call_block(struct parser *p, struct ast_list *body)
{
    int line = parser_next(p).line;
    struct ast_call_block *node = PARSER_NODE(p, ast_call_block, AST_CALL_BLOCK, line);
    node->caller = PARSER_NODE(p, ast_macro, AST_MACRO, line);
    if (parser_at(p, TOKEN_LPAREN))
        parse_signature(p, node->caller);
    node->call = parser_expression(p);
    if (node->call->kind != AST_CALL)
        parser_fail(p, TEMPLATE_SYNTAX, line, "expected call");
    node->caller->body = parser_body_until(p, "endcall");
    parser_add(p, body, &node->ast);
}

void parser_filter_block(struct parser *p, struct ast_list *body)
{
    int line = parser_next(p).line;
    struct ast_filter_block *node = PARSER_NODE(p, ast_filter_block, AST_FILTER_BLOCK, line);
    node->filter = parser_filters(p, NULL, true);
    node->body = parser_body_until(p, "endfilter");
    parser_add(p, body, &node->ast);
}

void parser_autoescape(struct parser *p, struct ast_list *body)
{
    struct ast_autoescape *node =
        PARSER_NODE(p, ast_autoescape, AST_AUTOESCAPE, parser_next(p).line);
    node->value = parser_expression(p);
    node->body = parser_body_until(p, "endautoescape");
    parser_add(p, body, &node->ast);
}

/* ---- print, do, break, continue, debug ---- */

static void add_output(struct parser *p, struct ast_list *body, enum ast_kind kind,
                       struct ast *expression, int line)
{
    struct ast_output *node = PARSER_NODE(p, ast_output, kind, line);
    node->expression = expression;
    parser_add(p, body, &node->ast);
}

void parser_print(struct parser *p, struct ast_list *body)
{
    parser_next(p);
    for (bool first = true; !parser_at(p, TOKEN_BLOCK_END); first = false) {
        if (!first)
            parser_expect(p, TOKEN_COMMA);
        struct ast *expression = parser_expression(p);
        add_output(p, body, AST_OUTPUT, expression, expression->line);
    }
}

void parser_do(struct parser *p, struct ast_list *body)
{
    int line = parser_next(p).line;
    add_output(p, body, AST_DO, parser_tuple(p, 0), line);
}

static void add_plain(struct parser *p, struct ast_list *body, enum ast_kind kind)
{
    parser_add(p, body, parser_node(p, kind, sizeof(struct ast), parser_next(p).line));
}

void parser_break(struct parser *p, struct ast_list *body)
{
    add_plain(p, body, AST_BREAK);
}

void parser_continue(struct parser *p, struct ast_list *body)
{
    add_plain(p, body, AST_CONTINUE);
}

void parser_debug(struct parser *p, struct ast_list *body)
{
    add_plain(p, body, AST_DEBUG);
}
