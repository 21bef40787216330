/* template/parser_expression.c - expressions by precedence, literals, targets. See parser.h.
 *
 * From the loosest to the tightest: if-else, or, and, not, comparisons, + and -, ~, * / // %, **,
 * signs, then what parser_postfix.c reads. A node's line is where Jinja has it: that of the first
 * token, but in a chain for the later ones that of the token behind the last operand.
 */
#include "template/parser_internal.h"

static struct ast *parse_or(struct parser *p);
static struct ast *parse_unary(struct parser *p, bool with_filter);

static struct ast *binary(struct parser *p, enum ast_kind kind, struct ast *left, struct ast *right,
                          int line)
{
    struct ast_binary *node = PARSER_NODE(p, ast_binary, kind, line);
    node->left = left;
    node->right = right;
    parser_raise(p, &node->ast, left);
    parser_raise(p, &node->ast, right);
    return &node->ast;
}

static struct ast *unary(struct parser *p, enum ast_kind kind, struct ast *operand, int line)
{
    struct ast_unary *node = PARSER_NODE(p, ast_unary, kind, line);
    node->operand = operand;
    parser_raise(p, &node->ast, operand);
    return &node->ast;
}

/* ---- literals ---- */

static struct ast *constant(struct parser *p, enum ast_kind kind, int line)
{
    return parser_node(p, kind, sizeof(struct ast), line);
}

static struct ast *parse_name(struct parser *p)
{
    struct token token = parser_next(p);
    if (token_is_name(&token, "true") || token_is_name(&token, "True"))
        return constant(p, AST_TRUE, token.line);
    if (token_is_name(&token, "false") || token_is_name(&token, "False"))
        return constant(p, AST_FALSE, token.line);
    if (token_is_name(&token, "none") || token_is_name(&token, "None"))
        return constant(p, AST_NONE, token.line);
    return parser_name_node(p, token.text, token.line);
}

/* One literal or several side by side, which are joined. */
static struct ast *parse_string(struct parser *p)
{
    struct token token = parser_next(p);
    if (!parser_at(p, TOKEN_STRING))
        return parser_string_node(p, token.text, token.line);
    struct slice *parts = NULL;
    int count = 0;
    while (parser_at(p, TOKEN_STRING))
        parser_add_text(p, &parts, &count, parser_next(p).text);
    return parser_string_node(p, parser_join(p, token.text, parts, count), token.line);
}

static struct ast *parse_number(struct parser *p)
{
    struct token token = parser_next(p);
    struct ast_number *node = PARSER_NODE(p, ast_number, AST_NUMBER, token.line);
    node->value = token.number;
    node->is_float = token.type == TOKEN_FLOAT;
    return &node->ast;
}

static struct ast *parse_list(struct parser *p)
{
    struct token open = parser_next(p);
    struct ast_items *node = PARSER_NODE(p, ast_items, AST_LIST, open.line);
    while (!parser_at(p, TOKEN_RBRACKET)) {
        if (node->items.count > 0)
            parser_expect(p, TOKEN_COMMA);
        if (parser_at(p, TOKEN_RBRACKET))
            break;
        parser_add(p, &node->items, parser_expression(p));
    }
    parser_expect(p, TOKEN_RBRACKET);
    parser_raise_list(p, &node->ast, &node->items);
    return &node->ast;
}

static struct ast *parse_dict(struct parser *p)
{
    struct token open = parser_next(p);
    struct ast_dict *node = PARSER_NODE(p, ast_dict, AST_DICT, open.line);
    while (!parser_at(p, TOKEN_RBRACE)) {
        if (node->keys.count > 0)
            parser_expect(p, TOKEN_COMMA);
        if (parser_at(p, TOKEN_RBRACE))
            break;
        parser_add(p, &node->keys, parser_expression(p));
        parser_expect(p, TOKEN_COLON);
        parser_add(p, &node->values, parser_expression(p));
    }
    parser_expect(p, TOKEN_RBRACE);
    parser_raise_list(p, &node->ast, &node->keys);
    parser_raise_list(p, &node->ast, &node->values);
    return &node->ast;
}

static struct ast *parse_bracketed(struct parser *p)
{
    parser_next(p);
    struct ast *node = parser_tuple(p, PARSER_BRACKETED);
    parser_expect(p, TOKEN_RPAREN);
    return node;
}

struct ast *parser_primary(struct parser *p)
{
    struct slice text = parser_token_text(&p->current);
    switch (p->current.type) {
    case TOKEN_NAME: return parse_name(p);
    case TOKEN_STRING: return parse_string(p);
    case TOKEN_INTEGER:
    case TOKEN_FLOAT: return parse_number(p);
    case TOKEN_LPAREN: return parse_bracketed(p);
    case TOKEN_LBRACKET: return parse_list(p);
    case TOKEN_LBRACE: return parse_dict(p);
    default:
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line, "unexpected '%.*s'", (int)text.len,
                    text.data);
    }
}

/* ---- operators ---- */

static struct ast *parse_sign(struct parser *p, enum ast_kind kind)
{
    parser_enter(p);
    int line = parser_next(p).line;
    struct ast *node = unary(p, kind, parse_unary(p, false), line);
    parser_leave(p);
    return node;
}

static struct ast *parse_unary(struct parser *p, bool with_filter)
{
    struct ast *node;
    if (parser_at(p, TOKEN_SUB))
        node = parse_sign(p, AST_NEG);
    else if (parser_at(p, TOKEN_ADD))
        node = parse_sign(p, AST_POS);
    else
        node = parser_primary(p);
    node = parser_postfix(p, node);
    return with_filter ? parser_filter_expression(p, node) : node;
}

static struct ast *parse_pow(struct parser *p)
{
    int line = p->current.line;
    struct ast *left = parse_unary(p, true);
    while (parser_skip_if(p, TOKEN_POW)) {
        left = binary(p, AST_POW, left, parse_unary(p, true), line);
        line = p->current.line;
    }
    return left;
}

static struct ast *parse_product(struct parser *p)
{
    int line = p->current.line;
    struct ast *left = parse_pow(p);
    for (;;) {
        enum ast_kind kind;
        switch (p->current.type) {
        case TOKEN_MUL: kind = AST_MUL; break;
        case TOKEN_DIV: kind = AST_DIV; break;
        case TOKEN_FLOORDIV: kind = AST_FLOORDIV; break;
        case TOKEN_MOD: kind = AST_MOD; break;
        default: return left;
        }
        parser_next(p);
        left = binary(p, kind, left, parse_pow(p), line);
        line = p->current.line;
    }
}

static struct ast *parse_concat(struct parser *p)
{
    int line = p->current.line;
    struct ast *first = parse_product(p);
    if (!parser_at(p, TOKEN_TILDE))
        return first;
    struct ast_items *node = PARSER_NODE(p, ast_items, AST_CONCAT, line);
    parser_add(p, &node->items, first);
    while (parser_skip_if(p, TOKEN_TILDE))
        parser_add(p, &node->items, parse_product(p));
    parser_raise_list(p, &node->ast, &node->items);
    return &node->ast;
}

static struct ast *parse_sum(struct parser *p)
{
    int line = p->current.line;
    struct ast *left = parse_concat(p);
    while (parser_at(p, TOKEN_ADD) || parser_at(p, TOKEN_SUB)) {
        enum ast_kind kind = parser_at(p, TOKEN_ADD) ? AST_ADD : AST_SUB;
        parser_next(p);
        left = binary(p, kind, left, parse_concat(p), line);
        line = p->current.line;
    }
    return left;
}

/* Take a comparison's operator; false when none is here. */
static bool take_comparison(struct parser *p, enum ast_comparison *op)
{
    switch (p->current.type) {
    case TOKEN_EQ: *op = AST_EQ; break;
    case TOKEN_NE: *op = AST_NE; break;
    case TOKEN_LT: *op = AST_LT; break;
    case TOKEN_LTEQ: *op = AST_LE; break;
    case TOKEN_GT: *op = AST_GT; break;
    case TOKEN_GTEQ: *op = AST_GE; break;
    case TOKEN_NAME:
        if (parser_at_name(p, "not") && token_is_name(parser_look(p), "in")) {
            parser_next(p);
            *op = AST_NOT_IN;
            break;
        }
        if (!parser_at_name(p, "in"))
            return false;
        *op = AST_IN;
        break;
    default: return false;
    }
    parser_next(p);
    return true;
}

static struct ast *parse_compare(struct parser *p)
{
    enum ast_comparison op;
    int line = p->current.line;
    struct ast *first = parse_sum(p);
    if (!take_comparison(p, &op))
        return first;
    struct ast_compare *node = PARSER_NODE(p, ast_compare, AST_COMPARE, line);
    node->first = first;
    int room = 0;
    do {
        int at = node->operands.count;
        if (at == room) {
            enum ast_comparison *ops = node->ops;
            room = room == 0 ? 1 : room * 2;
            node->ops = arena_array(p->arena, (size_t)room, sizeof(*ops));
            if (at > 0)
                memcpy(node->ops, ops, (size_t)at * sizeof(*ops));
        }
        node->ops[at] = op;
        parser_add(p, &node->operands, parse_sum(p));
        node->ast.line = p->current.line;
    } while (take_comparison(p, &op));
    parser_raise(p, &node->ast, first);
    parser_raise_list(p, &node->ast, &node->operands);
    return &node->ast;
}

static struct ast *parse_not(struct parser *p)
{
    if (!parser_at_name(p, "not"))
        return parse_compare(p);
    parser_enter(p);
    int line = parser_next(p).line;
    struct ast *node = unary(p, AST_NOT, parse_not(p), line);
    parser_leave(p);
    return node;
}

static struct ast *parse_and(struct parser *p)
{
    int line = p->current.line;
    struct ast *left = parse_not(p);
    while (parser_skip_name(p, "and")) {
        left = binary(p, AST_AND, left, parse_not(p), line);
        line = p->current.line;
    }
    return left;
}

static struct ast *parse_or(struct parser *p)
{
    int line = p->current.line;
    struct ast *left = parse_and(p);
    while (parser_skip_name(p, "or")) {
        left = binary(p, AST_OR, left, parse_and(p), line);
        line = p->current.line;
    }
    return left;
}

struct ast *parser_expression(struct parser *p)
{
    int line = p->current.line;
    parser_enter(p);
    struct ast *node = parse_or(p);
    while (parser_skip_name(p, "if")) {
        struct ast_cond *cond = PARSER_NODE(p, ast_cond, AST_COND, line);
        cond->yes = node;
        cond->test = parse_or(p);
        if (parser_skip_name(p, "else"))
            cond->no = parser_expression(p);
        parser_raise(p, &cond->ast, cond->yes);
        parser_raise(p, &cond->ast, cond->test);
        parser_raise(p, &cond->ast, cond->no);
        node = &cond->ast;
        line = p->current.line;
    }
    parser_leave(p);
    return node;
}

/* ---- tuples ---- */

/* No name ends one, not even the "in" of a for: "for x, in l" fails in Jinja too. */
static bool is_tuple_end(const struct parser *p)
{
    enum token_type type = p->current.type;
    return type == TOKEN_VARIABLE_END || type == TOKEN_BLOCK_END || type == TOKEN_RPAREN;
}

static struct ast *parse_item(struct parser *p, int flags)
{
    if (flags & PARSER_SIMPLE)
        return parser_primary(p);
    return flags & PARSER_NO_COND ? parse_or(p) : parser_expression(p);
}

struct ast *parser_tuple(struct parser *p, int flags)
{
    int line = p->current.line;
    struct ast_list items = {0};
    bool is_tuple = false;
    for (;;) {
        if (items.count > 0)
            parser_expect(p, TOKEN_COMMA);
        if (is_tuple_end(p))
            break;
        parser_add(p, &items, parse_item(p, flags));
        if (!parser_at(p, TOKEN_COMMA))
            break;
        is_tuple = true;
        line = p->current.line;
    }
    if (!is_tuple && items.count > 0)
        return items.items[0];
    if (!is_tuple && !(flags & PARSER_BRACKETED)) {
        struct slice got = parser_token_text(&p->current);
        parser_fail(p, TEMPLATE_SYNTAX, p->current.line, "Expected an expression, got '%.*s'",
                    (int)got.len, got.data);
    }
    struct ast_items *node = PARSER_NODE(p, ast_items, AST_TUPLE, line);
    node->items = items;
    parser_raise_list(p, &node->ast, &items);
    return &node->ast;
}

/* ---- targets ---- */

static bool is_reserved(struct slice name)
{
    static const char *const names[] = {"true", "false", "none", "True", "False", "None"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (slice_eq(name, slice_cstr(names[i])))
            return true;
    return false;
}

static bool can_assign(const struct ast *node)
{
    if (node->kind != AST_TUPLE)
        return node->kind == AST_NAME;
    const struct ast_list *items = &((const struct ast_items *)node)->items;
    for (int i = 0; i < items->count; i++)
        if (!can_assign(items->items[i]))
            return false;
    return true;
}

/* Jinja's name of a kind of node. */
static const char *kind_name(enum ast_kind kind)
{
    static const char *const names[] = {
        [AST_NONE] = "const",      [AST_TRUE] = "const",        [AST_FALSE] = "const",
        [AST_NUMBER] = "const",    [AST_STRING] = "const",      [AST_NAME] = "name",
        [AST_LIST] = "list",       [AST_TUPLE] = "tuple",       [AST_DICT] = "dict",
        [AST_CONCAT] = "concat",   [AST_NOT] = "not",           [AST_NEG] = "neg",
        [AST_POS] = "pos",         [AST_AND] = "and",           [AST_OR] = "or",
        [AST_ADD] = "add",         [AST_SUB] = "sub",           [AST_MUL] = "mul",
        [AST_DIV] = "div",         [AST_FLOORDIV] = "floordiv", [AST_MOD] = "mod",
        [AST_POW] = "pow",         [AST_COMPARE] = "compare",   [AST_COND] = "condexpr",
        [AST_GETATTR] = "getattr", [AST_GETITEM] = "getitem",   [AST_CALL] = "call",
        [AST_FILTER] = "filter",   [AST_TEST] = "test",
    };
    return names[kind];
}

struct ast *parser_target(struct parser *p)
{
    struct ast *target = parser_tuple(p, PARSER_SIMPLE);
    if (!can_assign(target))
        parser_fail(p, TEMPLATE_SYNTAX, target->line, "can't assign to '%s'",
                    kind_name(target->kind));
    return target;
}

struct slice parser_target_name(struct parser *p, int *line)
{
    struct token token = parser_expect(p, TOKEN_NAME);
    if (is_reserved(token.text))
        parser_fail(p, TEMPLATE_SYNTAX, token.line, "can't assign to 'name'");
    if (line != NULL)
        *line = token.line;
    return token.text;
}
