--- http/headers' lists of fields for unit specs: made, filled and read back.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct field { struct slice name; struct slice value; uint16_t id; };
struct fields {
  struct field *items;
  uint32_t count, cap;
  bool nocase;
  struct arena *arena;
};
void fields_init(struct fields *fields, struct arena *arena, bool nocase);
void fields_add_copy(struct fields *fields, struct slice name, struct slice value);
]]

local M = {}

local kept = setmetatable({}, { __mode = "k" })

--- A slice that keeps its string alive as long as the slice itself lives.
---@param text string
function M.slice(text)
  local slice = native.slice(text)
  kept[slice] = text
  return slice
end

--- A list of fields with an arena of its own, holding copies of the { name, value } pairs.
function M.new(nocase, ...)
  local fields, arena = ffi.new "struct fields", native.arena()
  kept[fields] = arena
  native.lib.fields_init(fields, arena, nocase)
  for _, pair in ipairs { ... } do
    native.lib.fields_add_copy(fields, M.slice(pair[1]), M.slice(pair[2]))
  end
  return fields
end

--- The list as { { name, value }, ... }.
function M.pairs(fields)
  local list = {}
  for i = 0, fields.count - 1 do
    local item = fields.items[i]
    list[#list + 1] = { native.text(item.name), native.text(item.value) }
  end
  return list
end

return M
