/* template/vm_run.c - the loop over instructions.
 *
 * Place in the flow: vm_library.c calls render_run for each slice. It runs the frame on top until
 * there is none left, or until Lua is needed: then r->asked says for what, and render_run is called
 * again when that is done. frame->pc is always the instruction that runs, or ran last: errors take
 * their line from it. frame->next is set whenever the loop is left.
 */
#include "template/vm_run.h"

#include <math.h>

#include "template/vm_plain.h"
#include "template/vm_slot.h"

/* ---- cells --------------------------------------------------------------------------------- */

/* Push the table of cells that lies `depth` units with cells further out. */
static void push_cells(lua_State *L, const struct frame *frame, int depth)
{
    lua_pushvalue(L, frame->fixed + FIXED_CELLS);
    for (; depth > 0; depth--) {
        lua_rawgeti(L, -1, 1);
        lua_replace(L, -2);
    }
}

static void push_cell(struct render *r, const struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    if (insn->a == 0) {
        lua_rawgeti(L, frame->fixed + FIXED_CELLS, insn->b);
    } else {
        push_cells(L, frame, insn->a);
        lua_rawgeti(L, -1, insn->b);
        lua_replace(L, -2);
    }
    if (insn->op == OP_CELL && lua_isnil(L, -1)) {
        lua_pop(L, 1);
        value_push_undefined(&r->vm, const_slice(frame, insn->c));
    }
}

static void store_cell(lua_State *L, const struct frame *frame, int cell)
{
    lua_rawseti(L, frame->fixed + FIXED_CELLS, cell);
}

static void clear_slots(lua_State *L, int first, int count)
{
    for (int i = 0; i < count; i++) {
        lua_pushnil(L);
        lua_replace(L, first + i);
    }
}

/* ---- calls ----------------------------------------------------------------------------------- */

static enum vm_status run_call(struct render *r, struct frame *frame, const struct insn *insn,
                               int escape, bool *is_written)
{
    struct vm_args args = {.count = insn->b, .consts = frame->fixed + FIXED_PROGRAM};
    int count = insn->b;
    if (insn->c != 0) {
        args.keywords = &frame->program->program->keywords[insn->c - 1];
        args.names = frame->program->program->consts;
        count += args.keywords->count;
    }
    args.first = lua_gettop(r->vm.L) - count + 1;
    return call_value(r, &args, escape, is_written);
}

/* [callee list dict] */
static enum vm_status run_call_list(struct render *r, struct frame *frame, int escape,
                                    bool *is_written)
{
    struct vm_args args = {.first = lua_gettop(r->vm.L) - 1,
                           .consts = frame->fixed + FIXED_PROGRAM};
    args_spread(r, &args);
    return call_value(r, &args, escape, is_written);
}

/* A call whose result is written: by the callee itself, or by the OP_OUT that follows. */
static enum vm_status run_call_out(struct render *r, struct frame *frame, const struct insn *insn)
{
    bool is_written = false;
    enum vm_status status;
    if (insn->op == OP_CALL_OUT)
        status = run_call(r, frame, insn, insn->a, &is_written);
    else
        status = run_call_list(r, frame, insn->a, &is_written);
    frame->next = insn + (is_written ? 2 : 1);
    return status;
}

/* ---- loops ----------------------------------------------------------------------------------- */

/* The next item of a plain walk over a list goes into its slot: most loops, most of the time. Gives
 * where to go on, NULL: it is another kind of walk, or a hole. */
static inline const struct insn *next_in_table(struct render *r, const struct frame *frame,
                                               const struct insn *insn)
{
    struct vm_loop *loop = r->loop;
    enum value_kind kind = loop->iter.kind;
    if (insn->b == 0 || loop->has_test || loop->keeps_items ||
        (kind != VALUE_LIST && kind != VALUE_DICT))
        return NULL;
    int at = (int)loop->iter.at + 1;
    lua_rawgeti(r->vm.L, loop->slot, at);
    int type = lua_type(r->vm.L, -1);
    if (type == LUA_TNIL) {
        lua_pop(r->vm.L, 1);
        if (at <= (int)lua_objlen(r->vm.L, loop->slot))
            return NULL;
        loop_end(r);
        return frame->unit->code + insn->c;
    }
    set_slot_known(r, frame->base + insn->b - 1, type);
    loop->iter.at = at;
    loop->index0++;
    return insn + 1;
}

/* Take the next item; gives where to go on, NULL: a test was begun. */
static const struct insn *run_for_next(struct render *r, struct frame *frame,
                                       const struct insn *insn)
{
    int result = loop_next(r);
    if (result < 0)
        return NULL;
    if (result == 0) {
        loop_end(r);
        return frame->unit->code + insn->c;
    }
    if (insn->b != 0)
        set_slot(r, frame->base + insn->b - 1);
    return insn + 1;
}

/* The attribute of the loop on top, in its place. again */
static bool loop_attr_top(struct render *r, enum program_loop_attr attr)
{
    if (!loop_attr(r, lua_gettop(r->vm.L), attr))
        return false;
    lua_replace(r->vm.L, -2);
    return true;
}

/* ---- statements ------------------------------------------------------------------------------ */

static void set_autoescape(struct render *r, const struct frame *frame, bool autoescape)
{
    r->vm.autoescape = autoescape;
    context_set_autoescape(r->vm.L, frame->fixed + FIXED_CONTEXT, autoescape);
}

static bool run_autoescape(struct render *r, const struct frame *frame, int slot)
{
    bool wanted;
    if (!operate_truth(r, &wanted))
        return false;
    lua_pushboolean(r->vm.L, r->vm.autoescape);
    lua_replace(r->vm.L, frame->base + slot);
    set_autoescape(r, frame, wanted);
    return true;
}

static void run_finalize(struct render *r)
{
    lua_State *L = r->vm.L;
    lua_rawgeti(L, STACK_TABLES, ENV_FINALIZE);
    lua_insert(L, -2);
    render_ask(r, VM_ASK_CALL, 2, 0);
}

/* Of the values on top, the one whose turn it is. */
static void run_cycle(struct render *r, const struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    int first = lua_gettop(L) - insn->b + 1;
    double index0 = r->loops[frame->nloops + insn->a].index0;
    lua_pushvalue(L, first + (int)fmod(index0, insn->b));
    lua_replace(L, first);
    lua_settop(L, first);
}

/* Those that are neither frequent nor wait. */
static void run_simple(struct render *r, struct frame *frame, const struct insn *insn)
{
    lua_State *L = r->vm.L;
    const struct program *program = frame->program->program;
    switch ((enum program_op)insn->op) {
    case OP_CELL:
    case OP_CELL_RAW: push_cell(r, frame, insn); break;
    case OP_STORE_CELL: store_cell(L, frame, insn->b); break;
    case OP_CLEAR_CELL:
        lua_pushnil(L);
        store_cell(L, frame, insn->b);
        break;
    case OP_NO_ELSE: value_push_undefined_plain(&r->vm, program->texts[insn->c]); break;
    case OP_ROTATE:
        lua_pushvalue(L, -1);
        lua_insert(L, -3);
        break;
    case OP_LIST: operate_list(r, insn->c, false); break;
    case OP_TUPLE: operate_list(r, insn->c, true); break;
    case OP_DICT: operate_dict(r, insn->c); break;
    case OP_ADD_KEY: operate_add_key(r, frame, insn->c); break;
    case OP_EXPORT: context_set(r, frame, insn->c, insn->a, false); break;
    case OP_UNEXPORT: context_set(r, frame, insn->c, false, insn->a); break;
    case OP_NAMESPACE:
        operate_check_namespace(r);
        lua_pop(L, 1);
        break;
    case OP_SET_ATTR: operate_set_attr(r, frame, insn->c); break;
    case OP_CAPTURE: capture_begin(r); break;
    case OP_CAPTURED:
        capture_end(r, insn->a == ESCAPE_ON || (insn->a == ESCAPE_DYNAMIC && r->vm.autoescape));
        break;
    case OP_DROP_CAPTURES: capture_drop(r, insn->b); break;
    case OP_MACRO: macro_make(r, frame, insn->c); break;
    case OP_PARAMETER: operate_parameter(r, frame, insn->c); break;
    case OP_REQUIRED: block_require(r, frame, insn->c); break;
    case OP_EXTENDS: extends_loaded(r, frame); break;
    case OP_EXTENDS_AGAIN: vm_fail(&r->vm, TEMPLATE_RUNTIME, "extended multiple times");
    case OP_IMPORTED: import_push_name(r, frame, insn->c); break;
    case OP_AUTOESCAPE_END:
        set_autoescape(r, frame, lua_toboolean(L, frame->base + insn->b));
        break;
    case OP_DEBUG: context_show(r, frame); break;
    case OP_SELF: block_push_self(r, frame); break;
    case OP_SUPER: block_push_super(r, frame, insn->c); break;
    case OP_FOR_END: loop_end(r); break;
    case OP_LOOP_CYCLE: run_cycle(r, frame, insn); break;
    default: break;
    }
}

/* ---- the loop -------------------------------------------------------------------------------- */

/* Lua was asked for another form of an operand, or a frame was begun that makes it: the same
 * instruction runs again. */
#define AGAIN_UNLESS(done)  \
    if (!(done)) {          \
        frame->next = insn; \
        return;             \
    }
/* Lua was asked for the result, or a frame was begun that makes it: go on behind the instruction.
 */
#define NEXT_UNLESS(done)       \
    if (!(done)) {              \
        frame->next = insn + 1; \
        return;                 \
    }
/* The instruction begins a frame or asks. */
#define BEGINS(call)        \
    frame->next = insn + 1; \
    call;                   \
    return
/* Output was written: hand it out when there is enough, or fail when there is too much. What comes
 * next is at `there`. */
#define CHECK_OUTPUT_AND_GO(there)                        \
    if (r->out.len > r->mark && render_check_output(r)) { \
        frame->next = there;                              \
        render_ask(r, ASK_FLUSH, 0, 0);                   \
        return;                                           \
    }
#define CHECK_OUTPUT() CHECK_OUTPUT_AND_GO(insn + 1)
#define JUMP()             \
    insn = code + insn->c; \
    goto jumped

#define GIVE_TRUTH(truth)                    \
    insn = give_truth(L, code, insn, truth); \
    goto jumped

/* Run the frame on top until another one is on top, or Lua is asked. Longer than a screen: it is
 * the loop of the VM. */
static void run_code(struct render *r, struct frame *frame)
{
    lua_State *L = r->vm.L;
    const struct program *program = frame->program->program;
    const struct insn *code = frame->unit->code;
    const int base = frame->base;
    const int consts = frame->fixed + FIXED_PROGRAM;
    bool is_true;
    int type;
    CHECK_OUTPUT_AND_GO(frame->next); /* a filter that waited may have written */
    for (const struct insn *insn = frame->next;; insn++) {
    jumped:
        frame->pc = insn;
        switch ((enum program_op)insn->op) {
        case OP_TEXT:
            output_text(&r->out, program->texts[insn->c]);
            CHECK_OUTPUT();
            break;
        case OP_OUT_NAME:
            type = fill_slot(r, frame, insn->b, insn->c);
            if (!output_typed(r, base + insn->b, insn->a & ESCAPE_MASK, type)) {
                lua_pushvalue(L, base + insn->b);
                break;
            }
            insn++;
            CHECK_OUTPUT();
            break;
        case OP_OUT_SLOT:
            type = slot_type(r, base + insn->b);
            if (type == LUA_TNIL || !output_typed(r, base + insn->b, insn->a & ESCAPE_MASK, type)) {
                push_slot(r, frame, insn->b, insn->c);
                break;
            }
            insn++;
            CHECK_OUTPUT();
            break;
        case OP_OUT_ATTR:
            type = push_slot_attr(r, frame, insn);
            NEXT_UNLESS(type != LUA_TNONE);
            if (!output_typed(r, -1, insn->a & ESCAPE_MASK, type))
                break;
            lua_pop(L, 1);
            insn++;
            CHECK_OUTPUT();
            break;
        case OP_OUT:
            AGAIN_UNLESS(output_top(r, insn->a));
            CHECK_OUTPUT();
            break;
        case OP_FINALIZE: BEGINS(run_finalize(r));
        case OP_CONST: lua_rawgeti(L, consts, insn->c + 1); break;
        case OP_NONE: vm_push_none(&r->vm); break;
        case OP_TRUE: lua_pushboolean(L, 1); break;
        case OP_FALSE: lua_pushboolean(L, 0); break;
        case OP_SLOT:
            if (insn->a)
                lua_pushvalue(L, base + insn->b);
            else
                push_slot(r, frame, insn->b, insn->c);
            break;
        case OP_NAME:
            fill_slot(r, frame, insn->b, insn->c);
            lua_pushvalue(L, base + insn->b);
            break;
        case OP_SLOT_RAW: lua_pushvalue(L, base + insn->b); break;
        case OP_RESOLVE: context_resolve(r, frame, insn->c); break;
        case OP_STORE: set_slot(r, base + insn->b); break;
        case OP_CLEAR:
            r->known = 0;
            clear_slots(L, base + insn->b, insn->c);
            break;
        case OP_POP: lua_pop(L, 1); break;
        case OP_DUP: lua_pushvalue(L, -1); break;
        case OP_NOT: AGAIN_UNLESS(operate_truth(r, &is_true)); GIVE_TRUTH(!is_true);
        case OP_NEGATE: NEXT_UNLESS(operate_negate(r, insn->a)); break;
        case OP_ARITH:
            if (calculate_plain(L, insn->a))
                break;
            NEXT_UNLESS(operate_arith(r, insn->a));
            break;
        case OP_COMPARE:
            if (compare_plain(L, insn->a, &is_true)) {
                GIVE_TRUTH(is_true);
            }
            NEXT_UNLESS(operate_compare(r, insn->a));
            break;
        case OP_CONCAT: AGAIN_UNLESS(operate_concat(r, insn->a, insn->b)); break;
        case OP_MARK_SAFE: AGAIN_UNLESS(operate_mark_safe(r, insn->a)); break;
        case OP_ATTR:
            if (lua_type(L, -1) == LUA_TUSERDATA && loop_is(r, lua_gettop(L)) &&
                program_loop_attr(const_slice(frame, insn->c)) != LOOP_NONE) {
                AGAIN_UNLESS(loop_attr_top(r, program_loop_attr(const_slice(frame, insn->c))));
            } else {
                NEXT_UNLESS(operate_attr(r, frame, insn->c));
            }
            break;
        case OP_SLOT_ATTR:
            if (takes_truth(insn + 1) && slot_attr_truth(r, frame, insn, &is_true)) {
                GIVE_TRUTH(is_true);
            }
            NEXT_UNLESS(push_slot_attr(r, frame, insn) != LUA_TNONE);
            break;
        case OP_LOOP_ATTR:
            if (loop_truth(r, frame->nloops + insn->b, (enum program_loop_attr)insn->a, &is_true)) {
                GIVE_TRUTH(is_true);
            }
            AGAIN_UNLESS(loop_attr_of(r, frame->nloops + insn->b, (enum program_loop_attr)insn->a));
            break;
        case OP_ITEM: NEXT_UNLESS(operate_item(r)); break;
        case OP_SLICE: AGAIN_UNLESS(operate_slice(r)); break;
        case OP_UNPACK: AGAIN_UNLESS(operate_unpack(r, insn->b)); break;
        case OP_APPEND: lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1); break;
        case OP_EXTEND: AGAIN_UNLESS(operate_extend(r)); break;
        case OP_MERGE: AGAIN_UNLESS(operate_merge(r)); break;
        case OP_JUMP_BACK:
            r->loop->has_run |= insn->a;
            r->budget -= insn - code - insn->c;
            if (r->budget < 0)
                render_spend(r, 0);
            CHECK_OUTPUT_AND_GO(code + insn->c);
            insn = code + insn->c; /* OP_FOR_NEXT, always */
            frame->pc = insn;      /* fall through */
        case OP_FOR_NEXT:
            frame->next = insn;
            insn = next_in_table(r, frame, insn);
            if (insn == NULL)
                insn = run_for_next(r, frame, frame->next);
            if (insn == NULL)
                return;
            goto jumped;
        case OP_JUMP: JUMP();
        case OP_JUMP_RAN:
            if (r->has_run) {
                JUMP();
            }
            break;
        case OP_JUMP_FALSE:
        case OP_JUMP_TRUE:
            AGAIN_UNLESS(operate_truth(r, &is_true));
            if (is_true == (insn->op == OP_JUMP_TRUE)) {
                JUMP();
            }
            break;
        case OP_AND:
        case OP_OR:
            AGAIN_UNLESS(operate_truth(r, &is_true));
            if (is_true == (insn->op == OP_OR)) {
                JUMP();
            }
            lua_pop(L, 1);
            break;
        case OP_CHAIN:
            if (!lua_toboolean(L, -1)) {
                lua_remove(L, -2);
                JUMP();
            }
            lua_pop(L, 1);
            break;
        case OP_JUMP_SET:
            if (lua_type(L, base + insn->b) != LUA_TNIL) {
                JUMP();
            }
            break;
        case OP_JUMP_SET_CELL:
            lua_rawgeti(L, frame->fixed + FIXED_CELLS, insn->b);
            is_true = !lua_isnil(L, -1);
            lua_pop(L, 1);
            if (is_true) {
                JUMP();
            }
            break;
        case OP_JUMP_PARENT:
            if (frame->extends != NULL) {
                JUMP();
            }
            break;
        case OP_CALL: NEXT_UNLESS(run_call(r, frame, insn, -1, NULL) == VM_DONE); break;
        case OP_CALL_LIST: NEXT_UNLESS(run_call_list(r, frame, -1, NULL) == VM_DONE); break;
        case OP_CALL_OUT:
        case OP_CALL_LIST_OUT:
            if (run_call_out(r, frame, insn) != VM_DONE)
                return;
            break;
        case OP_FILTER:
            if (use_filter(r, frame, insn) != VM_DONE)
                return;
            insn = frame->next;
            CHECK_OUTPUT_AND_GO(insn); /* it may have written */
            goto jumped;
        case OP_TEST:
            if (use_run(r, frame, insn) != VM_DONE)
                return;
            insn = frame->next;
            goto jumped;
        case OP_FOR: AGAIN_UNLESS(loop_begin(r, frame, insn)); break;
        case OP_FOR_TEST:
            AGAIN_UNLESS(operate_truth(r, &is_true));
            loop_test_done(r, frame, is_true);
            return;
        case OP_LOOP_CALL: BEGINS(loop_enter(r, frame, insn->c));
        case OP_BLOCK: BEGINS(block_enter(r, frame, insn));
        case OP_LOAD: BEGINS(import_load(r, frame, insn));
        case OP_INCLUDE: BEGINS(include_enter(r, frame, insn));
        case OP_IMPORT: BEGINS(import_enter(r, frame, insn));
        case OP_AUTOESCAPE: AGAIN_UNLESS(run_autoescape(r, frame, insn->b)); break;
        case OP_PARENT: NEXT_UNLESS(!parent_enter(r, frame)); break;
        case OP_RETURN: frame_return(r); return;
        default: run_simple(r, frame, insn); break;
        }
    }
}

enum render_end render_run(struct render *r)
{
    r->has_own[false] = r->has_own[true] = -1; /* Lua may have added some */
    r->slice = vm_next_slice(r->state);
    r->vm.truncate_leeway = NAN;
    r->known = 0;
    while (r->top != NULL) {
        if (r->top->is_native)
            native_resume(r);
        else
            run_code(r, r->top);
        if (r->asked.ask >= 0)
            return RENDER_ASKS;
    }
    return RENDER_DONE;
}
