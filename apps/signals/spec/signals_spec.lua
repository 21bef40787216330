local qlua = require "qlua"
local finished = qlua.signals.request_finished

describe("signals", function()
  local app = qlua.testing.load()
  local client = app:test_client()

  it("answers as ever", function()
    assert.same({ Hello = "World" }, client:get("/api").json)
  end)

  it("tells of the response before it is sent, and from which app", function()
    local told = {}
    local function receiver(sender, extra)
      told[#told + 1] = { sender, tostring(extra.response) }
    end
    finished:connected_to(receiver, function()
      client:get "/api"
      client:get "/nope"
    end)
    assert.same({
      { app, "<Response 18 bytes [200 OK]>" }, { app, "<Response 207 bytes [404 NOT FOUND]>" },
    }, told)
  end)

  it("has a receiver as soon as it is loaded", function()
    assert.is_true(finished:has_receivers_for(app))
  end)
end)
