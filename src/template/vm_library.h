/* template/vm_library.h - the engine as Lua sees it.
 *
 * Place in the flow: bind/template.c adds these functions to qlua.core, for lua/qlua/environment
 * and lua/qlua/template_render. They live here so that unit specs and benches can load them without
 * a server, from build/libqlua-test.so.
 *
 * template_env(options) -> environment: a userdata. The tables filters, tests, globals and policies
 *     among the options are kept and count as they are when a template runs; what is missing of the
 *     builtin globals is put into globals.
 * template_compile(environment, source, name or nil, autoescape) -> program | nil, { kind, message,
 *     lineno, name, source }
 * template_run(object, program, globals or nil, context or nil, flush size or nil, as_module)
 *     -> value | nil, render, ask, operands...: the text, or the module; else what is to be done
 *     before template_step(render, result), which returns the same again. object is Lua's
 *     environment: object:error(kind, message, lineno, name, source, chain) makes what is raised.
 * template_call(macro, arguments...): the same for a macro called by Lua
 * template_listing(program) -> its instructions, for people to read
 * template_references(environment, source) -> the templates it names in extends, include and import
 *     by constants: list of { names = { first choice, ... }, lineno, optional }; {} for a source
 *     that does not parse
 * template_asks: what `ask` may be, name -> number
 * template_environment(macro) -> that object
 * template_chain(render) -> how what is asked for was reached: { { name, lineno, source } ... }
 * template_on_call(function): what calling a macro in Lua runs
 * template_on_stop(function): what runs where a render is called back, with the way to there
 * template_gettext(name, function) -> a translation function as templates call it, newstyle; name:
 *     gettext, ngettext, pgettext or npgettext
 */
#ifndef QLUA_TEMPLATE_VM_LIBRARY_H
#define QLUA_TEMPLATE_VM_LIBRARY_H

struct lua_State;

/* Add the functions to the table on top of the stack. */
void template_register(struct lua_State *L);

/* The same as a module of its own: package.loadlib(library, "luaopen_qlua_template"). */
int luaopen_qlua_template(struct lua_State *L);

#endif
