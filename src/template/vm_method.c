/* template/vm_method.c - finding the methods of Python's types, and taking their parameters. See
 * vm_method.h. */
#include "template/vm_method.h"

#include <math.h>

#include "base/escape.h"
#include "template/filter.h"
#include "template/vm_value.h"

/* As strcmp; most names differ in the first letters. */
static int compare_name(struct slice name, const char *candidate)
{
    for (size_t i = 0; i < name.len; i++) {
        int order = (unsigned char)name.data[i] - (unsigned char)candidate[i];
        if (order != 0 || candidate[i] == 0)
            return order != 0 ? order : 1;
    }
    return candidate[name.len] != 0 ? -1 : 0;
}

static const struct vm_native *find_method(const struct method_table *table, struct slice name)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = compare_name(name, table->methods[middle].name);
        if (order == 0)
            return &table->methods[middle];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

/* Is it a table of Lua's without anything in it? That may become a list just as well: it can be
 * appended to. */
static bool is_blank(lua_State *L, int index)
{
    if (lua_getmetatable(L, index)) {
        lua_pop(L, 1);
        return false;
    }
    lua_pushnil(L);
    if (!lua_next(L, index))
        return true;
    lua_pop(L, 2);
    return false;
}

static const struct vm_native *dict_method(struct vm *vm, int index, struct slice name)
{
    const struct vm_native *method = find_method(&dict_methods, name);
    bool is_for_lists = slice_eq(name, SLICE("append")) || slice_eq(name, SLICE("extend")) ||
                        slice_eq(name, SLICE("insert"));
    if (is_for_lists && is_blank(vm->L, index))
        method = find_method(&list_methods, name);
    return method;
}

bool method_may_be(struct slice name)
{
    char c = name.len > 0 ? name.data[0] : 0;
    switch (name.len) {
    case 3: return c == 'g' || c == 'p';             /* get pop */
    case 4: return c == 'c' || c == 'k' || c == 's'; /* copy keys sort */
    case 5: return c == 'c' || c == 'i';             /* clear count items index */
    case 6:
        return c != 0 && strchr("aeiruv", c) != NULL; /* append extend insert remove
                                                          update values */
    case 7: return c == 'p' || c == 'r';              /* popitem reverse */
    case 8: return c == 'f';                          /* fromkeys */
    case 10: return c == 's';                         /* setdefault */
    default: return false;
    }
}

bool method_is_any(struct slice name)
{
    return find_method(&dict_methods, name) != NULL || find_method(&list_methods, name) != NULL ||
           find_method(&tuple_methods, name) != NULL;
}

const struct vm_native *value_method(struct vm *vm, int index, struct slice name)
{
    const struct vm_native *method = NULL;
    enum value_kind kind = value_kind(vm, index);
    if (name.len == 0 || name.data[0] == '_')
        return NULL;
    if ((kind == VALUE_DICT || kind == VALUE_LIST || kind == VALUE_TUPLE) && !method_may_be(name))
        return NULL;
    switch (kind) {
    case VALUE_MARKUP:
        method = find_method(&markup_methods, name);
        return method != NULL ? method : find_method(&text_methods, name);
    case VALUE_STRING: return find_method(&text_methods, name);
    case VALUE_LIST: return find_method(&list_methods, name);
    case VALUE_TUPLE: return find_method(&tuple_methods, name);
    case VALUE_DICT: return dict_method(vm, index, name);
    case VALUE_BOOLEAN:
    case VALUE_NUMBER: return find_method(&number_methods, name);
    case VALUE_RANGE: return find_method(&range_methods, name);
    case VALUE_NATIVE: return global_method(vm, index, name);
    default: return NULL;
    }
}

/* ---- parameters ------------------------------------------------------------------------------ */

bool method_given(struct vm *vm, const struct vm_frame *frame, int i)
{
    int index = method_param(frame, i);
    return !lua_isnil(vm->L, index) && value_kind(vm, index) != VALUE_NONE;
}

struct slice method_self(struct vm *vm, const struct vm_frame *frame)
{
    struct slice text = {"", 0};
    value_slice(vm, frame->base, &text);
    value_spend(vm, (double)text.len / 8);
    return text;
}

bool method_self_is_markup(struct vm *vm, const struct vm_frame *frame)
{
    return lua_type(vm->L, frame->base) == LUA_TTABLE;
}

struct slice method_plain_text(struct vm *vm, const struct vm_frame *frame, int i)
{
    struct slice text;
    int index = method_param(frame, i);
    if (!value_slice(vm, index, &text))
        vm_fail(vm, TEMPLATE_RUNTIME, "%s() argument %d must be str, not %s", frame->native->name,
                i, value_type_name(vm, index));
    return text;
}

struct slice method_text(struct vm *vm, const struct vm_frame *frame, int i)
{
    struct slice text = method_plain_text(vm, frame, i);
    int index = method_param(frame, i);
    if (!method_self_is_markup(vm, frame) || lua_type(vm->L, index) == LUA_TTABLE)
        return text;
    size_t start = vm->text.len;
    escape_html(&vm->text, text);
    vm_push_markup_text(vm, start); /* so that it is not escaped again */
    lua_replace(vm->L, index);
    value_slice(vm, index, &text);
    return text;
}

double method_int(struct vm *vm, const struct vm_frame *frame, int i, double otherwise)
{
    double number;
    int index = method_param(frame, i);
    if (!method_given(vm, frame, i))
        return otherwise;
    if (value_kind(vm, index) == VALUE_UNDEFINED)
        value_fail_undefined(vm, index);
    if (!value_number(vm, index, &number) || number != floor(number))
        vm_fail(vm, TEMPLATE_RUNTIME, "'%s' object cannot be interpreted as an integer",
                value_type_name(vm, index));
    return number;
}

/* ---- results --------------------------------------------------------------------------------- */

void method_push_text(struct vm *vm, const struct vm_frame *frame, size_t start)
{
    if (method_self_is_markup(vm, frame))
        vm_push_markup_text(vm, start);
    else
        vm_push_text(vm, start);
}

void method_push_part(struct vm *vm, const struct vm_frame *frame, struct slice part)
{
    lua_pushlstring(vm->L, part.data, part.len);
    if (method_self_is_markup(vm, frame))
        vm_to_markup(vm);
}

enum vm_status method_boolean(struct vm *vm, bool result)
{
    lua_pushboolean(vm->L, result);
    return VM_DONE;
}

enum vm_status method_number(struct vm *vm, double result)
{
    lua_pushnumber(vm->L, result);
    return VM_DONE;
}

enum vm_status method_none(struct vm *vm)
{
    vm_push_none(vm);
    return VM_DONE;
}
