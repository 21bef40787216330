/* template/compiler_emit.c - instructions, constants and tables of a program in the making. */
#include <math.h>

#include "template/compiler_internal.h"

void *array_add(struct arena *arena, struct array *array, size_t size)
{
    if (array->count == array->room) {
        int room = array->room == 0 ? 16 : 2 * array->room;
        char *data = arena_array(arena, (size_t)room, size);
        if (array->count > 0)
            memcpy(data, array->data, (size_t)array->count * size);
        array->data = data;
        array->room = room;
    }
    return array->data + (size_t)array->count++ * size;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static void note_line(struct compiler *c, struct unit *unit)
{
    int n = unit->lines.count;
    if (n > 0 && ARRAY_AT(unit->lines, struct program_line, n - 1)->line == unit->line)
        return;
    struct program_line *line = array_add(c->arena, &unit->lines, sizeof(*line));
    *line = (struct program_line){unit->code.count, unit->line};
}

static int append(struct compiler *c, enum program_op op, int a, int b, int operand)
{
    struct unit *unit = c->unit;
    note_line(c, unit);
    if (b < 0 || b > UINT16_MAX)
        compile_fail(c, TEMPLATE_LIMIT, unit->line,
                     "the template is too large: more than 65535 names or values in one place");
    struct insn *insn = array_add(c->arena, &unit->code, sizeof(*insn));
    *insn = (struct insn){(uint8_t)op, (uint8_t)a, (uint16_t)b, operand};
    return unit->code.count - 1;
}

static void flush_text(struct compiler *c)
{
    struct unit *unit = c->unit;
    if (unit->text.count == 0)
        return;
    struct slice text = {unit->text.data, (size_t)unit->text.count};
    unit->text = (struct array){NULL, 0, 0};
    append(c, OP_TEXT, 0, 0, add_text(c, text));
}

int emit(struct compiler *c, enum program_op op, int a, int b, int operand, int change)
{
    struct unit *unit = c->unit;
    flush_text(c);
    unit->depth += change;
    if (unit->depth > unit->out.max_stack)
        unit->out.max_stack = unit->depth;
    return append(c, op, a, b, operand);
}

void emit_line(struct compiler *c, int line)
{
    /* literal text never fails: the line of what follows is as good for it */
    c->unit->line = line;
}

int emit_here(struct compiler *c)
{
    flush_text(c);
    return c->unit->code.count;
}

void emit_land(struct compiler *c, int at)
{
    int here = emit_here(c);
    ARRAY_AT(c->unit->code, struct insn, at)->c = here;
}

void emit_text(struct compiler *c, struct slice text)
{
    struct array *array = &c->unit->text;
    size_t need = (size_t)array->count + text.len;
    if (need > (size_t)array->room) {
        size_t room = need * 2;
        if (room > INT32_MAX) {
            compile_fail(c, TEMPLATE_LIMIT, c->unit->line, "the template is too large");
            return;
        }
        char *data = arena_alloc(c->arena, room);
        if (array->count > 0)
            memcpy(data, array->data, (size_t)array->count);
        array->data = data;
        array->room = (int)room;
    }
    if (text.len > 0)
        memcpy(array->data + array->count, text.data, text.len);
    array->count = (int)need;
}

/* ---- tables ---------------------------------------------------------------------------------- */

int add_text(struct compiler *c, struct slice text)
{
    *(struct slice *)array_add(c->arena, &c->texts, sizeof(text)) = text;
    return c->texts.count - 1;
}

static uint32_t hash_const(const struct program_const *value)
{
    uint32_t hash = 2166136261u;
    const char *data = value->is_number ? (const char *)&value->number : value->text.data;
    size_t len = value->is_number ? sizeof(value->number) : value->text.len;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)data[i]) * 16777619u;
    return hash;
}

static bool same_const(const struct program_const *a, const struct program_const *b)
{
    if (a->is_number != b->is_number)
        return false;
    if (a->is_number) /* bits: -0 is not 0, nan is nan */
        return memcmp(&a->number, &b->number, sizeof(a->number)) == 0;
    return slice_eq(a->text, b->text);
}

/* The place in the index for a constant: where it is, or where it may be put. */
static int *const_place(struct compiler *c, const struct program_const *value)
{
    uint32_t mask = (uint32_t)c->const_room - 1;
    uint32_t at = hash_const(value) & mask;
    while (c->const_index[at] != 0 &&
           !same_const(ARRAY_AT(c->consts, struct program_const, c->const_index[at] - 1), value))
        at = (at + 1) & mask;
    return &c->const_index[at];
}

static int add_const(struct compiler *c, const struct program_const *value)
{
    if (2 * (c->consts.count + 1) > c->const_room) {
        c->const_room = c->const_room == 0 ? 64 : 2 * c->const_room;
        c->const_index = arena_array(c->arena, (size_t)c->const_room, sizeof(*c->const_index));
        for (int i = 0; i < c->consts.count; i++)
            *const_place(c, ARRAY_AT(c->consts, struct program_const, i)) = i + 1;
    }
    int *place = const_place(c, value);
    if (*place == 0) {
        *(struct program_const *)array_add(c->arena, &c->consts, sizeof(*value)) = *value;
        *place = c->consts.count;
    }
    return *place - 1;
}

int const_text(struct compiler *c, struct slice text)
{
    return add_const(c, &(struct program_const){false, 0, text});
}

int const_number(struct compiler *c, double number)
{
    return add_const(c, &(struct program_const){true, number, {NULL, 0}});
}

int add_keywords(struct compiler *c, const struct ast_args *args, bool with_caller)
{
    int count = args->keywords.count + with_caller;
    if (count == 0)
        return 0;
    struct program_keywords *keywords = array_add(c->arena, &c->keywords, sizeof(*keywords));
    int index = c->keywords.count;
    keywords->count = count;
    int *names = arena_array(c->arena, (size_t)count, sizeof(int));
    keywords->names = names;
    for (int i = 0; i < args->keywords.count; i++)
        names[i] = const_text(c, args->names[i]);
    if (with_caller)
        names[count - 1] = const_text(c, SLICE("caller"));
    return index;
}

/* ---- variables ------------------------------------------------------------------------------- */

struct variable *variable_of(struct compiler *c, const struct frame_names *frame, struct slice name)
{
    struct variable *variable = scope_find(frame->scope, name);
    if (variable != NULL && variable->unit != c->unit && c->pass == 1) {
        *ARRAY_AT(c->is_cell, bool, variable->id) = true;
        *ARRAY_AT(c->unit_has_cells, bool, variable->unit->index) = true;
    }
    return variable;
}

int cell_depth(const struct compiler *c, const struct variable *variable)
{
    int depth = 0;
    for (const struct unit *unit = c->unit; unit != variable->unit && unit != NULL;
         unit = unit->parent)
        depth += unit->has_cells;
    if (depth > UINT8_MAX)
        depth = 0; /* the parser's limit on nesting is below that */
    return depth;
}

void emit_variable(struct compiler *c, struct variable *variable)
{
    int name = const_text(c, variable->name);
    variable->is_used = true;
    if (variable->is_cell)
        emit(c, OP_CELL, cell_depth(c, variable), variable->index, name, 1);
    else if (variable->load == SCOPE_RESOLVE && !variable->is_stored)
        emit(c, OP_NAME, 0, variable->index, name, 1);
    else
        emit(c, OP_SLOT, variable->load == SCOPE_PARAMETER, variable->index, name, 1);
}

void emit_variable_raw(struct compiler *c, struct variable *variable)
{
    variable->is_used = true;
    if (variable->is_cell)
        emit(c, OP_CELL_RAW, cell_depth(c, variable), variable->index, 0, 1);
    else
        emit(c, OP_SLOT_RAW, 0, variable->index, 0, 1);
}

void emit_store(struct compiler *c, const struct variable *variable)
{
    emit(c, variable->is_cell ? OP_STORE_CELL : OP_STORE, 0, variable->index, 0, -1);
}

static bool has_local(const struct array *items, int name)
{
    for (int i = 0; i < items->count; i++)
        if (ARRAY_AT(*items, struct program_local, i)->name == name)
            return true;
    return false;
}

int add_locals(struct compiler *c, const struct scope *scope)
{
    struct array items = {NULL, 0, 0};
    struct frame_names frame = {.scope = (struct scope *)scope};
    for (const struct scope *at = scope; at != NULL; at = at->parent) {
        for (int i = 0; i < at->count; i++) {
            if (!at->symbols[i].is_stored)
                continue;
            int name = const_text(c, at->symbols[i].name);
            if (has_local(&items, name))
                continue;
            struct variable *variable = variable_of(c, &frame, at->symbols[i].name);
            variable->is_used = true;
            struct program_local *local = array_add(c->arena, &items, sizeof(*local));
            *local = (struct program_local){name, variable->is_cell, 0, (uint16_t)variable->index};
            if (variable->is_cell)
                local->depth = (uint8_t)cell_depth(c, variable);
        }
    }
    if (items.count == 0)
        return 0;
    struct program_locals *locals = array_add(c->arena, &c->locals, sizeof(*locals));
    locals->count = items.count;
    locals->items = (struct program_local *)(void *)items.data;
    return c->locals.count;
}
