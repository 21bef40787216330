/* template/parser_trans.c - {% trans %}, made into calls. See parser.h.
 *
 * As jinja2/ext.py: the text with its {{ names }} becomes a format string, "Hello %(user)s", given
 * to gettext, ngettext with a pluralize part, pgettext and npgettext with a context. Old style:
 * the result is filled in here by "%"; new style: the variables go along as keyword arguments.
 */
#include "template/parser_internal.h"
#include "template/space.h"

/* Variables of one {% trans %}; they are looked up one by one. */
#define VARIABLES_MAX 1000

/* A growing text in the arena. */
struct text {
    char *data;
    size_t len;
    size_t cap;
};

struct variables {
    struct slice *names;
    int count;
    struct ast_list values; /* as many */
};

struct trans {
    struct parser *p;
    int line;
    bool has_context;
    struct slice context;
    struct variables declared;
    int referenced;           /* names found in the texts */
    struct slice *references; /* these */
    struct ast *number;       /* what pluralize goes by: the first variable, or the one named */
    bool number_is_num;       /* and its name is "num" */
    struct ast *call;         /* the value of _trans, which stands for a call as number */
    int trimmed;              /* 1 or 0 when said, else -1 */
    bool plural;
};

static void put(struct parser *p, struct text *text, const char *data, size_t len)
{
    if (text->cap - text->len < len) {
        text->cap = (text->len + len) * 2;
        char *grown = arena_alloc(p->arena, text->cap);
        if (text->len > 0)
            memcpy(grown, text->data, text->len);
        text->data = grown;
    }
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
}

static int find(const struct slice *names, int count, struct slice name)
{
    for (int i = 0; i < count; i++)
        if (slice_eq(names[i], name))
            return i;
    return -1;
}

static noreturn void too_many(struct trans *t)
{
    parser_fail(t->p, TEMPLATE_SYNTAX, t->line, "more than %d variables in one trans",
                VARIABLES_MAX);
}

static void declare(struct trans *t, struct slice name, struct ast *value)
{
    if (t->declared.count == VARIABLES_MAX)
        too_many(t);
    parser_add(t->p, &t->declared.values, value);
    parser_add_text(t->p, &t->declared.names, &t->declared.count, name);
}

/* ---- the tag itself ---- */

/* The first variable is what pluralize counts by. A call is evaluated once, into _trans. */
static struct ast *count_by(struct trans *t, struct slice name, struct ast *value)
{
    if (t->number != NULL)
        return value;
    if (value->kind == AST_CALL) {
        t->call = value;
        value = parser_name_node(t->p, SLICE("_trans"), t->line);
    }
    t->number = value;
    t->number_is_num = slice_eq(name, SLICE("num"));
    return value;
}

/* "name", "name = value", "trimmed" or "notrimmed". */
static void parse_variable(struct trans *t)
{
    struct parser *p = t->p;
    struct token token = parser_expect(p, TOKEN_NAME);
    if (find(t->declared.names, t->declared.count, token.text) >= 0)
        parser_fail(p, TEMPLATE_ASSERTION, token.line,
                    "translatable variable '%.*s' defined twice.", (int)token.text.len,
                    token.text.data);
    struct ast *value;
    if (parser_skip_if(p, TOKEN_ASSIGN)) {
        value = parser_expression(p);
    } else if (t->trimmed < 0 &&
               (token_is_name(&token, "trimmed") || token_is_name(&token, "notrimmed"))) {
        t->trimmed = token_is_name(&token, "trimmed");
        return;
    } else {
        value = parser_name_node(p, token.text, t->line);
    }
    declare(t, token.text, count_by(t, token.text, value));
}

static void parse_head(struct trans *t)
{
    struct parser *p = t->p;
    t->line = parser_next(p).line;
    t->has_context = parser_at(p, TOKEN_STRING);
    if (t->has_context)
        t->context = parser_next(p).text;
    while (!parser_at(p, TOKEN_BLOCK_END)) {
        if (t->declared.count > 0)
            parser_expect(p, TOKEN_COMMA);
        if (parser_skip_if(p, TOKEN_COLON))
            break;
        parse_variable(t);
    }
    parser_expect(p, TOKEN_BLOCK_END);
}

/* ---- its texts ---- */

static void put_data(struct parser *p, struct text *text, struct slice data)
{
    while (data.len > 0) {
        size_t percent = slice_find(data, '%');
        put(p, text, data.data, percent);
        if (percent < data.len)
            put(p, text, "%%", 2);
        data = slice_from(data, percent + 1);
    }
}

static void put_reference(struct trans *t, struct text *text)
{
    struct parser *p = t->p;
    parser_next(p);
    struct slice name = parser_expect(p, TOKEN_NAME).text;
    if (find(t->references, t->referenced, name) < 0) {
        if (t->referenced == VARIABLES_MAX)
            too_many(t);
        parser_add_text(p, &t->references, &t->referenced, name);
    }
    put(p, text, "%(", 2);
    put(p, text, name.data, name.len);
    put(p, text, ")s", 2);
    parser_expect(p, TOKEN_VARIABLE_END);
}

/* Up to endtrans or pluralize, whose name becomes current. */
static struct text parse_text(struct trans *t, bool singular)
{
    struct parser *p = t->p;
    struct text text = {0};
    for (;;) {
        if (parser_at(p, TOKEN_DATA)) {
            put_data(p, &text, p->current.text);
            parser_next(p);
        } else if (parser_at(p, TOKEN_VARIABLE_BEGIN)) {
            put_reference(t, &text);
        } else if (parser_at(p, TOKEN_EOF)) {
            parser_fail(p, TEMPLATE_SYNTAX, p->current.line, "unclosed translation block");
        } else {
            parser_next(p);
            if (parser_at_name(p, "endtrans") || (singular && parser_at_name(p, "pluralize")))
                return text;
            parser_fail(p, TEMPLATE_SYNTAX, p->current.line,
                        parser_at_name(p, "pluralize")
                            ? "a translatable section can have only one pluralize section"
                            : "control structures in translatable sections are not allowed");
        }
    }
}

/* "pluralize" or "pluralize name", and the text that follows. */
static struct text parse_plural(struct trans *t)
{
    struct parser *p = t->p;
    parser_next(p);
    if (!parser_at(p, TOKEN_BLOCK_END)) {
        struct token token = parser_expect(p, TOKEN_NAME);
        int at = find(t->declared.names, t->declared.count, token.text);
        if (at < 0)
            parser_fail(p, TEMPLATE_ASSERTION, token.line,
                        "unknown variable '%.*s' for pluralization", (int)token.text.len,
                        token.text.data);
        t->number = t->declared.values.items[at];
        t->number_is_num = token_is_name(&token, "num");
    }
    parser_expect(p, TOKEN_BLOCK_END);
    t->plural = true;
    return parse_text(t, false);
}

/* White space around a newline is one space, none at the ends. */
static void trim(struct text *text)
{
    struct slice from = slice_of(text->data, text->len);
    from.len -= space_behind(from);
    from = slice_from(from, space_before(from));
    size_t len = 0;
    while (from.len > 0) {
        size_t blank = space_before(from);
        if (blank > 0 && memchr(from.data, '\n', blank) != NULL) {
            text->data[len++] = ' ';
        } else {
            blank += blank == 0;
            memmove(text->data + len, from.data, blank);
            len += blank;
        }
        from = slice_from(from, blank);
    }
    text->len = len;
}

/* "%" for "%%": a text in which nothing is filled in. */
static void unescape(struct text *text)
{
    size_t len = 0;
    for (size_t i = 0; i < text->len; i++) {
        if (text->data[i] == '%' && i + 1 < text->len && text->data[i + 1] == '%')
            i++;
        text->data[len++] = text->data[i];
    }
    text->len = len;
}

static struct ast *finish_text(struct trans *t, struct text *text)
{
    bool trimmed = t->trimmed < 0 ? t->p->syntax->trim_trans : t->trimmed == 1;
    if (trimmed)
        trim(text);
    if (t->referenced == 0 && !t->p->syntax->newstyle_gettext)
        unescape(text);
    return parser_string_node(t->p, slice_of(text->data, text->len), t->line);
}

/* ---- the call ---- */

static struct ast_call *make_call(struct trans *t, struct ast *singular, struct ast *plural)
{
    static const char *const names[2][2] = {{"gettext", "ngettext"}, {"pgettext", "npgettext"}};
    struct parser *p = t->p;
    struct ast_call *call = PARSER_NODE(p, ast_call, AST_CALL, t->line);
    call->callee = parser_name_node(p, slice_cstr(names[t->has_context][plural != NULL]), t->line);
    if (t->has_context)
        parser_add(p, &call->args.positional, parser_string_node(p, t->context, t->line));
    parser_add(p, &call->args.positional, singular);
    if (plural != NULL) {
        parser_add(p, &call->args.positional, plural);
        parser_add(p, &call->args.positional, t->number);
    }
    return call;
}

/* The variables as keyword arguments; num is there already when it is what is counted by. */
static struct ast *new_style(struct trans *t, struct ast_call *call)
{
    int count = 0;
    for (int i = 0; i < t->declared.count; i++) {
        struct slice name = t->declared.names[i];
        if (t->plural && t->number_is_num && slice_eq(name, SLICE("num")))
            continue;
        parser_add(t->p, &call->args.keywords, t->declared.values.items[i]);
        parser_add_text(t->p, &call->args.names, &count, name);
    }
    parser_raise_args(t->p, &call->ast, &call->args);
    return &call->ast;
}

/* call % { variables }. */
static struct ast *old_style(struct trans *t, struct ast_call *call)
{
    struct parser *p = t->p;
    parser_raise_args(p, &call->ast, &call->args);
    struct ast_unary *safe = PARSER_NODE(p, ast_unary, AST_MARK_SAFE, t->line);
    safe->operand = &call->ast;
    parser_raise(p, &safe->ast, &call->ast);
    if (t->declared.count == 0)
        return &safe->ast;
    struct ast_dict *dict = PARSER_NODE(p, ast_dict, AST_DICT, t->line);
    for (int i = 0; i < t->declared.count; i++) {
        parser_add(p, &dict->keys, parser_string_node(p, t->declared.names[i], t->line));
        parser_add(p, &dict->values, t->declared.values.items[i]);
    }
    parser_raise_list(p, &dict->ast, &dict->values);
    struct ast_binary *filled = PARSER_NODE(p, ast_binary, AST_MOD, t->line);
    filled->left = &safe->ast;
    filled->right = &dict->ast;
    parser_raise(p, &filled->ast, filled->left);
    parser_raise(p, &filled->ast, filled->right);
    return &filled->ast;
}

/* What is counted by, when it is a call, is evaluated before: _trans = call. */
static void set_number(struct trans *t, struct ast_list *body)
{
    struct ast_set *set = PARSER_NODE(t->p, ast_set, AST_SET, t->line);
    set->target = parser_name_node(t->p, SLICE("_trans"), t->line);
    set->value = t->call;
    parser_add(t->p, body, &set->ast);
}

void parser_trans(struct parser *p, struct ast_list *body)
{
    struct trans t = {.p = p, .trimmed = -1};
    parse_head(&t);
    struct text plural = {0}, singular = parse_text(&t, true);
    if (t.referenced > 0 && t.number == NULL) {
        t.number = parser_name_node(p, t.references[0], t.line);
        t.number_is_num = slice_eq(t.references[0], SLICE("num"));
    }
    if (parser_at_name(p, "pluralize"))
        plural = parse_plural(&t);
    parser_next(p); /* endtrans */
    for (int i = 0; i < t.referenced; i++)
        if (find(t.declared.names, t.declared.count, t.references[i]) < 0)
            declare(&t, t.references[i], parser_name_node(p, t.references[i], t.line));
    if (t.plural && t.number == NULL)
        parser_fail(p, TEMPLATE_SYNTAX, t.line, "pluralize without variables");

    struct ast *one = finish_text(&t, &singular);
    struct ast_call *call = make_call(&t, one, t.plural ? finish_text(&t, &plural) : NULL);
    if (t.call != NULL)
        set_number(&t, body);
    struct ast_output *output = PARSER_NODE(p, ast_output, AST_OUTPUT, t.line);
    output->expression = p->syntax->newstyle_gettext ? new_style(&t, call) : old_style(&t, call);
    parser_add(p, body, &output->ast);
}
