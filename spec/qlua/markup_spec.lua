--- qlua.Markup and qlua.escape in Lua code.

local script = require "support.script"
local server = require "support.server"

describe("Markup", function()
  after_each(server.stop_all)

  -- expression, what is printed of it
  local CASES = {
    { 'Markup "<b>"', "<b>" },
    { "Markup(5)", "5" },
    { 'Markup(Markup "<b>")', "<b>" },
    { "escape '<>&\"\\''", "&lt;&gt;&amp;&#34;&#39;" },
    { 'escape(Markup "<b>")', "<b>" },
    { 'escape(escape "<")', "&lt;" },
    { "escape(5)", "5" },
    { "escape(nil)", "" },
    { "escape(Html)", "<i>x</i>" },
    { "Markup(Html)", "<i>x</i>" },
    { 'Markup "<b>" .. "<x>" .. Markup "</b>"', "<b>&lt;x&gt;</b>" },
    { '"<x>" .. Markup "<b>"', "&lt;x&gt;<b>" },
    { "Markup '<b>' .. 5", "<b>5" },
    { 'Markup("<a href=\'%s\'>%d %s</a>"):format("\'>", 5, Markup "<i>")',
      "<a href='&#39;&gt;'>5 <i></a>" },
    { 'Markup "a" == Markup "a"', "true" },
    { 'getmetatable(Markup "a" .. "b").__name', "qlua.Markup" },
    { 'qlua.json.dumps { Markup "<b>" }', '["<b>"]' },
    { 'qlua.render_template_string("{{ x }}{{ y }}", { x = Markup "<b>", y = "<" })', "<b>&lt;" },
  }

  it("escapes what is joined to it or formatted into it", function()
    local lines, expected = { [[
      local qlua = require "qlua"
      local app = qlua.App()
      local Markup, escape = qlua.Markup, qlua.escape
      local Html = setmetatable({}, { __html = function() return "<i>x</i>" end })
    ]] }, {}
    for i, case in ipairs(CASES) do
      lines[i + 1] = ("print(tostring(%s))"):format(case[1])
      expected[i] = case[2] .. "\n"
    end
    assert.equal(table.concat(expected), script.output(table.concat(lines, "\n")))
  end)

  it("is made of text only", function()
    assert.equal("job.lua:2: Markup: the text must be a string, got a table\n", script.output [[
local qlua = require "qlua"
print(select(2, pcall(function() local _ = qlua.Markup {} end)))
    ]])
  end)
end)
