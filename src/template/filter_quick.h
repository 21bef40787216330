/* template/filter_quick.h - the keys of short lists of plain values, in C.
 *
 * Place in the flow: sort, min, max, unique and sum look here first. Most lists they get are short,
 * their keys all numbers or all texts, the items plain tables: then nothing has to be made in Lua,
 * and nothing can wait. Whatever is otherwise goes their usual way.
 */
#ifndef QLUA_TEMPLATE_FILTER_QUICK_H
#define QLUA_TEMPLATE_FILTER_QUICK_H

#include "template/filter_internal.h"

#define QUICK_MOST 64

struct quick_keys {
    int n;
    bool are_texts; /* else numbers, none of them nan */
    bool fold;      /* texts are compared in lower case; then they are ASCII */
    union {
        double number;
        struct slice text; /* borrowed from the items */
    } keys[QUICK_MOST];
};

/* Take the keys of items[1..n]: what each has under the attribute at that stack index, or when it
 * is nil, none or 0 the items themselves. false: they are not of the plain sort. */
bool quick_take(struct vm *vm, int items, int n, int attribute, bool fold, struct quick_keys *keys);

/* Push the field of this name (a string at that stack index) of the plain table on top and give its
 * lua_type; LUA_TNIL (0): it is none, or has no such field, and nothing was pushed. */
int quick_push_field(struct vm *vm, int name);

/* <0, 0, >0 */
int quick_compare(const struct quick_keys *keys, int a, int b);
/* Is the order 0? */
bool quick_equal(const struct quick_keys *keys, int a, int b);

/* Push a list of the items in the order of their keys; equal ones stay as they were, also when the
 * order is reversed. */
void quick_sort(struct vm *vm, int items, const struct quick_keys *keys, bool reverse);

#endif
