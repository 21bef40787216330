--- One signal: its receivers, connecting and sending. Behaviour and names are blinker's.
--- Flow: signals.lua makes them; whoever has something to tell sends them.
---
--- Receivers are called in connection order, plainly: they may wait, and what one raises ends the
--- send. They are held strongly, unlike blinker's, until they are disconnected.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@alias qlua.Receiver fun(sender: any, extra: table): any

---@class qlua.Connection one receiver and what it is connected for; replaced, never changed
---@field receiver qlua.Receiver
---@field senders? table<any, true> nil: whoever sends

--- A moment that code may be told of.
---@class qlua.Signal
---@field name string as in "request-started"
---@field doc? string when it is sent
---@field receivers? qlua.Connection[] in connection order; nil while nobody listens. A new list
---  after each change, so that the one being sent stays as it was
---@field private _by_receiver table<qlua.Receiver, qlua.Connection>
---@field private _muted integer how many muted() are running
---@field private _changed? fun(signal: qlua.Signal) called after each change of the connections
local Signal = { __name = "qlua.Signal" }
Signal.__index = Signal

---@param name string
---@param doc? string
---@param changed? fun(signal: qlua.Signal)
---@return qlua.Signal
function M.new(name, doc, changed)
  return setmetatable({
    name = name, doc = doc, _changed = changed, _by_receiver = {}, _muted = 0,
  }, Signal)
end

local function is_callable(value)
  local meta = type(value) ~= "function" and debug.getmetatable(value)
  return type(value) == "function" or (type(meta) == "table" and meta.__call ~= nil)
end

local function check_signal(self, method)
  if getmetatable(self) ~= Signal then
    check.fail("signal.%s was called on %s: call it with a colon, signal:%s(...)", method,
      check.describe(self), method)
  end
end

local function check_function(self, method, what, fn)
  if not is_callable(fn) then
    check.fail("signal %q: %s: %s must be a function, got %s", self.name, method, what,
      check.describe(fn))
  end
end

--- Is the connection for this sender?
local function is_for(connection, sender)
  local senders = connection.senders
  return not senders or (sender ~= nil and senders[sender] == true)
end

-- ---- connecting -------------------------------------------------------------------------------

--- Put `connection` (nil: none) in place of the receiver's present one.
local function replace(self, receiver, connection)
  local list, found = {}, false
  for _, present in ipairs(self.receivers or {}) do
    if present.receiver ~= receiver then
      list[#list + 1] = present
    elseif connection then
      list[#list + 1], found = connection, true
    end
  end
  if connection and not found then
    list[#list + 1] = connection
  end
  self._by_receiver[receiver] = connection
  self.receivers = #list > 0 and list or nil
  if self._changed then
    self._changed(self)
  end
end

--- The senders of a connection, or of none, with `sender` in or out.
local function with_sender(present, sender, is_in)
  local senders = {}
  for other in pairs(present and present.senders or {}) do
    senders[other] = true
  end
  senders[sender] = is_in
  return senders
end

--- Call the receiver whenever the signal is sent, or only when this sender sends it. Connecting
--- twice is one connection.
---@generic F: function
---@param receiver F called with (sender, extra)
---@param sender? any strings and numbers are compared by value, all else by identity
---@return F receiver
function Signal:connect(receiver, sender)
  check_signal(self, "connect")
  check_function(self, "connect", "the receiver", receiver)
  if sender ~= sender then
    check.fail("signal %q: connect: nan is no sender, it equals nothing", self.name)
  end
  local present = self._by_receiver[receiver]
  if present and is_for(present, sender) then
    return receiver -- as it is, or for any sender already
  end
  local senders = sender ~= nil and with_sender(present, sender, true) or nil
  replace(self, receiver, { receiver = receiver, senders = senders })
  return receiver
end

--- End the receiver's connection for this sender; without a sender, all its connections. One
--- that is not connected is no error.
---@param receiver qlua.Receiver
---@param sender? any
function Signal:disconnect(receiver, sender)
  check_signal(self, "disconnect")
  check_function(self, "disconnect", "the receiver", receiver)
  local present = self._by_receiver[receiver]
  if not present then
    return
  elseif sender == nil then
    return replace(self, receiver, nil)
  elseif not present.senders or not present.senders[sender] then
    return
  end
  local senders = with_sender(present, sender, nil)
  local is_left = next(senders) ~= nil
  replace(self, receiver, is_left and { receiver = receiver, senders = senders } or nil)
end

--- Would this sender reach anybody?
---@param sender? any
---@return boolean
function Signal:has_receivers_for(sender)
  check_signal(self, "has_receivers_for")
  for _, connection in ipairs(self.receivers or {}) do
    if is_for(connection, sender) then
      return true
    end
  end
  return false
end

-- ---- sending ----------------------------------------------------------------------------------

--- Call the receivers, each with (sender, extra). One that is connected meanwhile is not called,
--- one that is disconnected before its turn is passed over. An error ends it and is raised.
---@async
---@param sender? any usually the app
---@param extra? table what the receivers are to know; the same table for all
---@return { [1]: qlua.Receiver, [2]: any }[] what each returned
function Signal:send(sender, extra, ...)
  check_signal(self, "send")
  if type(extra) ~= "table" and extra ~= nil then
    check.fail("signal %q: send: extra must be a table, got %s", self.name, check.describe(extra))
  elseif select("#", ...) > 0 then
    check.fail("signal %q: send takes a sender and one table, got %d arguments", self.name,
      2 + select("#", ...))
  end
  local results, receivers = core.array {}, self.receivers
  if not receivers or self._muted > 0 then
    return results
  end
  extra = extra or {}
  for i = 1, #receivers do
    local receiver = receivers[i].receiver
    local present = self._by_receiver[receiver]
    if present and is_for(present, sender) and is_for(receivers[i], sender) then
      results[#results + 1] = core.array { receiver, (receiver(sender, extra)) }
    end
  end
  return results
end

--- send for qlua's own use: the arguments are well, and nobody asks for the results.
---@async
---@private
function Signal:_emit(sender, extra)
  local receivers = self.receivers
  for i = 1, self._muted == 0 and receivers and #receivers or 0 do
    local connection = receivers[i]
    local receiver = connection.receiver
    local present = self._by_receiver[receiver]
    if present and is_for(present, sender) and is_for(connection, sender) then
      receiver(sender, extra)
    end
  end
end

--- What body returned or raised, once undo has been called.
local function settle(undo, ok, ...)
  undo()
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Run body with the receiver connected; afterwards none of its connections is left.
--- Python's `with signal.connected_to(receiver, sender):`.
---@async
---@param receiver qlua.Receiver
---@param sender any nil, or left out: whoever sends
---@param body fun(): any
---@return any ... what body returns
---@overload fun(self, receiver: qlua.Receiver, body: fun(): any): any
function Signal:connected_to(receiver, sender, body)
  check_signal(self, "connected_to")
  if body == nil then
    sender, body = nil, sender
  end
  check_function(self, "connected_to", "the body, the last argument,", body)
  self:connect(receiver, sender)
  return settle(function()
    self:disconnect(receiver)
  end, pcall(body))
end

--- Run body while the signal, whoever sends it, calls nobody.
---@async
---@param body fun(): any
---@return any ... what body returns
function Signal:muted(body)
  check_signal(self, "muted")
  check_function(self, "muted", "the body", body)
  self._muted = self._muted + 1
  return settle(function()
    self._muted = self._muted - 1
  end, pcall(body))
end

function Signal:__tostring()
  return ("<Signal %q>"):format(self.name)
end

return M
