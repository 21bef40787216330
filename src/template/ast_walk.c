/* template/ast_walk.c - the names in an expression. See ast_walk.h. */
#include "template/ast_walk.h"

struct walk {
    bool with_namespaces;
    void (*on_name)(void *data, struct slice name);
    void *data;
};

static void walk(const struct walk *w, const struct ast *node);

static void walk_list(const struct walk *w, struct ast_list list)
{
    for (int i = 0; i < list.count; i++)
        walk(w, list.items[i]);
}

static void walk_args(const struct walk *w, const struct ast_args *args)
{
    walk_list(w, args->positional);
    walk_list(w, args->keywords);
    walk(w, args->star);
    walk(w, args->star_star);
}

static void walk_dict(const struct walk *w, const struct ast_dict *dict)
{
    for (int i = 0; i < dict->keys.count; i++) {
        walk(w, dict->keys.items[i]);
        walk(w, dict->values.items[i]);
    }
}

/* Those with more than one kind of child. */
static void walk_mixed(const struct walk *w, const struct ast *node)
{
    if (node->kind == AST_DICT) {
        walk_dict(w, (const struct ast_dict *)node);
    } else if (node->kind == AST_COMPARE) {
        const struct ast_compare *compare = (const struct ast_compare *)node;
        walk(w, compare->first);
        walk_list(w, compare->operands);
    } else if (node->kind == AST_COND) {
        const struct ast_cond *cond = (const struct ast_cond *)node;
        walk(w, cond->test);
        walk(w, cond->yes);
        walk(w, cond->no);
    } else if (node->kind == AST_GETITEM) {
        const struct ast_getitem *getitem = (const struct ast_getitem *)node;
        walk(w, getitem->object);
        walk(w, getitem->index);
    } else if (node->kind == AST_SLICE) {
        const struct ast_slice *slice = (const struct ast_slice *)node;
        walk(w, slice->start);
        walk(w, slice->stop);
        walk(w, slice->step);
    } else if (node->kind == AST_CALL) {
        const struct ast_call *call = (const struct ast_call *)node;
        walk(w, call->callee);
        walk_args(w, &call->args);
    } else {
        const struct ast_filter *filter = (const struct ast_filter *)node;
        walk(w, filter->operand);
        walk_args(w, &filter->args);
    }
}

static void walk(const struct walk *w, const struct ast *node)
{
    if (node == NULL)
        return;
    switch (node->kind) {
    case AST_NAME: w->on_name(w->data, ((const struct ast_text *)node)->text); break;
    case AST_NSREF:
        if (w->with_namespaces)
            w->on_name(w->data, ((const struct ast_nsref *)node)->name);
        break;
    case AST_LIST:
    case AST_TUPLE:
    case AST_CONCAT: walk_list(w, ((const struct ast_items *)node)->items); break;
    case AST_NOT:
    case AST_NEG:
    case AST_POS:
    case AST_MARK_SAFE: walk(w, ((const struct ast_unary *)node)->operand); break;
    case AST_AND:
    case AST_OR:
    case AST_ADD:
    case AST_SUB:
    case AST_MUL:
    case AST_DIV:
    case AST_FLOORDIV:
    case AST_MOD:
    case AST_POW:
        walk(w, ((const struct ast_binary *)node)->left);
        walk(w, ((const struct ast_binary *)node)->right);
        break;
    case AST_GETATTR: walk(w, ((const struct ast_getattr *)node)->object); break;
    case AST_DICT:
    case AST_COMPARE:
    case AST_COND:
    case AST_GETITEM:
    case AST_SLICE:
    case AST_CALL:
    case AST_FILTER:
    case AST_TEST: walk_mixed(w, node); break;
    default: break; /* constants */
    }
}

void ast_walk_names(const struct ast *expression, bool with_namespaces,
                    void (*on_name)(void *data, struct slice name), void *data)
{
    struct walk w = {with_namespaces, on_name, data};
    walk(&w, expression);
}

void ast_walk_targets(const struct ast *target, void (*on_name)(void *data, struct slice name),
                      void *data)
{
    if (target->kind == AST_NAME) {
        on_name(data, ((const struct ast_text *)target)->text);
    } else if (target->kind == AST_TUPLE || target->kind == AST_LIST) {
        struct ast_list items = ((const struct ast_items *)target)->items;
        for (int i = 0; i < items.count; i++)
            ast_walk_targets(items.items[i], on_name, data);
    }
}

int ast_bodies(const struct ast *node, struct ast_list bodies[AST_MOST_BODIES])
{
    switch (node->kind) {
    case AST_IF:
        bodies[0] = ((const struct ast_if *)node)->yes;
        bodies[1] = ((const struct ast_if *)node)->no;
        return 2;
    case AST_FOR:
        bodies[0] = ((const struct ast_for *)node)->body;
        bodies[1] = ((const struct ast_for *)node)->otherwise;
        return 2;
    case AST_MACRO: bodies[0] = ((const struct ast_macro *)node)->body; return 1;
    case AST_CALL_BLOCK: bodies[0] = ((const struct ast_call_block *)node)->caller->body; return 1;
    case AST_FILTER_BLOCK: bodies[0] = ((const struct ast_filter_block *)node)->body; return 1;
    case AST_SET_BLOCK: bodies[0] = ((const struct ast_set_block *)node)->body; return 1;
    case AST_WITH: bodies[0] = ((const struct ast_with *)node)->body; return 1;
    case AST_BLOCK: bodies[0] = ((const struct ast_block *)node)->body; return 1;
    case AST_AUTOESCAPE: bodies[0] = ((const struct ast_autoescape *)node)->body; return 1;
    default: return 0;
    }
}
