/* template/compiler_loop.c - for, break, continue. */
#include "template/ast_walk.h"
#include "template/compiler_internal.h"

/* One loop while it is compiled. */
struct loop {
    const struct ast_for *node;
    struct frame_names inside;    /* its body */
    struct frame_names testing;   /* its test */
    struct frame_names otherwise; /* its else */
    bool is_extended;
    int description; /* in c->loops */
    int slot;        /* the first of its slots */
};

/* ---- `loop` may not be set ------------------------------------------------------------------- */

static bool sets_loop_target(const struct ast *target)
{
    if (target->kind == AST_NAME)
        return slice_eq(((const struct ast_text *)target)->text, SLICE("loop"));
    if (target->kind != AST_TUPLE && target->kind != AST_LIST)
        return false;
    struct ast_list items = ((const struct ast_items *)target)->items;
    for (int i = 0; i < items.count; i++)
        if (sets_loop_target(items.items[i]))
            return true;
    return false;
}

static bool sets_loop_here(const struct ast *node)
{
    if (node->kind == AST_FOR)
        return sets_loop_target(((const struct ast_for *)node)->target);
    if (node->kind == AST_SET)
        return sets_loop_target(((const struct ast_set *)node)->target);
    if (node->kind == AST_SET_BLOCK)
        return sets_loop_target(((const struct ast_set_block *)node)->target);
    if (node->kind == AST_WITH) {
        struct ast_list targets = ((const struct ast_with *)node)->targets;
        for (int i = 0; i < targets.count; i++)
            if (sets_loop_target(targets.items[i]))
                return true;
    }
    return false;
}

/* The line of a statement which does, here or below; 0: none. */
static int line_that_sets_loop(const struct ast *node)
{
    if (sets_loop_here(node))
        return node->line;
    struct ast_list bodies[AST_MOST_BODIES];
    int n = ast_bodies(node, bodies);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < bodies[i].count; k++) {
            int line = line_that_sets_loop(bodies[i].items[k]);
            if (line != 0)
                return line;
        }
    return 0;
}

/* ---- the loop -------------------------------------------------------------------------------- */

static void analyse(struct compiler *c, struct loop *loop, const struct frame_names *frame)
{
    const struct ast_for *node = loop->node;
    loop->inside = frame_inner(c, frame);
    loop->is_extended = node->recursive || scope_reads(node->body, SLICE("loop")) ||
                        has_scoped_block(node->body) || has_scoped_block(node->otherwise);
    if (loop->is_extended)
        scope_parameter(loop->inside.scope, SLICE("loop"));
    scope_targets(loop->inside.scope, node->target);
    scope_statements(loop->inside.scope, node->body);
    names_finish(c, loop->inside.scope);

    loop->otherwise = frame_inner(c, frame);
    scope_statements(loop->otherwise.scope, node->otherwise);
    names_finish(c, loop->otherwise.scope);
    if (node->test != NULL) {
        loop->testing = frame_inner(c, frame);
        scope_targets(loop->testing.scope, node->target);
        scope_expression(loop->testing.scope, node->test);
        names_finish(c, loop->testing.scope);
    }
    int line = line_that_sets_loop(&node->ast);
    if (line != 0)
        compile_fail(c, TEMPLATE_ASSERTION, line,
                     "Can't assign to special loop variable in for-loop target");
}

static bool is_simple(const struct loop *loop)
{
    return !loop->is_extended && loop->node->test == NULL;
}

static void make_slots(struct compiler *c, struct loop *loop)
{
    loop->slot = unit_slot(c, -1);
    for (int i = 1; i < FOR_SLOTS && !is_simple(loop); i++)
        unit_slot(c, -1);
    if (loop->is_extended) {
        struct variable *variable = scope_find(loop->inside.scope, SLICE("loop"));
        variable->loop = c->unit->nloops + 1;
        if (!variable->is_cell)
            variable->index = loop->slot + FOR_OBJECT;
    }
}

static void begin(struct compiler *c, struct loop *loop)
{
    struct program_loop *description = array_add(c->arena, &c->loops, sizeof(*description));
    loop->description = c->loops.count - 1;
    *description = (struct program_loop){
        .is_simple = is_simple(loop), .has_object = false, .test = -1, .recursive = -1};
    if (loop->node->recursive)
        description->recursive = c->unit->index;
    emit(c, OP_FOR, 0, loop->slot, loop->description, -1);
    if (loop->is_extended) {
        const struct variable *variable = scope_find(loop->inside.scope, SLICE("loop"));
        if (variable->is_cell) {
            emit(c, OP_SLOT_RAW, 0, loop->slot + FOR_OBJECT, 0, 1);
            emit_store(c, variable);
        }
    }
}

/* The next item, into the target. Gives the instruction that jumps to the end. */
static int take_item(struct compiler *c, struct loop *loop)
{
    const struct ast *target = loop->node->target;
    const struct variable *variable = NULL;
    if (target->kind == AST_NAME)
        variable = variable_of(c, &loop->inside, ((const struct ast_text *)target)->text);
    if (variable != NULL && !variable->is_cell)
        return emit(c, OP_FOR_NEXT, 0, variable->index + 1, 0, 0);
    int at = emit(c, OP_FOR_NEXT, 0, 0, 0, 1);
    compile_store(c, &loop->inside, target);
    return at;
}

/* Out of line, behind the body: run by OP_FOR_NEXT and by whatever looks at later items. */
static void compile_test(struct compiler *c, struct loop *loop)
{
    const struct ast_for *node = loop->node;
    int at = emit_here(c);
    ARRAY_AT(c->loops, struct program_loop, loop->description)->test = at;
    emit_line(c, node->test->line);
    c->unit->depth += 2;
    compile_store(c, &loop->testing, node->target);
    compile_expression(c, &loop->testing, node->test);
    emit(c, OP_FOR_TEST, 0, 0, 0, -2);
    emit_line(c, node->ast.line);
}

/* Jinja's: also when each item was left by continue, or the first by break. */
static void compile_else(struct compiler *c, struct loop *loop)
{
    if (loop->node->otherwise.count == 0)
        return;
    int jump = emit(c, OP_JUMP_RAN, 0, 0, 0, 0);
    names_enter(c, loop->otherwise.scope);
    compile_statements(c, &loop->otherwise, loop->node->otherwise);
    names_leave(c, loop->otherwise.scope);
    emit_land(c, jump);
}

/* What to walk is on the stack. */
static void compile_loop(struct compiler *c, struct loop *loop)
{
    struct unit *unit = c->unit;
    int next = unit->loop_next, captures = unit->loop_captures;
    struct array breaks = unit->breaks;
    begin(c, loop);
    unit->nloops++;
    unit->loop_next = emit_here(c);
    unit->loop_captures = unit->captures;
    unit->breaks = (struct array){NULL, 0, 0};

    int to_end = take_item(c, loop);
    names_enter(c, loop->inside.scope);
    compile_statements(c, &loop->inside, loop->node->body);
    emit(c, OP_JUMP_BACK, 1, 0, unit->loop_next, 0);
    if (loop->node->test != NULL)
        compile_test(c, loop);
    for (int i = 0; i < unit->breaks.count; i++)
        emit_land(c, *ARRAY_AT(unit->breaks, int, i));
    if (unit->breaks.count > 0)
        emit(c, OP_FOR_END, 0, 0, 0, 0);
    emit_land(c, to_end);
    unit->nloops--;
    if (loop->is_extended) {
        const struct variable *variable = scope_find(loop->inside.scope, SLICE("loop"));
        ARRAY_AT(c->loops, struct program_loop, loop->description)->has_object =
            variable->is_used || variable->is_cell;
    }

    unit->loop_next = next;
    unit->loop_captures = captures;
    unit->breaks = breaks;
    names_leave(c, loop->inside.scope);
    compile_else(c, loop);
}

/* A recursive loop is a unit that gets what it walks: OP_LOOP_CALL and loop(...) run it. */
static void compile_recursive(struct compiler *c, const struct frame_names *frame,
                              const struct ast_for *node)
{
    struct loop loop = {.node = node};
    compile_expression(c, frame, node->iterable);
    unit_begin(c, UNIT_LOOP, SLICE("loop"), node->ast.line);
    unit_slot(c, -1); /* what is walked ... */
    unit_slot(c, -1); /* ... and how deep: see loop_enter */
    unit_fixed(c);
    analyse(c, &loop, frame);
    make_slots(c, &loop);
    emit(c, OP_SLOT_RAW, 0, 0, 0, 1);
    compile_loop(c, &loop);
    int unit = unit_end(c);
    emit_line(c, node->ast.line);
    emit(c, OP_LOOP_CALL, 0, 0, unit, -1);
}

void compile_for(struct compiler *c, const struct frame_names *frame, const struct ast_for *node)
{
    if (node->recursive) {
        compile_recursive(c, frame, node);
        return;
    }
    struct loop loop = {.node = node};
    analyse(c, &loop, frame);
    make_slots(c, &loop);
    compile_expression(c, frame, node->iterable);
    compile_loop(c, &loop);
}

void compile_break(struct compiler *c, const struct ast *node)
{
    struct unit *unit = c->unit;
    bool is_break = node->kind == AST_BREAK;
    if (unit->loop_next < 0) {
        compile_fail(c, TEMPLATE_SYNTAX, node->line, "'%s' outside loop",
                     is_break ? "break" : "continue");
        return;
    }
    if (unit->captures > unit->loop_captures)
        emit(c, OP_DROP_CAPTURES, 0, unit->captures - unit->loop_captures, 0, 0);
    if (is_break)
        *(int *)array_add(c->arena, &unit->breaks, sizeof(int)) = emit(c, OP_JUMP, 0, 0, 0, 0);
    else
        emit(c, OP_JUMP_BACK, 0, 0, unit->loop_next, 0);
}
