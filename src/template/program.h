/* template/program.h - a compiled template: bytecode, constants, blocks and macros.
 *
 * Place in the flow: the compiler fills one, the VM runs it as often as wanted. Plain C data in
 * one arena of its own; knows no Lua. A program has units: the template's body, each block, each
 * macro and the body of each recursive loop. A unit runs in a frame of slots on the VM's stack:
 * parameters first, then the names it sets or looks up. What an inner unit (a macro) sees of an
 * outer one lives in the outer one's cells instead, a table that outlives the frame.
 */
#ifndef QLUA_TEMPLATE_PROGRAM_H
#define QLUA_TEMPLATE_PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/slice.h"

/* How a value is written: as it is, escaped, as vm->autoescape says when it runs. */
enum program_escape {
    ESCAPE_OFF,
    ESCAPE_ON,
    ESCAPE_DYNAMIC,
    ESCAPE_TEXT /* as it is, and it must be text: results of filter blocks and call blocks */
};

/* In the comments: S slot b, K constant c, L jump to instruction c, E escape a; [x y] what is
 * taken from the stack, -> what is left there. Texts are in the program's own table. */
enum program_op {
    /* output */
    OP_TEXT, /* append text c */
    OP_OUT,  /* E [value]: append it */
    /* the next three have an OP_OUT of the same E behind them, which they skip unless Lua is
     * needed: then they leave the value for it */
    OP_OUT_SLOT, /* E S: append the slot's value */
    OP_OUT_NAME, /* E S K: append the value of the context's name K, which S keeps */
    OP_OUT_ATTR, /* E S K: append the slot's value's attribute K; a & SLOT_LAZY as OP_SLOT_ATTR */
    OP_FINALIZE, /* [value] -> what the environment's finalize makes of it */
    /* values */
    OP_CONST, /* K -> value */
    OP_NONE,
    OP_TRUE,
    OP_FALSE,
    OP_SLOT,       /* S -> value, undefined when nothing is in it; a: 1: there always is */
    OP_NAME,       /* S K -> value of the context's name, looked up once a frame */
    OP_CELL,       /* depth a, cell b, K its name -> value, undefined when nothing is in it */
    OP_SLOT_RAW,   /* S -> value or nil */
    OP_CELL_RAW,   /* depth a, cell b -> value or nil */
    OP_RESOLVE,    /* K -> value of the context's name, or nil */
    OP_STORE,      /* S [value] */
    OP_STORE_CELL, /* cell b of this unit [value] */
    OP_CLEAR,      /* c slots from S on: nothing in them */
    OP_CLEAR_CELL, /* cell b of this unit */
    OP_NO_ELSE,    /* text c -> undefined: an if-expression without else */
    OP_POP,        /* [value] */
    OP_DUP,        /* [x] -> x x */
    /* operators */
    OP_NOT,
    OP_NEGATE,    /* a: 1: minus, 0: plus */
    OP_ARITH,     /* a: enum value_operator [x y] */
    OP_COMPARE,   /* a: enum ast_comparison [x y] -> boolean */
    OP_ROTATE,    /* [x y] -> y x y */
    OP_CHAIN,     /* L [y boolean] -> y when it is true; else -> false, jump */
    OP_CONCAT,    /* E, b values */
    OP_MARK_SAFE, /* E [text]: as Markup when escaping */
    OP_ATTR,      /* K [object] */
    OP_SLOT_ATTR, /* S K: the slot's value's attribute; a & SLOT_LAZY: as OP_NAME does */
    OP_ITEM,      /* [object key] */
    OP_SLICE,     /* [object start stop step] */
    OP_LIST,      /* c values */
    OP_TUPLE,     /* c values */
    OP_DICT,      /* c pairs */
    OP_APPEND,    /* [list value] -> list */
    OP_EXTEND,    /* [list iterable] -> list */
    OP_ADD_KEY,   /* K [dict value] -> dict: a keyword argument */
    OP_MERGE,     /* [dict mapping] -> dict: **mapping */
    /* jumps */
    OP_JUMP,
    OP_JUMP_BACK,     /* the same, to a loop's next item; a: 1: from the end of its body */
    OP_JUMP_RAN,      /* L: when the body of the loop that just ended has run to its end */
    OP_JUMP_FALSE,    /* [value] */
    OP_JUMP_TRUE,     /* [value] */
    OP_AND,           /* L [x value] -> x and jump when value is false, else nothing */
    OP_OR,            /* L [x value] -> x and jump when value is true, else nothing */
    OP_JUMP_SET,      /* S L: when something is in the slot */
    OP_JUMP_SET_CELL, /* cell b, L */
    OP_JUMP_PARENT,   /* L: when the template has extended another */
    /* calls */
    OP_CALL,      /* b values, keywords c-1 (0: none) [callee values... keyword values...] */
    OP_CALL_LIST, /* [callee list dict] -> result */
    OP_FILTER,    /* use c [operand values... keyword values...] */
    OP_TEST,
    OP_CALL_OUT, /* as OP_CALL, with OP_OUT of the same E behind it, which is skipped when the
                    callee has written its result itself */
    OP_CALL_LIST_OUT,
    /* loops: OP_FOR's slots b to b + FOR_SLOTS - 1 are the loop's */
    OP_FOR,       /* S loop c [iterable] */
    OP_FOR_NEXT,  /* L at the end; the next item is put in slot b-1, or left on the stack (b = 0) */
    OP_FOR_TEST,  /* [item value]: the end of the loop's test, which began with [item item] */
    OP_FOR_END,   /* leave the innermost loop early */
    OP_LOOP_CALL, /* unit c [iterable]: append what a recursive loop writes */
    OP_UNPACK,    /* [iterable] -> b items, the first on top */
    OP_LOOP_ATTR, /* a: enum program_loop_attr, b: which of the frame's open loops */
    OP_LOOP_CYCLE, /* a: which loop, b values: the one whose turn it is */
    /* statements */
    OP_EXPORT,        /* K [value or nil]: a name set at top level; a: 1: it is exported too */
    OP_UNEXPORT,      /* K [value or nil]: the same for an import, which is not exported */
    OP_NAMESPACE,     /* [value]: it must be a namespace */
    OP_SET_ATTR,      /* K [value namespace] */
    OP_CAPTURE,       /* what is written is kept back ... */
    OP_CAPTURED,      /* E ... -> until here: its text */
    OP_DROP_CAPTURES, /* b of them, and what they hold: break and continue */
    OP_MACRO,         /* unit c -> macro */
    OP_PARAMETER,     /* K -> undefined: "parameter 'x' was not provided" */
    OP_BLOCK,         /* block c of the program's blocks; a: 1: scoped, with locals b-1 (0: none) */
    OP_REQUIRED,      /* block c: fails when nobody filled it */
    OP_LOAD,          /* a: INCLUDE_... [name or list] -> program; none when it may be missing */
    OP_EXTENDS,       /* [program] */
    OP_EXTENDS_AGAIN, /* fails: extended multiple times */
    OP_INCLUDE,       /* a: INCLUDE_..., locals b-1 [program or none] */
    OP_IMPORT,        /* a: INCLUDE_CONTEXT, locals b-1 [program] -> module */
    OP_IMPORTED,      /* K [module] -> module value-or-undefined */
    OP_AUTOESCAPE,    /* S keeps what was in force [value] */
    OP_AUTOESCAPE_END, /* S */
    OP_DEBUG,          /* -> the context as text, as {% debug %} shows it */
    OP_SELF,           /* -> self */
    OP_SUPER,          /* block c -> super, or undefined */
    OP_PARENT,         /* the end of a body that extends: go on in the parent's, if there is one */
    OP_RETURN
};

enum program_loop_attr {
    LOOP_INDEX,
    LOOP_INDEX0,
    LOOP_REVINDEX,
    LOOP_REVINDEX0,
    LOOP_FIRST,
    LOOP_LAST,
    LOOP_LENGTH,
    LOOP_DEPTH,
    LOOP_DEPTH0,
    LOOP_PREVITEM,
    LOOP_NEXTITEM,
    LOOP_CYCLE,
    LOOP_CHANGED,
    LOOP_NONE /* no attribute of a loop */
};

/* Beside the escape in a: the slot is that of a name which is looked up when it is first read. */
#define SLOT_LAZY   4
#define ESCAPE_MASK 3

/* Bits of an include's a. */
#define INCLUDE_CONTEXT        1
#define INCLUDE_IGNORE_MISSING 2
#define INCLUDE_MANY           4 /* a list of names will do, the first that is there */

/* Slots of a loop: what is walked; when it has a test or a loop object also that object, the item
 * now and the one before, the item (or list of all items) looked at ahead, and what loop.changed()
 * saw last. */
enum { FOR_SOURCE, FOR_OBJECT, FOR_CURRENT, FOR_BEFORE, FOR_AHEAD, FOR_CHANGED, FOR_SLOTS };

struct insn {
    uint8_t op;
    uint8_t a;
    uint16_t b;
    int32_t c;
};

/* Bytes that may be read behind a text. */
#define PROGRAM_TEXT_SLACK 32

struct program_const {
    bool is_number;
    double number;
    struct slice text;
};

/* From this instruction on the line is this one, until the next. */
struct program_line {
    int32_t pc;
    int32_t line;
};

enum program_unit_kind { UNIT_ROOT, UNIT_BLOCK, UNIT_MACRO, UNIT_LOOP };

/* What a frame keeps in its slots for itself: the table that its macros share (once there is one),
 * the context, the program's table, the cells, and the first of the tables that the context looks
 * into (once it was needed). */
enum { FIXED_CLOSURE, FIXED_CONTEXT, FIXED_PROGRAM, FIXED_CELLS, FIXED_FIRST, UNIT_FIXED };

struct program_unit {
    enum program_unit_kind kind;
    struct slice name; /* of a block or macro; empty: the body of a call block */
    int line;
    struct insn *code;
    int ncode;
    struct program_line *lines;
    int nlines;
    int nslots;      /* all; parameters come first */
    int fixed;       /* the slots behind the parameters, UNIT_FIXED of them, are the VM's own */
    int ncells;      /* 0: none of its own; else with the outer cells in cell 1 */
    int max_stack;   /* operands above the slots */
    int *slot_names; /* constants; -1: none */
    int begin;       /* where to begin when all parameters are given */
    /* of macros; a loop has one parameter, what it walks, and its depth as the second */
    int nparams;
    int *params; /* constants: their names */
    int ndefaults;
    bool takes_caller, takes_kwargs, takes_varargs; /* in this order behind the parameters */
    bool explicit_caller;                           /* `caller` is a parameter of its own */
    enum program_escape escape;                     /* where it is written */
};

/* The names of a call's keyword arguments: constants. */
struct program_keywords {
    int count;
    int *names;
};

/* A filter or test as it is used at one place. */
struct program_use {
    int name; /* constant */
    int nargs;
    int keywords;  /* index + 1; 0: none */
    bool has_list; /* the arguments come as [operand list dict] */
};

/* Names and where they are, for what sees a unit's names from outside: includes, scoped blocks. */
struct program_local {
    int name; /* constant */
    bool is_cell;
    uint8_t depth;
    uint16_t index;
};

struct program_locals {
    int count;
    struct program_local *items;
};

struct program_loop {
    bool is_simple;  /* it has but the first of its slots */
    bool has_object; /* `loop` is used as a value */
    int test;        /* where its test begins, or -1 */
    int recursive;   /* the unit it is the body of, or -1 */
};

struct program_block {
    int name; /* constant */
    int unit;
    bool is_required;
};

struct program {
    struct arena arena; /* of all below and of the program itself */
    struct slice name;  /* "" when it has none */
    struct slice source;
    bool autoescape; /* at its beginning */
    bool has_extends;
    struct program_const *consts;
    int nconsts;
    struct slice *texts;
    int ntexts;
    struct program_unit *units; /* [0]: the body */
    int nunits;
    struct program_keywords *keywords;
    int nkeywords;
    struct program_use *filters;
    int nfilters;
    struct program_use *tests;
    int ntests;
    struct program_locals *locals;
    int nlocals;
    struct program_loop *loops;
    int nloops;
    struct program_block *blocks;
    int nblocks;
};

/* Frees NULL too. */
void program_free(struct program *program);

/* The line of an instruction. */
int program_line_of(const struct program_unit *unit, int pc);

/* The text of a line (1-based) of the source, without its end; empty when there is none. Borrowed
 * from the program. */
struct slice program_source_line(const struct program *program, int line);

/* The block of this name, or NULL. */
const struct program_block *program_block(const struct program *program, struct slice name);

/* The attribute of a loop object, or LOOP_NONE. */
enum program_loop_attr program_loop_attr(struct slice name);

/* Append a readable listing of the whole program. */
void program_print(const struct program *program, struct buf *out);

#endif
