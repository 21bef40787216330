--- app.url_map: the rules of an app, who owns which endpoint, and the core's router made of them.
--- Flow: scaffold.lua adds rules, url_for.lua builds URLs, dispatch.lua hands the router over.

local check = require "qlua.check"
local core = require "qlua.core"
local views = require "qlua.views"

local M = {}

---@class qlua.Converter for one path segment; both parts optional
---@field to_lua? fun(self, text: string): any nil: this text is not for the rule
---@field to_url? fun(self, value: any): string

---@class qlua.UrlMap
---@field converters table<string, qlua.Converter> custom ones; set before a rule uses them
---@field host_matching boolean do rules have a host? As the app was made
---@field strict_slashes boolean does a rule that ends in "/" redirect to itself? A rule may say
---  otherwise
---@field merge_slashes boolean are "//" in a path taken for "/", by a redirect?
---@field redirect_defaults boolean does a URL that spells out a default redirect to the shorter
---  rule?
---@field rules qlua.Rule[] in order of registration; treat as read-only
---@field private _owners table<string, { view?: function, derived: boolean }>
local UrlMap = {}
UrlMap.__index = UrlMap
UrlMap.__name = "qlua.UrlMap"

---@param app qlua.App
---@param options { host_matching?: boolean }
---@return qlua.UrlMap
function M.new(app, options)
  return setmetatable({
    converters = {},
    host_matching = options.host_matching or false,
    strict_slashes = true,
    merge_slashes = true,
    redirect_defaults = true,
    rules = {},
    _app = app,
    _owners = {},
    _added = 0, -- how many of the rules the router below has
  }, UrlMap)
end

-- ---- endpoints --------------------------------------------------------------------------------

local function place_of(view)
  local info = debug.getinfo(views.origin(view), "S")
  return ("%s:%d"):format(info.short_src, info.linedefined)
end

--- The name itself, or with the first number from 2 on that makes it free for this view.
function UrlMap:_free_name(name, view)
  local owner, candidate, number = self._owners[name], name, 1
  while owner and not (owner.derived and owner.view == view and view ~= nil) do
    number = number + 1
    candidate = name .. "_" .. number
    owner = self._owners[candidate]
  end
  return candidate
end

--- An explicit endpoint takes a name: rules that had derived it get another.
function UrlMap:_displace(name, owner)
  self._owners[name] = nil
  self._owners[name] = { derived = false } -- so that the name is not found free
  local other = self:_free_name(name, owner.view)
  self._owners[other] = owner
  for _, rule in ipairs(self.rules) do
    if rule.endpoint == name then
      rule.endpoint = other
    end
  end
  self._routes = nil
  return other
end

--- Give an endpoint its view. Returns the endpoint's final name, and the name which a displaced
--- one has now.
---@param where string
---@param name string
---@param view? function
---@param derived? boolean
---@return string name, string? displaced
function UrlMap:claim(where, name, view, derived)
  local displaced
  if derived then
    name = self:_free_name(name, view)
  end
  local owner = self._owners[name]
  if owner and owner.derived and not derived and owner.view ~= view then
    displaced = self:_displace(name, owner)
    owner = nil
  elseif owner and owner.view and view and owner.view ~= view then
    check.fail("%s: overwriting existing endpoint %q: it has another function already (%s); " ..
      "give this one an endpoint of its own", where, name, place_of(owner.view))
  end
  if owner then
    owner.view = owner.view or view
    owner.derived = owner.derived and derived or false
  else
    self._owners[name] = { view = view, derived = derived or false }
  end
  return name, displaced
end

--- The view of an endpoint, or nil.
---@param endpoint string
---@return function?
function UrlMap:view_of(endpoint)
  local owner = self._owners[endpoint]
  return owner and owner.view
end

-- ---- the core's router ------------------------------------------------------------------------

function UrlMap:_server_name()
  local name = self._app.config.SERVER_NAME
  return name and (name:lower():gsub(":80$", "")) or nil
end

local function check_converter(name, converter)
  if type(converter) ~= "table" then
    check.fail("url_map.converters.%s must be a table with to_lua and to_url, got %s", name,
      check.describe(converter))
  end
  check.type("url_map.converters." .. name, "to_lua", converter.to_lua, "function", true)
  check.type("url_map.converters." .. name, "to_url", converter.to_url, "function", true)
end

--- Tell the router of the custom converters it does not know yet.
function UrlMap:_add_converters()
  local names = {}
  for name, converter in pairs(self.converters) do
    if self._known[name] ~= converter then
      check_converter(name, converter)
      names[#names + 1] = name
    end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    self._routes:converter(name, self.converters[name])
    self._known[name] = self.converters[name]
  end
end

--- Give the router one rule; raises at the user's line when it is malformed.
function UrlMap:_add_to_router(where, rule)
  local index, message = self._routes:add(rule)
  if not index then
    check.fail("%s: %s", where, message)
  end
  rule.variables, rule.converters = self._routes:variables(index)
  self._added = self._added + 1
end

--- The router with every rule in it; made anew when an endpoint was renamed or SERVER_NAME set.
---@return qlua.Routes
function UrlMap:routes()
  local server_name = self:_server_name()
  if not self._routes or server_name ~= self._made_for then
    self._routes = core.routes {
      host_matching = self.host_matching,
      strict_slashes = self.strict_slashes,
      merge_slashes = self.merge_slashes,
      redirect_defaults = self.redirect_defaults,
      server_name = server_name,
    }
    self._made_for, self._added, self._known = server_name, 0, {}
  end
  self:_add_converters()
  for i = self._added + 1, #self.rules do
    self:_add_to_router("url_map", self.rules[i])
  end
  return self._routes
end

--- Add a rule. Its index in the router is its place in `rules` less one.
---@param where string
---@param rule qlua.Rule
function UrlMap:add(where, rule)
  self:routes()
  self:_add_to_router(where, rule)
  self.rules[#self.rules + 1] = rule
end

--- The custom converter of a rule's variable, or nil.
---@param rule qlua.Rule
---@param variable string
---@return qlua.Converter?
function UrlMap:converter_of(rule, variable)
  for i, name in ipairs(rule.variables) do
    if name == variable then
      return self.converters[rule.converters[i]]
    end
  end
end

--- The rules in the order in which requests try them.
---@return qlua.Rule[]
function UrlMap:ordered()
  local list = {}
  for i, index in ipairs(self:routes():order()) do
    list[i] = self.rules[index + 1]
  end
  return list
end

return M
