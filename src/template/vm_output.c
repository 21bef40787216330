/* template/vm_output.c - values become output. */
#include "template/vm_run.h"
#include "value/number.h"

static inline size_t count_digits(uint32_t number)
{
    size_t n = 1;
    for (; number >= 10; number /= 10)
        n++;
    return n;
}

static void append_number(struct render *r, int index)
{
    double number = lua_tonumber(r->vm.L, index);
    if (!(number >= 0 && number < 1e9) || number != (double)(uint32_t)number) {
        value_write(&r->vm, index, &r->out);
        return;
    }
    uint32_t left = (uint32_t)number;
    size_t n = count_digits(left);
    char *digits = buf_reserve(&r->out, n);
    r->out.len += n;
    for (; n > 0; left /= 10)
        digits[--n] = (char)('0' + left % 10);
}

/* A filter block's or call block's result: text, as it is. */
static void append_text(struct render *r, int index)
{
    struct slice text;
    if (!value_slice(&r->vm, index, &text))
        vm_fail(&r->vm, TEMPLATE_RUNTIME, "sequence item 0: expected str instance, %s found",
                value_type_name(&r->vm, index));
    buf_slice(&r->out, text);
}

/* Whatever is neither a string nor a number. */
static bool append_other(struct render *r, int index, bool escapes)
{
    bool autoescape = r->vm.autoescape;
    r->vm.autoescape = escapes;
    enum value_result result = value_write_escaped(&r->vm, index, &r->out);
    r->vm.autoescape = autoescape;
    return result == VALUE_OK;
}

bool output_other(struct render *r, int index, int escape, int type)
{
    if (index < 0)
        index = lua_gettop(r->vm.L) + 1 + index;
    if (escape == ESCAPE_TEXT)
        append_text(r, index);
    else if (type == LUA_TNUMBER)
        append_number(r, index);
    else
        return append_other(r, index, output_escapes(r, escape));
    return true;
}

bool output_top(struct render *r, int escape)
{
    lua_State *L = r->vm.L;
    if (output_typed(r, -1, escape, lua_type(L, -1))) {
        lua_pop(L, 1);
        return true;
    }
    render_ask(r, output_escapes(r, escape) ? VM_ASK_HTML : VM_ASK_TOSTRING, 1, 0);
    return false;
}
