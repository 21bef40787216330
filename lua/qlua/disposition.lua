--- Content-Disposition: a file's name as header text.
--- Flow: static.lua asks for it when a file is to be saved and not shown.

local core = require "qlua.core"

local M = {}

-- letters with marks, by the letter that stands for them where only ASCII will do
local BASES = {
  A = "ÀÁÂÃÄÅĀĂĄ", C = "ÇĆĈĊČ", D = "Ď", E = "ÈÉÊËĒĔĖĘĚ", G = "ĜĞĠĢ", H = "Ĥ", I = "ÌÍÎÏĨĪĬĮİ",
  J = "Ĵ", K = "Ķ", L = "ĹĻĽ", N = "ÑŃŅŇ", O = "ÒÓÔÕÖŌŎŐ", R = "ŔŖŘ", S = "ŚŜŞŠ", T = "ŢŤ",
  U = "ÙÚÛÜŨŪŬŮŰŲ", W = "Ŵ", Y = "ÝŶŸ", Z = "ŹŻŽ",
  a = "àáâãäåāăą", c = "çćĉċč", d = "ď", e = "èéêëēĕėęě", g = "ĝğġģ", h = "ĥ", i = "ìíîïĩīĭį",
  j = "ĵ", k = "ķ", l = "ĺļľ", n = "ñńņň", o = "òóôõöōŏő", r = "ŕŗř", s = "śŝşš", t = "ţť",
  u = "ùúûüũūŭůűų", w = "ŵ", y = "ýÿŷ", z = "źżž",
}

local base_of = {}
for base, letters in pairs(BASES) do
  for letter in letters:gmatch "[\194-\244][\128-\191]*" do
    base_of[letter] = base
  end
end

--- A text in ASCII: marks dropped, and what has no ASCII letter.
local function ascii(text)
  return (text:gsub("[\194-\244][\128-\191]*", function(letter)
    return base_of[letter] or ""
  end):gsub("[^\32-\126]", ""))
end

--- A parameter's value: quoted unless it is a token.
local function quoted(text)
  if text:find "^[%w!#$%%&'*+%-.^_`|~]+$" then
    return text
  end
  return '"' .. text:gsub('[\\"]', "\\%0") .. '"'
end

--- `attachment; filename=a.txt`; a name beyond ASCII is given twice (RFC 6266 5).
---@param filename string
---@return string
function M.attachment(filename)
  local simple = ascii(filename)
  local text = "attachment; filename=" .. quoted(simple)
  if simple ~= filename then
    text = text .. "; filename*=UTF-8''" .. core.quote_parameter(filename)
  end
  return text
end

return M
