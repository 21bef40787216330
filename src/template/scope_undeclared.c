/* template/scope_undeclared.c - which special names (loop, caller, super ...) a body reads.
 *
 * As jinja2/compiler.py's find_undeclared: nodes are visited in the order of nodes.py, a name that
 * is set is no longer looked for from there on.
 */
#include "template/ast_walk.h"
#include "template/scope.h"

struct search {
    const struct slice *names;
    int count;
    bool *is_read;
    bool *is_gone; /* set before it was read */
};

static void on_read(void *data, struct slice name)
{
    struct search *search = data;
    for (int i = 0; i < search->count; i++)
        if (!search->is_gone[i] && slice_eq(search->names[i], name))
            search->is_read[i] = true;
}

static void on_set(void *data, struct slice name)
{
    struct search *search = data;
    for (int i = 0; i < search->count; i++)
        if (slice_eq(search->names[i], name))
            search->is_gone[i] = true;
}

static void read_from(struct search *search, const struct ast *expression)
{
    ast_walk_names(expression, false, on_read, search);
}

static void set_targets(struct search *search, const struct ast *target)
{
    ast_walk_targets(target, on_set, search);
}

static void search_in(struct search *search, struct ast_list statements);

static void search_expressions(struct search *search, struct ast_list list)
{
    for (int i = 0; i < list.count; i++)
        read_from(search, list.items[i]);
}

static void search_for(struct search *search, const struct ast_for *node)
{
    set_targets(search, node->target);
    read_from(search, node->iterable);
    search_in(search, node->body);
    search_in(search, node->otherwise);
    read_from(search, node->test);
}

static void search_if(struct search *search, const struct ast_if *node)
{
    read_from(search, node->test);
    search_in(search, node->yes);
    search_in(search, node->no);
}

static void search_macro(struct search *search, const struct ast_macro *macro)
{
    for (int i = 0; i < macro->nparams; i++)
        on_set(search, macro->params[i]);
    search_expressions(search, macro->defaults);
    search_in(search, macro->body);
}

static void search_with(struct search *search, const struct ast_with *with)
{
    for (int i = 0; i < with->targets.count; i++)
        set_targets(search, with->targets.items[i]);
    search_expressions(search, with->values);
    search_in(search, with->body);
}

static void search_set_block(struct search *search, const struct ast_set_block *node)
{
    set_targets(search, node->target);
    read_from(search, node->filter);
    search_in(search, node->body);
}

static void search_simple(struct search *search, const struct ast *node)
{
    switch (node->kind) {
    case AST_OUTPUT:
    case AST_DO: read_from(search, ((const struct ast_output *)node)->expression); break;
    case AST_SET:
        set_targets(search, ((const struct ast_set *)node)->target);
        read_from(search, ((const struct ast_set *)node)->value);
        break;
    case AST_EXTENDS: read_from(search, ((const struct ast_extends *)node)->template); break;
    case AST_INCLUDE: read_from(search, ((const struct ast_include *)node)->template); break;
    case AST_IMPORT: read_from(search, ((const struct ast_import *)node)->template); break;
    case AST_FROM_IMPORT:
        read_from(search, ((const struct ast_from_import *)node)->template);
        break;
    default: break;
    }
}

static void search_statement(struct search *search, const struct ast *node)
{
    switch (node->kind) {
    case AST_IF: search_if(search, (const struct ast_if *)node); break;
    case AST_FOR: search_for(search, (const struct ast_for *)node); break;
    case AST_MACRO: search_macro(search, (const struct ast_macro *)node); break;
    case AST_CALL_BLOCK:
        read_from(search, ((const struct ast_call_block *)node)->call);
        search_macro(search, ((const struct ast_call_block *)node)->caller);
        break;
    case AST_FILTER_BLOCK:
        search_in(search, ((const struct ast_filter_block *)node)->body);
        read_from(search, ((const struct ast_filter_block *)node)->filter);
        break;
    case AST_WITH: search_with(search, (const struct ast_with *)node); break;
    case AST_SET_BLOCK: search_set_block(search, (const struct ast_set_block *)node); break;
    case AST_AUTOESCAPE:
        read_from(search, ((const struct ast_autoescape *)node)->value);
        search_in(search, ((const struct ast_autoescape *)node)->body);
        break;
    default: search_simple(search, node); break;
    }
}

static void search_in(struct search *search, struct ast_list statements)
{
    for (int i = 0; i < statements.count; i++)
        search_statement(search, statements.items[i]);
}

#define MOST_NAMES 4

void scope_undeclared(struct ast_list statements, const struct slice *names, int count,
                      bool *is_read)
{
    bool is_gone[MOST_NAMES] = {false};
    struct search search = {names, count < MOST_NAMES ? count : MOST_NAMES, is_read, is_gone};
    for (int i = 0; i < count; i++)
        is_read[i] = false;
    search_in(&search, statements);
}

bool scope_reads(struct ast_list statements, struct slice name)
{
    bool is_read;
    scope_undeclared(statements, &name, 1, &is_read);
    return is_read;
}
