/* template/vm_frame.c - what is being run: frames of code and of natives, and kept-back output.
 *
 * Place in the flow: calls, includes, blocks and loops push frames; vm_run.c runs the one on top.
 * Frames do not move while they live, natives keep pointers to theirs.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "template/vm_internal.h"

/* Lua stack slots that are free above what a frame asks for: natives and operators push some. */
#define HEADROOM 100

static struct frame *frame_at(const struct render *r, int i)
{
    return &r->chunks[i / FRAMES_A_CHUNK][i % FRAMES_A_CHUNK];
}

/* The next chunk's first frame. */
static struct frame *push_in_next(struct render *r)
{
    int chunk = r->nframes / FRAMES_A_CHUNK;
    if (chunk == r->nchunks) {
        r->chunks = mem_realloc(r->chunks, ((size_t)chunk + 1) * sizeof(*r->chunks));
        r->chunks[chunk] = mem_array(FRAMES_A_CHUNK, sizeof(struct frame));
        r->nchunks++;
    }
    r->top = frame_at(r, r->nframes++);
    return r->top;
}

struct frame *frame_push(struct render *r)
{
    if (r->nframes % FRAMES_A_CHUNK == 0)
        return push_in_next(r);
    r->nframes++;
    return ++r->top;
}

void frame_pop(struct render *r)
{
    if (--r->nframes % FRAMES_A_CHUNK != 0)
        r->top--;
    else
        r->top = r->nframes == 0 ? NULL : frame_at(r, r->nframes - 1);
}

struct frame *render_code_frame(const struct render *r)
{
    for (int i = r->nframes - 1; i >= 0; i--)
        if (!frame_at(r, i)->is_native)
            return frame_at(r, i);
    return NULL;
}

struct frame *frame_below(const struct render *r, const struct frame *frame)
{
    for (int i = r->nframes - 1; i > 0; i--)
        if (frame_at(r, i) == frame)
            return frame_at(r, i - 1);
    return NULL;
}

void frame_room(struct render *r, int more)
{
    if (!lua_checkstack(r->vm.L, more + HEADROOM))
        render_fail_values(r);
}

/* The cells on top, those around the unit, become the first of its own. */
static void make_cells(lua_State *L, int ncells, int fixed)
{
    lua_createtable(L, ncells, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
    lua_pushnil(L);
    lua_replace(L, fixed + FIXED_CLOSURE); /* its macros see these cells */
}

struct frame *frame_begin(struct render *r, const struct program_unit *unit,
                          const struct vm_program *program, int ret, int base)
{
    lua_State *L = r->vm.L;
    if (++r->depth > r->env->max_depth) {
        r->depth--;
        render_fail_depth(r);
    }
    render_spend(r, 10);
    struct frame *frame = frame_push(r);
    int fixed = base + unit->fixed;
    frame->is_native = frame->is_test = false;
    frame->extends = NULL;
    frame->writes = 0;
    frame->autoescape = r->vm.autoescape;
    frame->result = RESULT_WRITTEN;
    frame->ret = ret;
    frame->pc = frame->next = unit->code;
    frame->program = program;
    frame->unit = unit;
    frame->base = base;
    frame->fixed = fixed;
    frame->nloops = r->nloops;
    frame->has_vars = -1;
    r->known = 0;
    frame_room(r, unit->nslots + unit->max_stack); /* if it fails, in this frame */
    if (unit->ncells > 0)
        make_cells(L, unit->ncells, fixed);
    /* it comes to lie at FIXED_FIRST, where nobody looks before has_vars is known */
    lua_rawgeti(L, fixed + FIXED_CONTEXT, CTX_AUTOESCAPE);
    r->vm.autoescape = context_autoescape(L);
    lua_settop(L, base + unit->nslots - 1);
    return frame;
}

void frame_capture(struct render *r, struct frame *frame, enum frame_result result)
{
    frame->result = result;
    capture_begin(r);
}

void frame_return(struct render *r)
{
    lua_State *L = r->vm.L;
    struct frame *frame = r->top;
    enum frame_result result = frame->result;
    if (result == RESULT_TEXT || result == RESULT_MARKUP)
        capture_end(r, result == RESULT_MARKUP);
    else if (result != RESULT_WRITTEN)
        import_finish(r, frame);
    if (result == RESULT_WRITTEN || result == RESULT_BODY) {
        lua_settop(L, frame->ret - 1);
    } else {
        lua_replace(L, frame->ret);
        lua_settop(L, frame->ret);
    }
    r->vm.autoescape = frame->autoescape;
    while (r->nloops > frame->nloops)
        loop_end(r);
    r->known = 0;
    r->depth--;
    frame_pop(r);
}

/* ---- kept-back output ------------------------------------------------------------------------ */

void capture_begin(struct render *r)
{
    if (r->ncaptures == r->room_captures) {
        r->room_captures = r->room_captures == 0 ? 16 : 2 * r->room_captures;
        r->captures = mem_realloc(r->captures, (size_t)r->room_captures * sizeof(*r->captures));
    }
    r->captures[r->ncaptures++] = r->out.len;
}

void capture_end(struct render *r, bool is_markup)
{
    size_t start = r->captures[--r->ncaptures];
    struct slice text = slice_from(buf_view(&r->out), start);
    lua_pushlstring(r->vm.L, text.data, text.len);
    r->out.len = start;
    if (is_markup)
        vm_to_markup(&r->vm);
}

void capture_drop(struct render *r, int count)
{
    for (; count > 0; count--)
        r->out.len = r->captures[--r->ncaptures];
}
