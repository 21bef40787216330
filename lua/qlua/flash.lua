--- flash: messages for the visitor's next page.
--- Flow: a view flashes, which puts the message into the session as Flask has it there; the page
--- that comes next takes all of them out.

local check = require "qlua.check"
local context = require "qlua.context"
local core = require "qlua.core"
local current = require "qlua.current"
local session = require("qlua.session").session
local signals = require "qlua.signals"

local M = {}

local KEY = "_flashes"
local flashed = signals.message_flashed

--- Keep a message for the next page.
---@param message string|qlua.Markup
---@param category? string "message" unless given
function M.flash(message, category)
  if type(message) ~= "table" or not getmetatable(message) then -- not a Markup
    check.type("flash", "message", message, "string")
  end
  check.type("flash", "category", category, "string", true)
  category = category or "message"
  local list = session:get(KEY) or core.array {}
  list[#list + 1] = core.tuple { category, message }
  session:set(KEY, list)
  if flashed.receivers then
    flashed:send(current.app(), { message = message, category = category })
  end
end

local OPTIONS = { with_categories = "boolean", category_filter = "list" }

--- The messages that were flashed before, which are then gone: the first call of a request takes
--- them out of the session, later ones give the same.
---@param options? { with_categories?: boolean, category_filter?: string[] }
---@return string[]|string[][] messages texts, or lists of category and text
function M.get_flashed_messages(options)
  options = check.options("get_flashed_messages", options, OPTIONS)
  local wanted = options.category_filter and next(options.category_filter) and {}
  for _, category in ipairs(options.category_filter or {}) do
    wanted[category] = true
  end
  local ctx = context.get()
  ctx = ctx and ctx.root or ctx
  local list = ctx and ctx.flashes or session:pop(KEY, {})
  ctx.flashes = list
  local messages = {}
  for _, entry in ipairs(list) do
    if not wanted or wanted[entry[1]] then
      messages[#messages + 1] = options.with_categories and core.array { entry[1], entry[2] }
        or entry[2]
    end
  end
  return core.array(messages)
end

return M
