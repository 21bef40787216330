/* template/filter_json.c - tojson: a value as JSON that may stand in HTML.
 *
 * Place in the flow: listed in filter.c. Writes as Python's json.dumps does with the policy
 * json.dumps_kwargs (keys sorted, ", " and ": ", NaN), on values as templates see them: a dict is
 * an object whatever its keys, undefined has no form. What is foreign (class instances, int64)
 * goes to value/json_encode. < > & ' are written as \u003c ..., and the result is Markup.
 */
#include <math.h>

#include "base/err.h"
#include "base/escape.h"
#include "template/filter_internal.h"
#include "value/json.h"
#include "value/number.h"

struct writer {
    struct vm *vm;
    struct slice indent; /* of a level; data NULL: all on one line */
    bool sort_keys;
    bool ensure_ascii;
    int depth;
};

static void write_value(struct writer *w, int index);

/* ---- scalars --------------------------------------------------------------------------------- */

static void write_string(struct writer *w, struct slice text)
{
    struct buf *out = &w->vm->text;
    buf_char(out, '"');
    escape_json(out, text, w->ensure_ascii);
    buf_char(out, '"');
    value_check_text(w->vm, (double)out->len);
}

static void write_number(struct writer *w, double number)
{
    struct buf *out = &w->vm->text;
    if (isnan(number))
        buf_cstr(out, "NaN");
    else if (isinf(number))
        buf_cstr(out, number < 0 ? "-Infinity" : "Infinity");
    else
        out->len += number_write(buf_reserve(out, NUMBER_TEXT_MAX), number);
}

/* What only the JSON room knows: fields of an instance, int64, a UUID's text. */
static void write_foreign(struct writer *w, int index)
{
    struct json_options options = json_defaults;
    struct err err = {0};
    options.ensure_ascii = w->ensure_ascii;
    if (json_encode(w->vm->L, index, &options, &w->vm->text, &err) != 0)
        vm_fail(w->vm, TEMPLATE_RUNTIME, "tojson: %s", err.message);
}

_Noreturn static void fail_form(struct writer *w, int index)
{
    vm_fail(w->vm, TEMPLATE_RUNTIME, "Object of type %s is not JSON serializable",
            value_type_name(w->vm, index));
}

/* ---- containers ------------------------------------------------------------------------------ */

static void start_line(struct writer *w)
{
    if (w->indent.data == NULL)
        return;
    buf_char(&w->vm->text, '\n');
    filter_repeat(w->vm, w->indent, w->depth);
}

static void open_bracket(struct writer *w, char bracket)
{
    if (++w->depth > VALUE_MAX_DEPTH)
        vm_fail(w->vm, TEMPLATE_LIMIT, "tojson: lists and dicts nest deeper than %d levels",
                VALUE_MAX_DEPTH);
    if (!lua_checkstack(w->vm->L, 16))
        vm_fail(w->vm, TEMPLATE_LIMIT, "tojson: the stack is full");
    buf_char(&w->vm->text, bracket);
}

/* Between entries, and before the first. */
static void start_entry(struct writer *w, bool is_first)
{
    if (!is_first) {
        buf_char(&w->vm->text, ',');
        if (w->indent.data == NULL)
            buf_char(&w->vm->text, ' ');
        value_check_text(w->vm, (double)w->vm->text.len);
    }
    start_line(w);
}

static void close_bracket(struct writer *w, char bracket, bool is_empty)
{
    w->depth--;
    if (!is_empty)
        start_line(w);
    buf_char(&w->vm->text, bracket);
}

static void write_list(struct writer *w, int index)
{
    lua_State *L = w->vm->L;
    double length = 0;
    value_length(w->vm, index, &length);
    value_spend(w->vm, 4 * length);
    open_bracket(w, '[');
    for (int i = 1; i <= (int)length; i++) {
        start_entry(w, i == 1);
        lua_rawgeti(L, index, i);
        write_value(w, lua_gettop(L));
        lua_pop(L, 1);
    }
    close_bracket(w, ']', length == 0);
}

/* A key of another kind is written as the text that it is as a value: "1", "true", "null". */
static void write_key(struct writer *w, int key)
{
    struct vm *vm = w->vm;
    struct slice text;
    switch (value_kind(vm, key)) {
    case VALUE_STRING:
    case VALUE_MARKUP:
        if (value_slice(vm, key, &text))
            write_string(w, text);
        break;
    case VALUE_NONE:
    case VALUE_BOOLEAN:
    case VALUE_NUMBER:
        buf_char(&vm->text, '"');
        write_value(w, key);
        buf_char(&vm->text, '"');
        break;
    default:
        vm_fail(vm, TEMPLATE_RUNTIME, "keys must be str, int, float, bool or None, not %s",
                value_type_name(vm, key));
    }
}

/* Push the keys; sorted, when they are to be, as Python does (unlike kinds fail). */
static void push_keys(struct writer *w, int dict)
{
    lua_State *L = w->vm->L;
    value_dict_keys(w->vm, dict);
    if (!w->sort_keys || value_meta(w->vm, dict) != VM_META_DICT)
        return; /* those of a Lua table come sorted */
    int keys = lua_gettop(L), n = (int)lua_objlen(L, keys);
    struct sorter *sorter = sorter_new(w->vm, keys, n, 0, false);
    sorter_run(w->vm, sorter, keys, false); /* no key is an object that could be asked */
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, keys, sorter_at(sorter, i) + 1);
        lua_rawseti(L, -2, i + 1);
    }
    lua_replace(L, keys);
    lua_settop(L, keys);
}

static void write_dict(struct writer *w, int dict)
{
    lua_State *L = w->vm->L;
    int top = lua_gettop(L);
    open_bracket(w, '{');
    push_keys(w, dict);
    int n = (int)lua_objlen(L, top + 1);
    for (int i = 1; i <= n; i++) {
        start_entry(w, i == 1);
        lua_rawgeti(L, top + 1, i);
        write_key(w, top + 2);
        buf_append(&w->vm->text, ": ", 2);
        value_dict_get(w->vm, dict, top + 2);
        write_value(w, top + 3);
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    close_bracket(w, '}', n == 0);
}

static void write_value(struct writer *w, int index)
{
    struct vm *vm = w->vm;
    struct slice text;
    switch (value_kind(vm, index)) {
    case VALUE_NONE: buf_cstr(&vm->text, "null"); break;
    case VALUE_BOOLEAN: buf_cstr(&vm->text, lua_toboolean(vm->L, index) ? "true" : "false"); break;
    case VALUE_NUMBER: write_number(w, lua_tonumber(vm->L, index)); break;
    case VALUE_STRING:
    case VALUE_MARKUP:
        if (value_slice(vm, index, &text))
            write_string(w, text);
        break;
    case VALUE_LIST:
    case VALUE_TUPLE: write_list(w, index); break;
    case VALUE_DICT: write_dict(w, index); break;
    case VALUE_OBJECT: write_foreign(w, index); break;
    case VALUE_NATIVE: {
        enum vm_meta meta = value_meta(vm, index);
        if (meta != VM_META_UUID && meta != VM_META_DATETIME)
            fail_form(w, index);
        write_foreign(w, index);
    } break;
    default: fail_form(w, index);
    }
}

/* ---- the filter ------------------------------------------------------------------------------ */

/* Push the text with what HTML would read written as \uXXXX, as Markup. */
static void push_safe(struct vm *vm, struct slice json)
{
    static const char hex[] = "0123456789abcdef";
    size_t start = vm->text.len, from = 0;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.data[i];
        if (c != '<' && c != '>' && c != '&' && c != '\'')
            continue;
        buf_append(&vm->text, json.data + from, i - from);
        buf_append(&vm->text, "\\u00", 4);
        buf_char(&vm->text, hex[(c >> 4) & 15]);
        buf_char(&vm->text, hex[c & 15]);
        from = i + 1;
    }
    buf_append(&vm->text, json.data + from, json.len - from);
    vm_push_markup_text(vm, start);
}

/* Take an indent: a number of spaces, or the text itself; json.dumps takes none below zero. */
static void take_indent(struct writer *w, int index)
{
    struct vm *vm = w->vm;
    if (filter_is_absent(vm, index))
        return;
    if (!value_slice(vm, index, &w->indent)) {
        size_t start = vm->text.len;
        filter_repeat(vm, SLICE(" "), filter_whole(vm, index));
        vm_push_text(vm, start);
        lua_replace(vm->L, index);
        value_slice(vm, index, &w->indent);
    }
    if (w->indent.data == NULL)
        w->indent = SLICE("");
}

/* The policy json.dumps_kwargs, at index: indent, sort_keys and ensure_ascii count. */
static void take_policy(struct writer *w, int kwargs)
{
    lua_State *L = w->vm->L;
    if (!lua_istable(L, kwargs))
        return;
    lua_pushliteral(L, "sort_keys");
    lua_rawget(L, kwargs);
    w->sort_keys = filter_flag(w->vm, lua_gettop(L));
    lua_pop(L, 1);
    lua_pushliteral(L, "ensure_ascii");
    lua_rawget(L, kwargs);
    w->ensure_ascii = lua_isnil(L, -1) || filter_flag(w->vm, lua_gettop(L));
    lua_pop(L, 1);
    lua_pushliteral(L, "indent");
    lua_rawget(L, kwargs);
    take_indent(w, lua_gettop(L)); /* stays on the stack while it is used */
}

/* Push the options that a dumps function is called with: those of the policy, and the indent. */
static void push_options(struct vm *vm, int policy, int indent)
{
    lua_State *L = vm->L;
    lua_newtable(L);
    int options = lua_gettop(L);
    if (lua_istable(L, policy)) {
        lua_pushnil(L);
        while (lua_next(L, policy)) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_rawset(L, options);
        }
    }
    if (!filter_is_absent(vm, indent)) {
        lua_pushliteral(L, "indent");
        lua_pushvalue(L, indent);
        lua_rawset(L, options);
    }
}

/* tojson(value, indent): by the function of the policy json.dumps_function if there is one. */
enum vm_status filter_tojson(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int value = frame->base, kwargs = frame->base + frame->nparams;
    struct slice json;
    if (frame->state == 0) {
        vm_push_policy(vm, SLICE("json.dumps_kwargs"));
        vm_push_policy(vm, SLICE("json.dumps_function"));
        if (!filter_is_absent(vm, kwargs + 1)) {
            frame->state = 1;
            lua_pushvalue(L, value);
            push_options(vm, kwargs, frame->base + 1);
            return vm_ask(vm, VM_ASK_CALL, 3);
        }
        struct writer w = {.vm = vm, .sort_keys = true, .ensure_ascii = true};
        take_policy(&w, kwargs);
        take_indent(&w, frame->base + 1);
        size_t start = vm->text.len;
        write_value(&w, value);
        vm_push_text(vm, start);
    }
    json = filter_text(vm, lua_gettop(L), "replace");
    push_safe(vm, json);
    return VM_DONE;
}
