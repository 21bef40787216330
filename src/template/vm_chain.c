/* template/vm_chain.c - texts that go from filter to filter.
 *
 * Place in the flow: vm_use.c comes here for the filters that make a text of a text (native_text
 * in vm.h). Where such a filter takes what another one gives, and constants, it runs at once on the
 * bytes; and what is only written is written. So nothing between is made a Lua string. Whatever is
 * no usual call leaves the chain: what there is becomes a value, and the code goes on from it.
 */
#include "template/vm_run.h"

/* The arguments that a link takes at most; the usual calls have few. */
#define CHAIN_ARGUMENTS 3

/* The value at index, if it is plain. */
static inline bool take_plain(lua_State *L, int index, struct vm_plain *plain)
{
    plain->type = lua_type(L, index);
    switch (plain->type) {
    case LUA_TSTRING: plain->text.data = lua_tolstring(L, index, &plain->text.len); return true;
    case LUA_TNUMBER: plain->number = lua_tonumber(L, index); return true;
    case LUA_TBOOLEAN: plain->number = lua_toboolean(L, index); return true;
    default: return false;
    }
}

/* Take the string and the plain arguments on top, `count` values; false: they are others. */
static inline bool take_first(struct render *r, int count, struct text_flow *flow,
                              struct vm_plain *args)
{
    lua_State *L = r->vm.L;
    if (lua_type(L, -count) != LUA_TSTRING || count - 1 > CHAIN_ARGUMENTS)
        return false;
    for (int i = 1; i < count; i++)
        if (!take_plain(L, i - count, &args[i - 1]))
            return false;
    flow->text.data = lua_tolstring(L, -count, &flow->text.len);
    flow->out = &r->flows[0];
    flow->out->len = 0;
    flow->is_markup = false;
    return true;
}

/* Run a filter whose arguments are pushed by the constants before it. The text may lie in the
 * buffer that was written last, so the other one is next. */
static inline bool run_link(struct render *r, const struct program *program,
                            const struct insn *link, int count, native_text filter,
                            struct text_flow *flow)
{
    struct vm_plain args[CHAIN_ARGUMENTS];
    for (int i = 0; i < count; i++) {
        const struct insn *insn = link - count + i;
        const struct program_const *value = &program->consts[insn->c];
        if (insn->op == OP_CONST)
            args[i] = (struct vm_plain){value->is_number ? LUA_TNUMBER : LUA_TSTRING, value->number,
                                        value->text};
        else
            args[i] = (struct vm_plain){.type = LUA_TBOOLEAN, .number = insn->op == OP_TRUE};
    }
    struct buf *used = flow->out;
    if (used->len > 0)
        flow->out = used == &r->flows[0] ? &r->flows[1] : &r->flows[0];
    flow->out->len = 0;
    return filter(&r->vm, flow, args, count);
}

/* What came out, in the place of the values on top, `count` of them, the first of which was
 * `operand`. */
static void push_result(struct render *r, const struct text_flow *flow, struct slice operand,
                        int count)
{
    lua_State *L = r->vm.L;
    if (flow->is_markup || flow->text.data != operand.data || flow->text.len != operand.len) {
        lua_pushlstring(L, flow->text.data, flow->text.len);
        if (flow->is_markup)
            vm_to_markup(&r->vm);
        lua_replace(L, -count - 1);
    }
    lua_settop(L, -count);
}

int chain_link(const struct program *program, const struct insn *insn, bool by_keyword)
{
    int count = 0;
    const struct insn *at = insn + 1;
    while (count < CHAIN_ARGUMENTS &&
           (at->op == OP_CONST || at->op == OP_TRUE || at->op == OP_FALSE)) {
        at++;
        count++;
    }
    if (at->op != OP_FILTER)
        return 0;
    const struct program_use *use = &program->filters[at->c];
    int nargs = use->nargs;
    if (use->keywords != 0 && by_keyword)
        nargs += program->keywords[use->keywords - 1].count;
    bool is_plain = !use->has_list && (use->keywords == 0 || by_keyword);
    return is_plain && nargs == count + 1 ? count + 1 : 0;
}

bool chain_run(struct render *r, struct frame *frame, const struct insn *insn)
{
    const struct program *program = frame->program->program;
    const struct vm_use *use = &frame->program->filters[insn->c];
    int count = use->count;
    struct text_flow flow;
    struct vm_plain args[CHAIN_ARGUMENTS];
    if (!take_first(r, count, &flow, args))
        return false;
    struct slice operand = flow.text;
    if (!use->text(&r->vm, &flow, args, count - 1))
        return false;
    while (use->link > 0 && !flow.is_markup) {
        const struct insn *link = insn + use->link;
        const struct vm_use *next = use_builtin(r, frame, link);
        if (next == NULL || next->text == NULL)
            break;
        frame->pc = link;
        if (!run_link(r, program, link, use->link - 1, next->text, &flow))
            break;
        insn = link;
        use = next;
    }
    frame->next = insn + 1;
    if (use->writes == 0) {
        push_result(r, &flow, operand, count);
        return true;
    }
    output_slice(r, flow.text, use->writes - 1, flow.is_markup);
    lua_settop(r->vm.L, -count - 1);
    frame->next++; /* behind the OP_OUT */
    return true;
}

bool chain_call(struct render *r, native_text filter, int count)
{
    struct text_flow flow;
    struct vm_plain args[CHAIN_ARGUMENTS];
    if (!take_first(r, count, &flow, args))
        return false;
    struct slice operand = flow.text;
    if (!filter(&r->vm, &flow, args, count - 1))
        return false;
    push_result(r, &flow, operand, count);
    return true;
}
