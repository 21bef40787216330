/* template/filter_usual.c - the usual calls of the filters that pages are full of. See
 * filter_usual.h; truncate's is in filter_wrap.c.
 */
#include "template/filter_usual.h"

#include <math.h>

#include "base/escape.h"
#include "template/filter.h"
#include "template/filter_quick.h"
#include "template/strip_tags.h"
#include "template/unicode.h"
#include "template/vm_method.h"
#include "value/number.h"

/* The string at index; false: it is none. Counts the work on it. */
static bool take_string(struct vm *vm, int index, struct slice *text)
{
    if (lua_type(vm->L, index) != LUA_TSTRING)
        return false;
    text->data = lua_tolstring(vm->L, index, &text->len);
    value_spend_text(vm, 8 * text->len);
    return true;
}

static bool change_case(struct vm *vm, int first, int count, enum unicode_case to)
{
    struct slice text;
    if (count != 1 || !take_string(vm, first, &text))
        return false;
    size_t start = vm->text.len;
    unicode_convert(text, to, &vm->text);
    vm_give_text(vm, start, false);
    return true;
}

static bool quick_lower(struct vm *vm, int first, int count)
{
    return change_case(vm, first, count, UNICODE_LOWER);
}

static bool quick_upper(struct vm *vm, int first, int count)
{
    return change_case(vm, first, count, UNICODE_UPPER);
}

static bool quick_urlencode(struct vm *vm, int first, int count)
{
    struct slice text;
    if (count != 1 || !take_string(vm, first, &text))
        return false;
    size_t start = vm->text.len;
    value_check_text(vm, (double)text.len * 3);
    escape_url(&vm->text, text, SLICE("/"));
    vm_give_text(vm, start, false);
    return true;
}

static bool quick_striptags(struct vm *vm, int first, int count)
{
    struct slice text;
    if (count != 1 || !take_string(vm, first, &text))
        return false;
    size_t start = vm->text.len;
    strip_tags(text, &vm->text);
    vm_give_text(vm, start, false);
    return true;
}

static bool quick_escape(struct vm *vm, int first, int count)
{
    struct slice text;
    if (count != 1 || !take_string(vm, first, &text))
        return false;
    size_t start = vm->text.len;
    escape_html(&vm->text, text);
    vm_give_text(vm, start, true);
    return true;
}

static bool quick_replace(struct vm *vm, int first, int count)
{
    struct slice text, old, with;
    if (count != 3 || !take_string(vm, first, &text) || !take_string(vm, first + 1, &old) ||
        !take_string(vm, first + 2, &with) || old.len == 0)
        return false;
    size_t start = vm->text.len;
    filter_replace_all(vm, text, old, with, (double)text.len + 1);
    vm_give_text(vm, start, false);
    return true;
}

/* A format whose only directive is %.Nf, one digit: its text with the number. false: another. */
static bool format_fixed(struct vm *vm, struct slice format, double number)
{
    size_t at = slice_find(format, '%');
    struct slice rest = slice_from(format, at);
    if (rest.len < 4 || rest.data[1] != '.' || rest.data[2] < '0' || rest.data[2] > '9' ||
        rest.data[3] != 'f' || !isfinite(number))
        return false;
    struct slice behind = slice_from(rest, 4);
    if (slice_find(behind, '%') < behind.len)
        return false;
    buf_append(&vm->text, format.data, at);
    char *digits = buf_reserve(&vm->text, NUMBER_FIXED_MAX + 9);
    vm->text.len += number_write_fixed(digits, number, rest.data[2] - '0');
    buf_slice(&vm->text, behind);
    return true;
}

static bool quick_format(struct vm *vm, int first, int count)
{
    bool is_markup;
    struct slice format;
    int type = count != 2 ? LUA_TNONE : lua_type(vm->L, first + 1);
    if ((type != LUA_TNUMBER && type != LUA_TSTRING) || !take_string(vm, first, &format))
        return false;
    size_t start = vm->text.len;
    if (type != LUA_TNUMBER || !format_fixed(vm, format, lua_tonumber(vm->L, first + 1)))
        value_format_text(vm, first, first + 1, &is_markup);
    vm_give_text(vm, start, false);
    return true;
}

/* What is there stays; what is undefined gives way to the second argument. */
static bool quick_default(struct vm *vm, int first, int count)
{
    lua_State *L = vm->L;
    int type = lua_type(L, first);
    if (count < 1 || count > 2)
        return false;
    if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
        lua_settop(L, first);
        return true;
    }
    if (count != 2 || value_meta(vm, first) != VM_META_UNDEFINED)
        return false;
    return true; /* the second is on top */
}

/* Of a list. */
static bool quick_first(struct vm *vm, int first, int count)
{
    if (count != 1 || lua_type(vm->L, first) != LUA_TTABLE || value_kind(vm, first) != VALUE_LIST)
        return false;
    lua_rawgeti(vm->L, first, 1);
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    return false;
}

static bool quick_int(struct vm *vm, int first, int count)
{
    double value =
        count == 1 && lua_type(vm->L, first) == LUA_TNUMBER ? lua_tonumber(vm->L, first) : NAN;
    if (!isfinite(value))
        return false;
    lua_pushnumber(vm->L, trunc(value) + 0.0);
    return true;
}

/* To a whole number, a half to the even one. */
static bool quick_round(struct vm *vm, int first, int count)
{
    double value =
        count == 1 && lua_type(vm->L, first) == LUA_TNUMBER ? lua_tonumber(vm->L, first) : NAN;
    if (!(fabs(value) < 1e15))
        return false;
    lua_pushnumber(vm->L, rint(value));
    return true;
}

static bool quick_sorted(struct vm *vm, int first, int count)
{
    struct quick_keys keys;
    if (count != 1 || value_kind(vm, first) != VALUE_LIST)
        return false;
    int n = (int)lua_objlen(vm->L, first);
    if (n > QUICK_MOST || !quick_take(vm, first, n, 0, true, &keys))
        return false;
    quick_sort(vm, first, &keys, false);
    return true;
}

/* ---- finding them ---------------------------------------------------------------------------- */

native_quick filter_usual(const struct vm_native *native)
{
    static const struct {
        native_fn fn;
        native_quick quick;
    } usual[] = {
        {filter_default, quick_default},
        {filter_escape, quick_escape},
        {filter_first, quick_first},
        {filter_format, quick_format},
        {filter_int, quick_int},
        {filter_lower, quick_lower},
        {filter_replace, quick_replace},
        {filter_round, quick_round},
        {filter_sort, quick_sorted},
        {filter_striptags, quick_striptags},
        {filter_truncate, quick_truncate},
        {filter_upper, quick_upper},
        {filter_urlencode, quick_urlencode},
    };
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
        if (usual[i].fn == native->fn)
            return usual[i].quick;
    return NULL;
}
