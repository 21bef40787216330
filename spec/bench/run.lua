--- The benchmark: `make bench [JOB="plain json"] [ROUNDS=15] [SECONDS=1]`.
---
--- For a job under load, each server is loaded in turn by wrk from the other core, round by round,
--- the order rotating; what counts is the median of the ratios within a round, since a machine's
--- mood changes more between rounds than within one. Other jobs: idle (memory of a kept
--- connection), start (time to the first answer), reload (new code under load), micro (the plain
--- request without a socket), session-micro (a session loaded and saved, and no request).
--- What a job is compared with may also be qlua at another job: session and profiled with plain.

package.path = "./spec/?.lua;./spec/bench/?.lua;" .. package.path

local cjson = require "cjson"

local data = require "data"
local http = require "support.http"
local jobs = require "jobs"
local measure = require "measure"
local process = require "support.process"
local servers = require "servers"
local statistics = require "statistics"
local support = require "support.server"
local tls = require "support.tls"

local ROUNDS = tonumber(os.getenv "ROUNDS") or 15
local SECONDS = tonumber(os.getenv "SECONDS") or 1
-- the load's core: the other one, where there is another
local LOAD_CPU = io.popen("nproc"):read "*n" > 1 and 1 or servers.CPU

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  end
  for key, value in pairs(a) do
    if not same(value, b[key]) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil then
      return false
    end
  end
  return true
end

--- A GET over TLS; who answers is not asked.
local function secure_request(port, path)
  local body, ok = tls.curl(("-k https://127.0.0.1:%d%s"):format(port, path))
  return { status = ok and 200 or 0, body = body, header = {} }
end

--- Every server must give the same answer before its time means anything.
local function verify(job, running)
  local first
  for _, server in ipairs(running) do
    local asked = server.job
    local body = job.method == "POST" and data.echo_body or nil
    local answer = asked.secure and secure_request(server.port, asked.path)
      or http.request(server.port, asked.method or "GET", asked.path,
        { body = body, headers = { ["Content-Type"] = "application/json" } })
    local value = job.json and cjson.decode(answer.body) or answer.body
    first = first or value
    if answer.status ~= 200 or not same(first, value) then
      error(("%s: %s answers otherwise: %d %s"):format(job.name, server.name, answer.status,
        answer.body), 0)
    end
    if asked.keeps_cookie then
      server.cookie = assert(answer.header["set-cookie"], "no cookie was set"):match "^[^;]+"
    end
  end
end

--- Take a profile of a server under load, to its end.
local function profile(server)
  local program = support.program()
  local asking = process.start { program, "profile", "--port", tostring(server.port), "--seconds",
    tostring(SECONDS) }
  measure.round(server, LOAD_CPU, SECONDS)
  local code = asking:wait(SECONDS + 20)
  if code ~= 0 then
    asking:finish()
    error(("%s profile ended with %s"):format(program, tostring(code)), 0)
  end
end

--- Load each server in turn; all figures by server name, one entry a round.
local function play(running)
  local figures = {}
  for _, server in ipairs(running) do
    figures[server.name] = {}
    measure.round(server, LOAD_CPU, SECONDS) -- warms it up
  end
  for round = 1, ROUNDS do
    for i = 1, #running do
      local server = running[(i + round - 2) % #running + 1]
      figures[server.name][round] = measure.round(server, LOAD_CPU, SECONDS)
    end
  end
  return figures
end

local function column(rounds, field)
  local values = {}
  for i, figures in ipairs(rounds) do
    values[i] = figures[field]
  end
  return statistics.median(values)
end

local function print_table(job, running, figures)
  print(("\n%s: %s (64 connections, %d rounds of %d s)"):format(job.name, job.what, ROUNDS,
    SECONDS))
  print "  server       CPU us/request    requests/s   p50 ms   p99 ms   RSS MiB"
  for _, server in ipairs(running) do
    local rounds = figures[server.name]
    print(("  %-12s %14.2f %13.0f %8.2f %8.2f %9.1f"):format(server.name, column(rounds, "us"),
      column(rounds, "rate"), column(rounds, "p50") / 1000, column(rounds, "p99") / 1000,
      measure.rss_kib(server.process:tree()) / 1024))
  end
end

--- qlua's CPU over the other's, round by round: the median and its interval.
local function ratio(figures, other)
  local ratios = {}
  for round, mine in ipairs(figures.qlua) do
    ratios[round] = mine.us / figures[other][round].us
  end
  local low, high = statistics.median_interval(ratios)
  return statistics.median(ratios), ("%.2f [%.2f, %.2f]"):format(statistics.median(ratios), low,
    high)
end

local function print_goals(job, figures)
  for _, other in ipairs(job.servers) do
    local goal = job.goals[other]
    if goal then
      local value, text = ratio(figures, other)
      print(("  qlua/%-12s %s   goal: at most %.2f, %s"):format(other, text, goal,
        value <= goal and "reached" or "missed"))
    end
  end
end

--- The lines that a commit message quotes.
local function print_summary(job, figures)
  local mine = ("qlua %.1f us, "):format(column(figures.qlua, "us"))
  for i = 2, #job.servers do
    local other = job.servers[i]
    local _, text = ratio(figures, other)
    print(("%s: %s%s %.1f us: %s"):format(job.name, i == 2 and mine or "", other,
      column(figures[other], "us"), text))
  end
end

local function run_job(job, by_name)
  local running = {}
  local ok, err = pcall(function()
    for i, name in ipairs(job.servers) do
      local asked = by_name[name] or job
      running[i] = servers.start(name, asked.app, asked.secure)
      running[i].job = asked
    end
    verify(job, running)
    for _, server in ipairs(running) do
      if server.job.profiled then
        profile(server)
      end
    end
    local figures = play(running)
    print_table(job, running, figures)
    print_goals(job, figures)
    print_summary(job, figures)
  end)
  for _, server in ipairs(running) do
    server:stop()
  end
  return ok, err
end

local function run_micro()
  local perf = os.execute "perf stat -e instructions:u true >/dev/null 2>&1" == 0
  local prefix = perf and "perf stat -e instructions:u " or ""
  print "\nmicro: the plain request through the memory stream"
  io.stdout:flush()
  local command = ("taskset -c %d %sbuild/bench/micro"):format(servers.CPU, prefix)
  return os.execute(command) == 0, "micro failed"
end

local extra = {
  idle = function() return pcall(require("idle").run) end,
  reload = function() return pcall(require("reload").run) end,
  start = function() return pcall(require("start").run) end,
  micro = run_micro,
  ["session-micro"] = function() return pcall(require("session_micro").run) end,
}

local function main()
  local by_name, chosen = {}, { unpack(arg) }
  for _, job in ipairs(jobs) do
    by_name[job.name] = job
  end
  if #chosen == 0 then
    chosen = { "plain", "json", "route", "echo", "rows", "plain16", "route16", "idle", "start" }
  end
  local failed = false
  for _, name in ipairs(chosen) do
    local ok, err = false, "there is no such job: " .. name
    if extra[name] then
      ok, err = extra[name]()
    elseif by_name[name] then
      ok, err = run_job(by_name[name], by_name)
    end
    if not ok then
      failed = true
      print("bench: " .. tostring(err))
    end
  end
  os.exit(failed and 1 or 0)
end

main()
