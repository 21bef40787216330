/* template/filter_usual.c - the usual calls of the filters that pages are full of. See
 * filter_usual.h; those on texts are in filter_usual_text.c.
 */
#include "template/filter_usual.h"

#include <math.h>

#include "template/filter.h"
#include "template/filter_quick.h"

/* Of a string and one number or string. */
static bool quick_format(struct vm *vm, int first, int count)
{
    bool is_markup;
    int type = count != 2 ? LUA_TNONE : lua_type(vm->L, first + 1);
    if ((type != LUA_TNUMBER && type != LUA_TSTRING) || lua_type(vm->L, first) != LUA_TSTRING)
        return false;
    size_t start = vm->text.len;
    value_spend_text(vm, 8 * lua_objlen(vm->L, first));
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
    if (count != 1 || value_kind(vm, first) != VALUE_LIST)
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

/* Of a list. */
static bool quick_length(struct vm *vm, int first, int count)
{
    if (count != 1 || value_kind(vm, first) != VALUE_LIST)
        return false;
    lua_pushnumber(vm->L, (double)lua_objlen(vm->L, first));
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

void filter_usual(const struct vm_native *native, native_quick *quick, native_text *text)
{
    static const struct {
        native_fn fn;
        native_quick quick;
        native_text text;
    } usual[] = {
        {filter_capitalize, NULL, text_capitalize},
        {filter_default, quick_default, text_default},
        {filter_escape, NULL, text_escape},
        {filter_first, quick_first, NULL},
        {filter_forceescape, NULL, text_escape},
        {filter_format, quick_format, text_format},
        {filter_int, quick_int, NULL},
        {filter_length, quick_length, NULL},
        {filter_lower, NULL, text_lower},
        {filter_replace, NULL, text_replace},
        {filter_round, quick_round, NULL},
        {filter_safe, NULL, text_safe},
        {filter_sort, quick_sorted, NULL},
        {filter_string, NULL, text_string},
        {filter_striptags, NULL, text_striptags},
        {filter_title, NULL, text_title},
        {filter_trim, NULL, text_trim},
        {filter_truncate, NULL, text_truncate},
        {filter_upper, NULL, text_upper},
        {filter_urlencode, NULL, text_urlencode},
    };
    *quick = NULL;
    *text = NULL;
    for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
        if (usual[i].fn == native->fn) {
            *quick = usual[i].quick;
            *text = usual[i].text;
        }
}

const struct vm_native *filter_named(const struct vm_native *native)
{
    static const struct vm_native map = {"map", "i:value, attribute, default=none",
                                         filter_map_named};
    return native->fn == filter_map ? &map : NULL;
}

int filter_walk(const struct vm_native *native)
{
    static const struct {
        native_fn fn;
        int walk;
    } walks[] = {
        {filter_batch, WALK_MAKES | WALK_WALKS},
        {filter_first, WALK_WALKS},
        {filter_groupby, WALK_WALKS},
        {filter_join, WALK_WALKS},
        {filter_list, WALK_WALKS | WALK_LISTS},
        {filter_map, WALK_MAKES | WALK_WALKS},
        {filter_map_named, WALK_MAKES | WALK_WALKS},
        {filter_max, WALK_WALKS},
        {filter_min, WALK_WALKS},
        {filter_reject, WALK_MAKES | WALK_WALKS},
        {filter_rejectattr, WALK_MAKES | WALK_WALKS},
        {filter_select, WALK_MAKES | WALK_WALKS},
        {filter_selectattr, WALK_MAKES | WALK_WALKS},
        {filter_slice, WALK_MAKES | WALK_WALKS},
        {filter_sort, WALK_WALKS},
        {filter_sum, WALK_WALKS},
        {filter_unique, WALK_MAKES | WALK_WALKS},
    };
    for (size_t i = 0; i < sizeof(walks) / sizeof(*walks); i++)
        if (walks[i].fn == native->fn)
            return walks[i].walk;
    return 0;
}
