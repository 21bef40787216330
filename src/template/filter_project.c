/* template/filter_project.c - map, select, reject, selectattr, rejectattr.
 *
 * Place in the flow: listed in filter.c. Each runs another filter or test, builtin or the user's,
 * on every item; that one may wait, so the frame keeps the item's number and what was under way.
 * Slots above the parameters: the result, and for the attr kinds the path.
 */
#include "template/filter_internal.h"
#include "template/filter_quick.h"

/* Push the count values from the stack index on; gives how many. */
static int push_values(struct vm *vm, int first, int count)
{
    for (int i = 0; i < count; i++)
        lua_pushvalue(vm->L, first + i);
    return count > 0 ? count : 0;
}

/* Push the name at index, of the filter or test to run; of what is no text its repr, which will be
 * unknown. */
static void push_name(struct vm *vm, int index)
{
    struct slice name;
    if (value_slice(vm, index, &name)) {
        lua_pushvalue(vm->L, index);
        return;
    }
    size_t start = vm->text.len;
    value_repr(vm, index, &vm->text);
    vm_push_text(vm, start);
}

/* ---- map ------------------------------------------------------------------------------------- */

enum { MAP_BEGIN, MAP_PATH, MAP_FILTER, MAP_TRUTH };

/* A value that is false gives nothing, whatever it is. VM_AGAIN: Lua is asked. */
static enum vm_status is_empty(struct vm *vm, struct vm_frame *frame, int phase, bool *is)
{
    bool is_true = true;
    if (frame_phase(frame) == phase) {
        is_true = lua_toboolean(vm->L, -1);
    } else if (value_truth(vm, frame->base, &is_true) == VALUE_ASK) {
        frame->state = phase;
        lua_pushvalue(vm->L, frame->base);
        return vm_ask(vm, VM_ASK_TRUTH, 1);
    }
    *is = !is_true;
    return VM_DONE;
}

/* Push the value of a keyword, none when it is not there; gives whether it is. */
static bool push_keyword(struct vm *vm, int keywords, const char *name)
{
    lua_pushstring(vm->L, name);
    value_dict_get(vm, keywords, lua_gettop(vm->L));
    lua_remove(vm->L, -2);
    if (!lua_isnil(vm->L, -1))
        return true;
    lua_pop(vm->L, 1);
    vm_push_none(vm);
    return false;
}

/* The first keyword that is neither attribute nor default fails. */
static void check_keywords(struct vm *vm, int keywords)
{
    lua_State *L = vm->L;
    value_dict_keys(vm, keywords);
    int keys = lua_gettop(L);
    int n = (int)lua_objlen(L, keys);
    for (int i = 1; i <= n; i++) {
        struct slice name;
        lua_rawgeti(L, keys, i);
        bool is_text = value_slice(vm, lua_gettop(L), &name);
        if (is_text && !slice_eq(name, SLICE("attribute")) && !slice_eq(name, SLICE("default")))
            vm_fail(vm, TEMPLATE_FILTER_ARG, "Unexpected keyword argument '%.*s'", (int)name.len,
                    name.data);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Begin map(attribute=..., default=...), else map('filter', ...). Pushes the result, the path and
 * the default (each a slot). */
static void begin_map(struct vm *vm, struct vm_frame *frame, int result)
{
    int keywords = result - 1;
    bool has_filter = frame->nparams > 2, by_attribute = false;
    lua_settop(vm->L, result - 1);
    vm_push_none(vm); /* the result's slot */
    if (!has_filter && filter_has_keywords(vm, keywords))
        by_attribute = push_keyword(vm, keywords, "attribute");
    if (!has_filter && !by_attribute)
        vm_fail(vm, TEMPLATE_FILTER_ARG, "map requires a filter argument");
    if (by_attribute) {
        check_keywords(vm, keywords);
        path_prepare(vm, result + 1);
        push_keyword(vm, keywords, "default");
    }
    frame->n = filter_items(vm, frame->base);
    vm_new_generator(vm, frame->n);
    lua_replace(vm->L, result);
    frame_begin(frame, by_attribute ? MAP_PATH : MAP_FILTER);
}

/* The same of map(value, attribute, default): both are where they are used. Pushes the result. */
static void begin_named(struct vm *vm, struct vm_frame *frame, int result)
{
    lua_settop(vm->L, result - 1);
    path_prepare(vm, frame->base + 1);
    frame->n = filter_items(vm, frame->base);
    vm_new_generator(vm, frame->n);
    frame_begin(frame, MAP_PATH);
}

/* Go as far as the filter has a short way for the items, which it is given with count arguments. */
static void map_quick(struct vm *vm, struct vm_frame *frame, int result, struct slice name,
                      int arguments, int count)
{
    lua_State *L = vm->L;
    native_quick quick = vm_quick_filter(vm, name);
    int top = lua_gettop(L);
    for (; quick != NULL && frame->i < frame->n; frame->i++) {
        lua_rawgeti(L, frame->base, frame->i + 1);
        if (!vm_call_quick(vm, quick, 1 + push_values(vm, arguments, count)))
            break;
        lua_rawseti(L, result, frame->i + 1);
    }
    lua_settop(L, top);
}

static enum vm_status map_filter(struct vm *vm, struct vm_frame *frame, int result)
{
    lua_State *L = vm->L;
    int arguments = frame->base + 2, count = frame->nparams - 3, keywords = result - 1, part;
    bool was_asked = frame_answered(frame, &part);
    if (was_asked)
        lua_rawseti(L, result, ++frame->i);
    bool has_keywords = filter_has_keywords(vm, keywords);
    lua_settop(L, result);
    struct slice name;
    push_name(vm, arguments - 1); /* stays on the stack */
    int top = lua_gettop(L);
    value_slice(vm, top, &name);
    if (!was_asked && !has_keywords)
        map_quick(vm, frame, result, name, arguments, count);
    for (; frame->i < frame->n; frame->i++) {
        lua_rawgeti(L, frame->base, frame->i + 1);
        int nargs = 1 + push_values(vm, arguments, count);
        if (has_keywords)
            lua_pushvalue(L, keywords);
        if (vm_call_filter(vm, name, nargs, has_keywords) == VM_AGAIN)
            return frame_asked(frame, 0);
        lua_rawseti(L, result, frame->i + 1);
        lua_settop(L, top);
    }
    return VM_DONE;
}

/* Follow the path from every item; the default lies behind it. */
static enum vm_status map_path(struct vm *vm, struct vm_frame *frame, int path, int result)
{
    int fallback = filter_is_absent(vm, path + 1) ? 0 : path + 1;
    return path_project(vm, frame, frame->base, path, fallback, result, false);
}

static enum vm_status map(struct vm *vm, struct vm_frame *frame, bool is_named)
{
    int result = frame->base + frame->nparams;
    enum vm_status status;
    if (frame_phase(frame) == MAP_BEGIN || frame_phase(frame) == MAP_TRUTH) {
        bool nothing = false;
        if (is_empty(vm, frame, MAP_TRUTH, &nothing) == VM_AGAIN)
            return VM_AGAIN;
        if (nothing) {
            vm_new_generator(vm, 0);
            return VM_DONE;
        }
        if (is_named)
            begin_named(vm, frame, result);
        else
            begin_map(vm, frame, result);
    }
    if (frame_phase(frame) == MAP_FILTER)
        status = map_filter(vm, frame, result);
    else
        status = map_path(vm, frame, is_named ? frame->base + 1 : result + 1, result);
    if (status == VM_DONE)
        lua_pushvalue(vm->L, result);
    return status;
}

enum vm_status filter_map(struct vm *vm, struct vm_frame *frame)
{
    return map(vm, frame, false);
}

enum vm_status filter_map_named(struct vm *vm, struct vm_frame *frame)
{
    return map(vm, frame, true);
}

/* ---- select and its like --------------------------------------------------------------------- */

/* Room is made for so many results before any is known. */
enum { FEW = 64 };

enum { SELECT_BEGIN, SELECT_EMPTY, SELECT_PATH, SELECT_TEST, SELECT_TRUTH };

/* What a selection works with: stack indexes, and the arguments it was given. */
struct selection {
    int items, keywords, result, path;
    int arguments;     /* before the first of them */
    int test;          /* its name, or nil; the last of the slots */
    int count;         /* how many arguments */
    int first;         /* the first of them that is the test's; beyond count: no test */
    struct slice name; /* of the test */
    int equal_to;      /* 1: the test is `eq`, -1: `ne`, of the builtin ones; 0: another */
    bool has_keywords;
    bool wanted; /* what the test must say */
};

/* Is the test a builtin that needs no call: 1 for `eq`, -1 for `ne`, else 0. */
static int equality_of(struct vm *vm, const struct selection *s)
{
    if (s->count != s->first + 1 || s->has_keywords || vm_has_own_tests(vm))
        return 0;
    if (slice_eq(s->name, SLICE("equalto")) || slice_eq(s->name, SLICE("eq")) ||
        slice_eq(s->name, SLICE("==")))
        return 1;
    return slice_eq(s->name, SLICE("ne")) || slice_eq(s->name, SLICE("!=")) ? -1 : 0;
}

/* Compare the value on top with the test's argument; true leaves the outcome on top. */
static bool test_equality(struct vm *vm, const struct selection *s)
{
    bool is_equal;
    int item = lua_gettop(vm->L);
    lua_pushvalue(vm->L, s->arguments + s->first + 1);
    if (value_equal(vm, item, item + 1, &is_equal) == VALUE_ASK) {
        lua_settop(vm->L, item);
        return false;
    }
    lua_pushboolean(vm->L, is_equal == (s->equal_to > 0));
    return true;
}

/* The value to test is on top. Test it, or take its truth: VM_DONE leaves the outcome on top. */
static enum vm_status test_item(struct vm *vm, struct vm_frame *frame, const struct selection *s)
{
    bool is_true;
    if (s->first > s->count) {
        int top = lua_gettop(vm->L);
        if (value_truth(vm, top, &is_true) == VALUE_ASK) {
            frame->state = SELECT_TRUTH;
            vm_ask(vm, VM_ASK_TRUTH, 1);
            return frame_asked(frame, 0);
        }
        lua_pushboolean(vm->L, is_true);
        return VM_DONE;
    }
    if (s->equal_to != 0 && test_equality(vm, s))
        return VM_DONE;
    int nargs = 1 + push_values(vm, s->arguments + s->first + 1, s->count - s->first);
    if (s->has_keywords)
        lua_pushvalue(vm->L, s->keywords);
    if (vm_call_test(vm, s->name, nargs, s->has_keywords) == VM_DONE)
        return VM_DONE;
    frame->state = SELECT_TEST;
    return frame_asked(frame, 0);
}

/* The outcome of the test is on top: keep the item, or not; *kept is how many are. */
static void judge(struct vm *vm, struct vm_frame *frame, const struct selection *s, int *kept)
{
    bool is_true = true;
    value_truth(vm, lua_gettop(vm->L), &is_true); /* an object as a test's result is true */
    if (is_true == s->wanted) {
        lua_rawgeti(vm->L, s->items, frame->i + 1);
        lua_rawseti(vm->L, s->result, ++*kept);
    }
    lua_settop(vm->L, s->test);
    frame->i++;
}

/* Go as far as items are plain tables whose attribute (a string) is easily compared with the test's
 * argument; gives how many are kept. */
static int select_plain(struct vm *vm, struct vm_frame *frame, const struct selection *s, int kept)
{
    lua_State *L = vm->L;
    int wanted = s->arguments + s->first + 1, top = lua_gettop(L);
    int type = lua_type(L, wanted);
    if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN)
        return kept;
    for (; frame->i < frame->n; frame->i++) {
        lua_rawgeti(L, s->items, frame->i + 1);
        if (quick_push_field(vm, s->path) != type)
            break;
        bool same = lua_rawequal(L, -1, wanted);
        lua_settop(L, top + 1);
        if ((same == (s->equal_to > 0)) == s->wanted)
            lua_rawseti(L, s->result, ++kept);
        lua_settop(L, top);
    }
    lua_settop(L, s->test);
    return kept;
}

static enum vm_status select_items(struct vm *vm, struct vm_frame *frame, const struct selection *s)
{
    int kept = (int)lua_objlen(vm->L, s->result);
    int phase = frame_phase(frame), part;
    bool asked = frame_answered(frame, &part);
    if (asked && phase != SELECT_PATH) {
        judge(vm, frame, s, &kept);
        asked = false;
    }
    if (!asked && s->equal_to != 0 && lua_type(vm->L, s->path) == LUA_TSTRING)
        kept = select_plain(vm, frame, s, kept);
    while (frame->i < frame->n) {
        if (!asked) {
            lua_rawgeti(vm->L, s->items, frame->i + 1);
            part = 0;
        }
        frame->state = SELECT_PATH;
        if (path_follow(vm, s->path, 0, &part, asked) == VM_AGAIN)
            return frame_asked(frame, part);
        asked = false;
        if (test_item(vm, frame, s) == VM_AGAIN)
            return VM_AGAIN;
        judge(vm, frame, s, &kept);
    }
    lua_pushvalue(vm->L, s->result);
    return VM_DONE;
}

/* Push the result, the path and the test's name. */
static void begin_selection(struct vm *vm, struct vm_frame *frame, const struct selection *s,
                            bool by_attribute)
{
    if (by_attribute && s->count == 0)
        vm_fail(vm, TEMPLATE_FILTER_ARG, "Missing parameter for attribute name");
    lua_settop(vm->L, s->result - 1);
    frame->n = filter_items(vm, s->items);
    vm_new_generator(vm, frame->n < FEW ? frame->n : FEW);
    lua_pushnil(vm->L);
    if (by_attribute) {
        lua_pushvalue(vm->L, s->arguments + 1);
        lua_replace(vm->L, s->path);
        path_prepare(vm, s->path);
    }
    if (s->first <= s->count)
        push_name(vm, s->arguments + s->first);
    else
        lua_pushnil(vm->L);
    frame_begin(frame, SELECT_PATH);
}

static enum vm_status selection(struct vm *vm, struct vm_frame *frame, bool by_attribute,
                                bool wanted)
{
    int result = frame->base + frame->nparams;
    struct selection s = {
        .items = frame->base,
        .arguments = frame->base,
        .keywords = result - 1,
        .result = result,
        .path = result + 1,
        .test = result + 2,
        .count = frame->nparams - 2,
        .first = by_attribute ? 2 : 1,
        .has_keywords = filter_has_keywords(vm, result - 1),
        .wanted = wanted,
    };
    if (frame_phase(frame) == SELECT_BEGIN || frame_phase(frame) == SELECT_EMPTY) {
        bool nothing = false;
        if (is_empty(vm, frame, SELECT_EMPTY, &nothing) == VM_AGAIN)
            return VM_AGAIN;
        if (nothing) {
            vm_new_generator(vm, 0);
            return VM_DONE;
        }
        begin_selection(vm, frame, &s, by_attribute);
    }
    value_slice(vm, s.test, &s.name);
    s.equal_to = equality_of(vm, &s);
    return select_items(vm, frame, &s);
}

enum vm_status filter_select(struct vm *vm, struct vm_frame *frame)
{
    return selection(vm, frame, false, true);
}

enum vm_status filter_reject(struct vm *vm, struct vm_frame *frame)
{
    return selection(vm, frame, false, false);
}

enum vm_status filter_selectattr(struct vm *vm, struct vm_frame *frame)
{
    return selection(vm, frame, true, true);
}

enum vm_status filter_rejectattr(struct vm *vm, struct vm_frame *frame)
{
    return selection(vm, frame, true, false);
}
