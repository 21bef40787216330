/* template/filter_pprint.c - pprint: a value's repr, in lines of at most 80 code points.
 *
 * Place in the flow: listed in filter.c. Does what Python's pprint.pformat does: what fits into
 * the line is its repr (dicts sorted by key); else lists, tuples and dicts have an item a line and
 * texts are cut at spaces. A repr is only made as far as a line is long, so that deep nesting
 * costs no more than its size.
 */
#include "template/chars.h"
#include "template/filter_internal.h"
#include "template/unicode.h"

enum { WIDTH = 80, UTF8_MAX = 4 };

struct printer {
    struct vm *vm;
    int depth;
    size_t start; /* of the repr being made, in vm->text */
    size_t limit; /* its bytes from which on it is too long for any line */
};

static void go_down(struct printer *p)
{
    if (++p->depth > VALUE_MAX_DEPTH)
        vm_fail(p->vm, TEMPLATE_LIMIT, "pprint: lists and dicts nest deeper than %d levels",
                VALUE_MAX_DEPTH);
    if (!lua_checkstack(p->vm->L, 16))
        vm_fail(p->vm, TEMPLATE_LIMIT, "pprint: the stack is full");
}

/* ---- keys in order --------------------------------------------------------------------------- */

/* Replace each key in the list by a text that sorts it: by the name of its type, then its repr. */
static void name_keys(struct vm *vm, int list, int n)
{
    for (int i = 1; i <= n; i++) {
        size_t start = vm->text.len;
        lua_rawgeti(vm->L, list, i);
        int key = lua_gettop(vm->L);
        buf_cstr(&vm->text, value_type_name(vm, key));
        buf_char(&vm->text, ' ');
        value_repr(vm, key, &vm->text);
        vm_push_text(vm, start);
        lua_rawseti(vm->L, list, i);
        lua_pop(vm->L, 1);
    }
}

static bool is_one_type(lua_State *L, int list, int n, int type)
{
    bool is = true;
    for (int i = 1; i <= n && is; i++) {
        lua_rawgeti(L, list, i);
        is = lua_type(L, -1) == type;
        lua_pop(L, 1);
    }
    return is;
}

/* Push the keys of the dict, sorted. */
static void push_sorted_keys(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, dict);
    int keys = lua_gettop(L), n = (int)lua_objlen(L, keys), by = keys;
    if (!is_one_type(L, keys, n, LUA_TSTRING) && !is_one_type(L, keys, n, LUA_TNUMBER)) {
        value_dict_keys(vm, dict);
        by = lua_gettop(L);
        name_keys(vm, by, n);
    }
    struct sorter *sorter = sorter_new(vm, by, n, 0, false);
    sorter_run(vm, sorter, by, false); /* texts or numbers: never asks */
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, keys, sorter_at(sorter, i) + 1);
        lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, keys);
    lua_settop(L, keys);
}

/* ---- repr, up to a limit --------------------------------------------------------------------- */

static bool write_repr(struct printer *p, int index);

static bool is_too_long(const struct printer *p)
{
    return p->vm->text.len - p->start > p->limit;
}

static bool write_items(struct printer *p, int index, int n)
{
    lua_State *L = p->vm->L;
    bool fits = true;
    for (int i = 1; i <= n && fits; i++) {
        if (i > 1)
            buf_cstr(&p->vm->text, ", ");
        lua_rawgeti(L, index, i);
        fits = write_repr(p, lua_gettop(L));
        lua_pop(L, 1);
    }
    return fits;
}

static bool write_dict(struct printer *p, int dict)
{
    lua_State *L = p->vm->L;
    int top = lua_gettop(L);
    bool fits = true;
    push_sorted_keys(p->vm, dict);
    int n = (int)lua_objlen(L, top + 1);
    buf_char(&p->vm->text, '{');
    for (int i = 1; i <= n && fits; i++) {
        if (i > 1)
            buf_cstr(&p->vm->text, ", ");
        lua_rawgeti(L, top + 1, i);
        fits = write_repr(p, top + 2);
        buf_cstr(&p->vm->text, ": ");
        value_dict_get(p->vm, dict, top + 2);
        fits = fits && write_repr(p, top + 3);
        lua_settop(L, top + 1);
    }
    buf_char(&p->vm->text, '}');
    lua_settop(L, top);
    return fits && !is_too_long(p);
}

/* Append the repr of the value at index; false: stopped, because it is too long. */
static bool write_repr(struct printer *p, int index)
{
    struct vm *vm = p->vm;
    struct slice text;
    enum value_kind kind = value_kind(vm, index);
    double length = 0;
    bool fits;
    if (kind == VALUE_STRING && value_slice(vm, index, &text) && text.len > p->limit)
        return false;
    if (kind != VALUE_LIST && kind != VALUE_TUPLE && kind != VALUE_DICT) {
        value_repr(vm, index, &vm->text);
        value_spend_text(vm, 8 * (vm->text.len - p->start));
        return !is_too_long(p);
    }
    go_down(p);
    if (kind == VALUE_DICT) {
        fits = write_dict(p, index);
    } else {
        value_length(vm, index, &length);
        buf_char(&vm->text, kind == VALUE_LIST ? '[' : '(');
        fits = write_items(p, index, (int)length);
        if (kind == VALUE_TUPLE && length == 1)
            buf_char(&vm->text, ',');
        buf_char(&vm->text, kind == VALUE_LIST ? ']' : ')');
    }
    p->depth--;
    return fits && !is_too_long(p);
}

/* Append the repr if it has at most `width` code points; else append nothing. */
static bool write_fitting(struct printer *p, int index, int width)
{
    struct vm *vm = p->vm;
    int depth = p->depth;
    if (width < 0)
        return false;
    p->start = vm->text.len;
    p->limit = (size_t)width * UTF8_MAX;
    bool fits = write_repr(p, index);
    struct slice text = slice_of(vm->text.data + p->start, vm->text.len - p->start);
    fits = fits && chars_count(text) <= (size_t)width;
    if (!fits)
        vm->text.len = p->start;
    p->depth = depth;
    return fits;
}

/* ---- texts ----------------------------------------------------------------------------------- */

/* The pieces of a long text: each is written as a repr on a line of its own. */
struct pieces {
    struct printer *p;
    int indent;
    bool parens; /* at the outermost level */
    int count;
};

/* The length of the repr of the bytes, in code points. */
static int repr_length(struct vm *vm, struct slice text)
{
    size_t start = vm->text.len;
    text_repr(text, &vm->text);
    size_t n = chars_count(slice_from(buf_view(&vm->text), start));
    vm->text.len = start;
    return (int)n;
}

static void add_piece(struct pieces *pieces, struct slice text)
{
    struct vm *vm = pieces->p->vm;
    if (pieces->count++ > 0) {
        buf_char(&vm->text, '\n');
        filter_repeat(vm, SLICE(" "), pieces->indent);
    } else if (pieces->parens) {
        buf_char(&vm->text, '(');
    }
    text_repr(text, &vm->text);
}

/* \S*\s* : a word and the white space behind it. */
static size_t part_length(struct slice text)
{
    size_t n = 0;
    bool in_space = false;
    while (n < text.len) {
        uint32_t code;
        size_t len = chars_decode(slice_from(text, n), &code);
        bool is_space = unicode_is_space(code);
        if (in_space && !is_space)
            break;
        in_space = is_space;
        n += len;
    }
    return n;
}

/* Cut a line of the text at spaces into pieces no longer than width; the last one leaves room for
 * what stands behind (allowance). */
static void add_parts(struct pieces *pieces, struct slice line, int width, int allowance)
{
    struct slice current = slice_of(line.data, 0);
    while (line.len > 0) {
        size_t len = part_length(line);
        line = slice_from(line, len);
        struct slice candidate = slice_of(current.data, current.len + len);
        int room = line.len == 0 ? width - allowance : width;
        if (repr_length(pieces->p->vm, candidate) <= room) {
            current = candidate;
            continue;
        }
        if (current.len > 0)
            add_piece(pieces, current);
        current = slice_of(current.data + current.len, len);
    }
    if (current.len > 0)
        add_piece(pieces, current);
}

/* Append a text too long for the line. At the outermost level it stands in parentheses. */
static void print_text(struct printer *p, struct slice rest, int indent, int allowance)
{
    struct pieces pieces = {.p = p, .parens = p->depth == 0};
    value_spend_text(p->vm, 32 * rest.len);
    size_t start = p->vm->text.len;
    pieces.indent = indent + pieces.parens;
    allowance += pieces.parens;
    int width = WIDTH - pieces.indent;
    struct slice whole = rest;
    while (rest.len > 0) {
        size_t before = rest.len;
        struct slice line = rest;
        filter_next_line(&rest);
        line.len = before - rest.len;
        int behind = rest.len == 0 ? allowance : 0;
        if (repr_length(p->vm, line) <= width - behind)
            add_piece(&pieces, line);
        else
            add_parts(&pieces, line, width, behind);
    }
    if (pieces.count <= 1) { /* one word: nowhere to cut, and no parentheses */
        p->vm->text.len = start;
        pieces = (struct pieces){.p = p};
        add_piece(&pieces, whole);
    } else if (pieces.parens) {
        buf_char(&p->vm->text, ')');
    }
}

/* ---- values ---------------------------------------------------------------------------------- */

static void print_value(struct printer *p, int index, int indent, int allowance);

static void new_line(struct printer *p, int indent)
{
    buf_cstr(&p->vm->text, ",\n");
    filter_repeat(p->vm, SLICE(" "), indent);
}

static void print_items(struct printer *p, int index, int indent, int allowance, bool is_tuple)
{
    lua_State *L = p->vm->L;
    double length = 0;
    value_length(p->vm, index, &length);
    value_spend(p->vm, 4 * length);
    const char *end = !is_tuple ? "]" : length == 1 ? ",)" : ")";
    buf_char(&p->vm->text, is_tuple ? '(' : '[');
    for (int i = 1; i <= (int)length; i++) {
        bool is_last = i == (int)length;
        if (i > 1)
            new_line(p, indent + 1);
        lua_rawgeti(L, index, i);
        print_value(p, lua_gettop(L), indent + 1, is_last ? allowance + (int)strlen(end) : 1);
        lua_pop(L, 1);
    }
    buf_cstr(&p->vm->text, end);
}

static void print_dict(struct printer *p, int dict, int indent, int allowance)
{
    lua_State *L = p->vm->L;
    int top = lua_gettop(L);
    push_sorted_keys(p->vm, dict);
    int n = (int)lua_objlen(L, top + 1);
    buf_char(&p->vm->text, '{');
    for (int i = 1; i <= n; i++) {
        if (i > 1)
            new_line(p, indent + 1);
        size_t start = p->vm->text.len;
        lua_rawgeti(L, top + 1, i);
        value_repr(p->vm, top + 2, &p->vm->text);
        struct slice key = slice_of(p->vm->text.data + start, p->vm->text.len - start);
        int width = (int)chars_count(key) + 2;
        buf_cstr(&p->vm->text, ": ");
        value_dict_get(p->vm, dict, top + 2);
        print_value(p, top + 3, indent + 1 + width, i == n ? allowance + 1 : 1);
        lua_settop(L, top + 1);
    }
    buf_char(&p->vm->text, '}');
    lua_settop(L, top);
}

static void print_value(struct printer *p, int index, int indent, int allowance)
{
    struct vm *vm = p->vm;
    struct slice text;
    enum value_kind kind = value_kind(vm, index);
    if (write_fitting(p, index, WIDTH - indent - allowance))
        return;
    value_check_text(vm, (double)vm->text.len);
    switch (kind) {
    case VALUE_STRING:
        if (value_slice(vm, index, &text))
            print_text(p, text, indent, allowance);
        break;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
        go_down(p);
        if (kind == VALUE_DICT)
            print_dict(p, index, indent, allowance);
        else
            print_items(p, index, indent, allowance, kind == VALUE_TUPLE);
        p->depth--;
        break;
    default: value_repr(vm, index, &vm->text);
    }
}

enum vm_status filter_pprint(struct vm *vm, struct vm_frame *frame)
{
    struct printer printer = {.vm = vm};
    size_t start = vm->text.len;
    print_value(&printer, frame->base, 0, 0);
    vm_push_text(vm, start);
    return VM_DONE;
}
