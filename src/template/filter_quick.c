/* template/filter_quick.c - the keys of short lists of plain values, in C. See filter_quick.h. */
#include "template/filter_quick.h"

#include "base/block.h"

/* A plain attribute: one name, no path. */
static bool is_name(struct vm *vm, int attribute)
{
    struct slice text;
    if (lua_type(vm->L, attribute) != LUA_TSTRING)
        return false;
    text.data = lua_tolstring(vm->L, attribute, &text.len);
    bool has_letter = false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '.' || text.data[i] == ',')
            return false;
        has_letter |= text.data[i] < '0' || text.data[i] > '9';
    }
    return has_letter;
}

int quick_push_field(struct vm *vm, int name)
{
    lua_State *L = vm->L;
    if (lua_type(L, -1) != LUA_TTABLE)
        return LUA_TNIL;
    if (lua_getmetatable(L, -1)) {
        lua_pop(L, 1);
        return LUA_TNIL;
    }
    lua_pushvalue(L, name);
    lua_rawget(L, -2);
    int type = lua_type(L, -1);
    if (type == LUA_TNIL)
        lua_pop(L, 1);
    return type;
}

static bool is_ascii(struct slice text)
{
    uint64_t all = 0;
    for (; text.len > 8; text = slice_from(text, 8))
        all |= block_load(text.data);
    all |= block_load_some(text.data, text.len);
    return (all & BLOCK_EACH(0x80)) == 0;
}

/* The key on top, of this lua_type. */
static bool take_key(lua_State *L, struct quick_keys *keys, int i, int type)
{
    if (type != (keys->are_texts ? LUA_TSTRING : LUA_TNUMBER))
        return false;
    if (type == LUA_TNUMBER) {
        keys->keys[i].number = lua_tonumber(L, -1);
        return keys->keys[i].number == keys->keys[i].number;
    }
    struct slice *text = &keys->keys[i].text;
    text->data = lua_tolstring(L, -1, &text->len);
    return !keys->fold || is_ascii(*text);
}

bool quick_take(struct vm *vm, int items, int n, int attribute, bool fold, struct quick_keys *keys)
{
    lua_State *L = vm->L;
    bool by_name = attribute != 0 && !filter_is_absent(vm, attribute);
    if (n > QUICK_MOST || (by_name && !is_name(vm, attribute)))
        return false;
    keys->n = n;
    keys->fold = fold;
    int top = lua_gettop(L);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, items, i + 1);
        int type = by_name ? quick_push_field(vm, attribute) : lua_type(L, -1);
        if (i == 0)
            keys->are_texts = type == LUA_TSTRING;
        bool is_plain = take_key(L, keys, i, type);
        lua_settop(L, top);
        if (!is_plain)
            return false;
    }
    return true;
}

static int compare_folded(struct slice a, struct slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < n; i++) {
        int order = (unsigned char)ascii_lower(a.data[i]) - (unsigned char)ascii_lower(b.data[i]);
        if (order != 0)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

int quick_compare(const struct quick_keys *keys, int a, int b)
{
    if (!keys->are_texts) {
        double left = keys->keys[a].number, right = keys->keys[b].number;
        return (left > right) - (left < right);
    }
    struct slice left = keys->keys[a].text, right = keys->keys[b].text;
    return keys->fold ? compare_folded(left, right) : slice_cmp(left, right);
}

bool quick_equal(const struct quick_keys *keys, int a, int b)
{
    if (!keys->are_texts)
        return keys->keys[a].number == keys->keys[b].number;
    struct slice left = keys->keys[a].text, right = keys->keys[b].text;
    if (left.data == right.data || left.len != right.len)
        return left.len == right.len; /* Lua has a string once */
    return keys->fold && compare_folded(left, right) == 0;
}

void quick_sort(struct vm *vm, int items, const struct quick_keys *keys, bool reverse)
{
    int order[QUICK_MOST];
    value_spend(vm, keys->n * 6);
    for (int i = 0; i < keys->n; i++) {
        int at = i;
        for (; at > 0; at--) {
            int compared = quick_compare(keys, order[at - 1], i);
            if (reverse ? compared >= 0 : compared <= 0)
                break;
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    vm_new_list(vm, keys->n);
    for (int i = 0; i < keys->n; i++) {
        lua_rawgeti(vm->L, items, order[i] + 1);
        lua_rawseti(vm->L, -2, i + 1);
    }
}
