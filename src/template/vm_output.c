/* template/vm_output.c - values become output. */
#include "base/escape.h"
#include "template/vm_run.h"
#include "value/number.h"

static void append_number(struct render *r, int index)
{
    double number = lua_tonumber(r->vm.L, index);
    if (number >= 0 && number < 1e9 && number == (double)(uint32_t)number) {
        buf_uint(&r->out, (uint64_t)number);
        return;
    }
    value_write(&r->vm, index, &r->out);
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

bool output_now(struct render *r, int index, int escape)
{
    lua_State *L = r->vm.L;
    bool escapes = escape == ESCAPE_ON || (escape == ESCAPE_DYNAMIC && r->vm.autoescape);
    int type = lua_type(L, index);
    struct slice text;
    if (type == LUA_TSTRING) {
        text.data = lua_tolstring(L, index, &text.len);
        if (escapes)
            escape_html(&r->out, text);
        else
            buf_slice(&r->out, text);
        return true;
    }
    if (escape == ESCAPE_TEXT) {
        append_text(r, index);
        return true;
    }
    if (type == LUA_TNUMBER) {
        append_number(r, index);
        return true;
    }
    bool autoescape = r->vm.autoescape;
    r->vm.autoescape = escapes;
    enum value_result result = value_write_escaped(&r->vm, index, &r->out);
    r->vm.autoescape = autoescape;
    return result == VALUE_OK;
}

bool output_top(struct render *r, int escape)
{
    lua_State *L = r->vm.L;
    int top = lua_gettop(L);
    if (output_now(r, top, escape)) {
        lua_pop(L, 1);
        return true;
    }
    bool escapes = escape == ESCAPE_ON || (escape == ESCAPE_DYNAMIC && r->vm.autoescape);
    render_ask(r, escapes ? VM_ASK_HTML : VM_ASK_TOSTRING, 1, 0);
    return false;
}
