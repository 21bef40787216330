/* template/scope.c - the scopes of names. See scope.h. */
#include "template/scope.h"

#include "template/ast_walk.h"

#include <stdint.h>

/* ---- symbols --------------------------------------------------------------------------------- */

/* FNV-1a: where a name's search begins. Which names meet depends on where the scope lies, so that
 * nobody can choose them. */
static uint32_t hash_of(const struct scope *scope, struct slice name)
{
    uint32_t hash = 2166136261u ^ (uint32_t)((uintptr_t)scope->arena >> 4);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.data[i]) * 16777619u;
    return hash;
}

/* The place of a name: taken by it, or free. The room is a power of two. */
static int *place_of(const struct scope *scope, struct slice name)
{
    uint32_t mask = 2 * (uint32_t)scope->room - 1;
    for (uint32_t at = hash_of(scope, name) & mask;; at = (at + 1) & mask) {
        int i = scope->places[at];
        if (i < 0 || slice_eq(scope->symbols[i].name, name))
            return &scope->places[at];
    }
}

/* What the scope itself has of a name: of a branch, what it has touched. */
static struct symbol *symbol_own(const struct scope *scope, struct slice name)
{
    int i = scope->room == 0 ? -1 : *place_of(scope, name);
    return i < 0 ? NULL : &scope->symbols[i];
}

static const struct symbol *symbol_here(const struct scope *scope, struct slice name)
{
    for (; scope != NULL; scope = scope->base) {
        const struct symbol *symbol = symbol_own(scope, name);
        if (symbol != NULL)
            return symbol;
    }
    return NULL;
}

static const struct symbol *symbol_find(const struct scope *scope, struct slice name)
{
    for (; scope != NULL; scope = scope->parent) {
        const struct symbol *symbol = symbol_here(scope, name);
        if (symbol != NULL)
            return symbol;
    }
    return NULL;
}

static void symbols_grow(struct scope *scope)
{
    int room = scope->room == 0 ? 8 : 2 * scope->room;
    struct symbol *symbols = arena_array(scope->arena, (size_t)room, sizeof(*symbols));
    if (scope->count > 0)
        memcpy(symbols, scope->symbols, (size_t)scope->count * sizeof(*symbols));
    scope->symbols = symbols;
    scope->room = room;
    scope->places = arena_array(scope->arena, 2 * (size_t)room, sizeof(*scope->places));
    for (int i = 0; i < 2 * room; i++)
        scope->places[i] = -1;
    for (int i = 0; i < scope->count; i++)
        *place_of(scope, symbols[i].name) = i;
}

static struct symbol *symbol_add(struct scope *scope, struct slice name, enum scope_load load)
{
    if (scope->count == scope->room)
        symbols_grow(scope);
    *place_of(scope, name) = scope->count;
    struct symbol *symbol = &scope->symbols[scope->count++];
    *symbol = (struct symbol){.name = name, .load = load};
    return symbol;
}

/* What the scope has of a name, to be changed: a branch gets a symbol of its own. */
static struct symbol *symbol_touch(struct scope *scope, struct slice name)
{
    struct symbol *own = symbol_own(scope, name);
    const struct symbol *symbol = own != NULL ? own : symbol_here(scope, name);
    if (own != NULL || symbol == NULL)
        return own;
    bool is_stored = symbol->is_stored;
    own = symbol_add(scope, name, symbol->load);
    own->is_stored = is_stored;
    return own;
}

struct scope *scope_new(struct arena *arena, struct scope *parent, struct unit *unit)
{
    struct scope *scope = arena_zalloc(arena, sizeof(*scope));
    scope->arena = arena;
    scope->parent = parent;
    scope->unit = unit;
    scope->level = parent == NULL ? 0 : parent->level + 1;
    return scope;
}

void scope_parameter(struct scope *scope, struct slice name)
{
    struct symbol *symbol = symbol_touch(scope, name);
    if (symbol == NULL)
        symbol = symbol_add(scope, name, SCOPE_PARAMETER);
    symbol->load = SCOPE_PARAMETER;
    symbol->is_stored = true;
}

void scope_store(struct scope *scope, struct slice name)
{
    struct symbol *symbol = symbol_touch(scope, name);
    if (symbol == NULL) {
        bool is_outside = symbol_find(scope->parent, name) != NULL;
        symbol = symbol_add(scope, name, is_outside ? SCOPE_ALIAS : SCOPE_NOTHING);
    }
    symbol->is_stored = true;
}

bool scope_has(const struct scope *scope, struct slice name)
{
    return symbol_own(scope, name) != NULL;
}

static void on_load(void *data, struct slice name)
{
    struct scope *scope = data;
    if (symbol_find(scope, name) == NULL)
        symbol_add(scope, name, SCOPE_RESOLVE);
}

static void on_store(void *data, struct slice name)
{
    scope_store(data, name);
}

static void on_parameter(void *data, struct slice name)
{
    scope_parameter(data, name);
}

void scope_targets(struct scope *scope, const struct ast *target)
{
    ast_walk_targets(target, on_parameter, scope);
}

void scope_store_targets(struct scope *scope, const struct ast *target)
{
    if (target->kind == AST_NSREF)
        on_load(scope, ((const struct ast_nsref *)target)->name);
    else
        ast_walk_targets(target, on_store, scope);
}

void scope_expression(struct scope *scope, const struct ast *expression)
{
    ast_walk_names(expression, true, on_load, scope);
}

/* ---- if: three branches, each analysed on its own ------------------------------------------- */

/* It has what the scope has, and keeps what it changes to itself. */
static struct scope *branch_of(const struct scope *scope)
{
    struct scope *branch = arena_zalloc(scope->arena, sizeof(*branch));
    branch->arena = scope->arena;
    branch->parent = scope->parent;
    branch->unit = scope->unit;
    branch->level = scope->level;
    branch->base = scope;
    return branch;
}

/* How many of the branches set a name that the scope itself had not set before. */
static int count_stores(struct scope *const *branches, int count, struct slice name)
{
    int n = 0;
    for (int i = 0; i < count; i++) {
        const struct symbol *symbol = symbol_own(branches[i], name);
        n += symbol != NULL && symbol->is_stored;
    }
    return n;
}

static void note_stored(const struct scope *scope, struct scope *branch)
{
    for (int i = 0; i < branch->count; i++) {
        const struct symbol *former = symbol_here(scope, branch->symbols[i].name);
        branch->symbols[i].was_stored = former != NULL && former->is_stored;
    }
}

static void take_symbols(struct scope *scope, const struct scope *branch)
{
    for (int i = 0; i < branch->count; i++) {
        const struct symbol *theirs = &branch->symbols[i];
        struct symbol *ours = symbol_touch(scope, theirs->name);
        if (ours == NULL)
            ours = symbol_add(scope, theirs->name, theirs->load);
        ours->load = theirs->load;
        ours->is_stored |= theirs->is_stored;
    }
}

/* What only some of the branches set is, where they did not, what it was outside. */
static void join_branch(struct scope *scope, struct scope *const *branches, int count, int at)
{
    for (int i = 0; i < branches[at]->count; i++) {
        const struct symbol *theirs = &branches[at]->symbols[i];
        struct symbol *ours = symbol_own(scope, theirs->name);
        if (!ours->is_stored || theirs->was_stored)
            continue;
        if (count_stores(branches, count, theirs->name) == count)
            continue;
        bool is_outside = symbol_find(scope->parent, theirs->name) != NULL;
        ours->load = is_outside ? SCOPE_ALIAS : SCOPE_RESOLVE;
    }
}

static void join_branches(struct scope *scope, struct scope *const *branches, int count)
{
    for (int i = 0; i < count; i++)
        note_stored(scope, branches[i]);
    for (int i = 0; i < count; i++)
        take_symbols(scope, branches[i]);
    for (int i = 0; i < count; i++)
        join_branch(scope, branches, count, i);
}

static void visit_if(struct scope *scope, const struct ast_if *node);

/* The elifs of an if are one branch, each as an if of its own; what the last one leaves is else. */
static void visit_else(struct scope *elifs, struct scope *otherwise, struct ast_list no)
{
    while (no.count == 1 && no.items[0]->kind == AST_IF &&
           ((const struct ast_if *)no.items[0])->is_elif) {
        struct ast_if alone = *(const struct ast_if *)no.items[0];
        no = alone.no;
        alone.no = (struct ast_list){NULL, 0};
        visit_if(elifs, &alone);
    }
    scope_statements(otherwise, no);
}

static void visit_if(struct scope *scope, const struct ast_if *node)
{
    scope_expression(scope, node->test);
    struct scope *branches[3] = {branch_of(scope), branch_of(scope), branch_of(scope)};
    scope_statements(branches[0], node->yes);
    visit_else(branches[1], branches[2], node->no);
    join_branches(scope, branches, 3);
}

/* ---- statements ------------------------------------------------------------------------------ */

static void visit_from_import(struct scope *scope, const struct ast_from_import *import)
{
    scope_expression(scope, import->template);
    for (int i = 0; i < import->count; i++)
        scope_store(scope, import->aliases[i].len > 0 ? import->aliases[i] : import->names[i]);
}

static void visit_with(struct scope *scope, const struct ast_with *with)
{
    for (int i = 0; i < with->values.count; i++)
        scope_expression(scope, with->values.items[i]);
}

/* Only what belongs to the scope itself: the inside of a loop, macro, with, block, filter block,
 * set block or autoescape is a scope of its own. */
static void visit_statement(struct scope *scope, const struct ast *node)
{
    switch (node->kind) {
    case AST_OUTPUT:
    case AST_DO: scope_expression(scope, ((const struct ast_output *)node)->expression); break;
    case AST_IF: visit_if(scope, (const struct ast_if *)node); break;
    case AST_FOR: scope_expression(scope, ((const struct ast_for *)node)->iterable); break;
    case AST_MACRO: scope_store(scope, ((const struct ast_macro *)node)->name); break;
    case AST_CALL_BLOCK:
        scope_expression(scope, ((const struct ast_call_block *)node)->call);
        break;
    case AST_FILTER_BLOCK:
        scope_expression(scope, ((const struct ast_filter_block *)node)->filter);
        break;
    case AST_SET:
        scope_expression(scope, ((const struct ast_set *)node)->value);
        scope_store_targets(scope, ((const struct ast_set *)node)->target);
        break;
    case AST_SET_BLOCK:
        scope_store_targets(scope, ((const struct ast_set_block *)node)->target);
        break;
    case AST_WITH: visit_with(scope, (const struct ast_with *)node); break;
    case AST_EXTENDS: scope_expression(scope, ((const struct ast_extends *)node)->template); break;
    case AST_INCLUDE: scope_expression(scope, ((const struct ast_include *)node)->template); break;
    case AST_IMPORT:
        scope_expression(scope, ((const struct ast_import *)node)->template);
        scope_store(scope, ((const struct ast_import *)node)->target);
        break;
    case AST_FROM_IMPORT: visit_from_import(scope, (const struct ast_from_import *)node); break;
    default: break;
    }
}

void scope_statements(struct scope *scope, struct ast_list statements)
{
    for (int i = 0; i < statements.count; i++)
        visit_statement(scope, statements.items[i]);
}

/* ---- afterwards ------------------------------------------------------------------------------ */

void scope_finish(struct scope *scope, void (*on_variable)(void *data, struct variable *variable),
                  void *data)
{
    for (int i = 0; i < scope->count; i++) {
        struct symbol *symbol = &scope->symbols[i];
        struct variable *variable = arena_zalloc(scope->arena, sizeof(*variable));
        variable->name = symbol->name;
        variable->load = symbol->load;
        variable->is_stored = symbol->is_stored;
        variable->unit = scope->unit;
        variable->level = scope->level;
        if (symbol->load == SCOPE_ALIAS)
            variable->source = scope_find(scope->parent, symbol->name);
        symbol->variable = variable;
        on_variable(data, variable);
    }
}

struct variable *scope_find(const struct scope *scope, struct slice name)
{
    const struct symbol *symbol = symbol_find(scope, name);
    return symbol == NULL ? NULL : symbol->variable;
}
