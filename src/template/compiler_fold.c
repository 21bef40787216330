/* template/compiler_fold.c - expressions whose value is known before any run.
 *
 * What Jinja's optimizer folds of plain constants, and no more: what cannot be computed here (a
 * division by zero, "a" + 1) is left to the run, which says what is wrong with it.
 */
#include <math.h>

#include "template/compiler_internal.h"
#include "value/number.h"

static const struct folded no_constant = {.kind = FOLD_NOT};

static struct folded boolean(bool value)
{
    return (struct folded){.kind = FOLD_BOOLEAN, .boolean = value};
}

static struct folded number(double value)
{
    /* inf and nan are left to the run: they have no literal form */
    return isfinite(value) ? (struct folded){.kind = FOLD_NUMBER, .number = value} : no_constant;
}

bool fold_truth(const struct folded *value)
{
    switch (value->kind) {
    case FOLD_BOOLEAN: return value->boolean;
    case FOLD_NUMBER: return value->number != 0;
    case FOLD_TEXT: return value->text.len > 0;
    default: return false;
    }
}

struct slice fold_text(struct compiler *c, const struct folded *value)
{
    char text[NUMBER_TEXT_MAX];
    switch (value->kind) {
    case FOLD_BOOLEAN: return value->boolean ? SLICE("True") : SLICE("False");
    case FOLD_NUMBER: return arena_dup(c->arena, slice_of(text, number_write(text, value->number)));
    case FOLD_TEXT: return value->text;
    default: return SLICE("None");
    }
}

static struct folded fold_arith(enum ast_kind kind, double a, double b)
{
    switch (kind) {
    case AST_ADD: return number(a + b);
    case AST_SUB: return number(a - b);
    case AST_MUL: return number(a * b);
    case AST_DIV: return b == 0 ? no_constant : number(a / b);
    default: return no_constant; /* rare: the run does it */
    }
}

static struct folded fold_binary(struct compiler *c, const struct ast_binary *node)
{
    struct folded left = fold(c, node->left);
    if (left.kind == FOLD_NOT)
        return left;
    if (node->ast.kind == AST_AND)
        return fold_truth(&left) ? fold(c, node->right) : left;
    if (node->ast.kind == AST_OR)
        return fold_truth(&left) ? left : fold(c, node->right);
    struct folded right = fold(c, node->right);
    if (left.kind != FOLD_NUMBER || right.kind != FOLD_NUMBER)
        return no_constant;
    return fold_arith(node->ast.kind, left.number, right.number);
}

static struct folded fold_unary(struct compiler *c, const struct ast_unary *node)
{
    struct folded operand = fold(c, node->operand);
    if (operand.kind == FOLD_NOT)
        return operand;
    if (node->ast.kind == AST_NOT)
        return boolean(!fold_truth(&operand));
    if (operand.kind != FOLD_NUMBER)
        return no_constant;
    return number(node->ast.kind == AST_NEG ? -operand.number : operand.number);
}

static struct folded fold_cond(struct compiler *c, const struct ast_cond *node)
{
    struct folded test = fold(c, node->test);
    if (test.kind == FOLD_NOT)
        return test;
    if (fold_truth(&test))
        return fold(c, node->yes);
    return node->no == NULL ? no_constant : fold(c, node->no);
}

/* One comparison of two numbers or two texts for equality. */
static struct folded fold_compare(struct compiler *c, const struct ast_compare *node)
{
    if (node->operands.count != 1)
        return no_constant;
    struct folded a = fold(c, node->first), b = fold(c, node->operands.items[0]);
    enum ast_comparison op = node->ops[0];
    if (a.kind == FOLD_TEXT && b.kind == FOLD_TEXT && (op == AST_EQ || op == AST_NE))
        return boolean(slice_eq(a.text, b.text) == (op == AST_EQ));
    if (a.kind != FOLD_NUMBER || b.kind != FOLD_NUMBER)
        return no_constant;
    switch (op) {
    case AST_EQ: return boolean(a.number == b.number);
    case AST_NE: return boolean(a.number != b.number);
    case AST_LT: return boolean(a.number < b.number);
    case AST_LE: return boolean(a.number <= b.number);
    case AST_GT: return boolean(a.number > b.number);
    case AST_GE: return boolean(a.number >= b.number);
    default: return no_constant;
    }
}

static struct folded fold_concat(struct compiler *c, const struct ast_items *node)
{
    struct array text = {NULL, 0, 0};
    for (int i = 0; i < node->items.count; i++) {
        struct folded part = fold(c, node->items.items[i]);
        if (part.kind == FOLD_NOT)
            return part;
        struct slice s = fold_text(c, &part);
        for (size_t at = 0; at < s.len; at++)
            *(char *)array_add(c->arena, &text, 1) = s.data[at];
    }
    return (struct folded){.kind = FOLD_TEXT, .text = {text.data, (size_t)text.count}};
}

struct folded fold(struct compiler *c, const struct ast *node)
{
    switch (node->kind) {
    case AST_NONE: return (struct folded){.kind = FOLD_NONE};
    case AST_TRUE: return boolean(true);
    case AST_FALSE: return boolean(false);
    case AST_NUMBER: return number(((const struct ast_number *)node)->value);
    case AST_STRING:
        return (struct folded){.kind = FOLD_TEXT, .text = ((const struct ast_text *)node)->text};
    case AST_NOT:
    case AST_NEG:
    case AST_POS: return fold_unary(c, (const struct ast_unary *)node);
    case AST_AND:
    case AST_OR:
    case AST_ADD:
    case AST_SUB:
    case AST_MUL:
    case AST_DIV: return fold_binary(c, (const struct ast_binary *)node);
    case AST_COND: return fold_cond(c, (const struct ast_cond *)node);
    case AST_COMPARE: return fold_compare(c, (const struct ast_compare *)node);
    case AST_CONCAT: return fold_concat(c, (const struct ast_items *)node);
    default: return no_constant;
    }
}
