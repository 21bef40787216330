/* template/ast_print.c - a template's tree as text, for people and specs. See ast_print.h. */
#include "template/ast_print.h"

#include "value/number.h"

static void put_node(struct buf *out, const struct ast *node);

static const char *kind_name(enum ast_kind kind)
{
    static const char *const names[] = {
        [AST_NONE] = "none",
        [AST_TRUE] = "true",
        [AST_FALSE] = "false",
        [AST_NUMBER] = "number",
        [AST_STRING] = "string",
        [AST_NAME] = "name",
        [AST_LIST] = "list",
        [AST_TUPLE] = "tuple",
        [AST_DICT] = "dict",
        [AST_CONCAT] = "concat",
        [AST_NOT] = "not",
        [AST_NEG] = "neg",
        [AST_POS] = "pos",
        [AST_AND] = "and",
        [AST_OR] = "or",
        [AST_ADD] = "add",
        [AST_SUB] = "sub",
        [AST_MUL] = "mul",
        [AST_DIV] = "div",
        [AST_FLOORDIV] = "floordiv",
        [AST_MOD] = "mod",
        [AST_POW] = "pow",
        [AST_COMPARE] = "compare",
        [AST_COND] = "cond",
        [AST_GETATTR] = "getattr",
        [AST_GETITEM] = "getitem",
        [AST_SLICE] = "slice",
        [AST_CALL] = "call",
        [AST_FILTER] = "filter",
        [AST_TEST] = "test",
        [AST_NSREF] = "nsref",
        [AST_MARK_SAFE] = "mark_safe",
        [AST_DATA] = "data",
        [AST_OUTPUT] = "output",
        [AST_IF] = "if",
        [AST_FOR] = "for",
        [AST_MACRO] = "macro",
        [AST_CALL_BLOCK] = "call_block",
        [AST_FILTER_BLOCK] = "filter_block",
        [AST_SET] = "set",
        [AST_SET_BLOCK] = "set_block",
        [AST_WITH] = "with",
        [AST_BLOCK] = "block",
        [AST_EXTENDS] = "extends",
        [AST_INCLUDE] = "include",
        [AST_IMPORT] = "import",
        [AST_FROM_IMPORT] = "from_import",
        [AST_AUTOESCAPE] = "autoescape",
        [AST_DO] = "do",
        [AST_BREAK] = "break",
        [AST_CONTINUE] = "continue",
        [AST_DEBUG] = "debug",
    };
    return names[kind];
}

static void put_text(struct buf *out, struct slice text)
{
    buf_cstr(out, " \"");
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20)
            buf_printf(out, "\\x%02x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

static void put_list(struct buf *out, const struct ast_list *list)
{
    buf_cstr(out, " [");
    for (int i = 0; i < list->count; i++)
        put_node(out, list->items[i]);
    buf_char(out, ']');
}

static void put_flag(struct buf *out, bool flag, const char *name)
{
    if (flag)
        buf_printf(out, " %s", name);
}

static void put_number(struct buf *out, const struct ast_number *node)
{
    if (node->value - node->value != 0)
        buf_cstr(out, " inf");
    else {
        buf_char(out, ' ');
        out->len += number_write(buf_reserve(out, NUMBER_TEXT_MAX), node->value);
    }
    put_flag(out, node->is_float, "float");
}

static void put_args(struct buf *out, const struct ast_args *args)
{
    put_list(out, &args->positional);
    for (int i = 0; i < args->keywords.count; i++) {
        put_text(out, args->names[i]);
        put_node(out, args->keywords.items[i]);
    }
    if (args->star != NULL) {
        buf_cstr(out, " *");
        put_node(out, args->star);
    }
    if (args->star_star != NULL) {
        buf_cstr(out, " **");
        put_node(out, args->star_star);
    }
}

static void put_compare(struct buf *out, const struct ast_compare *node)
{
    static const char *const ops[] = {
        [AST_EQ] = "eq", [AST_NE] = "ne",   [AST_LT] = "lt", [AST_LE] = "lteq",
        [AST_GT] = "gt", [AST_GE] = "gteq", [AST_IN] = "in", [AST_NOT_IN] = "notin"};
    put_node(out, node->first);
    for (int i = 0; i < node->operands.count; i++) {
        buf_printf(out, " %s", ops[node->ops[i]]);
        put_node(out, node->operands.items[i]);
    }
}

static void put_macro(struct buf *out, const struct ast_macro *node)
{
    put_text(out, node->name);
    for (int i = 0; i < node->nparams; i++)
        put_text(out, node->params[i]);
    put_list(out, &node->defaults);
    put_list(out, &node->body);
}

static void put_from_import(struct buf *out, const struct ast_from_import *node)
{
    put_node(out, node->template);
    for (int i = 0; i < node->count; i++) {
        put_text(out, node->names[i]);
        if (node->aliases[i].len > 0)
            put_text(out, node->aliases[i]);
        else
            buf_cstr(out, " -");
    }
    put_flag(out, node->with_context, "context");
}

/* The parts of an expression. */
static void put_expression(struct buf *out, const struct ast *node)
{
    switch (node->kind) {
    case AST_NUMBER: put_number(out, (const struct ast_number *)node); return;
    case AST_STRING:
    case AST_NAME: put_text(out, ((const struct ast_text *)node)->text); return;
    case AST_LIST:
    case AST_TUPLE:
    case AST_CONCAT: put_list(out, &((const struct ast_items *)node)->items); return;
    case AST_DICT: {
        const struct ast_dict *dict = (const struct ast_dict *)node;
        put_list(out, &dict->keys);
        put_list(out, &dict->values);
        return;
    }
    case AST_NOT:
    case AST_NEG:
    case AST_POS:
    case AST_MARK_SAFE: put_node(out, ((const struct ast_unary *)node)->operand); return;
    case AST_AND:
    case AST_OR:
    case AST_ADD:
    case AST_SUB:
    case AST_MUL:
    case AST_DIV:
    case AST_FLOORDIV:
    case AST_MOD:
    case AST_POW: {
        const struct ast_binary *binary = (const struct ast_binary *)node;
        put_node(out, binary->left);
        put_node(out, binary->right);
        return;
    }
    case AST_COMPARE: put_compare(out, (const struct ast_compare *)node); return;
    case AST_COND: {
        const struct ast_cond *cond = (const struct ast_cond *)node;
        put_node(out, cond->test);
        put_node(out, cond->yes);
        put_node(out, cond->no);
        return;
    }
    case AST_GETATTR: {
        const struct ast_getattr *getattr = (const struct ast_getattr *)node;
        put_node(out, getattr->object);
        put_text(out, getattr->name);
        return;
    }
    case AST_GETITEM: {
        const struct ast_getitem *getitem = (const struct ast_getitem *)node;
        put_node(out, getitem->object);
        put_node(out, getitem->index);
        return;
    }
    case AST_SLICE: {
        const struct ast_slice *slice = (const struct ast_slice *)node;
        put_node(out, slice->start);
        put_node(out, slice->stop);
        put_node(out, slice->step);
        return;
    }
    case AST_CALL: {
        const struct ast_call *call = (const struct ast_call *)node;
        put_node(out, call->callee);
        put_args(out, &call->args);
        return;
    }
    case AST_FILTER:
    case AST_TEST: {
        const struct ast_filter *filter = (const struct ast_filter *)node;
        put_node(out, filter->operand);
        put_text(out, filter->name);
        put_args(out, &filter->args);
        return;
    }
    case AST_NSREF:
        put_text(out, ((const struct ast_nsref *)node)->name);
        put_text(out, ((const struct ast_nsref *)node)->attr);
        return;
    default: return;
    }
}

static void put_for(struct buf *out, const struct ast_for *node)
{
    put_node(out, node->target);
    put_node(out, node->iterable);
    put_node(out, node->test);
    put_flag(out, node->recursive, "recursive");
    put_list(out, &node->body);
    put_list(out, &node->otherwise);
}

static void put_block(struct buf *out, const struct ast_block *node)
{
    put_text(out, node->name);
    put_flag(out, node->scoped, "scoped");
    put_flag(out, node->required, "required");
    put_list(out, &node->body);
}

/* Statements that have to do with other templates. */
static void put_loading(struct buf *out, const struct ast *node)
{
    if (node->kind == AST_BLOCK) {
        put_block(out, (const struct ast_block *)node);
    } else if (node->kind == AST_EXTENDS) {
        put_node(out, ((const struct ast_extends *)node)->template);
    } else if (node->kind == AST_INCLUDE) {
        const struct ast_include *include = (const struct ast_include *)node;
        put_node(out, include->template);
        put_flag(out, include->ignore_missing, "ignore_missing");
        put_flag(out, include->with_context, "context");
    } else if (node->kind == AST_IMPORT) {
        const struct ast_import *import = (const struct ast_import *)node;
        put_node(out, import->template);
        put_text(out, import->target);
        put_flag(out, import->with_context, "context");
    } else if (node->kind == AST_FROM_IMPORT) {
        put_from_import(out, (const struct ast_from_import *)node);
    }
}

/* The parts of a statement. */
static void put_statement(struct buf *out, const struct ast *node)
{
    switch (node->kind) {
    case AST_DATA: put_text(out, ((const struct ast_text *)node)->text); return;
    case AST_OUTPUT:
    case AST_DO: put_node(out, ((const struct ast_output *)node)->expression); return;
    case AST_IF: {
        const struct ast_if *branch = (const struct ast_if *)node;
        put_node(out, branch->test);
        put_list(out, &branch->yes);
        put_list(out, &branch->no);
        return;
    }
    case AST_FOR: put_for(out, (const struct ast_for *)node); return;
    case AST_MACRO: put_macro(out, (const struct ast_macro *)node); return;
    case AST_CALL_BLOCK:
        put_node(out, ((const struct ast_call_block *)node)->call);
        put_macro(out, ((const struct ast_call_block *)node)->caller);
        return;
    case AST_FILTER_BLOCK:
        put_node(out, ((const struct ast_filter_block *)node)->filter);
        put_list(out, &((const struct ast_filter_block *)node)->body);
        return;
    case AST_SET:
        put_node(out, ((const struct ast_set *)node)->target);
        put_node(out, ((const struct ast_set *)node)->value);
        return;
    case AST_SET_BLOCK: {
        const struct ast_set_block *set = (const struct ast_set_block *)node;
        put_node(out, set->target);
        put_node(out, set->filter);
        put_list(out, &set->body);
        return;
    }
    case AST_WITH: {
        const struct ast_with *with = (const struct ast_with *)node;
        put_list(out, &with->targets);
        put_list(out, &with->values);
        put_list(out, &with->body);
        return;
    }
    case AST_AUTOESCAPE:
        put_node(out, ((const struct ast_autoescape *)node)->value);
        put_list(out, &((const struct ast_autoescape *)node)->body);
        return;
    default: put_loading(out, node); return;
    }
}

static void put_node(struct buf *out, const struct ast *node)
{
    if (node == NULL) {
        buf_cstr(out, " -");
        return;
    }
    buf_printf(out, " (%s:%d", kind_name(node->kind), node->line);
    if (node->kind < AST_DATA)
        put_expression(out, node);
    else
        put_statement(out, node);
    buf_char(out, ')');
}

void ast_print(struct buf *out, const struct ast_template *template)
{
    for (int i = 0; i < template->body.count; i++) {
        put_node(out, template->body.items[i]);
        buf_char(out, '\n');
    }
}
