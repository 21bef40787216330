/* template/filter_sort.c - sort, dictsort, groupby, min, max, unique.
 *
 * Place in the flow: listed in filter.c. Each first makes the keys (filter_path), texts in lower
 * case unless case_sensitive, then orders or compares them; both parts can wait for Lua.
 * Their slots lie above the parameters and are named at the head of each.
 */
#include "template/filter_internal.h"
#include "template/filter_quick.h"

enum { SORT_BEGIN, SORT_PROJECT, SORT_COLUMNS, SORT_ORDER, SORT_GROUP };

/* Let the sorter in the slot go on; pushes nothing. */
static enum vm_status run_sorter(struct vm *vm, struct vm_frame *frame, int sorter, int keys)
{
    int part;
    bool asked = frame_answered(frame, &part);
    if (sorter_run(vm, lua_touserdata(vm->L, sorter), keys, asked) == VM_AGAIN)
        return frame_asked(frame, 0);
    return VM_DONE;
}

/* Push a list of the items in their order. */
static void push_ordered(struct vm *vm, int items, int sorter, int n)
{
    const struct sorter *s = lua_touserdata(vm->L, sorter);
    vm_new_list(vm, n);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(vm->L, items, sorter_at(s, i) + 1);
        lua_rawseti(vm->L, -2, i + 1);
    }
}

/* ---- sort ------------------------------------------------------------------------------------ */

/* Slots of sort: the keys, or with several attributes a list of lists of keys, one an attribute.
 * While they are made, the path and the keys of one attribute are above; then the sorter. */
struct sort_slots {
    int items, reverse, case_sensitive, attribute;
    int keys, path, column, sorter;
};

/* Several attributes: a column of keys for each. */
static enum vm_status project_columns(struct vm *vm, struct vm_frame *frame,
                                      const struct sort_slots *s, bool fold)
{
    lua_State *L = vm->L;
    int count = (int)lua_objlen(L, s->attribute);
    for (int done = (int)lua_objlen(L, s->keys); done < count; done++) {
        if (!frame_was_asked(frame)) {
            lua_settop(L, s->keys);
            lua_rawgeti(L, s->attribute, done + 1);
            lua_createtable(L, frame->n, 0);
            frame_begin(frame, SORT_COLUMNS);
        }
        if (path_project(vm, frame, s->items, s->path, 0, s->column, fold) == VM_AGAIN)
            return VM_AGAIN;
        lua_rawseti(L, s->keys, done + 1);
    }
    return VM_DONE;
}

/* Are the items their own keys? So they are when case counts, or none has any. */
static bool are_keys(struct vm *vm, int items, int n, bool fold)
{
    bool are = true;
    for (int i = 1; i <= n && are && fold; i++) {
        lua_rawgeti(vm->L, items, i);
        are = path_is_folded(vm);
        lua_pop(vm->L, 1);
    }
    return are;
}

/* The items are a list: prepare the attribute, push what the keys are made in. */
static void begin_sort(struct vm *vm, struct vm_frame *frame, const struct sort_slots *s)
{
    struct slice text;
    if (value_slice(vm, s->attribute, &text) && slice_find(text, ',') < text.len) {
        path_prepare_list(vm, s->attribute);
        lua_newtable(vm->L);
        frame_begin(frame, SORT_COLUMNS);
        return;
    }
    path_prepare(vm, s->attribute);
    frame_begin(frame, SORT_PROJECT);
    if (lua_isnil(vm->L, s->attribute) &&
        are_keys(vm, s->items, frame->n, !filter_flag(vm, s->case_sensitive))) {
        lua_pushvalue(vm->L, s->items);
        frame->i = frame->n;
        return;
    }
    lua_createtable(vm->L, frame->n, 0);
}

/* sorted() wants an int there: sort('name'), meant as attribute, is an error. */
static bool is_reverse(struct vm *vm, int index)
{
    return filter_whole(vm, index) != 0;
}

/* sort(value, reverse, case_sensitive, attribute). Keys are lists in Jinja, also of one attribute
 * or none. */
enum vm_status filter_sort(struct vm *vm, struct vm_frame *frame)
{
    int base = frame->base, first = base + frame->nparams;
    struct sort_slots s = {base,  base + 1,  base + 2,  base + 3,
                           first, first + 1, first + 2, first + 1};
    if (frame_phase(frame) == SORT_BEGIN) {
        struct quick_keys keys;
        frame->n = filter_items(vm, s.items);
        if (quick_take(vm, s.items, frame->n, s.attribute, !filter_flag(vm, s.case_sensitive),
                       &keys)) {
            quick_sort(vm, s.items, &keys, is_reverse(vm, s.reverse));
            return VM_DONE;
        }
        begin_sort(vm, frame, &s);
    }
    if (frame_phase(frame) != SORT_ORDER) {
        bool fold = !filter_flag(vm, s.case_sensitive);
        bool has_several = frame_phase(frame) == SORT_COLUMNS;
        enum vm_status status =
            has_several ? project_columns(vm, frame, &s, fold)
                        : path_project(vm, frame, s.items, s.attribute, 0, s.keys, fold);
        if (status == VM_AGAIN)
            return VM_AGAIN;
        lua_settop(vm->L, s.keys);
        int columns = has_several ? (int)lua_objlen(vm->L, s.keys) : 1;
        sorter_new(vm, s.keys, frame->n, columns, is_reverse(vm, s.reverse));
        frame_begin(frame, SORT_ORDER);
    }
    if (run_sorter(vm, frame, s.sorter, s.keys) == VM_AGAIN)
        return VM_AGAIN;
    push_ordered(vm, s.items, s.sorter, frame->n);
    return VM_DONE;
}

/* ---- dictsort -------------------------------------------------------------------------------- */

/* Push a list of item `which` of each pair. */
static void push_pair_keys(struct vm *vm, int pairs, int n, int which, bool fold)
{
    lua_createtable(vm->L, n, 0);
    int keys = lua_gettop(vm->L);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, pairs, i);
        lua_rawgeti(vm->L, -1, which);
        if (fold)
            path_fold(vm);
        lua_rawseti(vm->L, keys, i);
        lua_settop(vm->L, keys);
    }
}

/* The argument `by`: "key", or else "value". */
static bool is_by_key(struct vm *vm, int index)
{
    struct slice by = {NULL, 0};
    bool by_key = value_slice(vm, index, &by) && slice_eq(by, SLICE("key"));
    if (!by_key && !slice_eq(by, SLICE("value")))
        vm_fail(vm, TEMPLATE_FILTER_ARG, "You can only sort by either \"key\" or \"value\"");
    return by_key;
}

/* Push the pairs of the dict. */
static enum vm_status begin_dictsort(struct vm *vm, struct vm_frame *frame)
{
    is_by_key(vm, frame->base + 2);
    switch (value_kind(vm, frame->base)) {
    case VALUE_DICT: filter_dict_pairs(vm, frame->base); return VM_DONE;
    case VALUE_OBJECT:
        frame->state = SORT_PROJECT;
        lua_pushvalue(vm->L, frame->base);
        return vm_ask(vm, VM_ASK_PAIRS, 1);
    default: filter_fail_attribute(vm, frame->base, "items");
    }
}

/* dictsort(value, case_sensitive, by, reverse); slots: pairs, keys, sorter. */
enum vm_status filter_dictsort(struct vm *vm, struct vm_frame *frame)
{
    int pairs = frame->base + frame->nparams, keys = pairs + 1;
    int phase = frame_phase(frame);
    if (phase == SORT_BEGIN && begin_dictsort(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    if (phase != SORT_ORDER) { /* the pairs are on top */
        bool by_key = is_by_key(vm, frame->base + 2);
        frame->n = filter_items(vm, pairs);
        push_pair_keys(vm, pairs, frame->n, by_key ? 1 : 2, !filter_flag(vm, frame->base + 1));
        sorter_new(vm, keys, frame->n, 0, is_reverse(vm, frame->base + 3));
        frame_begin(frame, SORT_ORDER);
    }
    if (run_sorter(vm, frame, keys + 1, keys) == VM_AGAIN)
        return VM_AGAIN;
    push_ordered(vm, pairs, keys + 1, frame->n);
    return VM_DONE;
}

/* ---- groupby --------------------------------------------------------------------------------- */

/* Push a list of the keys with texts in lower case, or the keys again. */
static void push_folded(struct vm *vm, int keys, int n, bool fold)
{
    if (!fold) {
        lua_pushvalue(vm->L, keys);
        return;
    }
    lua_createtable(vm->L, n, 0);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(vm->L, keys, i);
        path_fold(vm);
        lua_rawseti(vm->L, -2, i);
    }
}

/* Slots of groupby. */
struct grouping {
    int items, keys, folded, sorter, result, group;
};

/* Add a group (key, items) to the result; the list of its items is what goes into `group`. */
static void begin_group(struct vm *vm, const struct grouping *g, int item)
{
    lua_State *L = vm->L;
    lua_createtable(L, 2, 0);
    vm_push_meta(vm, VM_META_GROUP);
    lua_setmetatable(L, -2);
    lua_rawgeti(L, g->keys, item);
    lua_rawseti(L, -2, 1);
    vm_new_list(vm, 1);
    lua_pushvalue(L, -1);
    lua_replace(L, g->group);
    lua_rawseti(L, -2, 2);
    lua_rawseti(L, g->result, (int)lua_objlen(L, g->result) + 1);
}

/* Walk the items in order; each that has another key than the one before begins a group. */
static enum vm_status group(struct vm *vm, struct vm_frame *frame, const struct grouping *g)
{
    lua_State *L = vm->L;
    const struct sorter *s = lua_touserdata(L, g->sorter);
    int part;
    bool asked = frame_answered(frame, &part);
    for (; frame->i < frame->n; frame->i++) {
        int item = sorter_at(s, frame->i) + 1;
        bool is_equal = false;
        if (asked) {
            is_equal = lua_toboolean(L, -1);
        } else if (frame->i > 0) {
            lua_rawgeti(L, g->folded, sorter_at(s, frame->i - 1) + 1);
            lua_rawgeti(L, g->folded, item);
            if (value_equal(vm, g->group + 1, g->group + 2, &is_equal) == VALUE_ASK) {
                vm_ask(vm, VM_ASK_EQUAL, 2);
                return frame_asked(frame, 0);
            }
        }
        asked = false;
        lua_settop(L, g->group);
        if (!is_equal)
            begin_group(vm, g, item);
        lua_rawgeti(L, g->items, item);
        lua_rawseti(L, g->group, (int)lua_objlen(L, g->group) + 1);
    }
    lua_pushvalue(L, g->result);
    return VM_DONE;
}

/* groupby(value, attribute, default, case_sensitive) */
enum vm_status filter_groupby(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int first = frame->base + frame->nparams;
    struct grouping g = {frame->base, first, first + 1, first + 2, first + 3, first + 4};
    int path = frame->base + 1, fallback = frame->base + 2;
    switch (frame_phase(frame)) {
    case SORT_BEGIN:
        frame->n = filter_items(vm, g.items);
        path_prepare(vm, path);
        lua_createtable(L, frame->n, 0);
        frame_begin(frame, SORT_PROJECT); /* fall through */
    case SORT_PROJECT:
        if (filter_is_absent(vm, fallback))
            fallback = 0;
        if (path_project(vm, frame, g.items, path, fallback, g.keys, false) == VM_AGAIN)
            return VM_AGAIN;
        push_folded(vm, g.keys, frame->n, !filter_flag(vm, frame->base + 3));
        sorter_new(vm, g.folded, frame->n, 0, false);
        frame_begin(frame, SORT_ORDER); /* fall through */
    case SORT_ORDER:
        if (run_sorter(vm, frame, g.sorter, g.folded) == VM_AGAIN)
            return VM_AGAIN;
        vm_new_list(vm, 0);
        lua_pushnil(L);
        frame_begin(frame, SORT_GROUP); /* fall through */
    default: return group(vm, frame, &g);
    }
}

/* ---- min, max -------------------------------------------------------------------------------- */

/* Does item i (0-based) beat the best so far? The keys are pushed; VM_AGAIN: Lua is asked. */
static enum vm_status is_better(struct vm *vm, int keys, int i, int best, bool is_max, bool *is)
{
    lua_State *L = vm->L;
    int order = 0;
    lua_rawgeti(L, keys, i + 1);
    lua_rawgeti(L, keys, best + 1);
    int top = lua_gettop(L);
    if (value_order(vm, top - 1, top, is_max ? ">" : "<", &order) == VALUE_ASK) {
        if (is_max)
            lua_insert(L, top - 1);
        return vm_ask(vm, VM_ASK_LESS, 2);
    }
    lua_settop(L, top - 2);
    *is = is_max ? order > 0 : order < 0;
    return VM_DONE;
}

/* Slots: keys, the number of the best item. */
static enum vm_status scan(struct vm *vm, struct vm_frame *frame, int keys, bool is_max)
{
    lua_State *L = vm->L;
    int part;
    int best = (int)lua_tonumber(L, keys + 1);
    bool is = false;
    bool asked = frame_answered(frame, &part);
    for (; frame->i < frame->n; frame->i++) {
        if (asked) {
            is = lua_toboolean(L, -1);
            lua_settop(L, keys + 1);
            asked = false;
        } else if (is_better(vm, keys, frame->i, best, is_max, &is) == VM_AGAIN) {
            return frame_asked(frame, 0);
        }
        if (is) {
            best = frame->i;
            lua_pushnumber(L, best);
            lua_replace(L, keys + 1);
        }
    }
    lua_rawgeti(L, frame->base, best + 1);
    return VM_DONE;
}

/* min and max(value, case_sensitive, attribute) */
/* Push the first of the items whose key is the least, or the greatest. */
static void push_quick_extreme(struct vm *vm, int items, const struct quick_keys *keys, bool is_max)
{
    int best = 0;
    for (int i = 1; i < keys->n; i++) {
        int order = quick_compare(keys, i, best);
        if (is_max ? order > 0 : order < 0)
            best = i;
    }
    lua_rawgeti(vm->L, items, best + 1);
}

static enum vm_status extreme(struct vm *vm, struct vm_frame *frame, bool is_max)
{
    lua_State *L = vm->L;
    int items = frame->base, path = frame->base + 2, keys = frame->base + frame->nparams;
    if (frame_phase(frame) == SORT_BEGIN) {
        frame->n = filter_items(vm, items);
        if (frame->n == 0) {
            value_push_undefined_hint(vm, SLICE("No aggregated item, sequence was empty."));
            return VM_DONE;
        }
        struct quick_keys quick;
        if (quick_take(vm, items, frame->n, path, !filter_flag(vm, frame->base + 1), &quick)) {
            push_quick_extreme(vm, items, &quick, is_max);
            return VM_DONE;
        }
        path_prepare(vm, path);
        lua_createtable(L, frame->n, 0);
        frame_begin(frame, SORT_PROJECT);
    }
    if (frame_phase(frame) == SORT_PROJECT) {
        bool fold = !filter_flag(vm, frame->base + 1);
        if (path_project(vm, frame, items, path, 0, keys, fold) == VM_AGAIN)
            return VM_AGAIN;
        lua_pushnumber(L, 0);
        frame_begin(frame, SORT_ORDER);
        frame->i = 1;
    }
    return scan(vm, frame, keys, is_max);
}

enum vm_status filter_min(struct vm *vm, struct vm_frame *frame)
{
    return extreme(vm, frame, false);
}

enum vm_status filter_max(struct vm *vm, struct vm_frame *frame)
{
    return extreme(vm, frame, true);
}

/* ---- unique ---------------------------------------------------------------------------------- */

/* Replace the key on top by one that is the same Lua value for what Python has as one hash and
 * equal: true is 1, a Markup its text, all undefined one. A tuple is told by its repr. */
static void push_seen_key(struct vm *vm)
{
    lua_State *L = vm->L;
    int top = lua_gettop(L);
    size_t start = vm->text.len;
    struct slice text;
    switch (value_kind(vm, top)) {
    case VALUE_BOOLEAN: lua_pushnumber(L, lua_toboolean(L, top)); break;
    case VALUE_UNDEFINED:
        if (value_undefined_kind(vm, top) == UNDEFINED_STRICT) /* it has no hash */
            value_fail_undefined(vm, top);
        vm_push_meta(vm, VM_META_UNDEFINED);
        break;
    case VALUE_MARKUP:
        value_slice(vm, top, &text);
        lua_pushlstring(L, text.data, text.len);
        break;
    case VALUE_TUPLE:
        buf_cstr(&vm->text, "tuple\x01");
        value_repr(vm, top, &vm->text);
        vm_push_text(vm, start);
        break;
    case VALUE_LIST: vm_fail(vm, TEMPLATE_RUNTIME, "unhashable type: 'list'");
    case VALUE_DICT: vm_fail(vm, TEMPLATE_RUNTIME, "unhashable type: 'dict'");
    case VALUE_NUMBER:
        if (lua_tonumber(L, top) != lua_tonumber(L, top)) { /* nan is no key, and no nan's equal */
            lua_newtable(L);
            break;
        }
        return;
    default: return;
    }
    lua_replace(L, top);
}

/* Push a generator of the items whose keys did not come before. */
static void push_unique(struct vm *vm, int items, int keys, int n)
{
    lua_State *L = vm->L;
    int count = 0, room = n < 64 ? n : 64;
    vm_new_generator(vm, room);
    int result = lua_gettop(L);
    lua_createtable(L, 0, room);
    int seen = result + 1;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, keys, i);
        push_seen_key(vm);
        lua_pushvalue(L, -1);
        lua_rawget(L, seen);
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushboolean(L, true);
            lua_rawset(L, seen);
            lua_rawgeti(L, items, i);
            lua_rawseti(L, result, ++count);
        }
        lua_settop(L, seen);
    }
    lua_settop(L, result);
}

/* Push a generator of the first item of each key. */
static void push_quick_unique(struct vm *vm, int items, const struct quick_keys *keys)
{
    int kept[QUICK_MOST], count = 0;
    value_spend(vm, keys->n * 8);
    vm_new_generator(vm, keys->n);
    for (int i = 0; i < keys->n; i++) {
        int k = 0;
        while (k < count && !quick_equal(keys, kept[k], i))
            k++;
        if (k < count)
            continue;
        kept[count++] = i;
        lua_rawgeti(vm->L, items, i + 1);
        lua_rawseti(vm->L, -2, count);
    }
}

/* unique(value, case_sensitive, attribute); slot: keys. */
enum vm_status filter_unique(struct vm *vm, struct vm_frame *frame)
{
    int items = frame->base, path = frame->base + 2, keys = frame->base + frame->nparams;
    if (frame_phase(frame) == SORT_BEGIN) {
        struct quick_keys quick;
        frame->n = filter_items(vm, items);
        if (quick_take(vm, items, frame->n, path, !filter_flag(vm, frame->base + 1), &quick)) {
            push_quick_unique(vm, items, &quick);
            return VM_DONE;
        }
        path_prepare(vm, path);
        lua_createtable(vm->L, frame->n, 0);
        frame_begin(frame, SORT_PROJECT);
    }
    bool fold = !filter_flag(vm, frame->base + 1);
    if (path_project(vm, frame, items, path, 0, keys, fold) == VM_AGAIN)
        return VM_AGAIN;
    push_unique(vm, items, keys, frame->n);
    return VM_DONE;
}
