--- The guide's Markdown and its colours: what is read, and what is written of it.

package.path = "./apps/guide/?.lua;" .. package.path
local highlight = require "highlight"
local markdown = require "markdown"

local function html(text, options)
  return markdown.html(markdown.parse(text), options)
end

describe("the guide's Markdown", function()
  it("knows headings, which links find", function()
    local text = html "## What `x` is, and why\n"
    assert.matches('^<h2 id="what%-x%-is%-and%-why">What <code>x</code> is, and why ', text)
    assert.matches('href="#what%-x%-is%-and%-why"', text)
  end)

  for text, expected in pairs {
    ["a\nb\n\nc\n"] = "<p>a\nb</p>\n<p>c</p>",
    ["`a<b` **strong** *soft* [`x` y](/z#w)"] =
      '<p><code>a&lt;b</code> <strong>strong</strong> <em>soft</em> '
      .. '<a href="/z#w"><code>x</code> y</a></p>',
    ["2 * 3 * 4 and `*a*` and <b>"] = "<p>2 * 3 * 4 and <code>*a*</code> and &lt;b&gt;</p>",
    ["``a `b` c``"] = "<p><code>a `b` c</code></p>",
    ["- a\n  b\n- c\n\n- d\n"] = "<ul><li>a\nb</li><li>c</li><li>d</li></ul>",
    ["1. a\n2. b\n"] = "<ol><li>a</li><li>b</li></ol>",
    ["- a\n  - b\n"] = "<ul><li>a<ul><li>b</li></ul></li></ul>",
    ["<!-- nothing -->\na\n"] = "<p>a</p>",
    ["| a | b |\n| --- | --- |\n| `x|y` | 1 \\| 2 |\n"] = '<div class="wide" tabindex="0"><table>'
      .. "<tr><th>a</th><th>b</th></tr><tr><td><code>x|y</code></td><td>1 | 2</td></tr>"
      .. "</table></div>",
    ["    $ x\n      y\n\n    z\n\ntext"] = '<figure class="code"><pre tabindex="0"><code>'
      .. "$ x\n  y\n\nz\n</code></pre></figure>\n<p>text</p>",
  } do
    it(("writes %q"):format(text), function()
      assert.equal(expected, html(text))
    end)
  end

  it("reads the attributes of code", function()
    local block = markdown.parse("```lua file=a.lua before='say \"x\"' hidden no-run=\"why not\"\n"
      .. "code\n```\n")[1]
    assert.same({ "lua", "code\n", 1 }, { block.language, block.text, block.line })
    assert.same({ file = "a.lua", before = 'say "x"', hidden = "", ["no-run"] = "why not" },
      block.attributes)
    assert.equal("", markdown.html { block })
  end)

  it("takes attributes from a comment above the code, also within a list", function()
    local text = "- a\n\n  <!-- code: language=text held='x y' -->\n\n      code\n"
    local blocks = markdown.parse(text)
    local code = blocks[1].items[1][2]
    assert.same({ "text", "x y", "code\n" }, { code.language, code.attributes.held, code.text })
  end)

  it("knows projects, and parts of README", function()
    assert.equal("shop", markdown.parse("<!-- project: shop -->")[1].text)
    assert.equal("<p>Why</p>", html("<!-- readme: Why -->", {
      readme = function(heading) return markdown.parse(heading) end,
    }))
  end)

  it("says where code has no end", function()
    assert.error_matches(function() markdown.parse "a\n\n```lua\nx\n" end, "line 3: the code")
  end)

  it("refuses lists that are too deep", function()
    local text = {}
    for i = 0, 20 do
      text[#text + 1] = ("  "):rep(i) .. "- a"
    end
    assert.error_matches(function() markdown.parse(text) end, "lists deeper than 8")
  end)

  it("says what a block is to its reader", function()
    local text = html("```lua add=a.lua before='return <x>'\nx\n```\n"
      .. "```lua no-run='no `x`'\ny\n```\n")
    assert.matches("<figcaption><code>a.lua</code>, before <code>return &lt;x&gt;</code>", text, 1,
      true)
    assert.matches("Not run by the tests: no <code>x</code>", text, 1, true)
  end)
end)

describe("the guide's colours", function()
  for _, case in ipairs {
    { "lua", 'local x = "a" -- why', '<span class="k">local</span> x = <span class="s">&#34;a&#34;'
      .. '</span> <span class="c">-- why</span>' },
    { "lua", "f(1) [[x]]", '<span class="f">f</span>(<span class="n">1</span>) '
      .. '<span class="s">[[x]]</span>' },
    { "jinja", "<b>{{ x|e }}</b>", '<span class="t">&lt;b</span><span class="t">&gt;</span>'
      .. '<span class="t">{{</span> x|e <span class="t">}}</span><span class="t">&lt;/b</span>'
      .. '<span class="t">&gt;</span>' },
    { "json", '{"a": true}', '{<span class="t">&#34;a&#34;</span>: <span class="k">true</span>}' },
    { "console", "$ a <b\nc\n", '<span class="p">$ </span>a &lt;b\n<span class="o">c</span>\n' },
    { "unknown", "a <b", "a &lt;b" },
  } do
    it(("of %s: %s"):format(case[1], case[2]:match "^[^\n]*"), function()
      assert.equal(case[3], highlight.html(case[2], case[1]))
    end)
  end

  it("lose and add no character", function()
    for _, language in ipairs { "lua", "jinja", "json", "ini", "nginx", "css", "python" } do
      local text = "--[==[ a ]==] 'x \"y { {{ {% <! # /* 0x1F @a \\ é \0 $x [a] --"
      local plain = highlight.html(text, language):gsub("<[^>]*>", ""):gsub("&lt;", "<")
        :gsub("&gt;", ">"):gsub("&#34;", '"'):gsub("&amp;", "&")
      assert.equal(text, plain, language)
    end
  end)
end)
