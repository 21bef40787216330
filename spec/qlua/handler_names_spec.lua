local http = require "support.http"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app = qlua.App(...)
local args = setmetatable({}, { __index = function(_, k) return qlua.request.args[k] end })
app:before_request(function() if args.before then return 5 end end)
app:after_request(function() if args.after then return 6 end end)
app:errorhandler(404, function() end)
app:errorhandler(403, function() return "x", 200, 7 end)
app:get("/", function() return "x" end)
app:get("/once", function() qlua.after_this_request(function() return false end) return "x" end)
app:get("/forbidden", function() qlua.abort(403) end)
app:get("/json", function() return { a = { print } } end)
app:get("/null", function() return qlua.null end)
return app
]]

describe("a hook or handler whose result is no answer", function()
  local running

  setup(function()
    running = server.start { app = APP }
  end)

  teardown(function()
    running:stop()
  end)

  for target, message in pairs {
    ["/?before=1"] = "the function at app.lua:4 returned the number 5, which is no answer",
    ["/?after=1"] = "the function at app.lua:5 returned the number 6 to after_request: "
      .. "return the response, or nothing to keep it",
    ["/missing"] = "the function at app.lua:6 returned nothing",
    ["/forbidden"] = "the function at app.lua:7 returned the number 7 as its third value",
    ["/once"] = "the function at app.lua:9 returned the boolean false to after_this_request",
    ["/json"] = 'view "json" (app.lua:11) returned what cannot be sent: '
      .. "cannot encode a function at a[1]",
    ["/null"] = "which is no answer: return a string, a table, a Response, an iterator function "
      .. "or an HTTP error; qlua.jsonify(qlua.null) answers with JSON's null",
  } do
    it("is named in the log and not to the client: " .. target, function()
      local response = http.get(running, target)
      assert.equal(500, response.status)
      assert.is_nil(response.body:find("app.lua", 1, true))
      running:wait_for_stderr(message)
    end)
  end
end)
