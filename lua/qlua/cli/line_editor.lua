--- A line that is edited on a terminal: keys come in as bytes, what the terminal is to show goes
--- out as bytes. Knows no terminal: shell.lua reads and writes.
---
--- Keys are those of Emacs and readline. A line that is too long for the screen scrolls sideways.

local M = {}

local MOST_HISTORY = 1000

---@class qlua.LineEditor
---@field history string[] oldest first
---@field private _chars string[] the line, a character (UTF-8) each
---@field private _at integer how many of them are before the cursor
---@field private _pending string bytes that have come and are not used yet
local Editor = {}
Editor.__index = Editor

---@param options { history?: string[], columns: (fun(): integer),
---  complete?: (fun(before: string): string[], integer) } complete: words that may stand where the
---  cursor is, and how many bytes of the text before it they begin with
---@return qlua.LineEditor
function M.new(options)
  return setmetatable({
    history = options.history or {}, _columns = options.columns, _complete = options.complete,
    _chars = {}, _at = 0, _pending = "", _killed = "", _prompt = "",
  }, Editor)
end

-- ---- characters -------------------------------------------------------------------------------

--- The characters of a text; a byte that is none stands for itself.
local function characters(text)
  local list = {}
  for c in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    list[#list + 1] = c
  end
  return list
end

--- Columns of a character: 2 of East Asian ones and pictures, 0 of combining marks.
local function width_of(c)
  local a, b, d = c:byte(1, 3)
  if a < 0xCC or not b then
    return 1
  elseif a == 0xCC or (a == 0xCD and b < 0xB0) then
    return 0
  elseif a >= 0xF0 then
    return 2
  elseif a < 0xE1 then
    return 1
  end
  local code = (a - 0xE0) * 4096 + (b - 0x80) * 64 + ((d or 0x80) - 0x80)
  local is_wide = (code >= 0x1100 and code <= 0x115F) or (code >= 0x2E80 and code <= 0xA4CF)
    or (code >= 0xAC00 and code <= 0xD7A3) or (code >= 0xF900 and code <= 0xFAFF)
    or (code >= 0xFE30 and code <= 0xFE6F) or (code >= 0xFF00 and code <= 0xFF60)
  return is_wide and 2 or 1
end

local function columns_of(chars, first, last)
  local sum = 0
  for i = first, last do
    sum = sum + width_of(chars[i])
  end
  return sum
end

function Editor:_set(text)
  self._chars = characters(text)
  self._at = #self._chars
end

---@return string
function Editor:text()
  return table.concat(self._chars)
end

function Editor:_before()
  return table.concat(self._chars, "", 1, self._at)
end

-- ---- what is shown ----------------------------------------------------------------------------

--- The line anew: as much of it around the cursor as fits.
function Editor:_shown()
  local prompt = self._search and ("(search) '%s': "):format(self._search) or self._prompt
  local room = math.max(self._columns() - #prompt - 1, 8)
  local chars, first, last = self._chars, 1, #self._chars
  while columns_of(chars, first, self._at) > room do
    first = first + 1
  end
  while last > self._at and columns_of(chars, first, last) > room do
    last = last - 1
  end
  local column = #prompt + columns_of(chars, first, self._at)
  return "\r" .. prompt .. table.concat(chars, "", first, last) .. "\27[K\r"
    .. (column > 0 and ("\27[%dC"):format(column) or "")
end

--- Begin a line.
---@param prompt string
---@return string out
function Editor:begin(prompt)
  self._prompt, self._chars, self._at, self._search = prompt, {}, 0, nil
  self._place, self._draft = #self.history + 1, ""
  return self:_shown()
end

--- Remember a line, unless it is the latest one again.
---@param line string
---@return boolean new
function Editor:remember(line)
  if line == "" or self.history[#self.history] == line then
    return false
  end
  table.insert(self.history, line)
  if #self.history > MOST_HISTORY then
    table.remove(self.history, 1)
  end
  return true
end

-- ---- editing ----------------------------------------------------------------------------------

function Editor:_insert(text)
  for _, c in ipairs(characters(text)) do
    self._at = self._at + 1
    table.insert(self._chars, self._at, c)
  end
end

--- Take the characters from first to last out; killed ones can be put back.
function Editor:_remove(first, last, is_kill)
  if last < first then
    return
  end
  local taken = {}
  for _ = first, last do
    taken[#taken + 1] = table.remove(self._chars, first)
  end
  self._at = math.min(self._at, first - 1)
  self._killed = is_kill and table.concat(taken) or self._killed
end

--- Where the word before or behind the cursor ends.
function Editor:_word(step)
  local at, chars = self._at, self._chars
  local function next_char()
    return chars[step < 0 and at or at + 1]
  end
  while next_char() and not next_char():find "[%w_\128-\255]" do
    at = at + step
  end
  while next_char() and next_char():find "[%w_\128-\255]" do
    at = at + step
  end
  return at
end

--- Another line of the history; the one that was being written is kept behind the last.
function Editor:_recall(step)
  local place = self._place + step
  if place < 1 or place > #self.history + 1 then
    return
  elseif self._place == #self.history + 1 then
    self._draft = self:text()
  end
  self._place = place
  self:_set(self.history[place] or self._draft)
end

--- What all words begin with.
local function common(words)
  local prefix = words[1]
  for _, word in ipairs(words) do
    while word:sub(1, #prefix) ~= prefix do
      prefix = prefix:sub(1, -2)
    end
  end
  return prefix
end

--- Tab: what is certain is put in; where nothing is, the choices are shown.
function Editor:_fill()
  local words, typed = {}, 0
  if self._complete then
    words, typed = self._complete(self:_before())
  end
  if #words == 0 then
    return
  end
  local certain = common(words):sub(typed + 1)
  if certain ~= "" then
    self:_insert(certain)
  elseif #words > 1 then
    return "\r\n" .. table.concat(words, "  ") .. "\r\n"
  end
end

-- ---- searching --------------------------------------------------------------------------------

--- Show the latest line before `place` that has the searched text.
function Editor:_find(place)
  for i = place - 1, 1, -1 do
    if self.history[i]:find(self._search, 1, true) then
      self._place = i
      self:_set(self.history[i])
      return
    end
  end
end

--- A key while a search is on; false when the search is over and the key is an ordinary one.
function Editor:_search_key(key)
  if key == "\18" then
    self:_find(self._place)
  elseif key == "\127" or key == "\8" then
    self._search = self._search:sub(1, -2)
    self:_find(#self.history + 1)
  elseif key == "\7" then
    self._search = nil
    self:_set(self._draft)
  elseif #key == 1 and key:byte() >= 32 or key:byte() >= 0xC2 then
    self._search = self._search .. key
    self:_find(#self.history + 1)
  else
    self._search = nil
    return false
  end
  return true
end

-- ---- keys -------------------------------------------------------------------------------------

local keys = {}

keys["\1"] = function(self) self._at = 0 end
keys["\5"] = function(self) self._at = #self._chars end
keys["\2"] = function(self) self._at = math.max(self._at - 1, 0) end
keys["\6"] = function(self) self._at = math.min(self._at + 1, #self._chars) end
keys["\127"] = function(self) self:_remove(math.max(self._at, 1), self._at) end
keys["\11"] = function(self) self:_remove(self._at + 1, #self._chars, true) end
keys["\21"] = function(self) self:_remove(1, self._at, true) end
keys["\23"] = function(self) self:_remove(self:_word(-1) + 1, self._at, true) end
keys["\25"] = function(self) self:_insert(self._killed) end
keys["\16"] = function(self) self:_recall(-1) end
keys["\14"] = function(self) self:_recall(1) end
keys["\9"] = function(self) return self:_fill() end
keys["\12"] = function() return "\27[H\27[2J" end
keys["\18"] = function(self)
  self._draft = self._place == #self.history + 1 and self:text() or self._draft
  self._search = ""
end
keys.delete = function(self)
  if self._at < #self._chars then
    self:_remove(self._at + 1, self._at + 1)
  end
end
keys.word_left = function(self) self._at = self:_word(-1) end
keys.word_right = function(self) self._at = self:_word(1) end
keys.kill_word = function(self) self:_remove(self._at + 1, self:_word(1), true) end

-- what terminals send: behind ESC
local SEQUENCES = {
  ["[A"] = "\16", ["[B"] = "\14", ["[C"] = "\6", ["[D"] = "\2", ["[H"] = "\1", ["[F"] = "\5",
  ["OA"] = "\16", ["OB"] = "\14", ["OC"] = "\6", ["OD"] = "\2", ["OH"] = "\1", ["OF"] = "\5",
  ["[1~"] = "\1", ["[7~"] = "\1", ["[4~"] = "\5", ["[8~"] = "\5", ["[3~"] = "delete",
  ["[1;5D"] = "word_left", ["[1;5C"] = "word_right", ["[1;3D"] = "word_left",
  ["[1;3C"] = "word_right", b = "word_left", f = "word_right", d = "kill_word", ["\127"] = "\23",
}

--- Take a key from the pending bytes: a character, or a name; nil when more must come.
function Editor:_next_key()
  local bytes = self._pending
  if bytes:sub(1, 1) == "\27" then
    local rest = bytes:match "^\27(%[[%d;]*[@-~])" or bytes:match "^\27(O.)"
      or bytes:match "^\27([^%[O])"
    if not rest then
      return nil
    end
    self._pending = bytes:sub(#rest + 2)
    return SEQUENCES[rest] or "unknown"
  end
  local first = bytes:byte()
  local length = first and (first < 0xC2 and 1 or first < 0xE0 and 2 or first < 0xF0 and 3 or 4)
  if not first or #bytes < length then
    return nil
  end
  self._pending = bytes:sub(length + 1)
  return bytes:sub(1, length)
end

--- What ends a line, or nil.
function Editor:_ending(key)
  if key == "\r" or key == "\n" then
    return "line"
  elseif key == "\3" then
    return "interrupt"
  elseif key == "\4" and #self._chars == 0 then
    return "eof"
  end
end

function Editor:_press(key)
  if self._search and self:_search_key(key) then
    return
  elseif key == "\8" then
    key = "\127"
  elseif key == "\4" then
    key = "delete"
  end
  local is_pasted = key == "\9" and self._pending ~= ""
  if is_pasted then
    self:_insert "  "
  elseif keys[key] then
    return keys[key](self)
  elseif #key <= 4 and key:byte() >= 32 and key ~= "\127" and key ~= "unknown" then
    self:_insert(key)
  end
end

--- Use the bytes that have come, and what was pending, up to the end of a line.
---@param bytes string
---@return string out for the terminal
---@return "line"|"interrupt"|"eof"|nil ending the line is over; what came behind it is kept
---@return string? line
function Editor:feed(bytes)
  if bytes == "" and self._pending == "" then
    return ""
  end
  self._pending = self._pending .. bytes
  local out = ""
  for key in function() return self:_next_key() end do
    local ending = self:_ending(key)
    if ending then
      self._search, self._at = nil, #self._chars
      return out .. self:_shown() .. (ending == "interrupt" and "^C" or "") .. "\r\n", ending,
        self:text()
    end
    out = out .. (self:_press(key) or "")
  end
  return out .. self:_shown()
end

return M
