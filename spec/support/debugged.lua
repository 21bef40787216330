--- An app under `--debug`, for the specs of the debugger.
---
---   local d = debugged.start { app = [[ ... ]] }
---   d:get("/x")                      JSON of the debug page, decoded
---   d:unlock()                       the PIN of the server's banner: the console answers
---   d:eval(page, 2, "name")          what was typed at the second frame

local json = require "cjson"

local http = require "support.http"
local server = require "support.server"

---@class spec.Debugged
---@field server spec.Server
---@field cookie? string
local Debugged = {}
Debugged.__index = Debugged

local M = {}

--- Start `qlua run --debug`; options as of server.start.
---@param options spec.ServerOptions
---@return spec.Debugged
function M.start(options)
  options.args = { "--debug", unpack(options.args or {}) }
  local self = M.of(server.start(options))
  self.server:wait_for_stderr "Running on" -- the app has been loaded
  return self
end

--- The same of a server that was started otherwise.
---@param s spec.Server
---@return spec.Debugged
function M.of(s)
  return setmetatable({ server = s }, Debugged)
end

--- A request; the answer as it came.
---@param method string
---@param path string
---@param options? spec.HttpOptions
---@return spec.Response
function Debugged:request(method, path, options)
  options = options or {}
  options.host = options.host or "localhost:" .. self.server.port
  return http.request(self.server, method, path, options)
end

--- A request of a client that prefers JSON: the decoded body, and the answer.
---@param path string
---@param options? spec.HttpOptions
---@return table page, spec.Response answer
function Debugged:get(path, options)
  options = options or {}
  options.headers = options.headers or {}
  options.headers.Accept = options.headers.Accept or "application/json"
  local answer = self:request(options.method or "GET", path, options)
  local ok, page = pcall(json.decode, answer.body)
  if not ok then
    error(("no JSON from %s: %d %s"):format(path, answer.status, answer.body), 2)
  end
  return page, answer
end

--- Frames of the app's own code: those of qlua and C left out.
---@param page table
---@return table[]
function M.own_frames(page)
  local list = {}
  for _, frame in ipairs(page.frames) do
    if not frame.framework then
      list[#list + 1] = frame
    end
  end
  return list
end

--- The place of the app's nth own frame among all.
---@param page table
---@param n integer
---@return integer
function M.place_of(page, n)
  local own = M.own_frames(page)[n]
  for i, frame in ipairs(page.frames) do
    if frame == own then
      return i
    end
  end
end

---@param path string
---@param form table<string, string>
---@param headers? table<string, string>
---@return table answer decoded
---@return spec.Response response
function Debugged:post(path, form, headers)
  local pairs_of = {}
  for name, value in pairs(form) do
    pairs_of[#pairs_of + 1] = name .. "=" .. value:gsub("[^%w]", function(char)
      return ("%%%02X"):format(char:byte())
    end)
  end
  local all = {
    ["Content-Type"] = "application/x-www-form-urlencoded", Cookie = self.cookie,
    Accept = "application/json",
  }
  for name, value in pairs(headers or {}) do
    all[name] = value
  end
  local response = self:request("POST", path, {
    headers = all, body = table.concat(pairs_of, "&"),
  })
  local ok, answer = pcall(json.decode, response.body)
  return ok and answer or nil, response
end

--- The PIN that the banner shows.
---@return string
function Debugged:pin()
  return assert(self.server:wait_for_stderr("Debugger PIN: "):match "Debugger PIN: ([%d-]+)")
end

--- The prefix of a page's URLs.
---@param page table
---@return string
function M.prefix_of(page)
  return assert(page.debugger:match "^(/__qlua__/%x+/)errors/")
end

--- Give the PIN.
---@param page table
function Debugged:unlock(page)
  local answer, response = self:post(M.prefix_of(page) .. "pin", { pin = self:pin() })
  assert(answer.ok, response.body)
  self.cookie = response.header["set-cookie"]:match "^[^;]*"
end

--- Evaluate code at a frame of a page.
---@param page table
---@param number integer
---@param code string
---@return table answer
function Debugged:eval(page, number, code)
  return (self:post(("%s/console/%d"):format(page.debugger, number), { code = code }))
end

return M
