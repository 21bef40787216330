--- JOB=idle: what an idle keep-alive connection costs in memory. 10,000 are opened, each is
--- answered once and left alone for 2 s; the growth of the server's RSS is divided among them.

local poll = require "posix.poll"
local resource = require "posix.sys.resource"
local socket = require "posix.sys.socket"
local time = require "posix.time"
local unistd = require "posix.unistd"

local http = require "support.http"
local measure = require "measure"
local servers = require "servers"

local COUNT = 10000
local SOURCES = 4 -- loopback addresses, so that ports do not run out
local GOAL_KIB = 2
local REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

local M = {}

local function raise_file_limit()
  local limit = resource.getrlimit(resource.RLIMIT_NOFILE)
  if limit.rlim_max < COUNT + 500 then
    error(("idle: needs %d open files, the hard limit is %d"):format(COUNT + 500, limit.rlim_max),
      0)
  end
  limit.rlim_cur = limit.rlim_max
  assert(resource.setrlimit(resource.RLIMIT_NOFILE, limit))
end

--- Open one connection, have one request answered on it, and leave it open.
local function open(port, source)
  local fd = assert(socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
  local address = "127.0.0." .. source
  assert(socket.bind(fd, { family = socket.AF_INET, addr = address, port = 0 }))
  assert(socket.connect(fd, { family = socket.AF_INET, addr = "127.0.0.1", port = port }))
  assert(socket.send(fd, REQUEST))
  assert(poll.rpoll(fd, 5000) == 1, "idle: no answer")
  local answer = socket.recv(fd, 4096)
  assert(answer and answer:find "^HTTP/1.1 200", "idle: not answered with 200")
  return fd
end

local function measure_growth(server, fds)
  http.get(server.port, "/")
  local before = measure.rss_kib(server.process:tree())
  for i = 1, COUNT do
    fds[i] = open(server.port, i % SOURCES + 1)
  end
  time.nanosleep { tv_sec = 2, tv_nsec = 0 }
  local after = measure.rss_kib(server.process:tree())
  assert(poll.rpoll(fds[COUNT], 0) == 0, "idle: the server has closed a connection")
  return before, after
end

function M.run()
  raise_file_limit()
  local server, fds = servers.start("qlua", "apps/hello"), {}
  local ok, before, after = pcall(measure_growth, server, fds)
  for _, fd in ipairs(fds) do
    unistd.close(fd)
  end
  server:stop()
  if not ok then
    error(before, 0)
  end
  local each = (after - before) / COUNT
  print(("\nidle: RSS %.1f MiB empty, %.1f MiB with %d idle connections: %.2f KiB each"
    .. "   goal: at most %.2f, %s"):format(before / 1024, after / 1024, COUNT, each, GOAL_KIB,
    each <= GOAL_KIB and "reached" or "missed"))
end

return M
