--- `qlua request [FILE] [METHOD] PATH`: one request to the app, without a socket.
--- Flow: the core loads the app and calls the function below; the test client asks, between
--- before_serving and after_serving. What the app logs, tracebacks too, goes to standard error.
--- Exit code: 0 below 400, 4 and 5 for the classes of errors, 1 when there is no answer, 2 usage.

local core = require "qlua.core"
local coroutines = require "qlua.coroutine"
local words = require "qlua.cli.words"

local USAGE = 2
local FORM = "application/x-www-form-urlencoded"

local function fail(code, format, ...)
  error({ text = format:format(...), code = code }, 0)
end

-- ---- what to send -----------------------------------------------------------------------------

--- The text of `-d`: itself, @FILE, or @- for standard input.
local function content(option, text)
  if text:sub(1, 1) ~= "@" then
    return text
  elseif text == "@-" then
    return io.read "*a"
  end
  local path = text:sub(2)
  local file, message = io.open(path, "rb")
  local body = file and file:read "*a" -- nil: a folder
  if file then
    file:close()
  end
  if not body then
    fail(1, "--%s @%s: %s", option, path, message or "not a file")
  end
  return body
end

local function read_headers(given)
  local headers = core.headers()
  for _, line in ipairs(given or {}) do
    local name, value = line:match "^([^:%s]+):%s*(.-)%s*$"
    if not name then
      fail(USAGE, "--header needs NAME:VALUE, not %s", line)
    end
    local ok, message = pcall(headers.add, headers, name, value)
    if not ok then
      fail(USAGE, "--header %s: %s", line, message)
    end
  end
  return headers
end

--- The client's options for the words.
---@param given qlua.Words
---@return qlua.ClientOptions
local function read_options(given)
  local options = given.options
  local headers, parts = read_headers(options.header), {}
  for _, option in ipairs { "data", "json" } do
    for _, text in ipairs(options[option] or {}) do
      parts[#parts + 1] = content(option, text)
    end
  end
  if options.data and options.json then
    fail(USAGE, "--data and --json exclude each other: the body is one of the two")
  elseif options.json then
    headers:setdefault("Content-Type", "application/json")
    headers:setdefault("Accept", "application/json")
  elseif options.data then
    headers:setdefault("Content-Type", FORM)
  end
  local body = #parts > 0 and table.concat(parts, options.data and "&" or "") or nil
  local method = given.rest[1] ~= "" and given.rest[1]:upper() or (body and "POST" or "GET")
  if not method:find "^[%u-]+$" then
    fail(USAGE, "%q is no method: GET, POST and the like are", method)
  end
  return {
    method = method, headers = headers, data = body, stream = true,
    follow_redirects = options.location ~= nil,
  }
end

-- ---- what came back ---------------------------------------------------------------------------

local function show_head(response)
  print("HTTP/1.1 " .. response.status)
  for name, value in response.headers:items() do
    print(name .. ": " .. value)
  end
  print()
end

---@async
---@return integer status
local function ask(app, given)
  local path = given.rest[2]
  if path:sub(1, 1) ~= "/" and not path:find "^https?://" then
    fail(USAGE, "%q is no path: it begins with /", path)
  end
  local options = read_options(given)
  local response, pieces = app:test_client():open(path, options)
  if given.options.include then
    show_head(response)
  end
  local last = ""
  for piece in pieces do
    io.write(piece)
    io.flush()
    last = piece
  end
  if core.is_terminal(1) and last ~= "" and last:sub(-1) ~= "\n" then
    print()
  end
  if response.status_code >= 400 and not given.options.include then
    io.stderr:write(("qlua: %s %s: %s\n"):format(options.method, path, response.status))
  end
  return response.status_code
end

---@param app qlua.App
---@param args string[]
return function(app, args)
  local given = words.read(args, 2)
  local ok, result = pcall(app.test_app, app, function()
    return ask(app, given)
  end)
  if ok then
    core.set_exit_code(result >= 400 and math.floor(result / 100) or 0)
  elseif type(result) == "table" and result.code and result.text then
    io.stderr:write("qlua: ", result.text, "\n")
    core.set_exit_code(result.code)
  else
    local text = coroutines.text_of(result):gsub("^client:open: ", "")
    text = text:gsub("; without follow_redirects.*", "; without -L its location is shown")
    io.stderr:write("qlua: ", text, "\n")
    core.set_exit_code(1)
  end
end
