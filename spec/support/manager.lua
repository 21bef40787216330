--- A service manager, as far as services talk to it: a socket for sd_notify(3)'s messages which
--- knows who sent each, and which takes those of the main process alone (NotifyAccess=main).
---
---   local m = manager.new()                        -- m.socket is for NOTIFY_SOCKET
---   m:expect(pid)                                  -- the main process
---   local message = m:wait "READY"                 -- { READY = "1", STATUS = "...", pid = 17 }

local ffi = require "ffi"

local files = require "support.files"
local wait = require "support.wait"

ffi.cdef [[
struct manager_address { uint16_t family; char path[108]; };
struct manager_part { void *base; size_t len; };
struct manager_message {
  void *name; uint32_t name_len; struct manager_part *parts; size_t nparts; void *control;
  size_t control_len; int flags;
};
struct manager_credentials { size_t len; int level, type, pid; unsigned uid, gid; };
int socket(int, int, int);
int bind(int, const struct manager_address *, uint32_t);
int setsockopt(int, int, int, const void *, uint32_t);
ssize_t recvmsg(int, struct manager_message *, int);
int close(int);
]]

local AF_UNIX, SOCK_DGRAM, SOL_SOCKET, SO_PASSCRED, MSG_DONTWAIT = 1, 2, 1, 16, 0x40
local SOCK_CLOEXEC = 0x80000

---@class spec.Manager
---@field socket string what NOTIFY_SOCKET is to be: a path, or "@name"
---@field messages table<string, string>[] all that came, with the sender as `pid`
---@field refused table<string, string>[] those that were not of the main process
---@field main? integer its pid; changed by MAINPID= as it comes
local Manager = {}
Manager.__index = Manager

local M = {}

--- Open the socket: in a fresh folder, or without a file.
---@param options? { abstract?: boolean }
---@return spec.Manager
function M.new(options)
  local self = setmetatable({ messages = {}, refused = {}, _seen = 0 }, Manager)
  self._folder = files.folder()
  local path = self._folder .. "/notify"
  local abstract = options and options.abstract
  self.socket = abstract and "@" .. path or path
  local at = ffi.new("struct manager_address", { family = AF_UNIX })
  ffi.copy(at.path, (abstract and "\0" or "") .. path)
  self._fd = ffi.C.socket(AF_UNIX, SOCK_DGRAM + SOCK_CLOEXEC, 0)
  assert(ffi.C.bind(self._fd, at, 2 + #self.socket + (abstract and 0 or 1)) == 0, "bind")
  ffi.C.setsockopt(self._fd, SOL_SOCKET, SO_PASSCRED, ffi.new("int[1]", 1), 4)
  return self
end

--- Name the main process.
---@param pid integer
function Manager:expect(pid)
  self.main = pid
end

function Manager:_receive()
  local text = ffi.new "char[4096]"
  local from = ffi.new "struct manager_credentials"
  local part = ffi.new("struct manager_part", { base = text, len = 4096 })
  local message = ffi.new("struct manager_message", { parts = part, nparts = 1, control = from,
    control_len = ffi.sizeof(from) })
  local n = tonumber(ffi.C.recvmsg(self._fd, message, MSG_DONTWAIT))
  if n <= 0 then
    return false
  end
  local fields = { pid = from.pid }
  for name, value in ffi.string(text, n):gmatch "([A-Z_]+)=([^\n]*)" do
    fields[name] = value
  end
  if self.main and self.main ~= fields.pid then
    self.refused[#self.refused + 1] = fields
    return true
  end
  if fields.MAINPID then
    self.main = tonumber(fields.MAINPID)
  end
  self.messages[#self.messages + 1] = fields
  return true
end

--- Take all that has come so far; the messages.
---@return table<string, string>[]
function Manager:read()
  repeat until not self:_receive()
  return self.messages
end

--- Wait for a message with this field (and value), after those waited for before.
---@param name string
---@param value? string
---@return table<string, string>
function Manager:wait(name, value)
  local found = wait.until_true(function()
    self:read()
    while self._seen < #self.messages do
      self._seen = self._seen + 1
      local message = self.messages[self._seen]
      if message[name] and (not value or message[name] == value) then
        return message
      end
    end
  end, 15)
  return assert(found, ("no message with %s=%s"):format(name, value or "..."))
end

--- Close the socket and remove its file.
function Manager:close()
  ffi.C.close(self._fd)
  files.remove(self._folder)
end

return M
