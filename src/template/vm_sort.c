/* template/vm_sort.c - sorting a list in place by Python's rules. See vm_sort.h. */
#include "template/vm_sort.h"

#include <lauxlib.h>

#include "template/vm_value.h"

/* A merge sort of places: both halves of `from` are sorted into `to`. */
struct sorting {
    struct vm *vm;
    int keys; /* stack index */
    bool is_reversed;
};

/* Does the key at place b come before the one at a, which is earlier? */
static bool comes_before(const struct sorting *s, int b, int a)
{
    struct vm *vm = s->vm;
    int top = lua_gettop(vm->L);
    int order = 0;
    lua_rawgeti(vm->L, s->keys, (s->is_reversed ? a : b) + 1);
    lua_rawgeti(vm->L, s->keys, (s->is_reversed ? b : a) + 1);
    if (value_order(vm, top + 1, top + 2, "<", &order) == VALUE_ASK)
        vm_fail(vm, TEMPLATE_RUNTIME,
                "'<' not supported between instances of '%s' and '%s'; the filter sort can",
                value_type_name(vm, top + 1), value_type_name(vm, top + 2));
    lua_settop(vm->L, top);
    return order < 0;
}

static void merge(const struct sorting *s, const int *from, int *to, int n, int width)
{
    for (int start = 0; start < n; start += 2 * width) {
        int a = start, a_end = start + width < n ? start + width : n;
        int b = a_end, b_end = a_end + width < n ? a_end + width : n;
        for (int i = start; i < b_end; i++) {
            bool take_b = a == a_end || (b < b_end && comes_before(s, from[b], from[a]));
            to[i] = take_b ? from[b++] : from[a++];
        }
    }
}

void sort_list(struct vm *vm, int list, int keys, bool is_reversed)
{
    lua_State *L = vm->L;
    int n = (int)lua_objlen(L, list);
    struct sorting s = {vm, keys, is_reversed};
    if (n < 2)
        return;
    int *places = lua_newuserdata(L, 2 * (size_t)n * sizeof(*places));
    int *others = places + n;
    for (int i = 0; i < n; i++)
        places[i] = i;
    for (int width = 1; width < n; width *= 2) {
        merge(&s, places, others, n, width);
        int *swap = places;
        places = others;
        others = swap;
    }
    lua_createtable(L, n, 0);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, list, places[i] + 1);
        lua_rawseti(L, -2, i + 1);
    }
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, -1, i);
        lua_rawseti(L, list, i);
    }
    lua_pop(L, 2);
}
