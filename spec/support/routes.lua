--- The room src/route through FFI, in Lua's terms: tables of rules, lookups, URLs.
--- Values come back as Lua values; a custom converter's as { custom = text }.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
enum route_value_type { ROUTE_NIL, ROUTE_STRING, ROUTE_INT, ROUTE_FLOAT, ROUTE_BOOL, ROUTE_UUID,
  ROUTE_CUSTOM, ROUTE_OPAQUE };
struct route_value {
  int type;
  union { struct slice text; int64_t integer; double number; bool boolean; };
};
struct route_table;
struct route_options {
  bool host_matching, strict_slashes, merge_slashes, redirect_defaults;
  struct slice server_name;
  const char *(*method_name)(int method);
};
struct route_default { struct slice name; struct route_value value; };
struct route_spec {
  struct slice rule, endpoint;
  uint64_t methods;
  struct slice host, subdomain;
  int strict_slashes, merge_slashes;
  bool websocket;
  const struct route_default *defaults;
  size_t ndefaults;
  int id;
};
struct route_variable { struct slice name, converter; int custom; };
struct route_rule_info {
  struct slice rule, endpoint, host, subdomain;
  uint64_t methods;
  bool strict_slashes, merge_slashes, websocket;
  const struct route_variable *variables;
  size_t nvariables;
  const struct route_default *defaults;
  size_t ndefaults;
  int id;
};
struct route_table *route_table_new(const struct route_options *options);
void route_table_free(struct route_table *table);
int route_table_converter(struct route_table *table, struct slice name);
int route_table_add(struct route_table *table, const struct route_spec *spec, struct err *err);
void route_table_build(struct route_table *table);
int route_table_count(const struct route_table *table);
const struct route_rule_info *route_rule_at(const struct route_table *table, int index);
void route_table_order(struct route_table *table, int *indices);

/* The text is a struct slice in C, which is passed as these two; FFI callbacks take no structs. */
struct route_custom {
  bool (*accept)(void *data, int converter, const char *text, size_t len, int slot);
  void *data;
};
struct route_query {
  int method;
  bool websocket;
  struct slice path, host;
  const struct route_custom *custom;
  struct arena *arena;
};
struct route_match {
  int rule, id;
  size_t nvalues;
  uint64_t allowed;
  struct slice redirect_path, redirect_host;
  struct route_value values[16];
};
int route_match(struct route_table *table, const struct route_query *query,
                struct route_match *match);
uint64_t route_allowed(struct route_table *table, const struct route_query *query);

struct route_argument { struct slice name; struct route_value value; bool used; };
struct route_build {
  struct slice endpoint;
  int method, default_method;
  struct slice host;
  struct route_argument *arguments;
  size_t narguments;
};
int route_build_rule(struct route_table *table, const struct route_build *build, struct err *err);
int route_build(struct route_table *table, struct route_build *build, struct buf *path,
                struct buf *host, struct err *err);
void route_quote_path(struct buf *out, struct slice text);
void route_quote_query(struct buf *out, struct slice text);
void route_quote_anchor(struct buf *out, struct slice text);
]]

local lib = native.lib
local M = {}

--- Method names by their numbers here, as any caller has its own.
local METHODS = { "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS" }
local NUMBERS = {}
for i, name in ipairs(METHODS) do
  NUMBERS[name] = i
end

local OUTCOMES = { [0] = "found", "redirect", "method", "websocket", "none" }

local SWITCH = { [true] = 1, [false] = 2 }

--- What C only borrows must outlive the call: texts are kept here until the next one.
local kept = {}

local function slice(text)
  kept[#kept + 1] = text
  return native.slice(text)
end

local function bits(methods)
  local sum = 0ULL
  for _, name in ipairs(methods) do
    sum = bit.bor(sum, bit.lshift(1ULL, NUMBERS[name]))
  end
  return sum
end

--- The names in a set of methods, sorted.
local function names(set)
  local list = {}
  for i, name in ipairs(METHODS) do
    if bit.band(set, bit.lshift(1ULL, i)) ~= 0 then
      list[#list + 1] = name
    end
  end
  table.sort(list)
  return list
end

--- A Lua value as a struct route_value: a whole number is an int, { float = x }, { uuid = text },
--- { custom = text } and { opaque = id } say what Lua cannot.
local function put(value, to)
  local kind = type(value)
  if kind == "string" then
    to.type, to.text = lib.ROUTE_STRING, slice(value)
  elseif kind == "number" and value % 1 == 0 then
    to.type, to.integer = lib.ROUTE_INT, value
  elseif kind == "number" then
    to.type, to.number = lib.ROUTE_FLOAT, value
  elseif kind == "boolean" then
    to.type, to.boolean = lib.ROUTE_BOOL, value
  elseif value.float then
    to.type, to.number = lib.ROUTE_FLOAT, value.float
  elseif value.uuid then
    to.type, to.text = lib.ROUTE_UUID, slice(value.uuid)
  elseif value.custom then
    to.type, to.text = lib.ROUTE_CUSTOM, slice(value.custom)
  elseif value.opaque then
    to.type, to.integer = lib.ROUTE_OPAQUE, value.opaque
  end
end

local function get(value)
  if value.type == lib.ROUTE_INT then
    return tonumber(value.integer)
  elseif value.type == lib.ROUTE_FLOAT then
    return value.number
  elseif value.type == lib.ROUTE_BOOL then
    return value.boolean
  elseif value.type == lib.ROUTE_UUID then
    return { uuid = native.text(value.text) }
  elseif value.type == lib.ROUTE_CUSTOM then
    return { custom = native.text(value.text) }
  elseif value.type == lib.ROUTE_STRING then
    return native.text(value.text)
  end
end

local function sorted_keys(values)
  local keys = {}
  for key in pairs(values) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

---@class spec.Routes
local Routes = {}
Routes.__index = Routes

local function method_name(number)
  return M.method_texts[number]
end

--- The names as C strings that live as long as this module.
M.method_texts = {}
for i, name in ipairs(METHODS) do
  M.method_texts[i] = ffi.new("char[?]", #name + 1, name)
end
M.method_name = ffi.cast("const char *(*)(int)", method_name)

--- A table of rules. Options as struct route_options has them, true by default where the
--- framework's are.
function M.new(options)
  options = options or {}
  local o = ffi.new "struct route_options"
  o.host_matching = options.host_matching or false
  o.strict_slashes = options.strict_slashes ~= false
  o.merge_slashes = options.merge_slashes ~= false
  o.redirect_defaults = options.redirect_defaults ~= false
  o.server_name = slice(options.server_name or "")
  o.method_name = M.method_name
  local pointer = ffi.gc(lib.route_table_new(o), lib.route_table_free)
  return setmetatable({ table = pointer, converters = {} }, Routes)
end

--- Add a rule. Options: endpoint (default: the rule), methods (default GET), host, subdomain,
--- defaults, strict_slashes, merge_slashes, websocket.
---@return integer|nil index, string|nil message, ffi.cdata*|nil err
function Routes:add(rule, options)
  kept = {}
  options = options or {}
  local methods = { unpack(options.methods or { "GET" }) }
  for _, name in ipairs(methods) do
    if name == "GET" then
      methods[#methods + 1] = "HEAD"
    end
  end
  local defaults = options.defaults or {}
  local keys = sorted_keys(defaults)
  local list = ffi.new("struct route_default[?]", #keys)
  for i, key in ipairs(keys) do
    list[i - 1].name = slice(key)
    put(defaults[key], list[i - 1].value)
  end
  local spec = ffi.new "struct route_spec"
  spec.rule = slice(rule)
  spec.endpoint = slice(options.endpoint or rule)
  spec.methods = bits(methods)
  spec.host = slice(options.host or "")
  spec.subdomain = slice(options.subdomain or "")
  spec.strict_slashes = SWITCH[options.strict_slashes] or 0
  spec.merge_slashes = SWITCH[options.merge_slashes] or 0
  spec.websocket = options.websocket or false
  spec.defaults = list
  spec.ndefaults = #keys
  spec.id = options.id or 0
  local err = ffi.new "struct err"
  local index = lib.route_table_add(self.table, spec, err)
  if index < 0 then
    return nil, ffi.string(err.message), err
  end
  return index
end

--- Make a custom converter known. accept(text, slot) may say no; without it all texts are taken.
function Routes:converter(name, accept)
  kept = {}
  local number = lib.route_table_converter(self.table, slice(name))
  self.converters[number] = accept or function()
    return true
  end
  return number
end

--- A struct route_query for M.look; keep `keep` while it is in use.
function Routes:query(path, options)
  options = options or {}
  local query = ffi.new "struct route_query"
  query.method = NUMBERS[options.method or "GET"] or 60
  query.websocket = options.websocket or false
  query.path = slice(path)
  query.host = slice(options.host or "")
  if next(self.converters) and not options.no_custom then
    self.custom = ffi.new "struct route_custom"
    self.custom.accept = function(_, converter, text, len, slot)
      return self.converters[converter](ffi.string(text, len), slot) and true or false
    end
    query.custom = self.custom
  end
  return query
end

--- Look a path up. Options: method, websocket, host.
--- Gives a table with what: "found" (endpoint, index, id, args, values in order), "redirect"
--- (path, host), "method" (allow, sorted), "websocket", "none".
function Routes:match(path, options)
  kept = {}
  local arena = native.arena()
  local query = self:query(path, options)
  query.arena = arena
  local m = ffi.new "struct route_match"
  local what = OUTCOMES[lib.route_match(self.table, query, m)]
  if query.custom ~= nil then
    query.custom.accept:free()
  end
  local result = { what = what }
  if what == "found" then
    local info = lib.route_rule_at(self.table, m.rule)
    result.endpoint = native.text(info.endpoint)
    result.index, result.id = m.rule, m.id
    result.args, result.values = {}, {}
    for i = 0, tonumber(m.nvalues) - 1 do
      local value = get(m.values[i])
      result.args[native.text(info.variables[i].name)] = value
      result.values[i + 1] = value
    end
  elseif what == "redirect" then
    result.path, result.host = native.text(m.redirect_path), native.text(m.redirect_host)
  elseif what == "method" then
    result.allow = names(m.allowed)
  end
  return result
end
jit.off(Routes.match)

--- The methods that the rules for a path have between them, sorted.
function Routes:allowed(path, options)
  kept = {}
  return names(lib.route_allowed(self.table, self:query(path, options)))
end

--- What route_rule_at says of a rule, with Lua values.
function Routes:info(index)
  local info = lib.route_rule_at(self.table, index)
  local result = {
    rule = native.text(info.rule),
    endpoint = native.text(info.endpoint),
    host = native.text(info.host),
    subdomain = native.text(info.subdomain),
    methods = names(info.methods),
    strict_slashes = info.strict_slashes,
    merge_slashes = info.merge_slashes,
    websocket = info.websocket,
    id = info.id,
    variables = {},
    defaults = {},
  }
  for i = 0, tonumber(info.nvariables) - 1 do
    local variable = info.variables[i]
    result.variables[i + 1] = native.text(variable.name) .. ":" .. native.text(variable.converter)
  end
  for i = 0, tonumber(info.ndefaults) - 1 do
    result.defaults[native.text(info.defaults[i].name)] = get(info.defaults[i].value)
  end
  return result
end

--- The rules' texts in the order lookups try them.
function Routes:order()
  local count = lib.route_table_count(self.table)
  local indices = ffi.new("int[?]", count)
  lib.route_table_order(self.table, indices)
  local list = {}
  for i = 0, count - 1 do
    list[i + 1] = native.text(lib.route_rule_at(self.table, indices[i]).rule)
  end
  return list
end

--- url_for's path. Options: method, default_method, host.
---@return string|nil path, string host_or_message, string[] rest names that were not used
function Routes:build(endpoint, values, options)
  kept = {}
  options = options or {}
  local keys = sorted_keys(values or {})
  local list = ffi.new("struct route_argument[?]", #keys)
  for i, key in ipairs(keys) do
    list[i - 1].name = slice(key)
    put(values[key], list[i - 1].value)
  end
  local b = ffi.new "struct route_build"
  b.endpoint = slice(endpoint)
  b.method = NUMBERS[options.method] or -1
  b.default_method = NUMBERS[options.default_method] or -1
  b.host = slice(options.host or "")
  b.arguments, b.narguments = list, #keys
  local path, host, err = native.buf(), native.buf(), ffi.new "struct err"
  if lib.route_build(self.table, b, path, host, err) < 0 then
    return nil, ffi.string(err.message), err.code
  end
  local rest = {}
  for i, key in ipairs(keys) do
    if not list[i - 1].used then
      rest[#rest + 1] = key
    end
  end
  return native.text(path), native.text(host), rest
end

--- A table of rules at once: { rule, options } or plain texts.
function M.of(rules, options)
  local routes = M.new(options)
  for _, rule in ipairs(rules) do
    local text, rule_options = rule, nil
    if type(rule) == "table" then
      text, rule_options = rule[1], rule
    end
    assert(routes:add(text, rule_options))
  end
  return routes
end

return M
