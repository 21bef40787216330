/* template/ast_print.h - a template's tree as text, for people and specs.
 *
 * Place in the flow: beside it; specs compare the text with what Jinja's own parser makes.
 */
#ifndef QLUA_TEMPLATE_AST_PRINT_H
#define QLUA_TEMPLATE_AST_PRINT_H

#include "base/buf.h"
#include "template/ast.h"

/* Append each statement on a line of its own: (kind:line part ...), parts being texts in quotes,
 * nodes, lists [...], or - for what is left out. */
void ast_print(struct buf *out, const struct ast_template *template);

#endif
