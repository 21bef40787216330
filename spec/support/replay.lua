--- Code blocks of texts, done as a reader would: files written and edited, commands typed, what
--- they print compared. Used by guide_spec.lua.
---
--- A block is one of apps/guide/markdown.lua. Its attributes say what is done with it:
---
---   file=PATH                            it is that file
---   add=PATH before="..." | after="..."  its lines go into the file, there or at the end
---   change=PATH from="..." to="..."      they take the place of the lines from one to the other
---   (console)                            `$ command`, then what it prints; "..." stands for any
---                                        text, a line of its own for any lines; so do
---                                        two blanks for more of them
---   check=systemd|nginx|python|json      the file is checked by that program, too
---   held="..."                           another spec does it; this is the name of its `it`
---   (text)                               it is no code
---   no-run="why"                         nothing is done
---
--- `$ qlua run ... &` starts a server, which serves until `$ kill %1` or the end. Port 5000 stands
--- for a free one. When a file has changed, the server is asked to load it before the next command.

local socket = require "socket"
local unistd = require "posix.unistd"

local files = require "support.files"
local process = require "support.process"
local server = require "support.server"
local wait = require "support.wait"

local COMMAND_SECONDS, OUTPUT_SECONDS = 60, 30
local PORT = "5000"

---@class spec.Replay
---@field folder string of the reader's files
---@field cwd string where commands are typed
local Replay = {}
Replay.__index = Replay

local M = {}

--- A reader with an empty folder.
---@return spec.Replay
function M.new()
  -- curl shows its progress where its output is no terminal
  local base = files.folder { ["home/.curlrc"] = "silent\nshow-error\n", ["work/.keep"] = "" }
  os.remove(base .. "/work/.keep")
  assert(os.execute(("mkdir %s/bin && ln -s %s %s/bin/qlua"):format(base, server.program(),
    base)) == 0)
  return setmetatable({
    base = base, folder = base .. "/work", cwd = base .. "/work", port = server.free_port(),
  }, Replay)
end

--- End the server and remove all files.
function Replay:close()
  self:_stop()
  files.remove(self.base)
end

-- ---- files ------------------------------------------------------------------------------------

local function fail(block, format, ...)
  error(("%s:%d: "):format(block.from or "?", block.line) .. format:format(...), 0)
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- The number of the first line, from `first` on, that holds the text.
local function line_with(block, lines, text, first)
  for i = first or 1, #lines do
    if lines[i]:find(text, 1, true) then
      return i
    end
  end
  return fail(block, "no line of the file holds %q", text)
end

local function insert(lines, at, new)
  for i, line in ipairs(new) do
    table.insert(lines, at + i - 1, line)
  end
end

--- The file's lines with the block's in them.
local function edited(block, text)
  local attributes, lines, new = block.attributes, lines_of(text), lines_of(block.text)
  if attributes.change then
    local from = line_with(block, lines, attributes.from)
    local to = attributes.to and line_with(block, lines, attributes.to, from) or from
    for _ = from, to do
      table.remove(lines, from)
    end
    insert(lines, from, new)
  elseif attributes.before then
    new[#new + 1] = ""
    insert(lines, line_with(block, lines, attributes.before), new)
  elseif attributes.after then
    insert(lines, line_with(block, lines, attributes.after) + 1, new)
  else
    insert(lines, #lines + 1, { "", unpack(new) })
  end
  return table.concat(lines, "\n") .. "\n"
end

--- nginx and systemd-analyze look at the file as they would at its place.
local checks = {}

function checks.nginx(replay, path)
  return ("/usr/sbin/nginx -t -p %s -e %s/error.log -c %s -g 'pid %s/pid;'"):format(replay.base,
    replay.base, path, replay.base)
end

function checks.json(_, path)
  return "/usr/bin/python3 -m json.tool " .. path
end

function checks.python(_, path)
  return "/usr/bin/python3 -m py_compile " .. path
end

--- Paths that are there on a server only are made ones that are here.
function checks.systemd(replay, path)
  local unit = files.read(path):gsub("=/usr/local/bin/", "=" .. replay.base .. "/bin/")
    :gsub("=/etc/", "=-/etc/")
  local copy = replay.base .. "/" .. path:match "[^/]+$"
  files.write(copy, unit)
  return "command -v systemd-analyze >/dev/null || exit 0; systemd-analyze verify --man=no "
    .. copy
end

function Replay:_write(block)
  local attributes = block.attributes
  local path = self.cwd .. "/" .. (attributes.file or attributes.add or attributes.change)
  if attributes.file then
    files.write(path, block.text)
  else
    local text = files.read(path)
    if text == "" then
      fail(block, "there is no %s yet", path)
    end
    files.write(path, edited(block, text))
  end
  self.is_changed = true
  if attributes.check then
    local output, code = self:_run(checks[attributes.check](self, path))
    if code ~= 0 then
      fail(block, "%s: %s", attributes.check, output)
    end
  end
end

-- ---- commands ---------------------------------------------------------------------------------

function Replay:_environment()
  return {
    PATH = self.base .. "/bin:" .. os.getenv "PATH", HOME = self.base .. "/home",
    QLUA_SERVER__PORT = tostring(self.port), QLUA_SERVER__CONTROL = self.base .. "/control.sock",
    TERM = "dumb", LC_ALL = "C.UTF-8",
  }
end

function Replay:_here(text)
  return (text:gsub("%f[%d]" .. PORT .. "%f[%D]", tostring(self.port)))
end

function Replay:_there(text)
  return (text:gsub("%f[%d]" .. self.port .. "%f[%D]", PORT):gsub("\r", ""))
end

--- Run a command to its end: all it prints, its exit code.
function Replay:_run(command)
  local log = self.base .. "/output"
  local child = process.start({ "bash", "-c", command }, {
    stdout = log, stderr = log, cwd = self.cwd, env = self:_environment(),
  })
  local code = child:wait(COMMAND_SECONDS)
  child:finish()
  return self:_there(files.read(log)), code or -1
end

function Replay:_stop()
  if self.server then
    self.server:finish()
    self.server = nil
  end
end

--- It says so, or, when its log is a file, takes connections.
local function is_up(replay)
  if files.read(replay.base .. "/log"):find("CTRL + C", 1, true) then
    return true
  end
  local connection = socket.connect("127.0.0.1", replay.port)
  return connection ~= nil and connection:close() ~= nil
end

function Replay:_start(block, command)
  if self.server then
    fail(block, "the server before this one still runs; a reader ends it by `$ kill %%1`")
  end
  files.write(self.base .. "/log", "") -- what the last one said is not what this one says
  self.server = process.start({ "bash", "-c", "exec " .. self:_here(command:match "^(.-)%s*&$") }, {
    stdout = self.base .. "/log", stderr = self.base .. "/log", cwd = self.cwd,
    env = self:_environment(),
  })
  wait.until_true(function() return self.server:exit_code() or is_up(self) end, OUTPUT_SECONDS)
  if not is_up(self) then
    fail(block, "%s does not serve: %s", command, files.read(self.base .. "/log"))
  end
  self.is_changed = false
end

--- The server has what the files say now.
function Replay:_load_changes(block)
  if self.server and self.is_changed then
    local output, code = self:_run "qlua reload"
    if code ~= 0 then
      fail(block, "the server does not take the changed files: %s", output)
    end
  end
  self.is_changed = false
end

--- What is expected as a pattern: "..." is any text of a line, as a line any lines.
local function pattern_of(expected, is_beginning)
  local out = {}
  for _, line in ipairs(lines_of(expected)) do
    if line:match "^%s*%.%.%.$" then
      out[#out + 1] = ".-"
    else
      local text = line:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0")
      text = text:gsub("(%S)   *", "%1  *") -- columns may be wider
      out[#out + 1] = text:gsub("%%%.%%%.%%%.", "[^\n]-") .. "\n"
    end
  end
  return "^" .. table.concat(out) .. (is_beginning and "" or "$")
end

function Replay:_compare(block, command, expected, output)
  if output:sub(-1) ~= "\n" and output ~= "" then
    output = output .. "\n"
  end
  if not output:find(pattern_of(expected)) then
    fail(block, "$ %s\nprints\n%s\nand not\n%s\nThe server's log:\n%s", command, output, expected,
      files.read(self.base .. "/log"))
  end
end

function Replay:_type(block, command, expected)
  if command ~= "kill %1" then
    self:_load_changes(block)
  end
  if command:find "^qlua run .*&$" then
    self:_start(block, command)
    local ok = wait.until_true(function()
      return self:_there(files.read(self.base .. "/log")):find(pattern_of(expected, true))
    end, OUTPUT_SECONDS)
    if not ok then
      self:_compare(block, command, expected, self:_there(files.read(self.base .. "/log")))
    end
  elseif command == "kill %1" then
    self:_stop()
  elseif command:find "^cd " then
    self.cwd = self.cwd .. "/" .. command:sub(4)
    if unistd.access(self.cwd, "x") ~= 0 then
      fail(block, "there is no folder %s", self.cwd)
    end
  else
    self:_compare(block, command, expected, (self:_run(self:_here(command))))
  end
end

function Replay:_console(block)
  local command, expected = nil, {}
  local function done()
    if command then
      self:_type(block, command, table.concat(expected, "\n") .. (expected[1] and "\n" or ""))
    end
    expected = {}
  end
  for _, line in ipairs(lines_of(block.text)) do
    local typed, more = line:match "^%$ (.*)$", line:match "^> (.*)$"
    if typed then
      done()
      command = typed
    elseif more then
      command = command .. "\n" .. more
    else
      expected[#expected + 1] = line
    end
  end
  done()
end

-- ---- blocks -----------------------------------------------------------------------------------

local function is_text(block)
  return block.language == "text" and not block.attributes.file
end

--- Do what a block says. Raises when something is not as the text has it; true when the block
--- was one to do.
---@param block guide.Block
---@return boolean
function Replay:block(block)
  local attributes = block.attributes
  if attributes["no-run"] or attributes.held or is_text(block) then
    return false
  elseif block.language == "console" then
    self:_console(block)
  elseif attributes.file or attributes.add or attributes.change then
    self:_write(block)
  else
    fail(block, "nothing says how this block is tried: it needs file=, add=, change=, held= "
      .. "or no-run=, or be text or console")
  end
  return true
end

--- The app that the blocks have made loads, with all its templates.
function Replay:check()
  if files.read(self.cwd .. "/app.lua") ~= "" then
    local output, code = self:_run "qlua check"
    if code ~= 0 then
      error("qlua check: " .. output, 0)
    end
  end
end

return M
