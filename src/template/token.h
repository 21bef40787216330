/* template/token.h - the pieces that a template's source is made of.
 *
 * Place in the flow: the lexer makes them, one at a time, the parser takes them. Their texts are
 * in the arena of the parse. Names of the types are Jinja's, for its messages.
 */
#ifndef QLUA_TEMPLATE_TOKEN_H
#define QLUA_TEMPLATE_TOKEN_H

#include "base/slice.h"

enum token_type {
    TOKEN_EOF,
    TOKEN_DATA,
    TOKEN_VARIABLE_BEGIN,
    TOKEN_VARIABLE_END,
    TOKEN_BLOCK_BEGIN, /* of a line statement too */
    TOKEN_BLOCK_END,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    /* operators */
    TOKEN_ADD,
    TOKEN_SUB,
    TOKEN_MUL,
    TOKEN_DIV,
    TOKEN_FLOORDIV,
    TOKEN_MOD,
    TOKEN_POW,
    TOKEN_TILDE,
    TOKEN_LBRACKET,
    TOKEN_RBRACKET,
    TOKEN_LPAREN,
    TOKEN_RPAREN,
    TOKEN_LBRACE,
    TOKEN_RBRACE,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_GT,
    TOKEN_GTEQ,
    TOKEN_LT,
    TOKEN_LTEQ,
    TOKEN_ASSIGN,
    TOKEN_DOT,
    TOKEN_COLON,
    TOKEN_PIPE,
    TOKEN_COMMA,
    TOKEN_SEMICOLON
};

struct token {
    enum token_type type;
    int line;          /* where it begins */
    struct slice text; /* of names, strings (their value) and data; else empty */
    double number;     /* of integers and floats */
};

/* What a message calls a type of token: "end of print statement", "name", "==". */
const char *token_describe(enum token_type type);

#endif
