/* template/vm_run.h - instructions that are more than a few lines.
 *
 * Place in the flow: vm_run.c is the loop over instructions; vm_operate.c works on operands,
 * vm_output.c writes. Their operands are on top of the stack. What gives a bool gives false when
 * Lua has been asked first: then either the instruction is to be run again (`again`), because an
 * operand was put in another form, or Lua's answer is its result (`result`).
 */
#ifndef QLUA_TEMPLATE_VM_RUN_H
#define QLUA_TEMPLATE_VM_RUN_H

#include "base/escape.h"
#include "template/vm_internal.h"

/* ---- vm_operate.c ---- */
/* Is the value on top true? It is popped when *is_true is set. again */
bool operate_truth(struct render *r, bool *is_true);
bool operate_arith(struct render *r, int op);             /* result */
bool operate_negate(struct render *r, bool negative);     /* result */
bool operate_compare(struct render *r, int op);           /* result */
bool operate_concat(struct render *r, int escape, int n); /* again */
bool operate_mark_safe(struct render *r, int escape);     /* again */
/* The attribute of the object on top, in its place; name: a constant. */
bool operate_attr(struct render *r, const struct frame *frame, int name); /* result */
bool operate_item(struct render *r);                                      /* result */
bool operate_slice(struct render *r);                                     /* result */
bool operate_unpack(struct render *r, int n);                             /* again */
void operate_list(struct render *r, int n, bool is_tuple);
void operate_dict(struct render *r, int n);
bool operate_extend(struct render *r); /* again */
void operate_add_key(struct render *r, const struct frame *frame, int name);
bool operate_merge(struct render *r); /* again */
void operate_check_namespace(struct render *r);
void operate_set_attr(struct render *r, const struct frame *frame, int name);
void operate_parameter(struct render *r, const struct frame *frame, int name);

/* ---- vm_output.c ---- */
/* Append the value at index, of this lua_type, which is no string; false: only Lua can make text of
 * it, nothing was done. */
bool output_other(struct render *r, int index, int escape, int type);
/* Append the value on top and pop it. again */
bool output_top(struct render *r, int escape);

/* Append a text of the program's: most are short, and a few bytes behind them may be read. */
static inline void output_text(struct buf *out, struct slice text)
{
    char *at = buf_reserve(out, text.len + PROGRAM_TEXT_SLACK);
    if (text.len <= PROGRAM_TEXT_SLACK)
        memcpy(at, text.data, PROGRAM_TEXT_SLACK);
    else
        memcpy(at, text.data, text.len);
    out->len += text.len;
}

static inline bool output_escapes(const struct render *r, int escape)
{
    return escape == ESCAPE_ON || (escape == ESCAPE_DYNAMIC && r->vm.autoescape);
}

/* Append a text. */
static inline void output_slice(struct render *r, struct slice text, int escape, bool is_markup)
{
    if (output_escapes(r, escape) && !is_markup)
        escape_html(&r->out, text);
    else
        buf_slice(&r->out, text);
}

/* Append the value at index, of this lua_type; false as output_other. */
static inline bool output_typed(struct render *r, int index, int escape, int type)
{
    struct slice text;
    if (type != LUA_TSTRING)
        return output_other(r, index, escape, type);
    text.data = lua_tolstring(r->vm.L, index, &text.len);
    output_slice(r, text, escape, false);
    return true;
}

#endif
