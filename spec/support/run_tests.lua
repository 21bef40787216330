--- Runs the suites and sums them: the last line is "N passed, N failed". For `make test`,
--- `make sanitize`, `make fuzz` and `make check-all`, which choose by environment variables:
---   BUILD          where the program and the libraries are (default build)
---   SUITES         names of the functions in `suites` below (default busted replay http parity)
---   FUZZ_NAMES     fuzz targets;  FUZZ_SECONDS  time for each in the suite `fuzz`
---   PARITY_AREAS   areas of the parity suite;  LIFE_CASES  cases of the lifecycle battery
---   SANITIZER      the runtime to load into LuaJIT before a sanitized library; set at all, it
---                  tells specs on speed and memory that their figures mean nothing here
--- Arguments: the specs for busted (default spec). A suite that cannot start counts as one failed.

package.path = "./spec/?.lua;./lua/?.lua;./lua/?/init.lua;" .. package.path

local dirent = require "posix.dirent"
local stdlib = require "posix.stdlib"
local unistd = require "posix.unistd"

local BUILD = os.getenv "BUILD" or "build"
local SHARED = "../shared" -- batteries that live beside the repository; skipped without it
local PYTHON = "/usr/bin/python3"

-- what support/server.lua, support/native.lua and the sanitizers read
stdlib.setenv("QLUA", os.getenv "QLUA" or unistd.getcwd() .. "/" .. BUILD .. "/qlua")
stdlib.setenv("QLUA_TEST_LIB", os.getenv "QLUA_TEST_LIB" or BUILD .. "/libqlua-test.so")
local REPORT = unistd.getcwd() .. "/" .. BUILD .. "/report"
stdlib.setenv("ASAN_OPTIONS", "detect_leaks=1:log_path=" .. REPORT)
stdlib.setenv("UBSAN_OPTIONS", "print_stacktrace=1")

local server = require "support.server"
local files = require "support.files"

local function words(text)
  local list = {}
  for word in (text or ""):gmatch "%S+" do
    list[#list + 1] = word
  end
  return list
end

local function quoted(path)
  return "'" .. path:gsub("'", "'\\''") .. "'"
end

--- Run a shell command under a time limit; its output is shown as it comes, and returned.
---@return string output
---@return boolean ok
local function run(command, seconds)
  io.stdout:flush()
  local pipe = io.popen(("exec 2>&1 </dev/null; timeout -k 5 %d %s; printf '\\nexit=%%s\\n' $?")
    :format(seconds, command))
  local parts = {}
  for line in pipe:lines() do
    if line ~= "" and not line:find "^exit=%d+$" then
      print(line)
    end
    parts[#parts + 1] = line
  end
  pipe:close()
  return table.concat(parts, "\n"), parts[#parts] == "exit=0"
end

--- The files of a folder; none when it is not there.
local function list(folder)
  local names = {}
  for _, name in ipairs(unistd.access(folder, "r") and dirent.dir(folder) or {}) do
    if name:sub(1, 1) ~= "." then
      names[#names + 1] = quoted(folder .. "/" .. name)
    end
  end
  table.sort(names)
  return names
end

local suites = {}

--- What busted's process needs before it loads a sanitized library. It knows of no leaks (LuaJIT
--- holds what the checker takes for lost); the servers that it starts do.
local function sanitized()
  local runtime = os.getenv "SANITIZER"
  return runtime and ("env LD_PRELOAD=%s ASAN_OPTIONS=detect_leaks=0:log_path=%s "
    .. "SERVER_ASAN_OPTIONS=$ASAN_OPTIONS "):format(runtime, REPORT) or ""
end

--- Programs that specs start are not to load the runtime: curl hangs at its end with it.
local BUSTED = [[luajit -e 'require("posix.stdlib").setenv("LD_PRELOAD", nil)' /usr/bin/busted]]

--- The spec files among the arguments, and in the folders among them.
local function spec_files()
  local pipe = io.popen(("find %s -name '*_spec.lua' | sort"):format(table.concat(arg, " ")))
  local found = words(pipe:read "*a")
  pipe:close()
  return found
end

--- What busted said of one file.
---@return integer passed
---@return integer failed
local function judged(path, log)
  local text = unistd.access(log, "r") and files.read(log) or "was not run: the time was up\n"
  local good, failures, errors =
    text:match "(%d+) success%a* / (%d+) failure%a* / (%d+) error"
  local is_ok = text:find "\nexit=0\n$" ~= nil
  if not is_ok then
    print(("-- %s\n%s"):format(path, text))
  end
  local failed = (failures or 0) + (errors or 0)
  return tonumber(good) or 0, (is_ok or failed > 0) and failed or 1
end

--- The specs, a process for each file, as many at once as there are processors. LuaJIT runs busted,
--- because specs use FFI and what qlua's own Lua code uses. The sanitizers make them several times
--- slower.
function suites.busted()
  local passed, failed = 0, 0
  local logs = BUILD .. "/specs"
  os.execute(("rm -rf %s; mkdir -p %s"):format(logs, logs))
  local paths = spec_files()
  files.write(logs .. "/files", table.concat(paths, "\n") .. "\n")
  local one = ([[log=%s/$(echo "$1" | tr / .); %s%s "$1" >"$log.part" 2>&1 </dev/null; ]]
    .. [[printf '\nexit=%%s\n' $? >>"$log.part"; mv "$log.part" "$log"]]):format(logs, sanitized(),
    BUSTED)
  files.write(logs .. "/one.sh", one .. "\n")
  run(([[xargs -P "$(nproc)" -n 1 sh %s/one.sh <%s/files]]):format(logs, logs),
    os.getenv "SANITIZER" and 1800 or 600)
  for _, path in ipairs(paths) do
    local good, bad = judged(path, ("%s/%s"):format(logs, (path:gsub("/", "."))))
    passed, failed = passed + good, failed + bad
  end
  return passed, failed
end

--- Corpus and former crashes of every fuzz target, once each.
function suites.replay()
  local passed, failed = 0, 0
  for _, name in ipairs(words(os.getenv "FUZZ_NAMES")) do
    local inputs = list("spec/fuzz/corpus/" .. name)
    for _, path in ipairs(list("spec/fuzz/crashes/" .. name)) do
      inputs[#inputs + 1] = path
    end
    local log = BUILD .. "/replay/" .. name .. ".log"
    local _, ok = run(("%s/replay/%s %s 2>%s"):format(BUILD, name, table.concat(inputs, " "),
      log), 120)
    if not ok then
      print(files.read(log))
    end
    print(("replay %s: %d inputs, %s"):format(name, #inputs, ok and "ok" or "FAILED"))
    passed, failed = passed + (ok and 1 or 0), failed + (ok and 0 or 1)
  end
  return passed, failed
end

--- One fuzz target for some seconds, then over former crashes. Finds go to BUILD/corpus.
local function fuzz(name, seconds)
  local fuzzer, log = ("%s/fuzzer/%s"):format(BUILD, name), ("%s/%s.log"):format(BUILD, name)
  local found, corpus = ("%s/corpus/%s"):format(BUILD, name), "spec/fuzz/corpus/" .. name
  local dict = ("spec/fuzz/%s.dict"):format(name)
  os.execute(("mkdir -p %s %s"):format(found, corpus))
  local _, ok = run(("%s -max_total_time=%d -timeout=10 -rss_limit_mb=2048 %s "
    .. "-artifact_prefix=%s/%s- %s %s >%s 2>&1"):format(fuzzer, seconds,
    unistd.access(dict, "r") and "-dict=" .. dict or "", BUILD, name, found, corpus, log),
    seconds + 60)
  local crashes = list("spec/fuzz/crashes/" .. name)
  if ok and #crashes > 0 then
    _, ok = run(("%s %s >>%s 2>&1"):format(fuzzer, table.concat(crashes, " "), log), 120)
  end
  local text = files.read(log)
  print(("fuzz %s: %s"):format(name, ok and text:match "Done (%d+ runs)" or "FAILED"))
  if not ok then
    print(text:sub(-8000))
  end
  return ok
end

--- Each fuzz target under libFuzzer for a bounded time; a crash input stays in BUILD.
function suites.fuzz()
  local passed, failed = 0, 0
  for _, name in ipairs(words(os.getenv "FUZZ_NAMES")) do
    if fuzz(name, tonumber(os.getenv "FUZZ_SECONDS") or 30) then
      passed = passed + 1
    else
      failed = failed + 1
    end
  end
  return passed, failed
end

--- HTTP/1.1 by raw sockets, against the contract application.
function suites.http()
  local battery = SHARED .. "/http/http1.py"
  local folder = files.folder { ["contract.lua"] = files.read(SHARED .. "/http/contract.lua") }
  run(("%s %s --make-static %s"):format(PYTHON, battery, folder), 20)
  local started, app = pcall(server.start, { path = folder .. "/contract.lua" })
  if not started then
    print("http battery: " .. tostring(app))
    files.remove(folder)
    return 0, 1
  end
  local output = run(("%s %s --port %d --pid %d"):format(PYTHON, battery, app.port, app.pid), 240)
  local passed, failed = output:match "(%d+) passed, (%d+) failed, %d+ skipped"
  local stopped, why = pcall(app.stop, app)
  if not stopped then
    print("http battery: " .. why)
  end
  files.remove(folder)
  return tonumber(passed) or 0, (tonumber(failed) or 1) + (stopped and 0 or 1)
end

--- The same requests as real Quart answered, area by area.
function suites.parity()
  local passed, failed = 0, 0
  for _, area in ipairs(words(os.getenv "PARITY_AREAS")) do
    local output = run(("%s %s/parity/run.py --qlua %s --quiet --only %s"):format(PYTHON, SHARED,
      server.program(), area), 120)
    local good, total = output:match "total%s+(%d+) / (%d+)"
    passed = passed + (good or 0)
    failed = failed + (good and total - good or 1)
  end
  return passed, failed
end

--- How the processes start, stop, heal and bear misuse.
function suites.life()
  local command = server.program() .. " run {app} --host 127.0.0.1 --port {port}"
    .. " --workers {workers} --set server.worker_timeout=8"
  local output = run(("%s %s/life/lifecycle.py --cmd '%s' --app %s --only %s")
    :format(PYTHON, SHARED, command, SHARED .. "/life/app/app.lua", os.getenv "LIFE_CASES"), 1200)
  local passed, failed = output:match "lifecycle: (%d+) pass, (%d+) fail"
  return tonumber(passed) or 0, tonumber(failed) or 1
end

--- A million mixed requests: memory and descriptors stay where they were.
function suites.soak()
  local _, ok = run("luajit spec/soak/soak.lua", 3600)
  return ok and 1 or 0, ok and 0 or 1
end

--- Sanitizers write to BUILD/report.PID, also those of servers that no spec looked at again.
local function sanitizer_reports()
  local count = 0
  for _, path in ipairs(list(BUILD)) do
    if path:find("/report.", 1, true) then
      count = count + 1
      run("cat " .. path, 5)
    end
  end
  return count
end

local needs_shared = { http = true, parity = true, life = true }

local function main()
  local passed, failed = 0, 0
  os.execute("rm -f " .. REPORT .. ".*")
  for _, name in ipairs(words(os.getenv "SUITES" or "busted replay http parity")) do
    if needs_shared[name] and not unistd.access(SHARED .. "/" .. name, "r") then
      print(("-- %s: not here, skipped"):format(name))
    else
      local good, bad = suites[name]()
      print(("-- %s: %d passed, %d failed"):format(name, good, bad))
      passed, failed = passed + good, failed + bad
    end
  end
  server.stop_all()
  failed = math.max(failed, sanitizer_reports()) -- most reports failed a spec already
  print(("%d passed, %d failed"):format(passed, failed))
  os.exit(failed == 0 and 0 or 1)
end

main()
