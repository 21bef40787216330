/* template/compiler.c - a tree becomes a program: the two passes, units and their names. See
 * compiler.h. */
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "template/compiler_internal.h"

bool compile_fail(struct compiler *c, enum template_error_kind kind, int line, const char *format,
                  ...)
{
    char message[sizeof(c->error->message)];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    c->has_failed = true;
    return template_fail(c->error, kind, line, "%s", message);
}

enum program_escape compile_escape(const struct compiler *c)
{
    if (c->is_volatile)
        return ESCAPE_DYNAMIC;
    return c->autoescape ? ESCAPE_ON : ESCAPE_OFF;
}

/* ---- units ----------------------------------------------------------------------------------- */

struct unit *unit_begin(struct compiler *c, enum program_unit_kind kind, struct slice name,
                        int line)
{
    struct unit *unit = arena_zalloc(c->arena, sizeof(*unit));
    unit->parent = c->unit;
    unit->index = c->nunits++;
    unit->out.kind = kind;
    unit->out.name = name;
    unit->out.line = line;
    unit->out.escape = compile_escape(c);
    unit->line = line;
    unit->level = -1;
    unit->loop_next = -1;
    array_add(c->arena, &c->units, sizeof(struct program_unit)); /* its place, filled at the end */
    if (c->pass == 1)
        array_add(c->arena, &c->unit_has_cells, sizeof(bool));
    else
        unit->has_cells = *ARRAY_AT(c->unit_has_cells, bool, unit->index);
    if (unit->has_cells)
        array_add(c->arena, &unit->cells, sizeof(struct cell_name));
    c->unit = unit;
    return unit;
}

int unit_end(struct compiler *c)
{
    struct unit *unit = c->unit;
    emit(c, OP_RETURN, 0, 0, 0, 0);
    unit->out.code = (struct insn *)(void *)unit->code.data;
    unit->out.ncode = unit->code.count;
    unit->out.lines = (struct program_line *)(void *)unit->lines.data;
    unit->out.nlines = unit->lines.count;
    unit->out.slot_names = (int *)(void *)unit->slot_names.data;
    unit->out.nslots = unit->slot_names.count;
    unit->out.ncells = unit->cells.count;
    *ARRAY_AT(c->units, struct program_unit, unit->index) = unit->out;
    c->unit = unit->parent;
    return unit->index;
}

/* The same name at the same depth of a unit is one cell, as it is one variable in Jinja. Cells
 * count from 1, which is the outer ones. */
static int unit_cell(struct compiler *c, struct unit *unit, const struct variable *variable)
{
    for (int i = 1; i < unit->cells.count; i++) {
        const struct cell_name *cell = ARRAY_AT(unit->cells, struct cell_name, i);
        if (cell->level == variable->level && slice_eq(cell->name, variable->name))
            return i + 1;
    }
    struct cell_name *cell = array_add(c->arena, &unit->cells, sizeof(*cell));
    *cell = (struct cell_name){variable->level, variable->name};
    return unit->cells.count;
}

int unit_slot(struct compiler *c, int name)
{
    *(int *)array_add(c->arena, &c->unit->slot_names, sizeof(int)) = name;
    return c->unit->slot_names.count - 1;
}

void unit_fixed(struct compiler *c)
{
    c->unit->out.fixed = unit_slot(c, -1);
    for (int i = 1; i < UNIT_FIXED; i++)
        unit_slot(c, -1);
}

/* The parameters' slots were made when the unit began. */
static int slot_of_parameter(struct compiler *c, int name)
{
    const struct unit *unit = c->unit;
    if (unit->out.kind == UNIT_MACRO)
        for (int i = 0; i < unit->slot_names.count; i++)
            if (*ARRAY_AT(unit->slot_names, int, i) == name)
                return i;
    return unit_slot(c, name);
}

static void place_variable(void *data, struct variable *variable)
{
    struct compiler *c = data;
    variable->id = c->nvariables++;
    if (c->pass == 1)
        array_add(c->arena, &c->is_cell, sizeof(bool));
    else
        variable->is_cell = *ARRAY_AT(c->is_cell, bool, variable->id);
    int name = const_text(c, variable->name);
    if (variable->is_cell)
        variable->index = unit_cell(c, variable->unit, variable);
    else if (variable->load == SCOPE_PARAMETER && variable->level == variable->unit->level)
        variable->index = slot_of_parameter(c, name);
    else
        variable->index = unit_slot(c, name);
}

void names_finish(struct compiler *c, struct scope *scope)
{
    scope_finish(scope, place_variable, c);
}

/* Is it looked up when it is first read, and kept? */
static bool is_lazy(const struct variable *variable)
{
    return variable->load == SCOPE_RESOLVE && !variable->is_stored && !variable->is_cell;
}

void names_enter(struct compiler *c, const struct scope *scope)
{
    for (int i = 0; i < scope->count; i++) {
        const struct variable *variable = scope->symbols[i].variable;
        if (variable->load == SCOPE_PARAMETER || is_lazy(variable))
            continue;
        if (variable->load == SCOPE_NOTHING) {
            if (variable->is_cell)
                emit(c, OP_CLEAR_CELL, 0, variable->index, 0, 0);
            else
                emit(c, OP_CLEAR, 0, variable->index, 1, 0);
            continue;
        }
        if (variable->load == SCOPE_RESOLVE) {
            emit(c, OP_RESOLVE, 0, 0, const_text(c, variable->name), 1);
        } else {
            struct frame_names outside = {.scope = scope->parent};
            struct variable *source = variable_of(c, &outside, variable->name);
            if (is_lazy(source)) /* it may not have been read yet */
                emit(c, OP_RESOLVE, 0, 0, const_text(c, variable->name), 1);
            else
                emit_variable_raw(c, source);
        }
        emit_store(c, variable);
    }
}

void names_leave(struct compiler *c, const struct scope *scope)
{
    for (int i = 0; i < scope->count; i++)
        if (scope->symbols[i].variable->is_cell)
            emit(c, OP_CLEAR_CELL, 0, scope->symbols[i].variable->index, 0, 0);
}

struct frame_names frame_inner(struct compiler *c, const struct frame_names *frame)
{
    return (struct frame_names){
        .scope = scope_new(c->arena, frame->scope, c->unit),
        .checks_output = frame->checks_output,
    };
}

/* ---- the whole ------------------------------------------------------------------------------- */

static void compile_body(struct compiler *c)
{
    struct unit *unit = unit_begin(c, UNIT_ROOT, (struct slice){"", 0}, 1);
    struct frame_names frame = {
        .scope = scope_new(c->arena, NULL, unit),
        .checks_output = c->has_extends,
        .is_toplevel = true,
        .is_rootlevel = true,
    };
    unit_fixed(c);
    bool reads_self = scope_reads(c->tree->body, SLICE("self"));
    if (reads_self)
        scope_parameter(frame.scope, SLICE("self"));
    scope_statements(frame.scope, c->tree->body);
    names_finish(c, frame.scope);
    if (reads_self) {
        emit(c, OP_SELF, 0, 0, 0, 1);
        emit_store(c, scope_find(frame.scope, SLICE("self")));
    }
    names_enter(c, frame.scope);
    compile_statements(c, &frame, c->tree->body);
    if (c->has_extends)
        emit(c, OP_PARENT, 0, 0, 0, 0);
    unit_end(c);
}

static void run_pass(struct compiler *c, int pass)
{
    struct array none = {NULL, 0, 0};
    c->pass = pass;
    c->nvariables = c->nunits = 0;
    c->units = c->consts = c->texts = c->keywords = c->filters = c->tests = none;
    c->locals = c->loops = none;
    c->const_room = 0;
    c->unit = NULL;
    c->autoescape = c->options->autoescape;
    c->is_volatile = false;
    c->has_known_extends = false;
    c->extends_so_far = 0;
    compile_body(c);
    for (int i = 0; i < c->blocks.count; i++)
        compile_block_unit(c, i);
}

/* ---- copies into the program's arena --------------------------------------------------------- */

static void *copy(struct arena *arena, const void *data, int count, size_t size)
{
    if (count == 0)
        return NULL;
    return memcpy(arena_array(arena, (size_t)count, size), data, (size_t)count * size);
}

static void *copy_array(struct arena *arena, struct array array, int *count, size_t size)
{
    *count = array.count;
    return copy(arena, array.data, array.count, size);
}

static void copy_units(struct arena *arena, struct program *program)
{
    for (int i = 0; i < program->nunits; i++) {
        struct program_unit *unit = &program->units[i];
        unit->name = arena_dup(arena, unit->name);
        unit->code = copy(arena, unit->code, unit->ncode, sizeof(*unit->code));
        unit->lines = copy(arena, unit->lines, unit->nlines, sizeof(*unit->lines));
        unit->slot_names = copy(arena, unit->slot_names, unit->nslots, sizeof(int));
        unit->params = copy(arena, unit->params, unit->nparams, sizeof(*unit->params));
    }
}

/* With bytes behind it that may be read. */
static struct slice copy_text(struct arena *arena, struct slice text)
{
    char *data = arena_zalloc(arena, text.len + PROGRAM_TEXT_SLACK);
    memcpy(data, text.data, text.len);
    return slice_of(data, text.len);
}

static void copy_tables(struct compiler *c, struct arena *arena, struct program *program)
{
    program->consts = copy_array(arena, c->consts, &program->nconsts, sizeof(*program->consts));
    for (int i = 0; i < program->nconsts; i++)
        program->consts[i].text = arena_dup(arena, program->consts[i].text);
    program->texts = copy_array(arena, c->texts, &program->ntexts, sizeof(*program->texts));
    for (int i = 0; i < program->ntexts; i++)
        program->texts[i] = copy_text(arena, program->texts[i]);
    program->keywords =
        copy_array(arena, c->keywords, &program->nkeywords, sizeof(*program->keywords));
    for (int i = 0; i < program->nkeywords; i++)
        program->keywords[i].names =
            copy(arena, program->keywords[i].names, program->keywords[i].count, sizeof(int));
    program->locals = copy_array(arena, c->locals, &program->nlocals, sizeof(*program->locals));
    for (int i = 0; i < program->nlocals; i++)
        program->locals[i].items = copy(arena, program->locals[i].items, program->locals[i].count,
                                        sizeof(struct program_local));
    program->filters = copy_array(arena, c->filters, &program->nfilters, sizeof(*program->filters));
    program->tests = copy_array(arena, c->tests, &program->ntests, sizeof(*program->tests));
    program->loops = copy_array(arena, c->loops, &program->nloops, sizeof(*program->loops));
    program->blocks = copy_array(arena, c->blocks, &program->nblocks, sizeof(*program->blocks));
}

static struct program *build(struct compiler *c)
{
    struct arena arena;
    arena_init(&arena);
    struct program *program = arena_zalloc(&arena, sizeof(*program));
    program->name = arena_dup(&arena, c->options->name);
    program->source = arena_dup(&arena, c->options->source);
    program->autoescape = c->options->autoescape;
    program->has_extends = c->has_extends;
    program->units = copy_array(&arena, c->units, &program->nunits, sizeof(*program->units));
    copy_units(&arena, program);
    copy_tables(c, &arena, program);
    program->arena = arena; /* nothing points to the arena itself */
    return program;
}

struct program *template_compile(const struct ast_template *tree,
                                 const struct template_compile *options,
                                 struct template_error *error)
{
    struct arena arena;
    arena_init(&arena);
    struct compiler c = {.arena = &arena, .options = options, .tree = tree, .error = error};
    c.has_extends = has_extends(tree->body);
    collect_blocks(&c, tree->body);
    run_pass(&c, 1);
    bool has_cells = false;
    for (int i = 0; i < c.unit_has_cells.count; i++)
        has_cells |= *ARRAY_AT(c.unit_has_cells, bool, i);
    if (!c.has_failed && has_cells)
        run_pass(&c, 2);
    struct program *program = c.has_failed ? NULL : build(&c);
    if (program == NULL && options->name.len < sizeof(error->name)) {
        memcpy(error->name, options->name.data, options->name.len);
        error->name[options->name.len] = '\0';
    }
    arena_clear(&arena);
    return program;
}
