--- Memory for code that is loaded while requests are served: a thread makes it ready.

local dirent = require "posix.dirent"
local signal = require "posix.signal"

local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local rows = {}
for i = 1, %d do rows[i] = { i, i + 1, i + 2, "row", true, false, 7.5, 8 } end
app.config.ROWS = rows
return app
]]
local LARGE, SMALL = 160000, 100 -- rows: 24 MB, and next to nothing

--- Pages that the worker's threads were given, other than the one that runs Lua.
local function pages_of_others(worker)
  local pages = 0
  for tid in dirent.files(("/proc/%d/task"):format(worker)) do
    if tonumber(tid) and tonumber(tid) ~= worker then
      local stat = files.read(("/proc/%d/task/%s/stat"):format(worker, tid))
      -- proc(5): minor faults are the eighth field behind the name
      pages = pages + tonumber(stat:match("%) " .. ("%S+ "):rep(7) .. "(%d+)"))
    end
  end
  return pages
end

describe("a reload", function()
  after_each(server.stop_all)

  local function start(rows)
    local s = server.start { app = APP:format(rows), args = { "--workers", "1" } }
    s:wait_for_stderr "CTRL + C"
    return s, s:children()[1]
  end

  local function reload(s, generation)
    s:signal(signal.SIGHUP)
    s:wait_for_stderr(("generation %d serves"):format(generation))
  end

  it("of large tables has a thread make their memory ready", function()
    local s, worker = start(LARGE)
    local generation = 1
    -- on a busy machine that thread may come late, and find little left to do
    s:wait_for(function()
      generation = generation + 1
      local before = pages_of_others(worker)
      reload(s, generation)
      return pages_of_others(worker) - before >= 2000 -- of 6,000
    end, 60, "pages made ready by another thread")
  end)

  it("of a small app leaves that", function()
    local s, worker = start(SMALL)
    local before = pages_of_others(worker)
    reload(s, 2)
    assert.is_true(pages_of_others(worker) - before < 500)
  end)
end)
