--- A real browser for specs: headless Chromium, driven through chromedriver's JSON over HTTP
--- (https://www.w3.org/TR/webdriver2/).
---
---   local browser = require "support.browser"
---   local b = browser.start { width = 1400, height = 900 }
---   b:open("http://localhost:5000/")
---   b:click("button"); b:type("textarea", "1 + 1\n"); b:wait_for("return document.title == 'x'")
---   b:close()                                 -- or after_each(browser.close_all)
---
--- Where Debian's chromium and chromium-driver are not installed browser.start raises.

local json = require "cjson"

local files = require "support.files"
local http = require "support.http"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local START_SECONDS, WAIT_SECONDS, CALL_SECONDS = 60, 30, 90
-- the key under which WebDriver names elements
local ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

---@class spec.Browser
---@field private _driver spec.Process
---@field private _port integer
---@field private _session string its path
local Browser = {}
Browser.__index = Browser

local M = {}

local open = {} ---@type table<spec.Browser, boolean>

--- One command of WebDriver; raises with what the driver says is wrong.
function Browser:_call(method, path, body)
  local answer = http.request(self._port, method, path, {
    body = type(body) == "table" and json.encode(body) or body, timeout = CALL_SECONDS,
    headers = { ["Content-Type"] = "application/json" },
  })
  local decoded = json.decode(answer.body)
  if answer.status ~= 200 then
    error(("browser: %s %s: %s"):format(method, path, tostring(decoded.value.message)), 3)
  end
  return decoded.value
end

local ARGUMENTS = { "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
  "--no-first-run", "--disable-extensions", "--disable-background-networking",
  "--hide-scrollbars" }

--- Start a browser with one empty window.
---@param options? { width?: integer, height?: integer }
---@return spec.Browser
function M.start(options)
  options = options or {}
  local self = setmetatable({ _port = server.free_port(), _folder = files.folder() }, Browser)
  self._driver = process.start({ "chromedriver", "--port=" .. self._port }, {
    stdout = self._folder .. "/log", stderr = self._folder .. "/log",
    env = { HOME = self._folder },
  })
  open[self] = true
  local arguments = { unpack(ARGUMENTS) }
  arguments[#arguments + 1] = "--user-data-dir=" .. self._folder .. "/profile"
  arguments[#arguments + 1] = ("--window-size=%d,%d"):format(options.width or 1400,
    options.height or 1000)
  local ready = wait.until_true(function()
    local ok, answer = pcall(http.get, self._port, "/status")
    return ok and answer.status == 200
  end, START_SECONDS)
  if not ready then
    error("browser: chromedriver does not answer; is Debian's chromium-driver installed?", 2)
  end
  local made = self:_call("POST", "/session", { capabilities = { alwaysMatch = {
    browserName = "chrome", ["goog:chromeOptions"] = { args = arguments },
    ["goog:loggingPrefs"] = { browser = "ALL" },
  } } })
  self._session = "/session/" .. made.sessionId
  return self
end

--- Go to a URL and wait until it is loaded.
---@param url string
function Browser:open(url)
  self:_call("POST", self._session .. "/url", { url = url })
end

---@return string
function Browser:url()
  return self:_call("GET", self._session .. "/url")
end

--- Run JavaScript as the body of a function and give what it returns.
---@param code string
---@param ... any its `arguments`
---@return any
function Browser:eval(code, ...)
  local arguments = select("#", ...) > 0 and json.encode { ... } or "[]" -- cjson has no empty list
  return self:_call("POST", self._session .. "/execute/sync",
    ('{"script":%s,"args":%s}'):format(json.encode(code), arguments))
end

--- Poll until the code returns something true, and give that.
---@param code string
---@param what? string for the message
---@return any
function Browser:wait_for(code, what)
  local last
  local result = wait.until_true(function()
    local ok, value = pcall(self.eval, self, code) -- a page that is being replaced has no document
    last = value
    return ok and value ~= json.null and value or nil
  end, WAIT_SECONDS)
  if not result then
    error(("browser: waited %d s for %s; last: %s; the page says: %s"):format(WAIT_SECONDS,
      what or code, tostring(last), tostring(self:text "body"):sub(1, 2000)), 2)
  end
  return result
end

function Browser:_find(selector)
  local found = self:_call("POST", self._session .. "/element", {
    using = "css selector", value = selector,
  })
  return found[ELEMENT]
end

--- The text of an element as a reader sees it.
---@param selector string CSS
---@return string
function Browser:text(selector)
  return self:_call("GET", ("%s/element/%s/text"):format(self._session, self:_find(selector)))
end

---@param selector string CSS
function Browser:click(selector)
  self:_call("POST", ("%s/element/%s/click"):format(self._session, self:_find(selector)),
    "{}")
end

--- Type into an element; "\n" is the Enter key.
---@param selector string CSS
---@param text string
function Browser:type(selector, text)
  self:_call("POST", ("%s/element/%s/value"):format(self._session, self:_find(selector)), {
    text = text,
  })
end

-- keys that are no characters, as WebDriver writes them
local KEYS = { ArrowUp = "\238\128\147", ArrowDown = "\238\128\149" }

--- Press a key in an element.
---@param selector string CSS
---@param key "ArrowUp"|"ArrowDown"
function Browser:press(selector, key)
  self:type(selector, KEYS[key])
end

--- What the browser has to say of the pages since this was last asked: errors of scripts, what a
--- policy kept out, requests that failed.
---@param but? string not those with this text
---@return string[]
function Browser:messages(but)
  local list = {}
  for _, entry in ipairs(self:_call("POST", self._session .. "/se/log", { type = "browser" })) do
    local usual = entry.message:find("the server responded with a status of 500", 1, true)
      or entry.message:find("favicon.ico", 1, true)
    if not usual and not (but and entry.message:find(but, 1, true)) then
      list[#list + 1] = entry.message
    end
  end
  return list
end

--- Forget all cookies.
function Browser:forget()
  self:_cdp("Network.clearBrowserCookies", {})
end

--- Light or dark, and the size of the page in CSS pixels.
---@param scheme "light"|"dark"
---@param width integer
---@param height integer
function Browser:show_as(scheme, width, height)
  self:_cdp("Emulation.setEmulatedMedia", {
    features = { { name = "prefers-color-scheme", value = scheme } },
  })
  self:_cdp("Emulation.setDeviceMetricsOverride", {
    width = width, height = height, deviceScaleFactor = 1, mobile = false,
  })
end

function Browser:_cdp(command, parameters)
  local text = next(parameters) and json.encode(parameters) or "{}"
  return self:_call("POST", self._session .. "/goog/cdp/execute",
    ('{"cmd":%s,"params":%s}'):format(json.encode(command), text))
end

--- A picture (PNG) of the page, down to its end.
---@param path string where to
function Browser:picture(path)
  local shot = self:_cdp("Page.captureScreenshot", {
    format = "png", captureBeyondViewport = true,
  })
  local pipe = assert(io.popen(("base64 -d > '%s'"):format(path), "w"))
  pipe:write(shot.data)
  pipe:close()
end

--- End the browser.
function Browser:close()
  if self._session then
    pcall(self._call, self, "DELETE", self._session)
  end
  self._driver:finish()
  open[self] = nil
  files.remove(self._folder)
end

--- End every browser a spec has left.
function M.close_all()
  for self in pairs(open) do
    self:close()
  end
end

return M
