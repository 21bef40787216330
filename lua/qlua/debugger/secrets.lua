--- Secrets on the debug page: masked by name, and wherever the text of a known one turns up.
--- Flow: values.lua and facts.lua ask here for whatever they show.

local secrets = require "qlua.secrets"

local M = {}

M.MASK = secrets.MASK
M.is_secret = secrets.is_secret

-- shorter texts are words that stand elsewhere, too
local LEAST = 6

local function add(known, value)
  if type(value) == "string" and #value >= LEAST then
    known[#known + 1] = value
  elseif type(value) == "table" then
    for _, item in next, value do
      add(known, item)
    end
  end
end

--- The texts of the app's secrets: those of app.config, the longest first.
---@param config? qlua.Config
---@return string[]
function M.known(config)
  local known = {}
  if config then
    for key, value in config:items() do
      if secrets.is_secret(key) then
        add(known, value)
      end
    end
  end
  table.sort(known, function(a, b)
    return #a > #b
  end)
  return known
end

--- The text with every known secret in it masked.
---@param text string
---@param known string[]
---@return string
function M.scrub(text, known)
  for i = 1, #known do
    local from, to = text:find(known[i], 1, true)
    while from do
      text = text:sub(1, from - 1) .. M.MASK .. text:sub(to + 1)
      from, to = text:find(known[i], from + #M.MASK, true)
    end
  end
  return text
end

--- A line of source without the texts that it gives to names of secrets: `password = "x"`.
---@param line string
---@return string
function M.source(line)
  return (line:gsub("([%w_]+)([\"']?%]?%s*=%s*)([\"'])(.-)%3", function(name, equals, quote, text)
    if text ~= "" and secrets.is_secret(name) then
      return name .. equals .. quote .. M.MASK .. quote
    end
  end))
end

--- A cookie's value without its signature, as signed ones have it: payload.time.signature.
---@param value string
---@return string
function M.unsigned(value)
  local payload, signature = value:match "^(.*[%.%%][^%.]-%.)([%w_-]+)$"
  return payload and #signature >= 20 and payload .. M.MASK or value
end

--- A value of a header, as it may be shown.
---@param name string
---@param value string
---@return string
function M.header(name, value)
  local lower = name:lower()
  if lower == "cookie" then
    return (value:gsub("([^;%s=]+)=([^;]*)", function(key, text)
      return key .. "=" .. (secrets.is_secret(key) and M.MASK or M.unsigned(text))
    end))
  elseif secrets.is_secret(name) then
    local scheme = value:match "^(%a+) "
    return scheme and scheme .. " " .. M.MASK or M.MASK
  end
  return value
end

return M
