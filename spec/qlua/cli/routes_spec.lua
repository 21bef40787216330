local server = require "support.server"

local function routes(app, ...)
  local folder = require("support.files").folder { ["app.lua"] = app }
  local ended = server.run { argv = { "routes", folder .. "/app.lua", ... } }
  require("support.files").remove(folder)
  return ended
end

describe("qlua routes", function()
  after_each(server.stop_all)

  local APP = [[
    local qlua = require "qlua"
    local app = qlua.App(...)
    app:route("/<path:rest>", { endpoint = "all" }, function() end)
    app:route("/users/<int:id>", { methods = { "PUT", "get" } }, function() end)
    app:post("/", function() end)
    return app
  ]]

  it("prints the rules in match order", function()
    local ended = routes(APP)
    assert.equal(0, ended:exit_code(), ended:stderr())
    assert.equal([[
Endpoint  Methods   Rule
--------  --------  -----------------------
static    GET       /static/<path:filename>
users     GET, PUT  /users/<int:id>
index     POST      /
all       GET       /<path:rest>
]], ended:stdout())
  end)

  it("prints JSON when asked to", function()
    local text = routes(APP, "--json"):stdout()
    assert.equal(1, text:find('[{"endpoint":"static","methods":["GET","HEAD","OPTIONS"],'
      .. '"rule":"/static/<path:filename>"},', 1, true), text)
    assert.matches('{"endpoint":"index","methods":["OPTIONS","POST"],"rule":"/"}', text, 1, true)
  end)

  it("says so when there are none", function()
    local ended = routes 'return require("qlua").App(..., { static_folder = false })'
    assert.equal("No routes were registered.\n", ended:stdout())
  end)

  it("shows hosts and subdomains", function()
    local ended = routes [[
      local qlua = require "qlua"
      local app = qlua.App(..., { host_matching = true })
      app:route("/x", { host = "one.test" }, function() end)
      return app
    ]]
    assert.matches("one.test/x", ended:stdout(), 1, true)
  end)

  it("sorts by a column, and shows HEAD and OPTIONS, when told to", function()
    local function column(...)
      local list = {}
      for line in routes(APP, ...):stdout():gmatch "[^\n]+" do
        list[#list + 1] = line:match "^%S+"
      end
      return table.concat(list, " ", 3)
    end
    assert.equal("all index static users", column("--sort", "endpoint"))
    assert.equal("static all users index", column("--sort", "methods"))
    assert.equal("index all static users", column("--sort=rule"))
    assert.equal("static users index all", column("--sort", "match"))
    local text = routes(APP, "--all-methods"):stdout()
    assert.matches("users     GET, HEAD, OPTIONS, PUT  /users/<int:id>\n", text, 1, true)
    assert.matches('^%[{"endpoint":"all"', (routes(APP, "--json", "--sort", "endpoint"):stdout()))
  end)

  it("refuses to sort by what is no column", function()
    local ended = routes(APP, "--sort", "colour")
    assert.equal("qlua: --sort must be match, endpoint, methods or rule, not colour\n",
      ended:stderr())
    assert.equal(2, ended:exit_code())
  end)

  it("refuses options it does not know", function()
    local ended = routes(APP, "--jsn")
    assert.equal(2, ended:exit_code())
    assert.matches("unknown option --jsn", ended:stderr(), 1, true)
  end)
end)
