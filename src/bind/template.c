/* bind/template.c - the template engine as Lua sees it: template_env, template_compile,
 * template_run, template_step, template_call, template_chain, template_on_call, template_on_stop,
 * template_gettext */
#include "bind/bind.h"

#include "template/vm_library.h"

void bind_template(struct lua_State *L)
{
    template_register(L);
}
