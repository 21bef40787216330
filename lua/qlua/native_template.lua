---@meta qlua.core
--- What templates need of `qlua.core` (src/template/vm_library.h), for the language server; see
--- native.lua.
error "native_template.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

---@class qlua.core
---@field template_asks table<string, integer> what `ask` may be below
local core = {}

--- The engine's half of an environment. The tables filters, tests, globals and policies are kept
--- and count as they are when a template runs.
---@param options table see environment_options.lua, for_core
---@return userdata environment
function core.template_env(options) end

--- Compile a source.
---@param environment userdata
---@param source string
---@param name? string
---@param autoescape boolean
---@return userdata? program
---@return { kind: string, message: string, lineno: integer, source?: string }? failure
function core.template_compile(environment, source, name, autoescape) end

--- The templates that a source names in extends, include and import by constants.
---@param environment userdata
---@param source string
---@return { names: string[], lineno: integer, optional: boolean }[]
function core.template_references(environment, source) end

--- Begin a render. Its value, or what is to be done before template_step.
---@param environment qlua.Environment its method `error` makes what is raised
---@param program userdata
---@param context? table<string, any>
---@param globals? table<string, any> before the environment's own
---@param flush_size? integer of a stream
---@param as_module? boolean the value is what the program exports
---@return string|table|nil value
---@return userdata? render
---@return integer? ask
---@return any ... operands
function core.template_run(environment, program, context, globals, flush_size, as_module) end

--- Go on with what was asked for.
---@param render userdata
---@param result any
---@return string|table|nil value
---@return userdata? render
---@return integer? ask
---@return any ... operands
function core.template_step(render, result) end

--- The same as template_run for a macro that Lua calls.
---@param macro userdata|table
---@param ... any
---@return any value
---@return userdata? render
---@return integer? ask
---@return any ... operands
function core.template_call(macro, ...) end

--- How what a render asks for was reached, innermost first.
---@param render userdata
---@return qlua.TemplatePlace[]
function core.template_chain(render) end

--- The environment that a macro is of.
---@param macro userdata|table
---@return qlua.Environment
function core.template_environment(macro) end

--- What calling a macro in Lua runs.
---@param fn fun(macro: any, ...): any
function core.template_on_call(fn) end

--- What runs where a render is called back, with the way to there.
---@param fn fun(places: qlua.TemplatePlace[])
function core.template_on_stop(fn) end

--- What stands for a function that translates, in templates with newstyle gettext.
---@param name "gettext"|"ngettext"|"pgettext"|"npgettext"
---@param fn function
---@return table
function core.template_gettext(name, fn) end

return core
