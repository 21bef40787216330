/* template/parser_internal.h - what the parser's files share.
 *
 * Place in the flow: parser.c has the tokens, the bodies and the dispatch on tags;
 * parser_expression.c, parser_postfix.c, parser_statement.c, parser_load.c and parser_trans.c each
 * a part of the grammar. The first failure ends the parse from wherever it is (parser_fail
 * jumps): all memory is the arena's, so nothing is lost, and no function here returns failure.
 */
#ifndef QLUA_TEMPLATE_PARSER_INTERNAL_H
#define QLUA_TEMPLATE_PARSER_INTERNAL_H

#include <setjmp.h>
#include <stdnoreturn.h>

#include "base/arena.h"
#include "template/lexer.h"
#include "template/parser.h"

/* A tag that is being parsed; they are on the C stack. */
struct parser_tag {
    struct slice name;
    struct parser_tag *outer;
};

/* The tags that end a body that is being parsed. */
struct parser_ends {
    const char *const *names; /* up to a NULL */
    struct parser_ends *outer;
};

struct parser {
    struct arena *arena;
    const struct template_syntax *syntax;
    struct template_error *error;
    struct lexer lexer;
    struct token current;
    struct token ahead; /* the one after current, when has_ahead */
    bool has_ahead;
    int depth;
    int bad_slice; /* the line of a slice beside other indexes, of which Jinja makes bad Python */
    struct parser_tag *tags;
    struct parser_ends *ends;
    jmp_buf failed;
};

/* ---- failing ---- */

noreturn void parser_fail(struct parser *p, enum template_error_kind kind, int line,
                          const char *format, ...) __attribute__((format(printf, 4, 5)));
/* A token as messages call it: a name by its text. For "%.*s". */
struct slice parser_token_text(const struct token *token);
/* One more level of nesting, and back. */
void parser_enter(struct parser *p);
static inline void parser_leave(struct parser *p)
{
    p->depth--;
}

/* ---- tokens ---- */

/* Go one token ahead; gives the old one. */
struct token parser_next(struct parser *p);
/* The token after the current one. */
const struct token *parser_look(struct parser *p);
struct token parser_expect(struct parser *p, enum token_type type);
void parser_expect_name(struct parser *p, const char *name);
bool parser_skip_if(struct parser *p, enum token_type type);
bool parser_skip_name(struct parser *p, const char *name);

static inline bool token_is_name(const struct token *token, const char *name)
{
    return token->type == TOKEN_NAME && slice_eq(token->text, slice_cstr(name));
}

static inline bool parser_at(const struct parser *p, enum token_type type)
{
    return p->current.type == type;
}

static inline bool parser_at_name(const struct parser *p, const char *name)
{
    return token_is_name(&p->current, name);
}

/* ---- nodes ---- */

/* A zeroed node of `size` bytes that begins with struct ast. */
void *parser_node(struct parser *p, enum ast_kind kind, size_t size, int line);
#define PARSER_NODE(p, type, kind, line) \
    ((struct type *)parser_node((p), (kind), sizeof(struct type), (line)))
/* child (may be NULL) is below node: its height counts. */
void parser_raise(struct parser *p, struct ast *node, const struct ast *child);
void parser_raise_list(struct parser *p, struct ast *node, const struct ast_list *children);
void parser_raise_args(struct parser *p, struct ast *node, const struct ast_args *args);
/* Append to a list in the arena. */
void parser_add(struct parser *p, struct ast_list *list, struct ast *node);
/* The same for texts; *count is their number. */
void parser_add_text(struct parser *p, struct slice **texts, int *count, struct slice text);
/* first and the `count` texts behind it in one. */
struct slice parser_join(struct parser *p, struct slice first, const struct slice *rest, int count);
struct ast *parser_name_node(struct parser *p, struct slice name, int line);
struct ast *parser_string_node(struct parser *p, struct slice text, int line);

/* ---- parser_expression.c ---- */

struct ast *parser_expression(struct parser *p);
/* How parser_tuple reads; the flags may be or'ed together. */
enum {
    PARSER_SIMPLE = 1,   /* only names and literals: targets of assignments */
    PARSER_NO_COND = 2,  /* no "a if b else c" */
    PARSER_BRACKETED = 4 /* may be empty */
};
/* Expressions separated by commas: a tuple, or the one expression. */
struct ast *parser_tuple(struct parser *p, int flags);
struct ast *parser_primary(struct parser *p);
/* What an assignment may be to; fails for the rest. */
struct ast *parser_target(struct parser *p);
/* A plain name that may be assigned to. */
struct slice parser_target_name(struct parser *p, int *line);

/* ---- parser_postfix.c ---- */

/* Lookups and calls behind node. */
struct ast *parser_postfix(struct parser *p, struct ast *node);
/* The same with filters and tests. */
struct ast *parser_filter_expression(struct parser *p, struct ast *node);
/* "|a|b(c)"; inline_first: the first stands without "|". operand may be NULL. */
struct ast *parser_filters(struct parser *p, struct ast *operand, bool inline_first);

/* ---- parser.c: bodies ---- */

/* "%}", then statements up to one of the tags `ends` (ending in NULL), which becomes current. */
struct ast_list parser_body(struct parser *p, const char *const *ends);
/* The same with one tag, whose name is taken. */
struct ast_list parser_body_until(struct parser *p, const char *end);

/* ---- statements: each begins at its tag's name and ends before "%}"; results go to body ---- */

typedef void parser_statement_fn(struct parser *p, struct ast_list *body);
parser_statement_fn parser_if, parser_for, parser_set, parser_with, parser_macro, parser_call_block,
    parser_filter_block, parser_autoescape, parser_print;
parser_statement_fn parser_block, parser_extends, parser_include, parser_import, parser_from;
parser_statement_fn parser_do, parser_break, parser_continue, parser_debug, parser_trans;

#endif
