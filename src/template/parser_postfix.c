/* template/parser_postfix.c - lookups, calls, filters and tests behind an operand. See parser.h. */
#include "template/parser_internal.h"

/* ---- lookups ---- */

static struct ast *getitem(struct parser *p, struct ast *object, struct ast *index, int line)
{
    struct ast_getitem *node = PARSER_NODE(p, ast_getitem, AST_GETITEM, line);
    node->object = object;
    node->index = index;
    parser_raise(p, &node->ast, object);
    parser_raise(p, &node->ast, index);
    return &node->ast;
}

/* ".name" or ".1". */
static struct ast *parse_dot(struct parser *p, struct ast *object)
{
    int line = parser_next(p).line;
    struct token token = parser_next(p);
    if (token.type == TOKEN_INTEGER) {
        struct ast_number *index = PARSER_NODE(p, ast_number, AST_NUMBER, token.line);
        index->value = token.number;
        return getitem(p, object, &index->ast, line);
    }
    if (token.type != TOKEN_NAME)
        parser_fail(p, TEMPLATE_SYNTAX, token.line, "expected name or number");
    struct ast_getattr *node = PARSER_NODE(p, ast_getattr, AST_GETATTR, line);
    node->object = object;
    node->name = token.text;
    parser_raise(p, &node->ast, object);
    return &node->ast;
}

/* A part of a slice, NULL when it is left out. */
static struct ast *parse_bound(struct parser *p)
{
    if (parser_at(p, TOKEN_COLON) || parser_at(p, TOKEN_RBRACKET) || parser_at(p, TOKEN_COMMA))
        return NULL;
    return parser_expression(p);
}

static struct ast *parse_subscript_item(struct parser *p)
{
    int line = p->current.line;
    struct ast *start = NULL;
    if (!parser_at(p, TOKEN_COLON)) {
        start = parser_expression(p);
        if (!parser_at(p, TOKEN_COLON))
            return start;
    }
    parser_next(p);
    struct ast_slice *node = PARSER_NODE(p, ast_slice, AST_SLICE, line);
    node->start = start;
    node->stop = parse_bound(p);
    if (parser_skip_if(p, TOKEN_COLON) && !parser_at(p, TOKEN_RBRACKET) &&
        !parser_at(p, TOKEN_COMMA))
        node->step = parser_expression(p);
    parser_raise(p, &node->ast, node->start);
    parser_raise(p, &node->ast, node->stop);
    parser_raise(p, &node->ast, node->step);
    return &node->ast;
}

/* "[index]"; several indexes, or none, are a tuple. */
static struct ast *parse_subscript(struct parser *p, struct ast *object)
{
    int line = parser_next(p).line;
    struct ast_list items = {0};
    while (!parser_at(p, TOKEN_RBRACKET)) {
        if (items.count > 0)
            parser_expect(p, TOKEN_COMMA);
        parser_add(p, &items, parse_subscript_item(p));
    }
    parser_expect(p, TOKEN_RBRACKET);
    if (items.count == 1)
        return getitem(p, object, items.items[0], line);
    for (int i = 0; i < items.count; i++)
        if (items.items[i]->kind == AST_SLICE && p->bad_slice == 0)
            p->bad_slice = line;
    struct ast_items *tuple = PARSER_NODE(p, ast_items, AST_TUPLE, line);
    tuple->items = items;
    parser_raise_list(p, &tuple->ast, &items);
    return getitem(p, object, &tuple->ast, line);
}

/* ---- calls ---- */

static void check_order(struct parser *p, bool right, int line)
{
    if (!right)
        parser_fail(p, TEMPLATE_SYNTAX, line, "invalid syntax for function call expression");
}

static void parse_argument(struct parser *p, struct ast_args *args, int line)
{
    if (parser_at(p, TOKEN_MUL)) {
        check_order(p, args->star == NULL && args->star_star == NULL, line);
        parser_next(p);
        args->star = parser_expression(p);
    } else if (parser_at(p, TOKEN_POW)) {
        check_order(p, args->star_star == NULL, line);
        parser_next(p);
        args->star_star = parser_expression(p);
    } else if (parser_at(p, TOKEN_NAME) && parser_look(p)->type == TOKEN_ASSIGN) {
        check_order(p, args->star_star == NULL, line);
        int count = args->keywords.count;
        parser_add_text(p, &args->names, &count, p->current.text);
        parser_next(p);
        parser_next(p);
        parser_add(p, &args->keywords, parser_expression(p));
    } else {
        check_order(p, args->star == NULL && args->star_star == NULL && args->keywords.count == 0,
                    line);
        parser_add(p, &args->positional, parser_expression(p));
    }
}

static struct ast_args parse_args(struct parser *p)
{
    struct ast_args args = {0};
    int line = parser_expect(p, TOKEN_LPAREN).line;
    bool first = true;
    while (!parser_at(p, TOKEN_RPAREN)) {
        if (!first) {
            parser_expect(p, TOKEN_COMMA);
            if (parser_at(p, TOKEN_RPAREN))
                break;
        }
        parse_argument(p, &args, line);
        first = false;
    }
    parser_expect(p, TOKEN_RPAREN);
    return args;
}

static struct ast *parse_call(struct parser *p, struct ast *callee)
{
    struct ast_call *node = PARSER_NODE(p, ast_call, AST_CALL, p->current.line);
    node->callee = callee;
    node->args = parse_args(p);
    parser_raise(p, &node->ast, callee);
    parser_raise_args(p, &node->ast, &node->args);
    return &node->ast;
}

struct ast *parser_postfix(struct parser *p, struct ast *node)
{
    for (;;) {
        if (parser_at(p, TOKEN_DOT))
            node = parse_dot(p, node);
        else if (parser_at(p, TOKEN_LBRACKET))
            node = parse_subscript(p, node);
        else if (parser_at(p, TOKEN_LPAREN))
            node = parse_call(p, node);
        else
            return node;
    }
}

/* ---- filters and tests ---- */

/* The name of a filter or test, which may have dots in it; white space beside them does not
 * count. */
static struct slice parse_dotted(struct parser *p, int *line)
{
    struct slice *parts = NULL;
    int count = 0;
    struct token token = parser_expect(p, TOKEN_NAME);
    if (line != NULL)
        *line = token.line;
    while (parser_skip_if(p, TOKEN_DOT)) {
        parser_add_text(p, &parts, &count, SLICE("."));
        parser_add_text(p, &parts, &count, parser_expect(p, TOKEN_NAME).text);
    }
    return count == 0 ? token.text : parser_join(p, token.text, parts, count);
}

static struct ast_filter *filter_node(struct parser *p, enum ast_kind kind, struct ast *operand,
                                      struct slice name, int line)
{
    struct ast_filter *node = PARSER_NODE(p, ast_filter, kind, line);
    node->operand = operand;
    node->name = name;
    return node;
}

struct ast *parser_filters(struct parser *p, struct ast *operand, bool inline_first)
{
    while (inline_first || parser_at(p, TOKEN_PIPE)) {
        if (!inline_first)
            parser_next(p);
        int line = 0;
        struct slice name = parse_dotted(p, &line);
        struct ast_filter *node = filter_node(p, AST_FILTER, operand, name, line);
        if (parser_at(p, TOKEN_LPAREN))
            node->args = parse_args(p);
        parser_raise(p, &node->ast, operand);
        parser_raise_args(p, &node->ast, &node->args);
        operand = &node->ast;
        inline_first = false;
    }
    return operand;
}

/* May the current token begin the one argument that a test takes without brackets? */
static bool at_bare_argument(const struct parser *p)
{
    switch (p->current.type) {
    case TOKEN_NAME:
        return !parser_at_name(p, "else") && !parser_at_name(p, "or") && !parser_at_name(p, "and");
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_LBRACKET:
    case TOKEN_LBRACE: return true;
    default: return false;
    }
}

/* "is name", "is not name(args)", "is name argument". */
static struct ast *parse_test(struct parser *p, struct ast *operand)
{
    int line = parser_next(p).line;
    bool negated = parser_skip_name(p, "not");
    struct slice name = parse_dotted(p, NULL);
    struct ast_filter *node = filter_node(p, AST_TEST, operand, name, line);
    if (parser_at(p, TOKEN_LPAREN)) {
        node->args = parse_args(p);
    } else if (at_bare_argument(p)) {
        if (parser_at_name(p, "is"))
            parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                        "You cannot chain multiple tests with is");
        parser_add(p, &node->args.positional, parser_postfix(p, parser_primary(p)));
    }
    parser_raise(p, &node->ast, operand);
    parser_raise_args(p, &node->ast, &node->args);
    if (!negated)
        return &node->ast;
    struct ast_unary *negation = PARSER_NODE(p, ast_unary, AST_NOT, line);
    negation->operand = &node->ast;
    parser_raise(p, &negation->ast, &node->ast);
    return &negation->ast;
}

struct ast *parser_filter_expression(struct parser *p, struct ast *node)
{
    for (;;) {
        if (parser_at(p, TOKEN_PIPE))
            node = parser_filters(p, node, false);
        else if (parser_at_name(p, "is"))
            node = parse_test(p, node);
        else if (parser_at(p, TOKEN_LPAREN))
            node = parse_call(p, node);
        else
            return node;
    }
}
