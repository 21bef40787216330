/* template/compiler_block.c - blocks, extends, include, import. */
#include "template/ast_walk.h"
#include "template/compiler_internal.h"

/* ---- looking through the tree ---------------------------------------------------------------- */

bool has_extends(struct ast_list statements)
{
    struct ast_list bodies[AST_MOST_BODIES];
    for (int i = 0; i < statements.count; i++) {
        if (statements.items[i]->kind == AST_EXTENDS)
            return true;
        int n = ast_bodies(statements.items[i], bodies);
        for (int k = 0; k < n; k++)
            if (has_extends(bodies[k]))
                return true;
    }
    return false;
}

bool has_scoped_block(struct ast_list statements)
{
    struct ast_list bodies[AST_MOST_BODIES];
    for (int i = 0; i < statements.count; i++) {
        const struct ast *node = statements.items[i];
        if (node->kind == AST_BLOCK && ((const struct ast_block *)node)->scoped)
            return true;
        int n = ast_bodies(node, bodies);
        for (int k = 0; k < n; k++)
            if (has_scoped_block(bodies[k]))
                return true;
    }
    return false;
}

/* The place of the block of this name in c->blocks, or -1. */
static int block_index(const struct compiler *c, struct slice name)
{
    for (int i = 0; i < c->block_ast.count; i++)
        if (slice_eq((*ARRAY_AT(c->block_ast, const struct ast_block *, i))->name, name))
            return i;
    return -1;
}

void collect_blocks(struct compiler *c, struct ast_list statements)
{
    struct ast_list bodies[AST_MOST_BODIES];
    for (int i = 0; i < statements.count; i++) {
        const struct ast *node = statements.items[i];
        if (node->kind == AST_BLOCK) {
            const struct ast_block *block = (const struct ast_block *)node;
            if (block_index(c, block->name) >= 0)
                compile_fail(c, TEMPLATE_ASSERTION, node->line, "block '%.*s' defined twice",
                             (int)block->name.len, block->name.data);
            *(const struct ast_block **)array_add(c->arena, &c->block_ast, sizeof(block)) = block;
            array_add(c->arena, &c->blocks, sizeof(struct program_block));
        }
        int n = ast_bodies(node, bodies);
        for (int k = 0; k < n; k++)
            collect_blocks(c, bodies[k]);
    }
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* A block sees nothing of what is around it but the context. */
void compile_block_unit(struct compiler *c, int index)
{
    static const struct slice names[] = {{"self", 4}, {"super", 5}};
    const struct ast_block *block = *ARRAY_AT(c->block_ast, const struct ast_block *, index);
    struct unit *unit = unit_begin(c, UNIT_BLOCK, block->name, block->ast.line);
    struct frame_names frame = {.scope = scope_new(c->arena, NULL, unit)};
    bool is_read[2];
    unit_fixed(c);
    scope_undeclared(block->body, names, 2, is_read);
    for (int i = 0; i < 2; i++)
        if (is_read[i])
            scope_parameter(frame.scope, names[i]);
    scope_statements(frame.scope, block->body);
    names_finish(c, frame.scope);
    for (int i = 0; i < 2; i++) {
        if (!is_read[i])
            continue;
        emit(c, i == 0 ? OP_SELF : OP_SUPER, 0, 0, index, 1);
        emit_store(c, scope_find(frame.scope, names[i]));
    }
    names_enter(c, frame.scope);
    compile_statements(c, &frame, block->body);
    int number = unit_end(c);
    *ARRAY_AT(c->blocks, struct program_block, index) =
        (struct program_block){const_text(c, block->name), number, block->required};
}

static void compile_block(struct compiler *c, const struct frame_names *frame,
                          const struct ast_block *block)
{
    int jump = -1;
    if (frame->is_toplevel) {
        if (c->has_known_extends)
            return; /* it is there to be called by the parent */
        if (c->extends_so_far > 0)
            jump = emit(c, OP_JUMP_PARENT, 0, 0, 0, 0);
    }
    int index = block_index(c, block->name);
    if (block->required)
        emit(c, OP_REQUIRED, 0, 0, index, 0);
    int locals = block->scoped ? add_locals(c, frame->scope) : 0;
    emit(c, OP_BLOCK, block->scoped, locals, index, 0);
    if (jump >= 0)
        emit_land(c, jump);
}

/* false: nothing after it is reached. */
bool compile_extends(struct compiler *c, const struct frame_names *frame,
                     const struct ast_extends *node)
{
    if (!frame->is_toplevel)
        compile_fail(c, TEMPLATE_ASSERTION, node->ast.line,
                     "cannot use extend from a non top-level scope");
    if (c->extends_so_far > 0) {
        int jump = c->has_known_extends ? -1 : emit(c, OP_JUMP_PARENT, 0, 0, 0, 0);
        int over = jump < 0 ? -1 : emit(c, OP_JUMP, 0, 0, 0, 0);
        if (jump >= 0)
            emit_land(c, jump);
        emit(c, OP_EXTENDS_AGAIN, 0, 0, 0, 0);
        if (c->has_known_extends)
            return false;
        emit_land(c, over);
    }
    compile_expression(c, frame, node->template);
    emit(c, OP_LOAD, 0, 0, 0, 0);
    emit(c, OP_EXTENDS, 0, 0, 0, -1);
    if (frame->is_rootlevel)
        c->has_known_extends = true;
    c->extends_so_far++;
    return true;
}

/* ---- include, import ------------------------------------------------------------------------- */

static void compile_include(struct compiler *c, const struct frame_names *frame,
                            const struct ast_include *node)
{
    int flags = (node->with_context ? INCLUDE_CONTEXT : 0) |
                (node->ignore_missing ? INCLUDE_IGNORE_MISSING : 0);
    compile_expression(c, frame, node->template);
    emit(c, OP_LOAD, flags | INCLUDE_MANY, 0, 0, 0);
    int locals = node->with_context ? add_locals(c, frame->scope) : 0;
    emit(c, OP_INCLUDE, flags, locals, 0, -1);
}

/* The module is left on the stack. */
static void compile_module(struct compiler *c, const struct frame_names *frame,
                           const struct ast *template, bool with_context)
{
    compile_expression(c, frame, template);
    emit(c, OP_LOAD, 0, 0, 0, 0);
    int locals = with_context ? add_locals(c, frame->scope) : 0;
    emit(c, OP_IMPORT, with_context ? INCLUDE_CONTEXT : 0, locals, 0, 0);
}

static void compile_import(struct compiler *c, const struct frame_names *frame,
                           const struct ast_import *node)
{
    compile_module(c, frame, node->template, node->with_context);
    emit_store(c, variable_of(c, frame, node->target));
    compile_export(c, frame, node->target, OP_UNEXPORT);
}

static void compile_from_import(struct compiler *c, const struct frame_names *frame,
                                const struct ast_from_import *node)
{
    compile_module(c, frame, node->template, node->with_context);
    for (int i = 0; i < node->count; i++) {
        struct slice name = node->aliases[i].len > 0 ? node->aliases[i] : node->names[i];
        emit(c, OP_IMPORTED, 0, 0, const_text(c, node->names[i]), 1);
        emit_store(c, variable_of(c, frame, name));
    }
    emit(c, OP_POP, 0, 0, 0, -1);
    for (int i = 0; i < node->count; i++) {
        struct slice name = node->aliases[i].len > 0 ? node->aliases[i] : node->names[i];
        compile_export(c, frame, name, OP_UNEXPORT);
    }
}

void compile_inheritance(struct compiler *c, const struct frame_names *frame,
                         const struct ast *node)
{
    if (node->kind == AST_BLOCK)
        compile_block(c, frame, (const struct ast_block *)node);
    else if (node->kind == AST_INCLUDE)
        compile_include(c, frame, (const struct ast_include *)node);
    else if (node->kind == AST_IMPORT)
        compile_import(c, frame, (const struct ast_import *)node);
    else if (node->kind == AST_FROM_IMPORT)
        compile_from_import(c, frame, (const struct ast_from_import *)node);
    else
        compile_fail(c, TEMPLATE_SYNTAX, node->line, "this cannot stand here");
}
