/* template/compiler_internal.h - the inside of the compiler, shared by its files.
 *
 * compiler.c: the whole, units and scopes. compiler_emit.c: instructions, constants, tables.
 * compiler_fold.c: constant expressions. compiler_expression.c, compiler_call.c,
 * compiler_statement.c, compiler_block.c, compiler_loop.c, compiler_macro.c: the parts of the
 * language.
 *
 * A template is compiled twice: only after the first time it is known which names inner units see,
 * which therefore need cells. Errors are kept in *error (the first one); compiling goes on, its
 * result is dropped.
 */
#ifndef QLUA_TEMPLATE_COMPILER_INTERNAL_H
#define QLUA_TEMPLATE_COMPILER_INTERNAL_H

#include "template/compiler.h"
#include "template/scope.h"

/* A growing array in the compiler's arena. */
struct array {
    char *data;
    int count;
    int room;
};

/* One more element, zeroed; the address holds until the next call. */
void *array_add(struct arena *arena, struct array *array, size_t size);

#define ARRAY_AT(array, type, i) (&((type *)(void *)(array).data)[i])

struct cell_name {
    int level;
    struct slice name;
};

/* A unit while it is compiled. */
struct unit {
    struct unit *parent;
    int index;
    struct program_unit out;
    struct array code;       /* insn */
    struct array lines;      /* program_line */
    struct array cells;      /* cell_name; the first is the outer cells' */
    struct array slot_names; /* int: see program_unit */
    struct array text;       /* char: literal text not yet written as an instruction */
    bool has_cells;          /* known from the first pass */
    int depth;               /* operands on the stack */
    int line;
    int level;           /* of its outermost scope */
    int captures;        /* open ones */
    int nloops;          /* open ones */
    int loop_next;       /* where continue goes; -1: no loop */
    int loop_captures;   /* open when the loop began */
    struct array breaks; /* int: jumps to the innermost loop's end */
};

/* Where in the template the compiler is, as Jinja's compiler has it: copied and changed. */
struct frame_names {
    struct scope *scope;
    bool checks_output; /* output only happens when the template extends no other */
    bool is_toplevel;
    bool is_rootlevel;
    bool is_soft; /* in an if: unknown filters are an error only when they are reached */
};

struct compiler {
    struct arena *arena; /* temporary */
    const struct template_compile *options;
    const struct ast_template *tree;
    struct template_error *error;
    bool has_failed;

    int pass;             /* 1 or 2 */
    struct array is_cell; /* bool by variable's id, from the first pass */
    struct array unit_has_cells;
    int nvariables;
    int nunits;

    struct array units;  /* program_unit */
    struct array consts; /* program_const */
    int *const_index;    /* open addressing: constant + 1 */
    int const_room;
    struct array texts;     /* slice */
    struct array keywords;  /* program_keywords */
    struct array filters;   /* program_use */
    struct array tests;     /* program_use */
    struct array locals;    /* program_locals */
    struct array loops;     /* program_loop */
    struct array blocks;    /* program_block */
    struct array block_ast; /* const struct ast_block * */

    struct unit *unit;
    bool autoescape;  /* what is known here ... */
    bool is_volatile; /* ... unless only the run knows */
    bool has_extends;
    bool has_known_extends;
    int extends_so_far;
    int nesting;
};

/* ---- compiler.c ---- */
bool compile_fail(struct compiler *c, enum template_error_kind kind, int line, const char *format,
                  ...) __attribute__((format(printf, 4, 5)));
enum program_escape compile_escape(const struct compiler *c);
/* Begin and end the code of a unit; the unit around it goes on after. Gives its index. */
struct unit *unit_begin(struct compiler *c, enum program_unit_kind kind, struct slice name,
                        int line);
int unit_end(struct compiler *c);
/* A slot of the current unit; name: a constant, or -1. Gives its index. */
int unit_slot(struct compiler *c, int name);
/* The slots that the VM keeps for itself, when those of the parameters are made. */
void unit_fixed(struct compiler *c);
/* Finish a scope that was analysed: its variables get their places. */
void names_finish(struct compiler *c, struct scope *scope);
/* Code for entering a scope: what its names are at first. */
void names_enter(struct compiler *c, const struct scope *scope);
/* ... and for leaving it: cells are emptied, as macros may still see them. */
void names_leave(struct compiler *c, const struct scope *scope);
/* A frame inside another, with a scope of its own. */
struct frame_names frame_inner(struct compiler *c, const struct frame_names *frame);

/* ---- compiler_emit.c ---- */
/* Append an instruction; change is what it does to the number of operands. Gives its index. */
int emit(struct compiler *c, enum program_op op, int a, int b, int operand, int change);
void emit_line(struct compiler *c, int line);
/* The next instruction's index, to jump to. */
int emit_here(struct compiler *c);
/* Let the jump at `at` go to here. */
void emit_land(struct compiler *c, int at);
/* Append to the literal text. */
void emit_text(struct compiler *c, struct slice text);
int add_text(struct compiler *c, struct slice text);
int const_text(struct compiler *c, struct slice text);
int const_number(struct compiler *c, double number);
int add_keywords(struct compiler *c, const struct ast_args *args, bool with_caller);
/* All names that are set here, for what sees them from outside. Gives index + 1. */
int add_locals(struct compiler *c, const struct scope *scope);
void emit_variable(struct compiler *c, struct variable *variable);
void emit_variable_raw(struct compiler *c, struct variable *variable);
void emit_store(struct compiler *c, const struct variable *variable);
/* How many units with cells lie between here and the variable's. */
int cell_depth(const struct compiler *c, const struct variable *variable);
/* The variable of a name, noting when it is one of an outer unit. */
struct variable *variable_of(struct compiler *c, const struct frame_names *frame,
                             struct slice name);

/* ---- compiler_fold.c ---- */
enum fold_kind { FOLD_NOT, FOLD_NONE, FOLD_BOOLEAN, FOLD_NUMBER, FOLD_TEXT };
struct folded {
    enum fold_kind kind; /* FOLD_NOT: it is no constant */
    bool boolean;
    double number;
    struct slice text;
};
struct folded fold(struct compiler *c, const struct ast *node);
bool fold_truth(const struct folded *value);
/* str() of it; in the compiler's arena. */
struct slice fold_text(struct compiler *c, const struct folded *value);

/* ---- compiler_expression.c ---- */
void compile_expression(struct compiler *c, const struct frame_names *frame,
                        const struct ast *node);
/* What an if-expression without else gives when it is false: undefined, of the plain kind. */
void compile_no_else(struct compiler *c, const struct ast *node);
void compile_constant(struct compiler *c, const struct folded *value);

/* Which of the unit's open loops, counting from 1, the expression is the `loop` of; 0: of none. */
int loop_of_name(struct compiler *c, const struct frame_names *frame, const struct ast *node);

/* ---- compiler_call.c ---- */
void compile_call(struct compiler *c, const struct frame_names *frame, const struct ast_call *call);
/* A call whose result is written; caller: the call block's body, or NULL. */
void compile_call_out(struct compiler *c, const struct frame_names *frame,
                      const struct ast_call *call, const struct ast_macro *caller);
void compile_filter(struct compiler *c, const struct frame_names *frame,
                    const struct ast_filter *filter);

/* ---- compiler_statement.c ---- */
void compile_statements(struct compiler *c, const struct frame_names *frame,
                        struct ast_list statements);

/* Store the value on top in a target: a name, a namespace's attribute, a tuple of targets. */
void compile_store(struct compiler *c, const struct frame_names *frame, const struct ast *target);
/* Tell the context of a name that was set, when that was at top level. */
void compile_export(struct compiler *c, const struct frame_names *frame, struct slice name,
                    enum program_op op);

/* ---- compiler_block.c ---- */
/* block, include, import, from ... import */
void compile_inheritance(struct compiler *c, const struct frame_names *frame,
                         const struct ast *node);
/* false: nothing after it is reached. */
bool compile_extends(struct compiler *c, const struct frame_names *frame,
                     const struct ast_extends *extends);
/* All blocks of the template, wherever they stand. */
void collect_blocks(struct compiler *c, struct ast_list statements);
bool has_extends(struct ast_list statements);
/* A block with `scoped` in what a loop's node has below it. */
bool has_scoped_block(struct ast_list statements);
void compile_block_unit(struct compiler *c, int index);

/* ---- compiler_loop.c ---- */
void compile_for(struct compiler *c, const struct frame_names *frame, const struct ast_for *node);
void compile_break(struct compiler *c, const struct ast *node);

/* ---- compiler_macro.c ---- */
void compile_macro(struct compiler *c, const struct frame_names *frame,
                   const struct ast_macro *macro);
/* The same for a macro without a name: it is left on the stack. */
void compile_macro_value(struct compiler *c, const struct frame_names *frame,
                         const struct ast_macro *macro);

#endif
