--- The line editor of qlua shell: keys in, a line and what the terminal shows out.

local line_editor = require "qlua.cli.line_editor"

local ESC = "\27"

describe("line editor", function()
  local history, columns

  before_each(function()
    history, columns = { "first", "second line", "third" }, 40
  end)

  local function new(complete)
    local editor = line_editor.new {
      history = history, complete = complete,
      columns = function()
        return columns
      end,
    }
    editor:begin "> "
    return editor
  end

  --- The line that keys make, typed one by one.
  local function typed(...)
    local editor = new()
    for _, keys in ipairs { ... } do
      editor:feed(keys)
    end
    local _, ending, line = editor:feed "\r"
    assert.equal("line", ending)
    return line
  end

  --- What the terminal's line holds after the bytes of the editor.
  local function shown(out)
    local line = out:match "[^\r]*\27%[K\r[^\r]*$"
    return line:match "^(.-)\27%[K", tonumber(line:match "\27%[(%d+)C$" or 0)
  end

  local cases = {
    { "abc", "abc", "plain" },
    { "aXc", "abc\2\2\127a\5\2\127X", "backspace, left, end" },
    { "start end", "end\1start ", "begin of the line" },
    { "abd", "abcd" .. ESC .. "[D" .. ESC .. "[D" .. ESC .. "[3~", "arrows and delete" },
    { "abd", "abcd\2\2\4", "Ctrl-D deletes" },
    { "xb", "ab" .. ESC .. "[H" .. ESC .. "[3~x", "Home" },
    { "abx", "ab" .. ESC .. "OH" .. ESC .. "[F" .. "x", "End" },
    { "one ", "one two\23", "Ctrl-W takes a word" },
    { "one two", "one two\23\25", "and Ctrl-Y brings it back" },
    { "two", "one two\2\2\2\21", "Ctrl-U takes what is before" },
    { "one", "one two\1" .. ESC .. "f\11", "word right, Ctrl-K takes what is behind" },
    { "one x two", "one two" .. ESC .. "bx ", "word left" },
    { " b", "a b\1" .. ESC .. "d", "Alt-D" },
    { "third", ESC .. "[A", "history" },
    { "second line", "\16\16", "further back" },
    { "draft", "draft" .. ESC .. "[A" .. ESC .. "[B", "and forth to what was begun" },
    { "first", "\16\16\16\16\16", "not beyond the first" },
    { "second line", "\18ec", "Ctrl-R searches" },
    { "first", "\18irs", "the latest with the text" },
    { "first", "\18i\18\18", "and those before" },
    { "draft", "draft\18sec\7", "Ctrl-G ends the search" },
    { "secondline", "\18ec\2\2\2\2\127", "any other key works on the line that was found" },
    { "hällo", "hallo\2\2\2\127ä", "UTF-8" },
    { "h", "hä\127", "a character is more than a byte" },
    { "日", "日本\127", "a wide one too" },
    { "ab", "a" .. ESC .. "[200~" .. ESC .. "x" .. "b", "unknown sequences are left out" },
    { "", "\127\8\2\6\21\11\23", "nothing to take" },
  }
  for _, case in ipairs(cases) do
    it("knows " .. case[3], function()
      assert.equal(case[1], typed(case[2]))
      local bytes = {}
      for byte in case[2]:gmatch "." do
        bytes[#bytes + 1] = byte
      end
      assert.equal(case[1], typed(unpack(bytes)))
    end)
  end

  it("ends a line with Return, Ctrl-C and Ctrl-D", function()
    assert.equal("interrupt", select(2, new():feed "abc\3"))
    assert.equal("eof", select(2, new():feed "\4"))
    assert.is_nil(select(2, new():feed "a\4"))
    local out, ending, line = new():feed "abc\n"
    assert.same({ "line", "abc", "\r\n" }, { ending, line, out:sub(-2) })
  end)

  it("keeps what comes behind the end for the next line", function()
    local editor = new()
    local _, _, line = editor:feed "one\rtwo\rth"
    assert.equal("one", line)
    editor:begin "> "
    _, _, line = editor:feed ""
    assert.equal("two", line)
    editor:begin "> "
    local out, ending = editor:feed ""
    assert.same({ "> th", 4 }, { shown(out) })
    assert.is_nil(ending)
  end)

  it("shows the line and the cursor", function()
    local editor = new()
    assert.same({ "> abc", 4 }, { shown((editor:feed "abc\2")) })
    assert.same({ "> abc", 2 }, { shown((editor:feed "\1")) })
    assert.same({ "> 日abc", 4 }, { shown((editor:feed "日")) })
  end)

  it("scrolls a long line sideways", function()
    columns = 20
    local editor = new()
    local text, column = shown((editor:feed(("abcdefghij"):rep(4))))
    assert.same({ "> defghijabcdefghij", 19 }, { text, column })
    assert.same({ "> abcdefghijabcdefg", 2 }, { shown((editor:feed "\1")) })
  end)

  it("completes what is certain and shows the choices", function()
    local words = { "app", "apple" }
    local editor = new(function(before)
      local prefix = before:match "%w*$"
      return #prefix > 0 and words or {}, #prefix
    end)
    assert.same({ "> x = app", 9 }, { shown((editor:feed "x = a\9")) })
    local out = editor:feed "\9"
    assert.truthy(out:find("\r\napp  apple\r\n", 1, true))
    words = { "apple" }
    assert.same({ "> x = apple", 11 }, { shown((editor:feed "\9")) })
    assert.same({ "> x = apple ", 12 }, { shown((editor:feed " \9")) })
  end)

  it("takes a tab within pasted text for blanks", function()
    assert.equal("if x  y", typed "if x\9y")
  end)

  it("takes whatever comes", function()
    math.randomseed(7)
    local editor = new(function(before)
      return { before:match "%w*$" .. "x", "y" }, 0
    end)
    for _ = 1, 4000 do
      local bytes = {}
      for i = 1, math.random(6) do
        bytes[i] = string.char(math.random(4) == 1 and 27 or math.random(0, 255))
      end
      local out, ending = editor:feed(table.concat(bytes))
      assert.truthy(out)
      if ending then
        editor:remember(editor:text())
        editor:begin "> "
      end
    end
  end)

  it("remembers lines once", function()
    local editor = new()
    assert.is_true(editor:remember "new")
    assert.is_false(editor:remember "new")
    assert.is_false(editor:remember "")
    assert.same({ "first", "second line", "third", "new" }, history)
  end)
end)
