--- Traces that the compiler gives up, told while a profile is taken.
--- Flow: bind/profile.c (or the debugger, within its own task) attaches it at the beginning of a
--- profile and detaches it at its end; core.profile_abort counts.

local core = require "qlua.core"
local jit = require "jit"
local util = require "jit.util"

local ok, names = pcall(require, "qlua.profile.trace_names")
if not ok then
  names = { bytecodes = "", functions = {}, reasons = {} }
end

local M = {}

--- "app.lua:12" of a place in a function.
local function place_of(fn, pc)
  local info = util.funcinfo(fn, pc)
  if info.source then
    local source = info.source:match "^[@=](.*)$" or "(a chunk made of text)"
    return ("%s:%d"):format(source, info.currentline or info.linedefined or 0)
  elseif info.ffid then
    return names.functions[info.ffid] or "a built-in function"
  end
  return "C code"
end

--- Why: the text of the reason's number, with what it is about.
---@param reason any its number, or an error's text
---@param about any
---@return string
function M.reason(reason, about)
  local text = names.reasons[reason]
  if type(reason) ~= "number" then
    return tostring(reason)
  elseif not text then
    return "reason " .. reason
  elseif type(about) == "function" then
    about = place_of(about, 0)
  elseif text:find("bytecode", 1, true) and type(about) == "number" then
    about = names.bytecodes:sub(about * 6 + 1, about * 6 + 6):match "^%s*(.-)%s*$"
  end
  return (text:gsub("%%[ds]", function()
    return tostring(about)
  end))
end

local function on_trace(what, _, fn, pc, reason, about)
  if what == "abort" then
    core.profile_abort(place_of(fn, pc), M.reason(reason, about))
  end
end

function M.attach()
  jit.attach(on_trace, "trace")
end

function M.detach()
  jit.attach(on_trace)
end

return M
