--- The jobs that are measured under load: what is asked, of whom, and what must be reached.
--- The goals are ratios of server CPU per request, as printed by measure.lua.

local data = require "data"

---@class bench.Job
---@field name string
---@field what string one line for the table's head
---@field path string
---@field method? string default GET; a POST carries data.echo_body
---@field depth? integer requests in one pipelined batch; default 1
---@field json? boolean compare the answers as values
---@field keeps_cookie? boolean qlua's requests bring the cookie that its first answer set
---@field profiled? boolean a profile is taken of qlua before, and has ended
---@field secure? boolean over TLS, on connections that are kept
---@field app string what qlua serves
---@field servers string[] whom to measure; qlua first; the name of a job: qlua at that one
---@field goals table<string, number> other server -> qlua's CPU over its, at most

local HELLO, APP, HOOKS = "apps/hello", "spec/bench/app.lua", "spec/bench/hooks.lua"
local SESSION = "spec/bench/session.lua"

---@type bench.Job[]
local M = {
  {
    name = "plain", what = "text, 13 bytes", path = "/", app = HELLO,
    servers = { "qlua", "nginx+lua", "floor" }, goals = { ["nginx+lua"] = 0.85, floor = 1.20 },
  },
  {
    name = "json", what = "a small JSON object, built per request", path = "/json", json = true,
    app = APP, servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.85 },
  },
  {
    name = "route", what = ("two converters, one rule of %d"):format(data.route_count),
    path = data.route_path, app = APP,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.85 },
  },
  {
    name = "echo", what = ("JSON of %d bytes, decoded and encoded"):format(#data.echo_body),
    path = "/echo", method = "POST", json = true, app = APP,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.70 },
  },
  {
    name = "rows", what = ("%d rows of JSON, encoded per request"):format(#data.rows),
    path = "/rows", json = true, app = APP,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.70 },
  },
  {
    name = "plain16", what = "plain, 16 pipelined", path = "/", depth = 16, app = HELLO,
    servers = { "qlua", "nginx+lua", "floor" }, goals = { ["nginx+lua"] = 0.15, floor = 2.3 },
  },
  {
    name = "route16", what = "route, 16 pipelined", path = data.route_path, depth = 16, app = APP,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.25 },
  },
  {
    name = "fortunes", what = "a page of 12 rows: sorted, escaped, with a layout",
    path = "/fortunes", app = APP,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.60 },
  },
  {
    name = "hooks", what = "plain, with two before and two after hooks, a blueprint, a signal",
    path = "/", app = HOOKS, servers = { "qlua", "floor" }, goals = { floor = 1.35 },
  },
  {
    name = "hooks16", what = "hooks, 16 pipelined", path = "/", depth = 16, app = HOOKS,
    servers = { "qlua", "floor" }, goals = { floor = 3.5 },
  },
  {
    name = "session", what = "plain, with a counter in a signed cookie", path = "/",
    keeps_cookie = true, app = SESSION, servers = { "qlua", "plain" }, goals = { plain = 1.50 },
  },
  {
    name = "profiled", what = "plain, after a profile was taken; none is under way", path = "/",
    profiled = true, app = HELLO, servers = { "qlua", "plain" }, goals = { plain = 1.03 },
  },
  {
    name = "tls", what = "plain, over TLS 1.3", path = "/", secure = true, app = HELLO,
    servers = { "qlua", "nginx+lua" }, goals = { ["nginx+lua"] = 0.90 },
  },
}

return M
