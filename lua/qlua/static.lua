--- Files as answers: send_file, send_from_directory and the static rule.
--- Flow: the core opens (never outside of a folder) and sends the file; here stand type, caching,
--- conditions and the choice of a precompressed one.

local check = require "qlua.check"
local conditional = require "qlua.conditional"
local core = require "qlua.core"
local current = require "qlua.current"
local disposition = require "qlua.disposition"
local errors = require "qlua.errors"
local fields = require "qlua.response_fields"
local responses = require "qlua.response"

local M = {}

local OPTIONS = {
  mimetype = "string", as_attachment = "boolean", attachment_filename = "string",
  add_etags = "boolean", cache_timeout = "number|boolean", conditional = "boolean",
  last_modified = "number",
}

-- suffix and encoding of files compressed ahead, the better first
local COMPRESSED = { { ".br", "br" }, { ".gz", "gzip" } }

-- ---- precompressed files ----------------------------------------------------------------------

--- The request's weight for each content coding: {} when it names none.
---@param text? string Accept-Encoding
---@return table<string, number>
local function weights_of(text)
  local weights = {}
  for part in (text or ""):gmatch "[^,]+" do
    local coding, parameters = part:match "^%s*([^%s;]+)%s*(.-)%s*$"
    if coding then
      local weight = tonumber(parameters:match "^;%s*[qQ]%s*=%s*([%d.]+)$") or 1
      weights[coding:lower()] = parameters == "" and 1 or weight
    end
  end
  return weights
end

--- The file to send in place of `file`: one compressed ahead that lies beside it and that the
--- client wants more. Says also whether the choice depends on the request.
---@param open fun(suffix: string): qlua.File?
---@param file qlua.File
---@return qlua.File file, string? coding, boolean varies
local function choose(open, file, accepted)
  local weights = weights_of(accepted)
  local best, coding, best_weight, varies = file, nil, weights.identity or 0, false
  for _, kind in ipairs(COMPRESSED) do
    local other = open(kind[1])
    varies = varies or other ~= nil
    local weight = weights[kind[2]] or weights["*"] or 0
    local is_better = weight > best_weight or (not coding and weight == best_weight)
    if other and weight > 0 and is_better then
      best:close()
      best, coding, best_weight = other, kind[2], weight
    elseif other then
      other:close()
    end
  end
  return best, coding, varies
end

-- ---- the answer -------------------------------------------------------------------------------

local function max_age_of(options)
  if options.cache_timeout ~= nil then
    return options.cache_timeout or nil
  end
  local app = current.app()
  if app then
    return app.config.SEND_FILE_MAX_AGE_DEFAULT
  end
  return 43200
end

local function set_caching(headers, options)
  local max_age = max_age_of(options)
  if max_age then
    headers:set("Cache-Control", ("public, max-age=%d"):format(max_age))
    headers:set("Expires", core.http_date(os.time() + max_age))
  else
    headers:set("Cache-Control", "public")
  end
end

--- The response that sends an open file.
local function respond(file, options, open)
  local name = file.path
  local request = options.conditional and require "qlua.request" or nil
  local coding, varies
  if request then
    file, coding, varies = choose(open, file, request.headers:get "Accept-Encoding")
  end
  local filename = options.attachment_filename or name:match "[^/]*$"
  local mimetype = options.mimetype or core.mime_type(filename) or "application/octet-stream"
  local response = responses.new(file, 200, fields.content_type_of(mimetype))
  local headers = response.headers
  if coding then
    headers:set("Content-Encoding", coding)
  end
  if varies then
    headers:set("Vary", "Accept-Encoding")
  end
  if options.as_attachment then
    headers:set("Content-Disposition", disposition.attachment(filename))
  end
  headers:set("Last-Modified", core.http_date(options.last_modified or file.mtime))
  set_caching(headers, options)
  if options.add_etags ~= false then
    headers:set("ETag", '"' .. file:etag() .. '"')
  end
  return request and conditional.apply(response, request, true) or response
end

--- A path of the user's, relative to the app's folder.
local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  local app = current.app()
  return (app and app.root_path or core.app_root() or ".") .. "/" .. path
end

--- The whole text of a file.
---@param path string relative to the app's folder
---@return string
function M.read_file(path)
  check.type("read_file", "path", path, "string")
  local file, message = core.file_open(absolute(path))
  if not file then
    check.fail("read_file: %s", message)
  end
  local text = file:read() or ""
  file:close()
  return text
end

--- Answer with a file. A missing one is an error (500); send_from_directory answers 404.
---@param path string relative to the app's folder
---@param options? { mimetype?: string, as_attachment?: boolean, attachment_filename?: string,
---  add_etags?: boolean, cache_timeout?: number, conditional?: boolean, last_modified?: number }
---@return qlua.Response
function M.send_file(path, options)
  check.type("send_file", "path", path, "string")
  options = check.options("send_file", options, OPTIONS)
  path = absolute(path)
  local file, message = core.file_open(path)
  if not file then
    check.fail("send_file: %s", message)
  end
  return respond(file, options, function(suffix)
    return (core.file_open(path .. suffix))
  end)
end

--- Answer with a file of a folder, by the request's conditions. A name that leads out of the
--- folder, or to no regular file, is a 404.
---@param folder string relative to the app's folder
---@param name string
---@param options? table as of send_file; conditional unless said otherwise
---@return qlua.Response
function M.send_from_directory(folder, name, options)
  check.type("send_from_directory", "folder", folder, "string")
  check.type("send_from_directory", "name", name, "string")
  local all = { conditional = true }
  for key, value in pairs(check.options("send_from_directory", options, OPTIONS)) do
    all[key] = value
  end
  folder = absolute(folder)
  local file, message, _, is_missing = core.file_open_in(folder, name)
  if not file and is_missing then
    error(errors.NotFound(), 0)
  elseif not file then
    check.fail("send_from_directory: %s", message)
  end
  local found = file.path:sub(#folder + 2) -- the name without dots
  return respond(file, all, function(suffix)
    return (core.file_open_in(folder, found .. suffix))
  end)
end

--- The static rule: an ordinary one, the first of its app. Nothing when static_folder is false.
---@param app qlua.App
---@param options table of App
function M.add_rule(app, options)
  local folder = options.static_folder
  if folder == true then
    check.fail('App: option "static_folder" must be a path, or false for none')
  elseif folder == false or (options.host_matching and not options.static_host) then
    return -- with host_matching a rule without host never matches
  end
  app.static_folder = app:_path(folder or "static")
  local url_path = options.static_url_path or "/" .. app.static_folder:match "([^/]*)$"
  app.static_url_path = url_path:gsub("/+$", "")
  app:add_url_rule(app.static_url_path .. "/<path:filename>", "static",
    { host = options.static_host }, function(filename)
      return app:send_static_file(filename)
    end)
end

return M
