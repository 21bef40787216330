local http = require "support.http"
local server = require "support.server"

local APP = [=[
local qlua = require "qlua"
local app = qlua.App(...)
local function both(rule, view)
  app:route(rule, { methods = { "GET", "POST" }, endpoint = rule:gsub("%W", "") }, view)
end
both("/string", function() return "no", 405 end)
both("/table", function() return { no = true }, 405, { ["X-A"] = "b" } end)
both("/response", function() return qlua.Response("no", 405, { ["X-A"] = "b" }) end)
both("/stream", function()
  local done
  return function()
    if not done then
      done = true
      return "no"
    end
  end, 405
end)
both("/abort", function() qlua.abort(405) end)
both("/own", function() return "no", 405, { Allow = "BREW" } end)
app:route("/abort", { methods = { "DELETE" }, endpoint = "more" }, function() return "" end)
app:errorhandler(404, function() return "none here", 405 end)
return app
]=]

describe("a 405 without Allow", function()
  local running

  setup(function()
    running = server.start { app = APP }
  end)
  teardown(server.stop_all)

  local METHODS = "GET, HEAD, OPTIONS, POST"
  for path, expected in pairs {
    ["/string"] = METHODS, ["/table"] = METHODS, ["/response"] = METHODS, ["/stream"] = METHODS,
    ["/abort"] = "DELETE, GET, HEAD, OPTIONS, POST", ["/own"] = "BREW",
  } do
    it("gets the methods of the rules that fit " .. path, function()
      local response = http.get(running, path)
      assert.are.same({ 405, expected }, { response.status, response.header.allow })
    end)
  end

  it("keeps its own headers", function()
    assert.are.equal("b", http.get(running, "/table").header["x-a"])
    assert.are.equal("b", http.get(running, "/response").header["x-a"])
  end)

  it("stays without one where no rule fits", function()
    local response = http.get(running, "/nowhere")
    assert.are.same({ 405 }, { response.status, response.header.allow })
  end)
end)
