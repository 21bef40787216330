/* template/filter_global.c - the builtin globals: range, dict, cycler, joiner, namespace.
 *
 * Place in the flow: an environment's globals are begun with filter_open_globals; vm_call runs a
 * function of these by its native. lipsum has a file of its own. What they make:
 *   cycler      a table {items, number of the current one (0-based)}
 *   joiner      a table {separator, has it been called?}
 *   namespace   a table whose string keys are its attributes; set is the VM's
 */
#include "template/filter.h"
#include "template/filter_internal.h"

/* ---- range ----------------------------------------------------------------------------------- */

/* range(stop), range(start, stop), range(start, stop, step) */
static enum vm_status global_range(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int n = filter_rest(vm, frame->base);
    double numbers[3] = {0, 0, 1};
    if (n < 1)
        vm_fail(vm, TEMPLATE_RUNTIME, "range expected at least 1 argument, got 0");
    if (n > 3)
        vm_fail(vm, TEMPLATE_RUNTIME, "range expected at most 3 arguments, got %d", n);
    for (int i = 0; i < n; i++) {
        lua_rawgeti(L, frame->base, i + 1);
        numbers[n == 1 ? 1 : i] = filter_whole(vm, lua_gettop(L));
        lua_pop(L, 1);
    }
    if (numbers[2] == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "range() arg 3 must not be zero");
    struct value_range range = {numbers[0], numbers[1], numbers[2]};
    if (vm->max_range > 0 && value_range_length(&range) > vm->max_range)
        vm_fail(vm, TEMPLATE_LIMIT, "Range too big. The limit of a range is %.0f items.",
                vm->max_range);
    value_push_range(vm, range.start, range.stop, range.step);
    return VM_DONE;
}

/* ---- dict ------------------------------------------------------------------------------------ */

/* Set dict[key] = value of the pair on top, which is popped; `at`: its number, for the error. */
static void set_pair(struct vm *vm, int dict, int at)
{
    lua_State *L = vm->L;
    int pair = lua_gettop(L);
    if (value_kind(vm, pair) != VALUE_TUPLE && value_kind(vm, pair) != VALUE_LIST &&
        value_to_list(vm, pair) == VALUE_ASK)
        vm_fail(vm, TEMPLATE_RUNTIME,
                "cannot convert dictionary update sequence element #%d to a sequence", at);
    int n = filter_items(vm, pair);
    if (n != 2)
        vm_fail(vm, TEMPLATE_RUNTIME,
                "dictionary update sequence element #%d has length %d; 2 is required", at, n);
    lua_rawgeti(L, pair, 1);
    lua_rawgeti(L, pair, 2);
    vm_dict_set(vm, dict);
    lua_settop(L, pair - 1);
}

/* Add what the value on top holds, a dict or pairs; it is popped. */
static void update_dict(struct vm *vm, int dict)
{
    lua_State *L = vm->L;
    int source = lua_gettop(L);
    if (value_kind(vm, source) == VALUE_UNDEFINED)
        value_fail_undefined(vm, source);
    if (value_kind(vm, source) == VALUE_DICT) {
        filter_dict_pairs(vm, source);
        lua_replace(L, source);
    }
    int n = filter_items(vm, source);
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, source, i);
        set_pair(vm, dict, i - 1);
    }
    lua_settop(L, source - 1);
}

/* Push a dict of (*args, **kwargs). frame->state 1: the pairs of an object, asked for, are on top.
 */
static enum vm_status make_dict(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    int n = filter_rest(vm, frame->base);
    if (n > 1)
        vm_fail(vm, TEMPLATE_RUNTIME, "dict expected at most 1 argument, got %d", n);
    if (frame->state == 0 && n == 1) {
        lua_rawgeti(L, frame->base, 1);
        if (value_kind(vm, lua_gettop(L)) == VALUE_OBJECT) {
            frame->state = 1;
            return vm_ask(vm, VM_ASK_PAIRS, 1);
        }
    }
    int source = lua_gettop(L);
    vm_new_dict(vm);
    int dict = lua_gettop(L);
    if (n == 1) {
        lua_pushvalue(L, source);
        update_dict(vm, dict);
    }
    if (filter_has_keywords(vm, frame->base + 1)) {
        lua_pushvalue(L, frame->base + 1);
        update_dict(vm, dict);
    }
    return VM_DONE;
}

static enum vm_status global_dict(struct vm *vm, struct vm_frame *frame)
{
    return make_dict(vm, frame);
}

/* ---- namespace ------------------------------------------------------------------------------- */

static enum vm_status global_namespace(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    if (make_dict(vm, frame) == VM_AGAIN)
        return VM_AGAIN;
    int dict = lua_gettop(L);
    lua_newtable(L);
    vm_push_meta(vm, VM_META_NAMESPACE);
    lua_setmetatable(L, -2);
    lua_pushnil(L);
    while (lua_next(L, dict)) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, dict + 1);
    }
    return VM_DONE;
}

/* ---- cycler ---------------------------------------------------------------------------------- */

enum { CYCLER_ITEMS = 1, CYCLER_POSITION = 2 };

static enum vm_status global_cycler(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    if (filter_rest(vm, frame->base) == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "at least one item has to be provided");
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, frame->base);
    lua_rawseti(L, -2, CYCLER_ITEMS);
    lua_pushnumber(L, 0);
    lua_rawseti(L, -2, CYCLER_POSITION);
    vm_push_meta(vm, VM_META_CYCLER);
    lua_setmetatable(L, -2);
    return VM_DONE;
}

/* Push the current item; gives its number, and in *count how many there are. */
static int push_current(struct vm *vm, int cycler, int *count)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, cycler, CYCLER_POSITION);
    int position = (int)lua_tonumber(L, -1);
    lua_pop(L, 1);
    lua_rawgeti(L, cycler, CYCLER_ITEMS);
    *count = (int)lua_objlen(L, -1);
    lua_rawgeti(L, -1, position + 1);
    lua_remove(L, -2);
    return position;
}

static void set_position(struct vm *vm, int cycler, int position)
{
    lua_pushnumber(vm->L, position);
    lua_rawseti(vm->L, cycler, CYCLER_POSITION);
}

static enum vm_status cycler_next(struct vm *vm, struct vm_frame *frame)
{
    int count;
    int position = push_current(vm, frame->base, &count);
    set_position(vm, frame->base, (position + 1) % count);
    return VM_DONE;
}

static enum vm_status cycler_reset(struct vm *vm, struct vm_frame *frame)
{
    set_position(vm, frame->base, 0);
    vm_push_none(vm);
    return VM_DONE;
}

bool global_getattr(struct vm *vm, int object, struct slice name)
{
    int count;
    if (value_meta(vm, object) != VM_META_CYCLER)
        return false;
    if (slice_eq(name, SLICE("current"))) {
        push_current(vm, object, &count);
        return true;
    }
    if (slice_eq(name, SLICE("pos"))) {
        lua_rawgeti(vm->L, object, CYCLER_POSITION);
        return true;
    }
    if (!slice_eq(name, SLICE("items")))
        return false;
    lua_rawgeti(vm->L, object, CYCLER_ITEMS);
    return true;
}

const struct vm_native *global_method(struct vm *vm, int object, struct slice name)
{
    static const struct vm_native next = {"next", "self", cycler_next};
    static const struct vm_native reset = {"reset", "self", cycler_reset};
    if (value_meta(vm, object) != VM_META_CYCLER)
        return NULL;
    if (slice_eq(name, SLICE("next")))
        return &next;
    return slice_eq(name, SLICE("reset")) ? &reset : NULL;
}

/* ---- joiner ---------------------------------------------------------------------------------- */

enum { JOINER_SEPARATOR = 1, JOINER_USED = 2 };

static enum vm_status global_joiner(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, frame->base);
    lua_rawseti(L, -2, JOINER_SEPARATOR);
    vm_push_meta(vm, VM_META_JOINER);
    lua_setmetatable(L, -2);
    return VM_DONE;
}

/* Nothing at the first call, the separator from then on. */
static enum vm_status joiner_call(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    lua_rawgeti(L, frame->base, JOINER_USED);
    bool is_used = lua_toboolean(L, -1);
    lua_pop(L, 1);
    if (is_used) {
        lua_rawgeti(L, frame->base, JOINER_SEPARATOR);
        return VM_DONE;
    }
    lua_pushboolean(L, true);
    lua_rawseti(L, frame->base, JOINER_USED);
    lua_pushliteral(L, "");
    return VM_DONE;
}

const struct vm_native *global_call(struct vm *vm, int object)
{
    static const struct vm_native call = {"joiner", "self", joiner_call};
    switch (value_meta(vm, object)) {
    case VM_META_JOINER: return &call;
    case VM_META_TRANSLATION: return gettext_call(vm, object);
    default: return NULL;
    }
}

/* ---- all of them ----------------------------------------------------------------------------- */

static const struct vm_native globals[] = {
    {"cycler", "*", global_cycler},
    {"dict", "*, **", global_dict},
    {"joiner", "sep=', '", global_joiner},
    {"lipsum", "n=5, html=true, min=20, max=100", global_lipsum},
    {"namespace", "*, **", global_namespace},
    {"range", "*", global_range},
};

void filter_open_globals(lua_State *L)
{
    struct vm vm = {.L = L};
    int table = lua_gettop(L);
    vm_meta_open(L);
    vm_meta_load(&vm);
    for (size_t i = 0; i < sizeof(globals) / sizeof(*globals); i++) {
        const struct vm_native **native = lua_newuserdata(L, sizeof(struct vm_native *));
        *native = &globals[i];
        vm_push_meta(&vm, VM_META_FUNCTION);
        lua_setmetatable(L, -2);
        lua_setfield(L, table, globals[i].name);
    }
}
