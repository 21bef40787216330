/* template/ast_walk.h - the names in an expression, in the order of jinja2/nodes.py.
 *
 * Place in the flow: scope.c and scope_undeclared.c walk statements themselves, each in its own
 * way, and expressions with this.
 */
#ifndef QLUA_TEMPLATE_AST_WALK_H
#define QLUA_TEMPLATE_AST_WALK_H

#include <stdbool.h>

#include "template/ast.h"

/* Call on_name for each name that is read in the expression (NULL: none); one within a namespace
 * target (ns.x) counts when with_namespaces. */
void ast_walk_names(const struct ast *expression, bool with_namespaces,
                    void (*on_name)(void *data, struct slice name), void *data);

/* Call on_name for each name in a target: AST_NAME or AST_TUPLE of targets; AST_NSREF has none. */
void ast_walk_targets(const struct ast *target, void (*on_name)(void *data, struct slice name),
                      void *data);

/* The lists of statements inside a statement, in order; gives how many. */
#define AST_MOST_BODIES 2
int ast_bodies(const struct ast *statement, struct ast_list bodies[AST_MOST_BODIES]);

#endif
