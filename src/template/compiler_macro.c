/* template/compiler_macro.c - macros, and the bodies of call blocks. */
#include "template/compiler_internal.h"

enum { SPECIAL_CALLER, SPECIAL_KWARGS, SPECIAL_VARARGS, SPECIALS };

static const struct slice special_names[SPECIALS] = {
    {"caller", 6},
    {"kwargs", 6},
    {"varargs", 7},
};

static int position(const struct ast_macro *macro, struct slice name)
{
    for (int i = 0; i < macro->nparams; i++)
        if (slice_eq(macro->params[i], name))
            return i;
    return -1;
}

/* Which of the special names the macro gets behind its parameters. */
static void find_specials(struct compiler *c, const struct ast_macro *macro,
                          struct program_unit *out)
{
    bool is_read[SPECIALS];
    scope_undeclared(macro->body, special_names, SPECIALS, is_read);
    int caller = position(macro, special_names[SPECIAL_CALLER]);
    out->explicit_caller = caller >= 0;
    if (is_read[SPECIAL_CALLER] && caller >= 0 && caller < macro->nparams - macro->defaults.count)
        compile_fail(c, TEMPLATE_ASSERTION, macro->ast.line,
                     "When defining macros or call blocks the special \"caller\" argument must be"
                     " omitted or be given a default.");
    out->takes_caller = is_read[SPECIAL_CALLER] && caller < 0;
    out->takes_kwargs = is_read[SPECIAL_KWARGS] && position(macro, special_names[1]) < 0;
    out->takes_varargs = is_read[SPECIAL_VARARGS] && position(macro, special_names[2]) < 0;
}

static void add_parameter(struct compiler *c, struct scope *scope, struct slice name)
{
    unit_slot(c, const_text(c, name));
    scope_parameter(scope, name);
}

/* What is seen by inner units lives in cells from the start. */
static void move_to_cells(struct compiler *c, const struct scope *scope)
{
    int count = c->unit->out.nparams + c->unit->out.takes_caller + c->unit->out.takes_kwargs +
                c->unit->out.takes_varargs;
    for (int i = 0; i < count; i++) {
        int name = *ARRAY_AT(c->unit->slot_names, int, i);
        struct slice text = ARRAY_AT(c->consts, struct program_const, name)->text;
        const struct variable *variable = scope_find(scope, text);
        if (variable->is_cell) {
            emit(c, OP_SLOT_RAW, 0, i, 0, 1);
            emit_store(c, variable);
        }
    }
}

static void compile_defaults(struct compiler *c, const struct frame_names *frame,
                             const struct ast_macro *macro)
{
    int without = macro->nparams - macro->defaults.count;
    for (int i = 0; i < macro->nparams; i++) {
        const struct variable *variable = variable_of(c, frame, macro->params[i]);
        int jump =
            emit(c, variable->is_cell ? OP_JUMP_SET_CELL : OP_JUMP_SET, 0, variable->index, 0, 0);
        if (i < without)
            emit(c, OP_PARAMETER, 0, 0, const_text(c, macro->params[i]), 1);
        else
            compile_expression(c, frame, macro->defaults.items[i - without]);
        emit_store(c, variable);
        emit_land(c, jump);
    }
}

static int compile_unit(struct compiler *c, const struct frame_names *frame,
                        const struct ast_macro *macro)
{
    struct unit *unit = unit_begin(c, UNIT_MACRO, macro->name, macro->ast.line);
    struct frame_names inner = frame_inner(c, frame);
    inner.checks_output = false;
    unit->level = inner.scope->level;
    unit->out.nparams = macro->nparams;
    unit->out.ndefaults = macro->defaults.count;
    int *params = arena_array(c->arena, (size_t)macro->nparams, sizeof(int));
    unit->out.params = params;
    for (int i = 0; i < macro->nparams; i++) {
        params[i] = const_text(c, macro->params[i]);
        if (scope_has(inner.scope, macro->params[i])) /* Python's compiler refuses it */
            compile_fail(c, TEMPLATE_SYNTAX, macro->ast.line,
                         "duplicate argument '%.*s' in function definition",
                         (int)macro->params[i].len, macro->params[i].data);
        add_parameter(c, inner.scope, macro->params[i]);
    }
    for (int i = 0; i < macro->defaults.count; i++)
        scope_expression(inner.scope, macro->defaults.items[i]);
    scope_statements(inner.scope, macro->body);
    find_specials(c, macro, &unit->out);
    if (unit->out.takes_caller)
        add_parameter(c, inner.scope, special_names[SPECIAL_CALLER]);
    if (unit->out.takes_kwargs)
        add_parameter(c, inner.scope, special_names[SPECIAL_KWARGS]);
    if (unit->out.takes_varargs)
        add_parameter(c, inner.scope, special_names[SPECIAL_VARARGS]);
    unit_fixed(c);
    names_finish(c, inner.scope);

    move_to_cells(c, inner.scope);
    names_enter(c, inner.scope);
    bool is_first = emit_here(c) == 0;
    compile_defaults(c, &inner, macro);
    unit->out.begin = is_first ? emit_here(c) : 0;
    compile_statements(c, &inner, macro->body);
    return unit_end(c);
}

void compile_macro_value(struct compiler *c, const struct frame_names *frame,
                         const struct ast_macro *macro)
{
    int line = c->unit->line;
    int unit = compile_unit(c, frame, macro);
    emit_line(c, line);
    emit(c, OP_MACRO, 0, 0, unit, 1);
}

void compile_macro(struct compiler *c, const struct frame_names *frame,
                   const struct ast_macro *macro)
{
    compile_macro_value(c, frame, macro);
    emit_store(c, variable_of(c, frame, macro->name));
    compile_export(c, frame, macro->name, OP_EXPORT);
}
