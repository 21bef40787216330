/* template/vm_loop.c - for loops: their items, their tests, recursion.
 *
 * Place in the flow: the loop instructions of vm_run.c; vm_loop_object.c shows a loop to its body.
 * Open loops are a stack of the render's. What they keep of Lua's lies in slots of the frame that
 * runs them, so that it is found by index from wherever `loop` is used.
 *
 * The test of `for x in y if test` is asked lazily, one item at a time, as Jinja does: by
 * OP_FOR_NEXT, or by loop.last and its like, which look ahead. It runs as a frame within its
 * owner's slots; then the instruction that wanted the item runs again.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "template/vm_loop.h"

/* ---- begin and end --------------------------------------------------------------------------- */

static struct vm_loop *push_loop(struct render *r)
{
    if (r->nloops == r->room_loops) {
        r->room_loops = r->room_loops == 0 ? 16 : 2 * r->room_loops;
        r->loops = mem_realloc(r->loops, (size_t)r->room_loops * sizeof(*r->loops));
    }
    r->loop = &r->loops[r->nloops++];
    return r->loop;
}

static void make_object(struct render *r, struct vm_loop *loop)
{
    lua_State *L = r->vm.L;
    struct loop_object *object = lua_newuserdata(L, sizeof(*object));
    *object = (struct loop_object){.render = r, .at = r->nloops - 1, .is_live = true};
    object->depth0 = loop->depth0;
    vm_push_meta(&r->vm, VM_META_LOOP);
    lua_setmetatable(L, -2);
    lua_replace(L, loop->slot + FOR_OBJECT);
    loop->object = object;
}

bool loop_begin(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    int slot = frame->base + insn->b;
    struct value_iter iter;
    lua_replace(L, slot);
    if (value_iter_begin(&r->vm, slot, &iter) == VALUE_ASK) {
        lua_pushvalue(L, slot);
        render_ask(r, VM_ASK_LIST, 1, 0);
        return false;
    }
    struct vm_loop *loop = push_loop(r);
    *loop = (struct vm_loop){
        .iter = iter,
        .description = &frame->program->program->loops[insn->c],
        .owner = frame,
        .slot = slot,
        .index0 = -1,
    };
    loop->has_test = loop->description->test >= 0;
    loop->keeps_items =
        loop->has_test || (iter.kind == VALUE_STRING && !loop->description->is_simple);
    if (loop->description->recursive >= 0)
        loop->depth0 = lua_tonumber(L, frame->base + 1);
    if (loop->description->has_object)
        make_object(r, loop);
    return true;
}

void loop_end(struct render *r)
{
    struct vm_loop *loop = &r->loops[--r->nloops];
    r->loop = r->nloops > 0 ? loop - 1 : NULL;
    r->has_run = loop->has_run;
    if (loop->object != NULL) {
        loop->object->is_live = false;
        loop->object->index0 = loop->index0;
        loop->object->length = loop->has_test ? loop->index0 + 1 : loop->offset + loop->iter.count;
    }
}

/* ---- tests ----------------------------------------------------------------------------------- */

/* Nothing more passes the test. */
static void end_test(struct render *r, struct vm_loop *loop)
{
    loop->has_ended = true;
    if (!loop->collects)
        return;
    /* all that passed becomes what is walked */
    lua_pushvalue(r->vm.L, loop->slot + FOR_AHEAD);
    lua_replace(r->vm.L, loop->slot + FOR_SOURCE);
    value_iter_begin(&r->vm, loop->slot + FOR_SOURCE, &loop->iter);
    loop->offset = loop->index0 + 1;
    loop->has_test = loop->has_ahead = loop->collects = false;
}

/* Push the next item twice for the test to begin with; false: there is none. */
static bool push_candidate(struct render *r, struct vm_loop *loop)
{
    if (!value_iter_next(&r->vm, &loop->iter))
        return false;
    render_spend(r, 3);
    lua_pushvalue(r->vm.L, -1);
    return true;
}

void loop_test(struct render *r, int at)
{
    struct vm_loop *loop = &r->loops[at];
    if (!push_candidate(r, loop)) {
        end_test(r, loop);
        return;
    }
    const struct frame *owner = loop->owner;
    frame_room(r, owner->unit->max_stack);
    struct frame *frame = frame_push(r);
    *frame = *owner;
    frame->is_test = true;
    frame->pc = frame->next = owner->unit->code + loop->description->test;
    frame->converting = at;
}

void loop_test_done(struct render *r, struct frame *frame, bool passes)
{
    lua_State *L = r->vm.L;
    struct vm_loop *loop = &r->loops[frame->converting];
    if (!passes) {
        lua_pop(L, 1);
    } else if (loop->collects) {
        lua_rawseti(L, loop->slot + FOR_AHEAD, (int)lua_objlen(L, loop->slot + FOR_AHEAD) + 1);
    } else {
        lua_replace(L, loop->slot + FOR_AHEAD);
        loop->has_ahead = true;
        frame_pop(r);
        return;
    }
    if (push_candidate(r, loop)) {
        frame->next = frame->unit->code + loop->description->test;
        return;
    }
    end_test(r, loop);
    frame_pop(r);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* Push the item that the test let through; 0, -1 as loop_next. */
static int next_tested(struct render *r, struct vm_loop *loop)
{
    if (!loop->has_ahead) {
        if (loop->has_ended)
            return 0;
        loop_test(r, r->nloops - 1);
        return -1;
    }
    lua_pushvalue(r->vm.L, loop->slot + FOR_AHEAD);
    loop->has_ahead = false;
    return 1;
}

int loop_next(struct render *r)
{
    lua_State *L = r->vm.L;
    struct vm_loop *loop = r->loop;
    if (loop->has_test) {
        int result = next_tested(r, loop);
        if (result != 1)
            return result;
    } else if (!value_iter_next(&r->vm, &loop->iter)) {
        return 0;
    }
    loop->index0++;
    if (loop->keeps_items) {
        lua_pushvalue(L, loop->slot + FOR_CURRENT);
        lua_replace(L, loop->slot + FOR_BEFORE);
        lua_pushvalue(L, -1);
        lua_replace(L, loop->slot + FOR_CURRENT);
    }
    return 1;
}

/* ---- recursion ------------------------------------------------------------------------------- */

/* The depth is on top, below it what is walked: begin the loop's unit. */
static struct frame *begin_unit(struct render *r, const struct frame *owner, int unit, int ret,
                                int base, bool is_inside)
{
    lua_State *L = r->vm.L;
    const struct program_unit *body = &owner->program->program->units[unit];
    lua_pushnil(L);
    lua_pushvalue(L, owner->fixed + FIXED_CONTEXT);
    lua_pushvalue(L, owner->fixed + FIXED_PROGRAM);
    lua_pushvalue(L, owner->fixed + FIXED_CELLS);
    if (is_inside && body->ncells > 0) { /* the owner's are its own, not those around it */
        lua_rawgeti(L, -1, 1);
        lua_replace(L, -2);
    }
    const struct insn *extends = owner->extends;
    struct frame *frame = frame_begin(r, body, owner->program, ret, base);
    frame->extends = extends;
    return frame;
}

void loop_enter(struct render *r, struct frame *frame, int unit)
{
    int base = lua_gettop(r->vm.L);
    lua_pushnumber(r->vm.L, 0);
    begin_unit(r, frame, unit, base, base, false);
}

enum vm_status loop_call(struct render *r, const struct vm_args *args, int escape, bool *is_written)
{
    lua_State *L = r->vm.L;
    int callee = args->first - 1;
    const struct loop_object *object = lua_touserdata(L, callee);
    struct vm_loop *loop = loop_of(r, object);
    if (loop == NULL)
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "the loop has ended: it cannot be called any more");
    if (loop->description->recursive < 0)
        vm_fail(&r->vm, TEMPLATE_RUNTIME,
                "The loop must have the 'recursive' marker to be called recursively.");
    if (args->count != 1 || args_have_keywords(args))
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "loop() takes one argument, what it is to walk");
    int unit = loop->description->recursive;
    enum program_escape mode = loop->owner->program->program->units[unit].escape;
    bool is_markup = mode == ESCAPE_ON || (mode == ESCAPE_DYNAMIC && r->vm.autoescape);
    bool writes = call_may_write(r, escape, is_markup);
    lua_pushnumber(L, object->depth0 + 1);
    struct frame *frame = begin_unit(r, loop->owner, unit, callee, args->first, true);
    if (writes)
        *is_written = true;
    else
        frame_capture(r, frame, is_markup ? RESULT_MARKUP : RESULT_TEXT);
    return VM_AGAIN;
}
