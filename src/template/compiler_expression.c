/* template/compiler_expression.c - expressions: each leaves one value on the stack. */
#include <stdio.h>

#include "template/compiler_internal.h"

static void compile_list(struct compiler *c, const struct frame_names *frame, struct ast_list list)
{
    for (int i = 0; i < list.count; i++)
        compile_expression(c, frame, list.items[i]);
}

void compile_constant(struct compiler *c, const struct folded *value)
{
    if (value->kind == FOLD_NUMBER)
        emit(c, OP_CONST, 0, 0, const_number(c, value->number), 1);
    else if (value->kind == FOLD_TEXT)
        emit(c, OP_CONST, 0, 0, const_text(c, value->text), 1);
    else if (value->kind == FOLD_BOOLEAN)
        emit(c, value->boolean ? OP_TRUE : OP_FALSE, 0, 0, 0, 1);
    else
        emit(c, OP_NONE, 0, 0, 0, 1);
}

static void compile_name(struct compiler *c, const struct frame_names *frame, struct slice name)
{
    struct variable *variable = variable_of(c, frame, name);
    if (variable != NULL) {
        emit_variable(c, variable);
        return;
    }
    /* a name that Jinja's analysis does not see either: that of a set block's filter */
    int slot = unit_slot(c, const_text(c, name));
    emit(c, OP_NAME, 0, slot, const_text(c, name), 1);
}

/* The slot that an expression is, when it is a name in one; else -1. *flags: SLOT_LAZY or 0. */
static int slot_of(struct compiler *c, const struct frame_names *frame, const struct ast *node,
                   int *flags)
{
    if (node->kind != AST_NAME)
        return -1;
    struct variable *variable = variable_of(c, frame, ((const struct ast_text *)node)->text);
    if (variable == NULL || variable->is_cell || variable->unit != c->unit)
        return -1;
    variable->is_used = true;
    *flags = variable->load == SCOPE_RESOLVE && !variable->is_stored ? SLOT_LAZY : 0;
    return variable->index;
}

int loop_of_name(struct compiler *c, const struct frame_names *frame, const struct ast *node)
{
    if (node->kind != AST_NAME || !slice_eq(((const struct ast_text *)node)->text, SLICE("loop")))
        return 0;
    const struct variable *variable = variable_of(c, frame, SLICE("loop"));
    return variable == NULL || variable->unit != c->unit ? 0 : variable->loop;
}

static void compile_attr(struct compiler *c, const struct frame_names *frame,
                         const struct ast_getattr *node)
{
    int flags = 0;
    int name = const_text(c, node->name);
    int loop = loop_of_name(c, frame, node->object);
    enum program_loop_attr attr = program_loop_attr(node->name);
    if (loop != 0 && attr < LOOP_CYCLE) {
        emit(c, OP_LOOP_ATTR, (int)attr, loop - 1, 0, 1);
        return;
    }
    int slot = slot_of(c, frame, node->object, &flags);
    if (slot >= 0) {
        emit(c, OP_SLOT_ATTR, flags, slot, name, 1);
        return;
    }
    compile_expression(c, frame, node->object);
    emit(c, OP_ATTR, 0, 0, name, 0);
}

static void compile_or_none(struct compiler *c, const struct frame_names *frame,
                            const struct ast *node)
{
    if (node == NULL)
        emit(c, OP_NONE, 0, 0, 0, 1);
    else
        compile_expression(c, frame, node);
}

static void compile_item(struct compiler *c, const struct frame_names *frame,
                         const struct ast_getitem *node)
{
    compile_expression(c, frame, node->object);
    if (node->index->kind != AST_SLICE) {
        compile_expression(c, frame, node->index);
        emit(c, OP_ITEM, 0, 0, 0, -1);
        return;
    }
    const struct ast_slice *slice = (const struct ast_slice *)node->index;
    compile_or_none(c, frame, slice->start);
    compile_or_none(c, frame, slice->stop);
    compile_or_none(c, frame, slice->step);
    emit(c, OP_SLICE, 0, 0, 0, -3);
}

/* The order of value_operator is that of these kinds. */
static void compile_arith(struct compiler *c, const struct frame_names *frame,
                          const struct ast_binary *node)
{
    compile_expression(c, frame, node->left);
    compile_expression(c, frame, node->right);
    emit(c, OP_ARITH, (int)node->ast.kind - (int)AST_ADD, 0, 0, -1);
}

static void compile_logic(struct compiler *c, const struct frame_names *frame,
                          const struct ast_binary *node)
{
    compile_expression(c, frame, node->left);
    emit(c, OP_DUP, 0, 0, 0, 1);
    int jump = emit(c, node->ast.kind == AST_AND ? OP_AND : OP_OR, 0, 0, 0, -2);
    compile_expression(c, frame, node->right);
    emit_land(c, jump);
}

/* a < b < c: b is kept for the second comparison, which only happens when the first holds. */
static void compile_compare(struct compiler *c, const struct frame_names *frame,
                            const struct ast_compare *node)
{
    int last = node->operands.count - 1;
    int *jumps = arena_array(c->arena, (size_t)last + 1, sizeof(int));
    compile_expression(c, frame, node->first);
    for (int i = 0; i < last; i++) {
        compile_expression(c, frame, node->operands.items[i]);
        emit(c, OP_ROTATE, 0, 0, 0, 1);
        emit(c, OP_COMPARE, (int)node->ops[i], 0, 0, -1);
        jumps[i] = emit(c, OP_CHAIN, 0, 0, 0, -1);
    }
    compile_expression(c, frame, node->operands.items[last]);
    emit(c, OP_COMPARE, (int)node->ops[last], 0, 0, -1);
    for (int i = 0; i < last; i++)
        emit_land(c, jumps[i]);
}

void compile_no_else(struct compiler *c, const struct ast *node)
{
    char text[400];
    struct slice name = c->options->name;
    if (name.len > 200)
        name.len = 200;
    int n = snprintf(text, sizeof(text),
                     "the inline if-expression on line %d%s%.*s%s evaluated to"
                     " false and no else section was defined.",
                     node->line, name.len > 0 ? " in '" : "", (int)name.len, name.data,
                     name.len > 0 ? "'" : "");
    struct slice message = arena_dup(c->arena, slice_of(text, (size_t)n));
    emit(c, OP_NO_ELSE, 0, 0, add_text(c, message), 1);
}

static void compile_cond(struct compiler *c, const struct frame_names *frame,
                         const struct ast_cond *node)
{
    struct frame_names soft = *frame;
    soft.is_soft = true;
    compile_expression(c, &soft, node->test);
    int to_else = emit(c, OP_JUMP_FALSE, 0, 0, 0, -1);
    compile_expression(c, &soft, node->yes);
    int to_end = emit(c, OP_JUMP, 0, 0, 0, -1);
    emit_land(c, to_else);
    if (node->no != NULL)
        compile_expression(c, &soft, node->no);
    else
        compile_no_else(c, &node->ast);
    emit_land(c, to_end);
}

static void compile_dict(struct compiler *c, const struct frame_names *frame,
                         const struct ast_dict *node)
{
    for (int i = 0; i < node->keys.count; i++) {
        compile_expression(c, frame, node->keys.items[i]);
        compile_expression(c, frame, node->values.items[i]);
    }
    emit(c, OP_DICT, 0, 0, node->keys.count, 1 - 2 * node->keys.count);
}

static void compile_items(struct compiler *c, const struct frame_names *frame,
                          const struct ast_items *node)
{
    int count = node->items.count;
    compile_list(c, frame, node->items);
    if (node->ast.kind == AST_CONCAT)
        emit(c, OP_CONCAT, (int)compile_escape(c), count, 0, 1 - count);
    else
        emit(c, node->ast.kind == AST_LIST ? OP_LIST : OP_TUPLE, 0, 0, count, 1 - count);
}

static void compile_unary(struct compiler *c, const struct frame_names *frame,
                          const struct ast_unary *node)
{
    compile_expression(c, frame, node->operand);
    if (node->ast.kind == AST_NOT)
        emit(c, OP_NOT, 0, 0, 0, 0);
    else if (node->ast.kind == AST_MARK_SAFE)
        emit(c, OP_MARK_SAFE, (int)compile_escape(c), 0, 0, 0);
    else
        emit(c, OP_NEGATE, node->ast.kind == AST_NEG, 0, 0, 0);
}

static void compile_other(struct compiler *c, const struct frame_names *frame,
                          const struct ast *node)
{
    switch (node->kind) {
    case AST_NUMBER: /* one that was not folded: inf */
        emit(c, OP_CONST, 0, 0, const_number(c, ((const struct ast_number *)node)->value), 1);
        break;
    case AST_AND:
    case AST_OR: compile_logic(c, frame, (const struct ast_binary *)node); break;
    case AST_COMPARE: compile_compare(c, frame, (const struct ast_compare *)node); break;
    case AST_COND: compile_cond(c, frame, (const struct ast_cond *)node); break;
    case AST_GETATTR: compile_attr(c, frame, (const struct ast_getattr *)node); break;
    case AST_GETITEM: compile_item(c, frame, (const struct ast_getitem *)node); break;
    case AST_CALL: compile_call(c, frame, (const struct ast_call *)node); break;
    case AST_FILTER:
    case AST_TEST: compile_filter(c, frame, (const struct ast_filter *)node); break;
    default:
        compile_fail(c, TEMPLATE_SYNTAX, node->line, "this cannot stand in an expression");
        emit(c, OP_NONE, 0, 0, 0, 1);
        break;
    }
}

void compile_expression(struct compiler *c, const struct frame_names *frame, const struct ast *node)
{
    struct folded value = fold(c, node);
    if (value.kind != FOLD_NOT) {
        compile_constant(c, &value);
        return;
    }
    switch (node->kind) {
    case AST_NAME: compile_name(c, frame, ((const struct ast_text *)node)->text); break;
    case AST_LIST:
    case AST_TUPLE:
    case AST_CONCAT: compile_items(c, frame, (const struct ast_items *)node); break;
    case AST_DICT: compile_dict(c, frame, (const struct ast_dict *)node); break;
    case AST_NOT:
    case AST_NEG:
    case AST_POS:
    case AST_MARK_SAFE: compile_unary(c, frame, (const struct ast_unary *)node); break;
    case AST_ADD:
    case AST_SUB:
    case AST_MUL:
    case AST_DIV:
    case AST_FLOORDIV:
    case AST_MOD:
    case AST_POW: compile_arith(c, frame, (const struct ast_binary *)node); break;
    default: compile_other(c, frame, node); break;
    }
}
