/* template/ast.h - a template as a tree.
 *
 * Place in the flow: parser makes it, compiler walks it. All nodes and texts live in the arena
 * that was given to the parser. Knows no Lua. Each node begins with struct ast; cast by kind.
 */
#ifndef QLUA_TEMPLATE_AST_H
#define QLUA_TEMPLATE_AST_H

#include <stdbool.h>

#include "base/slice.h"

enum ast_kind {
    /* expressions */
    AST_NONE,   /* struct ast */
    AST_TRUE,   /* struct ast */
    AST_FALSE,  /* struct ast */
    AST_NUMBER, /* ast_number */
    AST_STRING, /* ast_text: escapes are decoded, adjacent literals joined */
    AST_NAME,   /* ast_text */
    AST_LIST,   /* ast_items */
    AST_TUPLE,  /* ast_items */
    AST_DICT,   /* ast_dict */
    AST_CONCAT, /* ast_items: a ~ b ~ c */
    AST_NOT,    /* ast_unary */
    AST_NEG,    /* ast_unary */
    AST_POS,    /* ast_unary */
    AST_AND,    /* ast_binary; so are the next */
    AST_OR,
    AST_ADD,
    AST_SUB,
    AST_MUL,
    AST_DIV,
    AST_FLOORDIV,
    AST_MOD,
    AST_POW,
    AST_COMPARE,   /* ast_compare: chained */
    AST_COND,      /* ast_cond: a if c else b */
    AST_GETATTR,   /* ast_getattr: a.b */
    AST_GETITEM,   /* ast_getitem: a[b], a.0; index may be AST_SLICE */
    AST_SLICE,     /* ast_slice: only as index of AST_GETITEM */
    AST_CALL,      /* ast_call */
    AST_FILTER,    /* ast_filter */
    AST_TEST,      /* ast_filter: a is name(args) (negation is AST_NOT around it) */
    AST_NSREF,     /* ast_nsref: ns.attr as the target of a set */
    AST_MARK_SAFE, /* ast_unary: Markup of it where autoescape is on (old-style gettext) */
    /* statements */
    AST_DATA,         /* ast_text: literal text, never empty */
    AST_OUTPUT,       /* ast_output: {{ expression }} */
    AST_IF,           /* ast_if */
    AST_FOR,          /* ast_for */
    AST_MACRO,        /* ast_macro */
    AST_CALL_BLOCK,   /* ast_call_block */
    AST_FILTER_BLOCK, /* ast_filter_block */
    AST_SET,          /* ast_set */
    AST_SET_BLOCK,    /* ast_set_block */
    AST_WITH,         /* ast_with */
    AST_BLOCK,        /* ast_block */
    AST_EXTENDS,      /* ast_extends */
    AST_INCLUDE,      /* ast_include */
    AST_IMPORT,       /* ast_import */
    AST_FROM_IMPORT,  /* ast_from_import */
    AST_AUTOESCAPE,   /* ast_autoescape */
    AST_DO,           /* ast_output: {% do expression %} */
    AST_BREAK,        /* struct ast */
    AST_CONTINUE,     /* struct ast */
    AST_DEBUG         /* struct ast: {% debug %} */
};

struct ast {
    enum ast_kind kind;
    int line;
    int height; /* of the expression below: at most PARSER_HEIGHT_MAX, so that walkers may recurse
                 */
};

/* A list of nodes in the order of the source. */
struct ast_list {
    struct ast **items;
    int count;
};

struct ast_number {
    struct ast ast;
    double value;
    bool is_float; /* written with a point or an exponent */
};

struct ast_text {
    struct ast ast;
    struct slice text;
};

struct ast_items {
    struct ast ast;
    struct ast_list items;
};

struct ast_dict {
    struct ast ast;
    struct ast_list keys;
    struct ast_list values; /* as many */
};

struct ast_unary {
    struct ast ast;
    struct ast *operand;
};

struct ast_binary {
    struct ast ast;
    struct ast *left;
    struct ast *right;
};

enum ast_comparison { AST_EQ, AST_NE, AST_LT, AST_LE, AST_GT, AST_GE, AST_IN, AST_NOT_IN };

struct ast_compare {
    struct ast ast;
    struct ast *first;
    enum ast_comparison *ops; /* operands.count of them */
    struct ast_list operands;
};

struct ast_cond {
    struct ast ast;
    struct ast *test;
    struct ast *yes;
    struct ast *no; /* NULL: undefined */
};

struct ast_getattr {
    struct ast ast;
    struct ast *object;
    struct slice name;
};

struct ast_getitem {
    struct ast ast;
    struct ast *object;
    struct ast *index;
};

struct ast_slice {
    struct ast ast;
    struct ast *start; /* each may be NULL */
    struct ast *stop;
    struct ast *step;
};

/* The arguments of calls, filters and tests. */
struct ast_args {
    struct ast_list positional;
    struct slice *names;      /* of the keyword arguments */
    struct ast_list keywords; /* their values */
    struct ast *star;         /* *args, or NULL */
    struct ast *star_star;    /* **kwargs, or NULL */
};

struct ast_call {
    struct ast ast;
    struct ast *callee;
    struct ast_args args;
};

struct ast_filter {
    struct ast ast;
    struct ast *operand; /* NULL: the body of a filter block or set block */
    struct slice name;   /* "upper"; dotted names as written */
    struct ast_args args;
};

struct ast_nsref {
    struct ast ast;
    struct slice name;
    struct slice attr;
};

struct ast_output {
    struct ast ast;
    struct ast *expression;
};

struct ast_if {
    struct ast ast;
    struct ast *test;
    struct ast_list yes;
    struct ast_list no; /* else, or one AST_IF for elif */
    bool is_elif;       /* it stands as elif in the `no` of another */
};

struct ast_for {
    struct ast ast;
    struct ast *target; /* AST_NAME or AST_TUPLE of targets */
    struct ast *iterable;
    struct ast *test; /* for ... if test; may be NULL */
    bool recursive;
    struct ast_list body;
    struct ast_list otherwise;
};

struct ast_macro {
    struct ast ast;
    struct slice name; /* empty: the body of a call block */
    struct slice *params;
    int nparams;
    struct ast_list defaults; /* of the last defaults.count params */
    struct ast_list body;
};

struct ast_call_block {
    struct ast ast;
    struct ast *call;         /* AST_CALL */
    struct ast_macro *caller; /* name empty */
};

struct ast_filter_block {
    struct ast ast;
    struct ast *filter; /* AST_FILTER chain whose innermost operand is NULL */
    struct ast_list body;
};

struct ast_set {
    struct ast ast;
    struct ast *target; /* AST_NAME, AST_TUPLE or AST_NSREF */
    struct ast *value;
};

struct ast_set_block {
    struct ast ast;
    struct ast *target; /* AST_NAME or AST_NSREF */
    struct ast *filter; /* AST_FILTER chain with innermost operand NULL, or NULL */
    struct ast_list body;
};

struct ast_with {
    struct ast ast;
    struct ast_list targets; /* AST_NAME or AST_TUPLE */
    struct ast_list values;
    struct ast_list body;
};

struct ast_block {
    struct ast ast;
    struct slice name;
    bool scoped;
    bool required;
    struct ast_list body;
};

struct ast_extends {
    struct ast ast;
    struct ast *template;
};

struct ast_include {
    struct ast ast;
    struct ast *template;
    bool with_context; /* true unless "without context" */
    bool ignore_missing;
};

struct ast_import {
    struct ast ast;
    struct ast *template;
    struct slice target;
    bool with_context;
};

struct ast_from_import {
    struct ast ast;
    struct ast *template;
    struct slice *names;
    struct slice *aliases; /* empty slice: as the name */
    int count;
    bool with_context;
};

struct ast_autoescape {
    struct ast ast;
    struct ast *value;
    struct ast_list body;
};

struct ast_template {
    struct ast_list body;
};

#endif
