--- The public API as a running qlua shows it, and the check that all of it is annotated.

local cjson = require "cjson"

local files = require "support.files"
local server = require "support.server"

local SCRIPT = [[
local surface, all = require "qlua.cli.surface", {}
for _, owner in ipairs(surface.owners()) do
  local names = {}
  for name in pairs(surface.names(owner)) do
    names[name] = true
  end
  all[owner.name] = names
end
print(require("qlua").json.dumps(all))
]]

describe("the public API", function()
  local folder
  before_each(function()
    folder = server.folder { ["names.lua"] = SCRIPT }
  end)
  after_each(server.stop_all)

  it("is what qlua and its objects show", function()
    local all = cjson.decode(server.run({ argv = { folder .. "/names.lua" } }):stdout())
    local expected = {
      qlua = "App Blueprint Response redirect request session g null render_template testing "
        .. "version sleep ChoiceLoader",
      ["qlua.App"] = "route get url_for test_client template_filter config before_serving name run",
      ["qlua.Blueprint"] = "route record app_errorhandler name register_blueprint",
      ["qlua.Request"] = "args headers method get_json json form authorization if_match body",
      ["qlua.Response"] = "status_code headers set_cookie set_data vary make_conditional",
      ["qlua.Session"] = "get pop permanent regenerate to_dict",
      ["qlua.Headers"] = "get getlist set add items remove",
      ["qlua.Config"] = "from_object from_prefixed_env get_namespace get",
      ["qlua.errors"] = "NotFound HTTPException abort Timeout default_exceptions",
      ["qlua.Signal"] = "connect send connected_to", ["qlua.Task"] = "wait cancel",
      ["qlua.TestClient"] = "get post open session_transaction set_cookie",
    }
    for owner, names in pairs(expected) do
      for name in names:gmatch "%S+" do
        assert.truthy(all[owner][name], owner .. "." .. name)
      end
    end
    for owner, names in pairs(all) do
      for name in pairs(names) do
        assert.is_nil(name:find "^_", owner .. "." .. name)
      end
    end
  end)

  --- Run the check on a copy of the sources that `change` was made to.
  local function lint(file, pattern, replacement)
    assert(os.execute("cp -r lua " .. folder .. "/lua") == 0)
    if file then
      local path = folder .. "/lua/qlua/" .. file
      local text, count = files.read(path):gsub(pattern, replacement)
      assert.equal(1, count)
      files.write(path, text)
    end
    local ended = server.run { argv = { "lua/tools/lint_api.lua" }, folder = folder, cwd = folder,
      env = { QLUA_LUA_DIR = "lua" } }
    return ended:stderr(), ended:exit_code()
  end

  it("is annotated and says what it is", function()
    assert.same({ "", 0 }, { lint() })
  end)

  it("is missed when a function has no annotation", function()
    local stderr, code = lint("returned.lua", "\n%-%-%- An answer that sends the client elsewhere."
      .. ".-(function M.redirect)", "\n%1")
    assert.matches("^lint%-api: qlua.redirect: no annotation\nlint%-api: 1 of %d+ public names\n$",
      stderr)
    assert.equal(1, code)
  end)

  it("is missed when an annotation does not say what it is", function()
    local stderr = lint("url_for.lua", "%-%-%- The URL of an endpoint of the app at work[^\n]*\n",
      "")
    assert.matches("lint%-api: qlua.url_for: its annotation %(lua/qlua/url_for.lua:%d+%) does not "
      .. "say what it is\n", stderr)
  end)

  it("is missed when a method is new and nothing is said of it", function()
    local stderr = lint("session.lua", "\nlocal getters, setters = {}, {}\n",
      "\nfunction methods:brand_new() end\n%0")
    assert.matches("qlua.Session.brand_new: no annotation", stderr, 1, true)
  end)

  it("is written for editors as a file that Lua can read", function()
    local library = files.read(server.program():gsub("[^/]+$", "library/qlua.lua"))
    assert.truthy(loadstring(library))
    for _, line in ipairs { "---@class qlua.App: qlua.Scaffold", "function Scaffold:route(rule, ",
      "---@field request qlua.Request ", "function Request.get_json(", "---@alias qlua.View ",
      "function qlua.redirect(location, code) end", "return qlua",
      "---@field NotFound qlua.HTTPException status 404", "function json.dumps(value) end" } do
      assert.truthy(library:find("\n" .. line, 1, true), line)
    end
    for _, inner in ipairs { "@field private", "@field package", "qlua.core", "function M." } do
      assert.is_nil(library:find(inner, 1, true), inner)
    end
  end)
end)
