/* template/vm_format_str.c - str.format() and str.format_map().
 *
 * Place in the flow: methods of texts. A field may name an object, whose text or field only Lua
 * can tell: then the work stops, Lua is asked, and all is begun again with the answer, for what
 * went before is the same each time. On vm->L from frame->base on: the text, the arguments in
 * order, those with names, and the list of answers so far.
 *
 * A Markup escapes what it takes in. Under a sandbox what is hidden or missing prints as an
 * undefined does (jinja2/sandbox.py, SandboxedFormatter); else it is an error, as in Python.
 */
#include <math.h>

#include "base/escape.h"
#include "template/chars.h"
#include "template/vm_format.h"
#include "template/vm_method.h"
#include "template/vm_method_text.h"
#include "template/vm_value.h"

/* "{:{}}": fields in a field's specification, but no deeper. */
#define NESTING_MAX 2

struct formatter {
    struct vm *vm;
    int args, names, answers; /* stack indexes */
    bool is_map;              /* names is format_map's argument */
    bool is_markup;
    int automatic; /* the next number for {}; -1: fields are numbered by hand */
    bool numbered; /* some field has a number of its own */
    int asked;     /* answers used in this pass */
    enum vm_ask ask;
    size_t start; /* of the result in vm->text */
};

static enum value_result format_fields(struct formatter *f, struct slice text, int depth);

_Noreturn static void fail(struct formatter *f, const char *message)
{
    vm_fail(f->vm, TEMPLATE_RUNTIME, "%s", message);
}

/* Of n operands on top: give the answer that Lua gave in an earlier pass in their place, or stop
 * to ask for it. */
static enum value_result answer(struct formatter *f, enum vm_ask ask, int n)
{
    lua_State *L = f->vm->L;
    if (f->asked < (int)lua_objlen(L, f->answers)) {
        lua_pop(L, n);
        lua_rawgeti(L, f->answers, ++f->asked);
        return VALUE_OK;
    }
    f->ask = ask;
    return VALUE_ASK;
}

/* ---- the argument ---------------------------------------------------------------------------- */

static bool is_number(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.len > 0;
}

static double number_of(struct slice digits)
{
    double number = 0;
    for (size_t i = 0; i < digits.len; i++)
        number = fmin(number * 10 + (digits.data[i] - '0'), 1e9);
    return number;
}

static void push_positional(struct formatter *f, struct slice name)
{
    bool by_hand = name.len > 0;
    if (by_hand ? f->automatic > 0 : f->numbered)
        fail(f, by_hand ? "cannot switch from automatic field numbering to manual field "
                          "specification"
                        : "cannot switch from manual field specification to automatic field "
                          "numbering");
    double place = by_hand ? number_of(name) : f->automatic++;
    f->numbered = by_hand;
    if (f->is_map)
        fail(f, "Format string contains positional fields");
    if (place >= (double)lua_objlen(f->vm->L, f->args))
        vm_fail(f->vm, TEMPLATE_RUNTIME,
                "Replacement index %.0f out of range for positional args tuple", place);
    lua_rawgeti(f->vm->L, f->args, (int)place + 1);
}

static enum value_result push_item(struct formatter *f, int object, int key)
{
    lua_State *L = f->vm->L;
    if (value_getitem(f->vm, object, key) == VALUE_OK)
        return VALUE_OK;
    lua_pushvalue(L, object);
    lua_pushvalue(L, key);
    return answer(f, VM_ASK_INDEX, 2);
}

static enum value_result push_named(struct formatter *f, struct slice name)
{
    struct vm *vm = f->vm;
    int key = lua_gettop(vm->L) + 1;
    lua_pushlstring(vm->L, name.data, name.len);
    if (lua_isnil(vm->L, f->names) || value_kind(vm, f->names) == VALUE_DICT) {
        if (lua_isnil(vm->L, f->names))
            lua_pushnil(vm->L);
        else
            value_dict_get(vm, f->names, key);
        if (lua_isnil(vm->L, -1))
            vm_fail(vm, TEMPLATE_RUNTIME, "'%s'", lua_tostring(vm->L, key)); /* a KeyError */
    } else if (push_item(f, f->names, key) == VALUE_ASK) {
        return VALUE_ASK;
    }
    lua_remove(vm->L, key);
    return VALUE_OK;
}

/* What the argument is called: up to the first "." or "[". */
static enum value_result push_argument(struct formatter *f, struct slice name)
{
    if (name.len > 0 && !is_number(name))
        return push_named(f, name);
    push_positional(f, name);
    return VALUE_OK;
}

/* ".name" or "[key]" found nothing: an error of Python's, but for what is undefined itself. */
static _Noreturn void fail_missing(struct vm *vm, int object, struct slice name, bool is_item,
                                   int found)
{
    if (value_kind(vm, object) == VALUE_UNDEFINED)
        value_fail_undefined(vm, found);
    if (!is_item)
        vm_fail(vm, TEMPLATE_RUNTIME, "'%s' object has no attribute '%.*s'",
                value_type_name(vm, object), (int)name.len, name.data);
    if (is_number(name) && value_kind(vm, object) != VALUE_DICT)
        vm_fail(vm, TEMPLATE_RUNTIME, "%s index out of range", value_type_name(vm, object));
    vm_fail(vm, TEMPLATE_RUNTIME, "'%.*s'", (int)name.len, name.data); /* a KeyError */
}

/* Put what ".name" or "[key]" finds in the value on top in its place. */
static enum value_result step_into(struct formatter *f, struct slice name, bool is_item)
{
    struct vm *vm = f->vm;
    lua_State *L = vm->L;
    int object = lua_gettop(L);
    if (is_item && is_number(name))
        lua_pushnumber(L, number_of(name));
    else
        lua_pushlstring(L, name.data, name.len);
    if (is_item) {
        if (push_item(f, object, object + 1) == VALUE_ASK)
            return VALUE_ASK;
    } else if (value_getattr_at(vm, object, object + 1) == VALUE_ASK) {
        lua_pushvalue(L, object);
        lua_pushvalue(L, object + 1);
        if (answer(f, VM_ASK_INDEX, 2) == VALUE_ASK)
            return VALUE_ASK;
    }
    int found = lua_gettop(L);
    bool is_chained = value_kind(vm, object) == VALUE_UNDEFINED &&
                      value_undefined_kind(vm, object) == UNDEFINED_CHAINABLE;
    if (value_kind(vm, found) == VALUE_UNDEFINED && !vm->sandboxed && !is_chained)
        fail_missing(vm, object, name, is_item, found);
    lua_replace(L, object);
    lua_settop(L, object);
    return VALUE_OK;
}

/* name(.name | [key])* */
static enum value_result push_field(struct formatter *f, struct slice field)
{
    size_t end = 0;
    while (end < field.len && field.data[end] != '.' && field.data[end] != '[')
        end++;
    enum value_result result = push_argument(f, slice_of(field.data, end));
    field = slice_from(field, end);
    while (result == VALUE_OK && field.len > 0) {
        bool is_item = field.data[0] == '[';
        if (!is_item && field.data[0] != '.')
            fail(f, "Only '.' or '[' may follow ']' in format field specifier");
        field = slice_from(field, 1);
        end = 0;
        while (end < field.len && (is_item ? field.data[end] != ']'
                                           : field.data[end] != '.' && field.data[end] != '['))
            end++;
        if (is_item && end == field.len)
            fail(f, "Missing ']' in format string");
        if (end == 0)
            fail(f, "Empty attribute in format string");
        result = step_into(f, slice_of(field.data, end), is_item);
        field = slice_from(field, end + is_item);
    }
    return result;
}

/* ---- one field ------------------------------------------------------------------------------- */

/* A field's parts: {name!conversion:spec} */
struct field {
    struct slice name, spec;
    char conversion;
};

/* Put the text that !s, !r or !a makes of the value on top in its place. */
static enum value_result convert(struct formatter *f, char conversion)
{
    struct vm *vm = f->vm;
    int value = lua_gettop(vm->L);
    size_t start = vm->text.len;
    if (conversion == 's') {
        if (value_push_str(vm, value) == VALUE_ASK) {
            lua_pushvalue(vm->L, value);
            if (answer(f, VM_ASK_TOSTRING, 1) == VALUE_ASK)
                return VALUE_ASK;
        }
    } else if (conversion == 'r' || conversion == 'a') {
        if (conversion == 'r')
            value_repr(vm, value, &vm->text);
        else
            format_ascii(vm, value, &vm->text);
        vm_push_text(vm, start);
    } else {
        vm_fail(vm, TEMPLATE_RUNTIME, "Unknown conversion specifier '%c'",
                conversion >= 0x20 && conversion < 0x7f ? conversion : '?');
    }
    lua_replace(vm->L, value);
    return VALUE_OK;
}

/* Append the value on top. */
static enum value_result append_value(struct formatter *f, struct slice spec)
{
    struct vm *vm = f->vm;
    int value = lua_gettop(vm->L);
    if (value_kind(vm, value) == VALUE_OBJECT) {
        enum vm_ask ask = f->is_markup ? VM_ASK_HTML : VM_ASK_TOSTRING;
        if (answer(f, ask, 1) == VALUE_ASK)
            return VALUE_ASK;
    }
    size_t start = vm->text.len;
    bool is_html = f->is_markup && value_kind(vm, value) == VALUE_MARKUP;
    if (is_html && spec.len > 0)
        fail(f, "Unsupported format specification for Markup.");
    format_value(vm, value, spec, &vm->text);
    if (f->is_markup && !is_html) {
        struct slice text;
        vm_push_text(vm, start);
        text.data = lua_tolstring(vm->L, -1, &text.len);
        escape_html(&vm->text, text);
    }
    value_check_text(vm, (double)(vm->text.len - f->start));
    return VALUE_OK;
}

/* Where the field ends whose text begins behind its "{": at the "}" that closes it. */
static size_t field_end(struct formatter *f, struct slice text)
{
    int depth = 1;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];
        if (c == '[') { /* a key may hold any character */
            size_t close = slice_find(slice_from(text, i), ']');
            i += close < text.len - i ? close : 0;
        } else {
            depth += (c == '{') - (c == '}');
        }
        if (depth == 0)
            return i;
    }
    fail(f, "expected '}' before end of string");
}

static struct field split_field(struct formatter *f, struct slice text)
{
    struct field field = {.name = text};
    size_t end = 0;
    while (end < text.len && text.data[end] != '!' && text.data[end] != ':') {
        if (text.data[end] == '{')
            fail(f, "unexpected '{' in field name");
        if (text.data[end] == '[') {
            size_t close = slice_find(slice_from(text, end), ']');
            end += close < text.len - end ? close : 0;
        }
        end++;
    }
    field.name.len = end;
    text = slice_from(text, end);
    if (text.len > 0 && text.data[0] == '!') {
        if (text.len < 2)
            fail(f, "end of string while looking for conversion specifier");
        field.conversion = text.data[1];
        text = slice_from(text, 2);
        if (text.len > 0 && text.data[0] != ':')
            fail(f, "expected ':' after conversion specifier");
    }
    field.spec = slice_from(text, 1);
    return field;
}

static enum value_result format_field(struct formatter *f, struct slice text, int depth)
{
    struct vm *vm = f->vm;
    int top = lua_gettop(vm->L);
    struct field field = split_field(f, text);
    if (push_field(f, field.name) == VALUE_ASK ||
        (field.conversion != 0 && convert(f, field.conversion) == VALUE_ASK))
        return VALUE_ASK;
    if (slice_find(field.spec, '{') < field.spec.len ||
        slice_find(field.spec, '}') < field.spec.len) {
        if (depth >= NESTING_MAX)
            fail(f, "Max string recursion exceeded");
        size_t start = vm->text.len;
        bool is_markup = f->is_markup;
        f->is_markup = false;
        enum value_result result = format_fields(f, field.spec, depth + 1);
        f->is_markup = is_markup;
        if (result == VALUE_ASK)
            return VALUE_ASK;
        vm_push_text(vm, start);
        field.spec.data = lua_tolstring(vm->L, -1, &field.spec.len);
        lua_insert(vm->L, top + 1); /* stays while the value is written */
    }
    if (append_value(f, field.spec) == VALUE_ASK)
        return VALUE_ASK;
    lua_settop(vm->L, top);
    return VALUE_OK;
}

/* ---- the whole text -------------------------------------------------------------------------- */

static enum value_result format_fields(struct formatter *f, struct slice text, int depth)
{
    struct buf *out = &f->vm->text;
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && text.data[plain] != '{' && text.data[plain] != '}')
            plain++;
        buf_append(out, text.data, plain);
        text = slice_from(text, plain);
        if (text.len == 0)
            break;
        char c = text.data[0];
        text = slice_from(text, 1);
        if (text.len > 0 && text.data[0] == c) { /* {{ or }} */
            buf_char(out, c);
            text = slice_from(text, 1);
            continue;
        }
        if (c == '}')
            fail(f, "Single '}' encountered in format string");
        if (text.len == 0)
            fail(f, "Single '{' encountered in format string");
        size_t end = field_end(f, text);
        if (format_field(f, slice_of(text.data, end), depth) == VALUE_ASK)
            return VALUE_ASK;
        text = slice_from(text, end + 1);
    }
    return VALUE_OK;
}

static enum vm_status run(struct vm *vm, struct vm_frame *frame, bool is_map)
{
    lua_State *L = vm->L;
    struct slice text;
    struct formatter f = {.vm = vm, .start = vm->text.len, .is_map = is_map};
    f.args = frame->base + 1;
    f.names = is_map ? frame->base + 1 : frame->base + 2;
    f.answers = frame->base + frame->nparams;
    if (frame->state == 0) {
        lua_settop(L, f.answers - 1);
        vm_new_list(vm, 0);
        frame->state = 1;
    } else {
        lua_rawseti(L, f.answers, (int)lua_objlen(L, f.answers) + 1);
    }
    f.is_markup = value_kind(vm, frame->base) == VALUE_MARKUP;
    value_slice(vm, frame->base, &text);
    if (format_fields(&f, text, 1) == VALUE_ASK) {
        vm->text.len = f.start;
        return vm_ask(vm, f.ask, f.ask == VM_ASK_INDEX ? 2 : 1);
    }
    method_push_text(vm, frame, f.start);
    return VM_DONE;
}

enum vm_status method_text_format(struct vm *vm, struct vm_frame *frame)
{
    return run(vm, frame, false);
}

enum vm_status method_text_format_map(struct vm *vm, struct vm_frame *frame)
{
    return run(vm, frame, true);
}
