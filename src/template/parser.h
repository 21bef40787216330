/* template/parser.h - a template's source as a tree.
 *
 * Place in the flow: an environment parses a source once; the compiler walks the tree (ast.h).
 * Jinja's grammar and messages (jinja2/parser.py, and jinja2/ext.py for do, loopcontrols, debug
 * and trans, which becomes calls of gettext and its like). What needs more than the grammar
 * (unknown filters, blocks defined twice, ...) is the compiler's. Knows no Lua.
 */
#ifndef QLUA_TEMPLATE_PARSER_H
#define QLUA_TEMPLATE_PARSER_H

#include "template/ast.h"
#include "template/syntax.h"

struct arena;

/* Statements and brackets that may stand in each other. */
#define PARSER_DEPTH_MAX 200
/* The height a tree may have: a chain such as a + b + c ... is as high as it is long. Whoever walks
 * the tree may recurse so deep. */
#define PARSER_HEIGHT_MAX 1000

/* Parse source. On true *out is the tree; it and all its texts live in arena, nothing of it
 * borrows from source. On false *error says why: kind, line, message, and name (NULL: none). */
bool template_parse(struct arena *arena, const struct template_syntax *syntax, struct slice source,
                    const char *name, struct ast_template **out, struct template_error *error);

#endif
