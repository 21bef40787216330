---@meta qlua.core
--- Names with values, the part of `qlua.core` in src/bind/multidict.c and headers_write.c, for the
--- language server; see native.lua.
error "native_multidict.lua is for the language server"

-- luacheck: ignore 212 241 (declarations use nothing)

---@class qlua.core
local core = {}

---@class qlua.MultiDict names with one or more values, as the client sent them; cannot be changed
---@field [string] string the first value of a name; a method's name wins
---@field get fun(self, name: string, default?: any, convert?: fun(text: string): any): any the
---  first value of a name, converted; the default when there is none or it cannot be
---@field getlist fun(self, name: string, convert?: fun(text: string): any): any[] all values of a
---  name
---@field items fun(self, options?: { multi?: boolean }): fun(): string?, any first values, or
---  with multi all; of headers every line
---@field keys fun(self): string[] the names, each once
---@field lists fun(self): fun(): string?, any[] `for name, values in args:lists() do`
---@field to_dict fun(self, options?: { flat?: boolean }): table<string, any> first values; with
---  flat = false lists
---@field contains fun(self, name: string): boolean is there a value of this name?

---@class qlua.Headers: qlua.MultiDict header lines that can be changed
---@field [string] string|number|nil assigning sets the one line of that name, nil removes it
---@field set fun(self, name: string, value?: string|number, params?: table<string,
---  string|number>) the one line of a name; params go behind it: `; key=value`
---@field add fun(self, name: string, value: string|number, params?: table<string, string|number>)
---  one more line
---@field setlist fun(self, name: string, values: (string|number)[]) a line for each value
---@field setdefault fun(self, name: string, value: string|number): string set it when there is
---  none; gives the value that is there
---@field remove fun(self, name: string) take all lines of a name out
---@field pop fun(self, name: string, default?: any): any the same, and give the first value
---@field clear fun(self) take all out
---@field update fun(self, other: table|qlua.MultiDict) replaces the names it brings

--- New Headers from a table by name (a list as value: several lines), a list of { name, value },
--- or other Headers.
---@param init? table|qlua.MultiDict
---@return qlua.Headers
function core.headers(init) end

---@param first qlua.MultiDict
---@param second qlua.MultiDict
---@return qlua.MultiDict
function core.multidict_join(first, second) end

---@param kind "form"|"files"
---@return qlua.MultiDict
function core.multidict_empty(kind) end

--- The MultiDict of files by their field `name`; takes the list.
---@param list table[]
---@return qlua.MultiDict
function core.multidict_files(list) end

return core
