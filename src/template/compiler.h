/* template/compiler.h - a tree becomes a program.
 *
 * Place in the flow: vm_library.c gives it what the parser made; the VM runs the result. Names
 * become slots where Jinja's scoping allows (scope.h), constants are folded, literal text is
 * merged and constant output is escaped beforehand. Knows no Lua: which filters and tests there
 * are is asked of the caller.
 */
#ifndef QLUA_TEMPLATE_COMPILER_H
#define QLUA_TEMPLATE_COMPILER_H

#include <stdbool.h>

#include "template/ast.h"
#include "template/program.h"
#include "template/syntax.h"

struct template_compile {
    struct slice name; /* empty: none */
    struct slice source;
    bool autoescape;
    bool has_finalize; /* constants are not written beforehand: a function wants to see them */
    bool (*has_filter)(void *data, struct slice name);
    bool (*has_test)(void *data, struct slice name);
    void *data;
};

/* The program of a parsed template; everything it needs of the tree is copied. NULL with *error
 * filled: TEMPLATE_ASSERTION (an unknown filter or test outside if, a block defined twice, extends
 * inside something, ...), TEMPLATE_SYNTAX (break outside a loop) or TEMPLATE_LIMIT (too large).
 * Free it with program_free. */
struct program *template_compile(const struct ast_template *tree,
                                 const struct template_compile *options,
                                 struct template_error *error);

#endif
