/* template/lexer_internal.h - what the two files of the lexer share.
 *
 * Place in the flow: lexer.c reads the text between tags and calls lexer_tag_next within them.
 */
#ifndef QLUA_TEMPLATE_LEXER_INTERNAL_H
#define QLUA_TEMPLATE_LEXER_INTERNAL_H

#include "template/lexer.h"

/* The source from the place `at` on. */
static inline struct slice lexer_rest(const struct lexer *lexer, size_t at)
{
    return slice_of(lexer->source.data + at, lexer->source.len - at);
}

static inline bool lexer_has(const struct lexer *lexer, size_t at, struct slice text)
{
    return slice_starts_with(lexer_rest(lexer, at), text);
}

/* Go on to the place `to`, counting lines. */
void lexer_advance(struct lexer *lexer, size_t to);

/* Bytes of `end` behind a "-" or, where plus, a "+" or plainly, with what they swallow: white
 * space after "-", one newline where trim; 0 when it is not here. */
size_t lexer_end_len(const struct lexer *lexer, size_t at, struct slice end, bool plus, bool trim);

/* text with the environment's newlines. */
struct slice lexer_newlines(const struct lexer *lexer, struct slice text);

/* The next token within a variable, a block or a line statement; true with TOKEN_EOF at the end. */
bool lexer_tag_next(struct lexer *lexer, struct token *token);

/* The value of a string literal, quotes taken off (lexer_string.c). */
bool lexer_string(struct lexer *lexer, struct slice raw, struct slice *value);

#endif
