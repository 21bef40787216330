/* template/compiler_statement.c - statements: they leave nothing on the stack. */
#include "base/escape.h"
#include "template/compiler_internal.h"

/* ---- output ---------------------------------------------------------------------------------- */

/* Text that is known beforehand. */
static void write_constant(struct compiler *c, const struct folded *value)
{
    struct slice text = fold_text(c, value);
    if (compile_escape(c) == ESCAPE_OFF) {
        emit_text(c, text);
        return;
    }
    struct buf escaped = {0};
    escape_html(&escaped, text);
    emit_text(c, buf_view(&escaped));
    buf_clear(&escaped);
}

/* A name, or one's attribute, is written in one go: the instruction that would have pushed it
 * becomes the one that writes it. */
static void write_value(struct compiler *c, const struct frame_names *frame, const struct ast *node)
{
    int escape = (int)compile_escape(c);
    compile_expression(c, frame, node);
    struct insn *last = ARRAY_AT(c->unit->code, struct insn, c->unit->code.count - 1);
    if (node->kind == AST_NAME || node->kind == AST_GETATTR) {
        enum program_op op = last->op == OP_SLOT        ? OP_OUT_SLOT
                             : last->op == OP_NAME      ? OP_OUT_NAME
                             : last->op == OP_SLOT_ATTR ? OP_OUT_ATTR
                                                        : (enum program_op)last->op;
        if (op != (enum program_op)last->op) {
            last->op = (uint8_t)op;
            last->a = (uint8_t)(node->kind == AST_NAME ? escape : last->a | escape);
        }
    }
    emit(c, OP_OUT, escape, 0, 0, -1);
}

static void write_expression(struct compiler *c, const struct frame_names *frame,
                             const struct ast *node);

/* Each of the two is written where it stands: a macro called there can write itself. */
static void write_cond(struct compiler *c, const struct frame_names *frame,
                       const struct ast_cond *node)
{
    struct frame_names soft = *frame;
    soft.is_soft = true;
    compile_expression(c, &soft, node->test);
    int to_else = emit(c, OP_JUMP_FALSE, 0, 0, 0, -1);
    write_expression(c, &soft, node->yes);
    int to_end = emit(c, OP_JUMP, 0, 0, 0, 0);
    emit_land(c, to_else);
    if (node->no != NULL) {
        write_expression(c, &soft, node->no);
    } else {
        compile_no_else(c, &node->ast);
        emit(c, OP_OUT, (int)compile_escape(c), 0, 0, -1);
    }
    emit_land(c, to_end);
}

static void write_expression(struct compiler *c, const struct frame_names *frame,
                             const struct ast *node)
{
    struct folded value = fold(c, node);
    if (c->options->has_finalize) {
        compile_expression(c, frame, node);
        emit(c, OP_FINALIZE, 0, 0, 0, 0);
        emit(c, OP_OUT, (int)compile_escape(c), 0, 0, -1);
    } else if (value.kind != FOLD_NOT && !c->is_volatile) {
        write_constant(c, &value);
    } else if (node->kind == AST_COND) {
        write_cond(c, frame, (const struct ast_cond *)node);
    } else if (node->kind == AST_CALL) {
        compile_call_out(c, frame, (const struct ast_call *)node, NULL);
    } else {
        write_value(c, frame, node);
    }
}

static void compile_output(struct compiler *c, const struct frame_names *frame,
                           const struct ast *node)
{
    if (frame->checks_output && c->has_known_extends)
        return; /* the parent's output is what counts, and this is not even looked at */
    int jump = frame->checks_output ? emit(c, OP_JUMP_PARENT, 0, 0, 0, 0) : -1;
    if (node->kind == AST_DATA) {
        emit_text(c, ((const struct ast_text *)node)->text);
    } else if (node->kind == AST_DEBUG) {
        emit(c, OP_DEBUG, 0, 0, 0, 1);
        emit(c, OP_OUT, (int)compile_escape(c), 0, 0, -1);
    } else {
        emit_line(c, node->line);
        write_expression(c, frame, ((const struct ast_output *)node)->expression);
    }
    if (jump >= 0)
        emit_land(c, jump);
}

/* ---- set ------------------------------------------------------------------------------------- */

/* Store the value on top in a target. */
static void store_target(struct compiler *c, const struct frame_names *frame,
                         const struct ast *target)
{
    if (target->kind == AST_NAME) {
        emit_store(c, variable_of(c, frame, ((const struct ast_text *)target)->text));
    } else if (target->kind == AST_NSREF) {
        const struct ast_nsref *nsref = (const struct ast_nsref *)target;
        emit_variable(c, variable_of(c, frame, nsref->name));
        emit(c, OP_SET_ATTR, 0, 0, const_text(c, nsref->attr), -2);
    } else {
        struct ast_list items = ((const struct ast_items *)target)->items;
        emit(c, OP_UNPACK, 0, items.count, 0, items.count - 1);
        for (int i = 0; i < items.count; i++)
            store_target(c, frame, items.items[i]);
    }
}

void compile_store(struct compiler *c, const struct frame_names *frame, const struct ast *target)
{
    store_target(c, frame, target);
}

void compile_export(struct compiler *c, const struct frame_names *frame, struct slice name,
                    enum program_op op)
{
    if (!frame->is_toplevel)
        return;
    bool is_public = name.len == 0 || name.data[0] != '_';
    emit_variable_raw(c, variable_of(c, frame, name));
    emit(c, op, is_public, 0, const_text(c, name), -1);
}

/* Names set at top level are seen by blocks, macros and whatever imports the template. */
static void export_targets(struct compiler *c, const struct frame_names *frame,
                           const struct ast *target)
{
    if (target->kind == AST_NAME) {
        compile_export(c, frame, ((const struct ast_text *)target)->text, OP_EXPORT);
    } else if (target->kind != AST_NSREF) {
        struct ast_list items = ((const struct ast_items *)target)->items;
        for (int i = 0; i < items.count; i++)
            export_targets(c, frame, items.items[i]);
    }
}

static void compile_set(struct compiler *c, const struct frame_names *frame,
                        const struct ast_set *node)
{
    if (node->target->kind == AST_NSREF) { /* what it is counts before the value is worked out */
        const struct ast_nsref *nsref = (const struct ast_nsref *)node->target;
        emit_variable(c, variable_of(c, frame, nsref->name));
        emit(c, OP_NAMESPACE, 0, 0, 0, -1);
    }
    compile_expression(c, frame, node->value);
    store_target(c, frame, node->target);
    export_targets(c, frame, node->target);
}

/* The body with its output kept back; what it wrote is left on the stack. */
static void compile_captured(struct compiler *c, const struct frame_names *inner,
                             struct ast_list body, enum program_escape escape)
{
    emit(c, OP_CAPTURE, 0, 0, 0, 0);
    c->unit->captures++;
    compile_statements(c, inner, body);
    c->unit->captures--;
    emit(c, OP_CAPTURED, (int)escape, 0, 0, 1);
}

static void compile_set_block(struct compiler *c, const struct frame_names *frame,
                              const struct ast_set_block *node)
{
    struct frame_names inner = frame_inner(c, frame);
    inner.checks_output = false;
    scope_statements(inner.scope, node->body);
    if (node->filter != NULL)
        scope_expression(inner.scope, node->filter);
    names_finish(c, inner.scope);
    names_enter(c, inner.scope);
    if (node->filter == NULL) {
        compile_captured(c, &inner, node->body, ESCAPE_DYNAMIC);
    } else {
        compile_captured(c, &inner, node->body, compile_escape(c));
        compile_filter(c, &inner, (const struct ast_filter *)node->filter);
        emit(c, OP_MARK_SAFE, ESCAPE_DYNAMIC, 0, 0, 0);
    }
    store_target(c, frame, node->target);
    export_targets(c, frame, node->target);
    names_leave(c, inner.scope);
}

/* ---- blocks of statements -------------------------------------------------------------------- */

static void compile_filter_block(struct compiler *c, const struct frame_names *frame,
                                 const struct ast_filter_block *node)
{
    struct frame_names inner = frame_inner(c, frame);
    scope_statements(inner.scope, node->body);
    scope_expression(inner.scope, node->filter);
    names_finish(c, inner.scope);
    names_enter(c, inner.scope);
    compile_captured(c, &inner, node->body, compile_escape(c));
    compile_filter(c, &inner, (const struct ast_filter *)node->filter);
    emit(c, OP_OUT, ESCAPE_TEXT, 0, 0, -1);
    names_leave(c, inner.scope);
}

static void compile_if(struct compiler *c, const struct frame_names *frame,
                       const struct ast_if *node)
{
    struct frame_names soft = *frame;
    soft.is_rootlevel = false;
    soft.is_soft = true;
    compile_expression(c, &soft, node->test);
    int to_else = emit(c, OP_JUMP_FALSE, 0, 0, 0, -1);
    compile_statements(c, &soft, node->yes);
    if (node->no.count == 0) {
        emit_land(c, to_else);
        return;
    }
    int to_end = emit(c, OP_JUMP, 0, 0, 0, 0);
    emit_land(c, to_else);
    compile_statements(c, &soft, node->no);
    emit_land(c, to_end);
}

static void compile_with(struct compiler *c, const struct frame_names *frame,
                         const struct ast_with *node)
{
    struct frame_names inner = frame_inner(c, frame);
    for (int i = 0; i < node->targets.count; i++)
        scope_store_targets(inner.scope, node->targets.items[i]);
    scope_statements(inner.scope, node->body);
    names_finish(c, inner.scope);
    names_enter(c, inner.scope);
    for (int i = 0; i < node->targets.count; i++) {
        compile_expression(c, frame, node->values.items[i]); /* the names outside */
        store_target(c, &inner, node->targets.items[i]);
    }
    compile_statements(c, &inner, node->body);
    names_leave(c, inner.scope);
}

static void compile_autoescape(struct compiler *c, const struct frame_names *frame,
                               const struct ast_autoescape *node)
{
    struct frame_names inner = frame_inner(c, frame);
    bool autoescape = c->autoescape, is_volatile = c->is_volatile;
    scope_expression(inner.scope, node->value);
    scope_statements(inner.scope, node->body);
    names_finish(c, inner.scope);
    names_enter(c, inner.scope);
    int slot = unit_slot(c, -1);
    compile_expression(c, &inner, node->value);
    emit(c, OP_AUTOESCAPE, 0, slot, 0, -1);
    struct folded value = fold(c, node->value);
    if (value.kind == FOLD_NOT)
        c->is_volatile = true;
    else
        c->autoescape = fold_truth(&value);
    compile_statements(c, &inner, node->body);
    c->autoescape = autoescape;
    c->is_volatile = is_volatile;
    emit(c, OP_AUTOESCAPE_END, 0, slot, 0, 0);
    names_leave(c, inner.scope);
}

static void compile_do(struct compiler *c, const struct frame_names *frame,
                       const struct ast_output *node)
{
    compile_expression(c, frame, node->expression);
    emit(c, OP_POP, 0, 0, 0, -1);
}

/* false: what follows in this list is not reached. */
static bool compile_statement(struct compiler *c, const struct frame_names *frame,
                              const struct ast *node)
{
    if (node->kind != AST_DATA)
        emit_line(c, node->line);
    switch (node->kind) {
    case AST_DATA:
    case AST_OUTPUT:
    case AST_DEBUG: compile_output(c, frame, node); break;
    case AST_IF: compile_if(c, frame, (const struct ast_if *)node); break;
    case AST_FOR: compile_for(c, frame, (const struct ast_for *)node); break;
    case AST_MACRO: compile_macro(c, frame, (const struct ast_macro *)node); break;
    case AST_CALL_BLOCK:
        compile_call_out(c, frame,
                         (const struct ast_call *)((const struct ast_call_block *)node)->call,
                         ((const struct ast_call_block *)node)->caller);
        break;
    case AST_FILTER_BLOCK:
        compile_filter_block(c, frame, (const struct ast_filter_block *)node);
        break;
    case AST_SET: compile_set(c, frame, (const struct ast_set *)node); break;
    case AST_SET_BLOCK: compile_set_block(c, frame, (const struct ast_set_block *)node); break;
    case AST_WITH: compile_with(c, frame, (const struct ast_with *)node); break;
    case AST_AUTOESCAPE: compile_autoescape(c, frame, (const struct ast_autoescape *)node); break;
    case AST_DO: compile_do(c, frame, (const struct ast_output *)node); break;
    case AST_BREAK:
    case AST_CONTINUE: compile_break(c, node); break;
    case AST_EXTENDS: return compile_extends(c, frame, (const struct ast_extends *)node);
    default: compile_inheritance(c, frame, node); break;
    }
    return true;
}

void compile_statements(struct compiler *c, const struct frame_names *frame,
                        struct ast_list statements)
{
    for (int i = 0; i < statements.count; i++)
        if (!compile_statement(c, frame, statements.items[i]))
            return;
}
