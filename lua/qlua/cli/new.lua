--- `qlua new NAME`: a small app to begin with: page, blueprint, template, static file, config, spec
--- and the settings of editors.
--- Flow: the core calls the function below with the name; what is written is in new_files.lua.

local core = require "qlua.core"
local new_files = require "qlua.cli.new_files"
local surface = require "qlua.cli.surface"

local IS_MISSING, EXISTS, IS_NO_FOLDER = -2, -17, -20 -- ENOENT, EEXIST, ENOTDIR
local SECRET_BYTES = 24

local function fail(code, format, ...)
  error({ text = format:format(...), code = code }, 0)
end

--- The name and the folder that a word means. Only its last part is a name of ours.
local function read_name(word)
  local folder = word:gsub("(.)/+$", "%1")
  local name = folder:match "([^/]*)$"
  if not name:find "^%a[%w_-]*$" then
    fail(2, "%q is no name for an app: letters, digits, - and _ make one, and a letter begins it; "
      .. "qlua new shop, or qlua new path/to/shop", word)
  end
  return name, folder
end

--- The folder, which is there from now on and empty.
local function make_place(folder)
  local made, message, code = core.make_folder(folder)
  if made then
    return
  elseif code == IS_MISSING then
    fail(1, "%s cannot be made: there is no folder %s; make that first", folder,
      folder:match "^(.*)/[^/]*$")
  elseif code ~= EXISTS then
    fail(1, "%s cannot be made: %s", folder, message)
  end
  local names, problem, why = core.folder_names(folder)
  if not names then
    fail(1, why == IS_NO_FOLDER and "%s is a file; choose another name" or "%s cannot be read: %s",
      folder, problem)
  elseif #names > 0 then
    fail(1, "%s is there already and not empty; choose another name, or an empty folder", folder)
  end
end

local function write(path, text, is_private)
  local file, message = io.open(path, "wb")
  if not file then
    fail(1, "%s", message)
  end
  local ok, problem = file:write(text)
  file:close()
  if not ok then
    fail(1, "%s: %s", path, problem)
  elseif is_private then
    os.execute("chmod 600 '" .. path:gsub("'", "'\\''") .. "'")
  end
end

--- A key that nobody can guess, as hexadecimal digits.
local function secret()
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(SECRET_BYTES)
  file:close()
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

--- Write all files; gives the lines that tell of them.
local function write_all(folder, name)
  local values = {
    NAME = name, TITLE = name:sub(1, 1):upper() .. name:sub(2):gsub("[-_]", " "),
    SECRET = secret(), LIBRARY = surface.library(),
  }
  local made, lines = {}, {}
  for _, file in ipairs(new_files) do
    local below = file.path:match "^(.*)/[^/]*$"
    if below and not made[below] then
      made[below] = assert(core.make_folder(folder .. "/" .. below))
    end
    write(folder .. "/" .. file.path, (file.text:gsub("@(%u+)@", values)),
      file.path == ".env")
    lines[#lines + 1] = file.what and ("  %-22s%s"):format(file.path, file.what) or nil
  end
  return lines
end

local function run(word)
  local name, folder = read_name(word)
  make_place(folder)
  local lines = write_all(folder, name)
  print(("Made %s:\n\n%s\n\nNext:\n"):format(folder, table.concat(lines, "\n")))
  print("  cd " .. folder)
  print "  qlua test             its specs"
  print "  qlua run --debug      http://127.0.0.1:5000, anew whenever a file changes"
end

---@param _ any no app yet
---@param args string[] the name
return function(_, args)
  local ok, err = pcall(run, args[1])
  if not ok then
    if type(err) ~= "table" then
      error(err, 0)
    end
    io.stderr:write("qlua: ", err.text, "\n")
    core.set_exit_code(err.code)
  end
end
