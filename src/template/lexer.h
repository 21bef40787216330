/* template/lexer.h - a template's source as tokens.
 *
 * Place in the flow: the parser pulls one token after the other; nothing is read ahead, so that
 * the first mistake in the order of the tokens is the one reported, as in Jinja. Newlines,
 * white space control, comments, raw blocks and line statements are dealt with here; lexer.c reads
 * what stands between the tags, lexer_tag.c what stands in them. Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_LEXER_H
#define QLUA_TEMPLATE_LEXER_H

#include <stdbool.h>

#include "template/syntax.h"
#include "template/token.h"

struct arena;

/* Brackets that may be open at once; the parser's own limit is lower. */
#define LEXER_BRACKETS_MAX 256

enum lexer_state {
    LEXER_ROOT,
    LEXER_RAW,
    LEXER_COMMENT,
    LEXER_LINE_COMMENT,
    LEXER_VARIABLE,
    LEXER_BLOCK,
    LEXER_LINE_STATEMENT
};

/* What begins a tag, in Jinja's order where several fit at one place and are of equal length. */
struct lexer_rule {
    struct slice start;
    enum lexer_state state; /* that it leads to */
    size_t len;             /* code points of start */
};

/* A tag found in the source, its beginning not yet handed out. */
struct lexer_tag {
    enum lexer_state state;
    char sign;  /* '-', '+' or 0: what stands behind its start */
    size_t end; /* where what begins it ends */
};

struct lexer {
    struct arena *arena;
    const struct template_syntax *syntax;
    struct template_error *error;
    struct slice source; /* a copy in the arena, newlines are "\n" */
    size_t at;
    int line;
    enum lexer_state state;
    bool line_starting; /* what was read last ended in a newline */
    bool has_tag;       /* tag is pending */
    struct lexer_tag tag;
    struct lexer_rule rules[5];
    int nrules;
    bool candidate[256]; /* bytes that a tag may begin with */
    int only;            /* the one such byte, or -1 */
    int nbrackets;
    char brackets[LEXER_BRACKETS_MAX]; /* the closing ones expected, innermost last */
};

/* Begin to read source, which is copied into arena; syntax must outlive the lexer. */
void lexer_init(struct lexer *lexer, struct arena *arena, const struct template_syntax *syntax,
                struct slice source, struct template_error *error);

/* Read the next token. At the end TOKEN_EOF, whose line is for the caller to know. False: *error
 * has been filled with Jinja's message. */
bool lexer_next(struct lexer *lexer, struct token *token);

#endif
