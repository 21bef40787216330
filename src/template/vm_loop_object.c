/* template/vm_loop_object.c - `loop`: where in the loop we are, and what lies beside.
 *
 * Place in the flow: OP_LOOP_ATTR, and attributes of a loop that was handed on. What has to look at
 * items ahead in a loop with a test begins that test and is asked again.
 */
#include <math.h>

#include "template/vm_loop.h"

struct vm_loop *loop_of(struct render *r, const struct loop_object *object)
{
    /* a loop that outlived its render, through a namespace or a Lua function */
    if (!object->is_live || object->render != r || object->at >= r->nloops)
        return NULL;
    struct vm_loop *loop = &r->loops[object->at];
    return loop->object == object ? loop : NULL;
}

bool loop_is(struct render *r, int index)
{
    return value_meta(&r->vm, index) == VM_META_LOOP;
}

/* ---- the items beside ------------------------------------------------------------------------ */

static bool walks_table(const struct vm_loop *loop)
{
    enum value_kind kind = loop->iter.kind;
    return kind == VALUE_LIST || kind == VALUE_TUPLE || kind == VALUE_DICT ||
           kind == VALUE_GENERATOR;
}

/* Push the item after this one; false: it is the last. */
static bool push_next(struct render *r, struct vm_loop *loop)
{
    lua_State *L = r->vm.L;
    if (loop->has_ahead) {
        lua_pushvalue(L, loop->slot + FOR_AHEAD);
        return true;
    }
    if (loop->has_test)
        return false; /* the test has been asked */
    struct value_iter iter = loop->iter;
    if (iter.kind != VALUE_GENERATOR)
        return value_iter_next(&r->vm, &iter);
    lua_rawgeti(L, loop->slot, 0); /* a generator is taken from by looking: look behind its back */
    int at = (int)lua_tointeger(L, -1) + 1;
    lua_rawgeti(L, loop->slot, at);
    lua_replace(L, -2);
    if (!lua_isnil(L, -1))
        return true;
    lua_pop(L, 1);
    return false;
}

static void push_previous(struct render *r, struct vm_loop *loop)
{
    lua_State *L = r->vm.L;
    if (loop->index0 <= 0) {
        value_push_undefined_hint(&r->vm, SLICE("there is no previous item"));
    } else if (loop->keeps_items) {
        lua_pushvalue(L, loop->slot + FOR_BEFORE);
    } else if (walks_table(loop)) {
        lua_rawgeti(L, loop->slot, (int)loop->iter.at - 1);
    } else {
        const struct value_range *range = lua_touserdata(L, loop->slot);
        lua_pushnumber(L, range->start + (loop->iter.at - 2) * range->step);
    }
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        vm_push_none(&r->vm);
    }
}

/* ---- attributes ------------------------------------------------------------------------------ */

/* All items that still pass the test are needed to know how many there are. */
static void collect(struct render *r, struct vm_loop *loop)
{
    lua_State *L = r->vm.L;
    vm_new_list(&r->vm, 0);
    if (loop->has_ahead) {
        lua_pushvalue(L, loop->slot + FOR_AHEAD);
        lua_rawseti(L, -2, 1);
    }
    lua_replace(L, loop->slot + FOR_AHEAD);
    loop->has_ahead = false;
    loop->collects = true;
}

/* Does the attribute need a test that has not been made? Then it is begun. */
static bool waits_for_test(struct render *r, struct vm_loop *loop, enum program_loop_attr attr,
                           int at)
{
    if (!loop->has_test)
        return false;
    bool wants_all = attr == LOOP_LENGTH || attr == LOOP_REVINDEX || attr == LOOP_REVINDEX0;
    bool wants_next = attr == LOOP_LAST || attr == LOOP_NEXTITEM;
    if (wants_all) {
        if (loop->has_ended && !loop->has_ahead) {
            loop->offset = loop->index0 + 1; /* nothing follows */
            loop->iter.count = 0;
            return false;
        }
        collect(r, loop);
    } else if (!wants_next || loop->has_ahead || loop->has_ended) {
        return false;
    }
    loop_test(r, at);
    return true;
}

static void push_method(struct render *r, int object, const char *name)
{
    lua_State *L = r->vm.L;
    lua_createtable(L, 2, 0);
    lua_pushvalue(L, object);
    lua_rawseti(L, -2, 1);
    lua_pushstring(L, name);
    lua_rawseti(L, -2, 2);
    vm_push_meta(&r->vm, VM_META_METHOD);
    lua_setmetatable(L, -2);
}

static double loop_length(const struct vm_loop *loop)
{
    return loop->offset + loop->iter.count;
}

/* Those of a loop that has ended, too. */
static bool push_number(struct render *r, enum program_loop_attr attr, double index0, double length,
                        double depth0)
{
    lua_State *L = r->vm.L;
    switch (attr) {
    case LOOP_INDEX: lua_pushnumber(L, index0 + 1); break;
    case LOOP_INDEX0: lua_pushnumber(L, index0); break;
    case LOOP_REVINDEX: lua_pushnumber(L, length - index0); break;
    case LOOP_REVINDEX0: lua_pushnumber(L, length - index0 - 1); break;
    case LOOP_FIRST: lua_pushboolean(L, index0 == 0); break;
    case LOOP_LENGTH: lua_pushnumber(L, length); break;
    case LOOP_DEPTH: lua_pushnumber(L, depth0 + 1); break;
    case LOOP_DEPTH0: lua_pushnumber(L, depth0); break;
    default: return false;
    }
    return true;
}

static void push_beside(struct render *r, struct vm_loop *loop, enum program_loop_attr attr)
{
    if (attr == LOOP_PREVITEM) {
        if (loop != NULL)
            push_previous(r, loop);
        else
            value_push_undefined_hint(&r->vm, SLICE("there is no previous item"));
        return;
    }
    bool has_next = loop != NULL && push_next(r, loop);
    if (attr == LOOP_LAST) {
        if (has_next)
            lua_pop(r->vm.L, 1);
        lua_pushboolean(r->vm.L, !has_next);
    } else if (!has_next) {
        value_push_undefined_hint(&r->vm, SLICE("there is no next item"));
    }
}

bool loop_attr_of(struct render *r, int at, enum program_loop_attr attr)
{
    struct vm_loop *loop = &r->loops[at];
    if (waits_for_test(r, loop, attr, at))
        return false;
    if (!push_number(r, attr, loop->index0, loop_length(loop), loop->depth0))
        push_beside(r, loop, attr);
    return true;
}

bool loop_attr(struct render *r, int index, enum program_loop_attr attr)
{
    const struct loop_object *object = lua_touserdata(r->vm.L, index);
    const struct vm_loop *loop = loop_of(r, object);
    if (attr == LOOP_CYCLE)
        push_method(r, index, "cycle");
    else if (attr == LOOP_CHANGED)
        push_method(r, index, "changed");
    else if (loop != NULL)
        return loop_attr_of(r, object->at, attr);
    else if (!push_number(r, attr, object->index0, object->length, object->depth0))
        push_beside(r, NULL, attr);
    return true;
}

bool loop_getattr(struct render *r, int object, struct slice name)
{
    enum program_loop_attr attr = program_loop_attr(name);
    if (attr == LOOP_NONE)
        return false;
    if (!loop_attr(r, object, attr)) /* only reached from inside of builtins */
        vm_fail(&r->vm, TEMPLATE_RUNTIME,
                "loop.%.*s of a loop with a test can only be asked by its name", (int)name.len,
                name.data);
    return true;
}

void loop_write(struct render *r, int index, struct buf *out)
{
    const struct loop_object *object = lua_touserdata(r->vm.L, index);
    const struct vm_loop *loop = loop_of(r, object);
    double index0 = loop == NULL ? object->index0 : loop->index0;
    double length = loop == NULL ? object->length : loop_length(loop);
    buf_printf(out, "<LoopContext %.0f/%.0f>", index0 + 1, length);
}

/* ---- methods --------------------------------------------------------------------------------- */

static double index0_of(struct render *r, int index)
{
    const struct loop_object *object = lua_touserdata(r->vm.L, index);
    const struct vm_loop *loop = loop_of(r, object);
    return loop == NULL ? object->index0 : loop->index0;
}

/* cycle(*args): by the number of the item */
static enum vm_status loop_cycle(struct vm *vm, struct vm_frame *frame)
{
    int n = (int)lua_objlen(vm->L, frame->base + 1);
    if (n == 0)
        vm_fail(vm, TEMPLATE_RUNTIME, "no items for cycling given");
    double index0 = fmax(index0_of(render_of(vm), frame->base), 0);
    lua_rawgeti(vm->L, frame->base + 1, (int)fmod(index0, n) + 1);
    return VM_DONE;
}

static bool same_lists(struct vm *vm, int a, int b)
{
    lua_State *L = vm->L;
    int n = (int)lua_objlen(L, a);
    if (n != (int)lua_objlen(L, b))
        return false;
    for (int i = 1; i <= n; i++) {
        bool is_equal = false;
        lua_rawgeti(L, a, i);
        lua_rawgeti(L, b, i);
        int top = lua_gettop(L);
        if (value_equal(vm, top - 1, top, &is_equal) == VALUE_ASK)
            is_equal = lua_rawequal(L, top - 1, top);
        lua_pop(L, 2);
        if (!is_equal)
            return false;
    }
    return true;
}

/* changed(*values): are they others than at the call before? */
static enum vm_status loop_changed(struct vm *vm, struct vm_frame *frame)
{
    lua_State *L = vm->L;
    struct render *r = render_of(vm);
    struct vm_loop *loop = loop_of(r, lua_touserdata(L, frame->base));
    bool has_changed = true;
    if (loop != NULL) {
        if (loop->has_changed)
            has_changed = !same_lists(vm, loop->slot + FOR_CHANGED, frame->base + 1);
        loop->has_changed = true;
        lua_pushvalue(L, frame->base + 1);
        lua_replace(L, loop->slot + FOR_CHANGED);
    }
    lua_pushboolean(L, has_changed);
    return VM_DONE;
}

const struct vm_native *loop_method(struct slice name)
{
    static const struct vm_native methods[] = {
        {"cycle", "self, *", loop_cycle},
        {"changed", "self, *", loop_changed},
    };
    return &methods[slice_eq(name, SLICE("changed"))];
}
