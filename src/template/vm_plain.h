/* template/vm_plain.h - operators on plain numbers and strings, and truths that jumps take.
 *
 * Place in the flow: vm_run.c tries these first, as they are what templates calculate and compare
 * most; all else is vm_operate.c's. They never fail and never ask Lua: what they cannot do they
 * leave as it is.
 */
#ifndef QLUA_TEMPLATE_VM_PLAIN_H
#define QLUA_TEMPLATE_VM_PLAIN_H

#include "template/ast.h"
#include "template/vm_run.h"

/* + - * and / of two numbers, in their place; false: they are others. */
static inline bool calculate_plain(lua_State *L, int op)
{
    if (lua_type(L, -1) != LUA_TNUMBER || lua_type(L, -2) != LUA_TNUMBER)
        return false;
    double left = lua_tonumber(L, -2), right = lua_tonumber(L, -1);
    switch ((enum value_operator)op) {
    case VALUE_ADD: left += right; break;
    case VALUE_SUB: left -= right; break;
    case VALUE_MUL: left *= right; break;
    case VALUE_DIV:
        if (right == 0)
            return false; /* an error */
        left /= right;
        break;
    default: return false;
    }
    lua_pop(L, 2);
    lua_pushnumber(L, left);
    return true;
}

/* Compare two numbers, or two strings for equality, which are popped; false: they are others. */
static inline bool compare_plain(lua_State *L, int op, bool *is_true)
{
    int type = lua_type(L, -1);
    if ((type != LUA_TNUMBER && type != LUA_TSTRING) || lua_type(L, -2) != type)
        return false;
    double left = type == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;
    double right = type == LUA_TNUMBER ? lua_tonumber(L, -1) : !lua_rawequal(L, -1, -2);
    switch ((enum ast_comparison)op) {
    case AST_EQ: *is_true = left == right; break;
    case AST_NE: *is_true = left != right; break;
    case AST_LT: *is_true = left < right; break;
    case AST_LE: *is_true = left <= right; break;
    case AST_GT: *is_true = left > right; break;
    case AST_GE: *is_true = left >= right; break;
    default: return false;
    }
    if (type == LUA_TSTRING && op != AST_EQ && op != AST_NE)
        return false;
    lua_pop(L, 2);
    return true;
}

/* Is the instruction one that takes a truth and leaves none? */
static inline bool takes_truth(const struct insn *insn)
{
    return insn->op == OP_JUMP_FALSE || insn->op == OP_JUMP_TRUE || insn->op == OP_NOT;
}

/* The instruction has given a truth: where to go on. It is pushed when no jump takes it. */
static inline const struct insn *give_truth(lua_State *L, const struct insn *code,
                                            const struct insn *insn, bool is_true)
{
    insn++;
    if (insn->op == OP_NOT) {
        is_true = !is_true;
        insn++;
    }
    if (insn->op == OP_JUMP_FALSE || insn->op == OP_JUMP_TRUE)
        return is_true == (insn->op == OP_JUMP_TRUE) ? code + insn->c : insn + 1;
    lua_pushboolean(L, is_true);
    return insn;
}

/* loop.first, and loop.last of a plain walk over a list. */
static inline bool loop_truth(struct render *r, int at, enum program_loop_attr attr, bool *is_true)
{
    const struct vm_loop *loop = &r->loops[at];
    if (attr == LOOP_FIRST) {
        *is_true = loop->index0 == 0;
        return true;
    }
    if (attr != LOOP_LAST || loop->has_test || loop->has_ahead || loop->iter.kind != VALUE_LIST)
        return false;
    int next = (int)loop->iter.at + 1;
    lua_rawgeti(r->vm.L, loop->slot, next);
    *is_true = lua_type(r->vm.L, -1) == LUA_TNIL && next > (int)lua_objlen(r->vm.L, loop->slot);
    lua_pop(r->vm.L, 1);
    return true;
}

#endif
