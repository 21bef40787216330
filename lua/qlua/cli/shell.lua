--- `qlua shell [FILE]`: Lua by hand, with the app and a request to it at hand.
--- Flow: the core loads the app and calls the function below. What is typed runs in a task of its
--- own within the context of a request GET /, between before_serving and after_serving, and so may
--- wait; Ctrl-C ends that task. From what is no terminal a script is read, to its end.

local coroutines = require "qlua.coroutine"
local core = require "qlua.core"
local line_editor = require "qlua.cli.line_editor"
local pretty = require "qlua.cli.pretty"
local shell_history = require "qlua.cli.shell_history"
local shell_names = require "qlua.cli.shell_names"
local task = require "qlua.task"

local PROMPT, MORE = "> ", ">> "
local CHUNK = "=shell"
-- the values of an expression; as arguments of a call it is none itself, which would cost its frame
local VALUES = { "local __values = ... return __values(", "\n)" }

-- ---- what is typed ----------------------------------------------------------------------------

--- The function of a text: an expression's values, or statements. Without one: is the text the
--- beginning of something, and what is wrong with it.
---@param text string
---@return function? fn
---@return boolean? is_beginning
---@return string? message
local function compile(text)
  local expression = text:match "^%s*=(.*)$" or text
  local fn, message = loadstring("return " .. expression, CHUNK)
  if fn then
    return loadstring(VALUES[1] .. expression .. VALUES[2], CHUNK)
  end
  local is_beginning = message:find "near '?<eof>'?$" ~= nil
  fn, message = loadstring(text, CHUNK)
  if fn then
    return fn
  end
  return nil, is_beginning or message:find "near '?<eof>'?$" ~= nil, message
end

--- What is at hand; globals that are set stay here.
---@param app qlua.App
local function environment_of(app)
  local qlua = require "qlua"
  return setmetatable({
    app = app, qlua = qlua, g = qlua.g, request = qlua.request, session = qlua.session,
    client = app:test_client(), url_for = qlua.url_for,
  }, { __index = _G })
end

-- ---- running it -------------------------------------------------------------------------------

local function print_results(results)
  local texts = {}
  for i = 1, results.n do
    texts[i] = pretty.text(results[i])
  end
  if results.n > 0 then
    print(table.concat(texts, table.concat(texts):find "\n" and "\n" or "\t"))
  end
end

--- An error of the app's or of what was typed, with its frames.
local function print_error(results)
  local text = coroutines.traceback(results[1], results.thread)
  text = text:gsub("\n%s*%[C%]: in function 'error'", "")
  io.stderr:write(text, "\n")
end

local function values(...)
  return ...
end

--- Run a function in a task; gives the task when it is over.
---@async
local function run(fn)
  local running = core.spawn(fn, values)
  core.task_join(false, running)
  return running
end

--- The same, ended by Ctrl-C: was it?
---@async
local function run_at(terminal, fn)
  terminal:settle()
  terminal:raw(false)
  local running, is_interrupted = nil, false
  local watcher = core.spawn(function()
    repeat -- a pcall may take the first
      task.await(terminal:await_interrupt())
      is_interrupted = true
      core.task_cancel(running)
      task.sleep(0)
    until core.task_state(running) ~= "running"
  end)
  task.sleep(0) -- it waits from now on
  running = core.spawn(fn, values)
  core.task_join(false, running)
  core.task_cancel(watcher)
  core.task_join(false, watcher)
  return running, terminal:settle() or is_interrupted
end

-- ---- a script ---------------------------------------------------------------------------------

---@async
local function run_script(environment)
  local text = io.read "*a"
  local fn, _, message = compile(text)
  if not fn then
    io.stderr:write("qlua: standard input: ", (message:gsub("^shell:", "")), "\n")
    return core.set_exit_code(1)
  end
  local running = run(setfenv(fn, environment))
  local results = core.task_results(running)
  if core.task_state(running) == "returned" then
    return print_results(results)
  end
  print_error(results)
  core.set_exit_code(1)
end

-- ---- by hand ----------------------------------------------------------------------------------

---@class qlua.Shell
---@field terminal qlua.Terminal
---@field is_plain boolean the terminal knows no escape sequences
---@field told_of_locals? boolean
---@field editor qlua.LineEditor
---@field environment table
---@field history? string path

local function write(text)
  io.write(text)
  io.flush()
end

--- A line from a terminal that edits lines itself; nil at the end.
---@async
local function read_plain(shell, prompt)
  write(prompt)
  local text = ""
  while not text:find "\n" do
    local bytes = task.await(shell.terminal:read())
    if not bytes then
      return nil
    end
    text = text .. bytes
  end
  return (text:gsub("\n$", ""))
end

--- A line as it is typed; nil at the end, false for Ctrl-C.
---@async
---@param shell qlua.Shell
local function read_line(shell, prompt)
  if shell.is_plain then
    return read_plain(shell, prompt)
  end
  shell.terminal:raw(true)
  write(shell.editor:begin(prompt))
  local bytes = "" -- what came behind the line before
  while true do
    local out, ending, line = shell.editor:feed(bytes)
    write(out)
    if ending == "line" then
      return line
    elseif ending == "interrupt" then
      return false
    elseif ending then
      return nil
    end
    bytes = task.await(shell.terminal:read())
    if not bytes then
      return nil
    end
  end
end

--- Once: a local is gone with its line.
local function tell_of_locals(shell, text)
  if text:find "^%s*local%s" and not text:find "[\n;]" and not shell.told_of_locals then
    shell.told_of_locals = true
    print "(a local ends with its line; without the word local the name stays)"
  end
end

local function evaluate(shell, fn)
  local running, is_interrupted = run_at(shell.terminal, setfenv(fn, shell.environment))
  local results = core.task_results(running)
  if core.task_state(running) == "returned" then
    print_results(results)
  elseif is_interrupted then
    print "\ninterrupted"
  else
    print_error(results)
  end
  io.flush()
end

--- Lines until they are something whole, which is run; false at the end.
---@async
local function step(shell)
  local text, prompt = "", PROMPT
  while true do
    local line = read_line(shell, prompt)
    if line == nil and text == "" then
      return false
    elseif not line then
      return true
    end
    if shell.editor:remember(line) then
      shell_history.append(shell.history, line)
    end
    text = text == "" and line or text .. "\n" .. line
    local fn, is_beginning, message = compile(text)
    if fn then
      evaluate(shell, fn)
      tell_of_locals(shell, text)
      return true
    elseif not text:find "%S" then
      return true
    elseif not is_beginning then
      io.stderr:write(message, "\n")
      return true
    end
    prompt = MORE
  end
end

---@async
local function converse(app, environment)
  local terminal = assert(core.terminal())
  local path = shell_history.path()
  local shell = {
    terminal = terminal, environment = environment, history = path,
    is_plain = os.getenv "TERM" == "dumb",
  }
  shell.editor = line_editor.new {
    history = shell_history.read(path),
    columns = function()
      return terminal:columns()
    end,
    complete = function(before)
      return shell_names.complete(environment, before)
    end,
  }
  print(("qlua %s, app '%s' of %s"):format(core.version, app.name, core.app_path()))
  print "app, client, g, qlua, request, session and url_for are at hand; Ctrl-D ends."
  local ok, err = pcall(function()
    while step(shell) do end
  end)
  terminal:raw(false)
  if not ok then
    error(err, 0)
  end
end

---@param app qlua.App
return function(app)
  app:test_app(function()
    local environment = environment_of(app)
    app:test_request_context("/", function()
      if core.is_terminal(0) and core.is_terminal(1) then
        converse(app, environment)
      else
        run_script(environment)
      end
    end)
  end)
end
