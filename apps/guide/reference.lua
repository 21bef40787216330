--- The pages of the reference, which are made and not written: the API from the annotations of
--- qlua's sources, settings and commands from what the program says of itself.
--- Flow: pages.lua calls the functions below, by the pages' names, for their blocks.

local api = require "reference_api"
local program = require "reference_program"
local words = require "template_words"

--- A page's first blocks.
local function head(title, text)
  return { { kind = "heading", level = 1, text = title, id = "top" },
    { kind = "paragraph", text = text } }
end

local function heading(text, id)
  return { kind = "heading", level = 2, text = text, id = id }
end

-- ---- the API ----------------------------------------------------------------------------------

-- by page: its title, and the classes on it in order
local API = {
  module = { "The module qlua", { "qlua", "qlua.errors", "qlua.HTTPException", "qlua.Exception",
    "qlua.json", "qlua.worker", "qlua.Task", "qlua.Class" } },
  app = { "App and blueprints", { "qlua.App", "qlua.Scaffold", "qlua.Blueprint", "qlua.Config",
    "qlua.UrlMap", "qlua.Converter", "qlua.Logger", "qlua.json.Provider", "qlua.RouteOptions",
    "qlua.View", "qlua.Register", "qlua.BlueprintOptions", "qlua.RegisterOptions",
    "qlua.SetupState", "qlua.Rule", "qlua.Routes", "qlua.AsgiApp", "qlua.Scope" } },
  request = { "Request, session, g", { "qlua.Request", "qlua.MultiDict", "qlua.Session", "qlua.G",
    "qlua.Authorization", "qlua.Accept", "qlua.ETags", "qlua.Range", "qlua.RequestCacheControl",
    "qlua.SessionInterface" } },
  response = { "Response", { "qlua.Response", "qlua.Headers", "qlua.CacheControl",
    "qlua.HeaderSet" } },
  templating = { "Templates from Lua", { "qlua.Environment", "qlua.EnvironmentOptions",
    "qlua.Template", "qlua.Loader", "qlua.Markup", "qlua.TemplateError", "qlua.TemplatePlace" } },
  signing = { "Signals and signing", { "qlua.signals", "qlua.Signal", "qlua.Namespace",
    "qlua.signing", "qlua.Signer", "qlua.Serializer" } },
  testing = { "Testing", { "qlua.testing", "qlua.TestClient", "qlua.ClientRequest",
    "qlua.ClientOptions", "qlua.RequestOptions", "qlua.CookieJar", "qlua.Cookie" } },
}

--- The page of a class that no list names: that of the class it is nearest to.
local function page_of(name)
  for page, entry in pairs(API) do
    for _, class in ipairs(entry[2]) do
      if name == class or name:find(class .. ".", 1, true) == 1 and class ~= "qlua" then
        return page
      end
    end
  end
  return name:find "Loader$" and "templating" or name:find "[sS]ign" and "signing"
    or name:find "Seriali" and "signing" or name:find "Receiver" and "signing"
    or name:find "Connection" and "signing" or "module"
end

local function api_page(page)
  local title, order = API[page][1], { unpack(API[page][2]) }
  local listed = {}
  for _, name in ipairs(order) do
    listed[name] = true
  end
  for _, name in ipairs(api.names()) do
    if not listed[name] and page_of(name) == page then
      order[#order + 1] = name
    end
  end
  local blocks = head(title, "Made of the annotations in qlua's sources. What may wait lets other "
    .. "requests run meanwhile; what is marked with `?` may be left out or be nil.")
  for _, name in ipairs(order) do
    api.add(blocks, name)
  end
  return blocks
end

local pages = {}
for page in pairs(API) do
  pages["reference/" .. page] = function()
    return api_page(page)
  end
end

-- ---- settings and commands --------------------------------------------------------------------

pages["reference/settings"] = function()
  local blocks = head("Settings", "Settings of the server are given where it is started: in the "
    .. "`server` object of the file that `--config` names, as `QLUA_SERVER__NAME`, or as "
    .. "`--set server.NAME=VALUE`. Keys of the app are in `app.config`; any other key there is "
    .. "the app's own. `qlua config` shows all values and where each came from.")
  blocks[#blocks + 1] = heading("Settings of the server", "server")
  blocks[#blocks + 1] = program.settings()
  blocks[#blocks + 1] = heading("Keys of the app", "app")
  blocks[#blocks + 1] = program.keys()
  return blocks
end

pages["reference/commands"] = function()
  local blocks = head("Commands", "What `qlua --help` and `qlua COMMAND --help` say.")
  for _, command in ipairs(program.commands()) do
    blocks[#blocks + 1] = heading("`qlua " .. command.name .. "`", command.name)
    blocks[#blocks + 1] = { kind = "paragraph", text = ("`qlua %s`: %s."):format(
      (command.name .. " " .. command.arguments):gsub(" $", ""), command.help) }
    blocks[#blocks + 1] = command.options
  end
  return blocks
end

pages["reference/templates"] = function()
  local blocks = head("Filters, tests and globals", "What templates have without an app's doing; "
    .. "all of Jinja's, with Jinja's parameters. The value that a filter or test is applied to "
    .. "is left out here: `{{ value|round(2) }}`, `{% if value is divisibleby(3) %}`.")
  for _, group in ipairs(words) do
    local rows = {}
    for i, word in ipairs(group) do
      rows[i] = { ("`%s%s`"):format(word[1], word[2] ~= "" and "(" .. word[2] .. ")" or ""),
        word[3] }
    end
    blocks[#blocks + 1] = heading(group.title, group.title:lower())
    blocks[#blocks + 1] = { kind = "definitions", rows = rows }
  end
  return blocks
end

return pages
