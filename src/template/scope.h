/* template/scope.h - which names a piece of a template sets, and which it only looks up.
 *
 * Place in the flow: the compiler makes a scope for each frame of names (the template's body, a
 * loop, a with, a macro ...), lets it be analysed and asks where a name lives. Jinja's rules
 * (jinja2/idtracking.py): a scope is analysed as a whole before anything in it is compiled, and
 * scopes within it are analysed when the compiler reaches them. Knows no bytecode.
 */
#ifndef QLUA_TEMPLATE_SCOPE_H
#define QLUA_TEMPLATE_SCOPE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "template/ast.h"

/* What a name stands for before the scope sets it. */
enum scope_load {
    SCOPE_PARAMETER, /* it is given: a parameter, a loop's target */
    SCOPE_RESOLVE,   /* the context's value */
    SCOPE_ALIAS,     /* what the name is in the scope outside */
    SCOPE_NOTHING    /* undefined */
};

struct unit;

/* Where a name lives; made by scope_finish, filled in by the compiler. */
struct variable {
    struct slice name;
    enum scope_load load;
    struct variable *source; /* of an alias */
    bool is_stored;          /* the scope sets it, or it is given */
    struct unit *unit;       /* which runs it: the compiler's */
    int level;
    int id;
    bool is_used; /* as a value: of `loop`, whose attributes need no object */
    int loop;     /* of `loop`: which of the unit's open loops, counting from 1; else 0 */
    bool is_cell; /* seen by an inner unit */
    int index;    /* slot or cell */
};

struct symbol {
    struct slice name;
    enum scope_load load;
    bool is_stored;
    bool was_stored; /* of a branch: before the if */
    struct variable *variable;
};

struct scope {
    struct arena *arena;
    struct scope *parent;
    struct unit *unit;
    int level;
    struct symbol *symbols;
    int count;
    int room;
    int *places;              /* of the symbols by their names' hash: twice the room; -1: free */
    const struct scope *base; /* of a branch of an if: the scope that it is in; else NULL */
};

/* An empty scope inside parent (NULL: outermost). Everything lives in arena. */
struct scope *scope_new(struct arena *arena, struct scope *parent, struct unit *unit);

/* A name that is given. */
void scope_parameter(struct scope *scope, struct slice name);
/* Is it one of the scope's own? */
bool scope_has(const struct scope *scope, struct slice name);
/* The targets (names, tuples) of a loop: all given. */
void scope_targets(struct scope *scope, const struct ast *target);
/* A name that is set here. */
void scope_store(struct scope *scope, struct slice name);
/* Go through what the scope consists of. */
void scope_expression(struct scope *scope, const struct ast *expression);
void scope_statements(struct scope *scope, struct ast_list statements);
/* Targets as `with` and `set` have them. */
void scope_store_targets(struct scope *scope, const struct ast *target);

/* The analysis is done: make the variables. Calls on_variable for each, in order. */
void scope_finish(struct scope *scope, void (*on_variable)(void *data, struct variable *variable),
                  void *data);

/* The variable of this name here or outside; NULL: unknown, which a finished scope never has for a
 * name in it. */
struct variable *scope_find(const struct scope *scope, struct slice name);

/* Which of the `count` names do these statements read without having set them before? Blocks are
 * not looked into, macros and loops are. Sets is_read[i]. */
void scope_undeclared(struct ast_list statements, const struct slice *names, int count,
                      bool *is_read);
bool scope_reads(struct ast_list statements, struct slice name);

#endif
