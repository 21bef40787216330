--- The page of the profile, in debug mode.
--- Flow: init.lua comes here for PREFIX profile; the core takes the samples (src/bind/profile.c).
--- A form begins one and ends it; while it is taken the page shows what there is, again and again.

local core = require "qlua.core"
local current = require "qlua.current"
local data = require "qlua.profile.data"
local flame = require "qlua.profile.flame"
local json = require "qlua.json"
local page = require "qlua.debugger.page"
local request = require "qlua.request"
local secrets = require "qlua.debugger.secrets"
local traces = require "qlua.profile.traces"
local values = require "qlua.debugger.values"
local view = require "qlua.profile.view"

local M = {}

local NAME, MOST_SECONDS = "profile", 600

local function url(node)
  return core.debug_prefix() .. "profile" .. (node and "?below=" .. node.id or "")
end

--- What is there: of this code, or else of the code before.
local function taken()
  local text = core.profile_json() or core.debug_kept(NAME)
  return text and data.merge { json.loads(text) }
end

--- Newer code serves: keep what was taken.
function M.keep()
  local text = core.profile_json()
  if text then
    core.debug_keep(NAME, text)
  end
end

local function begin()
  local seconds = tonumber(request.form.seconds or "")
  if not seconds or not (seconds > 0 and seconds <= MOST_SECONDS) then
    return page.message(400, {
      name = "Profile", text = ("A profile takes a number of seconds above 0, at most %d"):format(
        MOST_SECONDS),
    })
  end
  local ok, why = core.profile_begin(seconds)
  if not ok then
    return page.message(409, { name = "Profile", text = "Not begun: " .. why })
  end
  traces.attach()
end

--- POST: begin one, or end it.
---@return qlua.Response
function M.act()
  if request.form["end"] then
    core.profile_end()
    traces.detach()
  else
    local refusal = begin()
    if refusal then
      return refusal
    end
  end
  if page.wants_json() then
    return page.json { ok = true }
  end
  local response = page.message(303, { name = "Profile", text = "See its page" })
  response.headers:set("Location", url())
  return response
end

--- GET: all of it, or what is below a frame.
---@return qlua.Response
function M.show()
  local profile = taken()
  if page.wants_json() then
    local plain = profile and data.plain(profile) or { samples = 0 }
    plain.taking = profile and profile.taking or false
    return page.json(plain)
  end
  local app, root = current.served, core.app_root()
  local shown = { action = url(), home = core.debug_prefix() }
  if profile then
    local below, path = data.find(profile, tonumber(request.args.below or ""))
    shown.taking = profile.taking
    shown.profile = view.of(profile, {
      root = root, link = url, below = below, known = secrets.known(app and app.config),
    })
    if below then
      shown.here = values.as_utf8(flame.label(below, root))
      shown.up = { { link = url(), title = "All routes" } }
      for i = 1, #path - 1 do
        local title = values.as_utf8(flame.label(path[i], root))
        shown.up[i + 1] = { link = url(path[i]), title = title }
      end
    end
  end
  return page.html("profile.html", 200, { title = "Profile", page = shown })
end

return M
