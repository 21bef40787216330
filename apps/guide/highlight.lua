--- Colours for code, made once when a page is read: pieces of the text in <span> with a class.
--- Flow: markdown.lua hands over each code block. A language is a list of patterns, tried in order
--- where the last piece ended; what none takes is plain.
---
--- Classes: c comment, s string, n number, k keyword, f function, t tag or directive, p prompt,
--- o a program's output.

local M = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&#34;" }

local function escape(text)
  return (text:gsub('[&<>"]', ENTITIES))
end

local function set(words)
  local list = {}
  for word in words:gmatch "%S+" do
    list[word] = true
  end
  return list
end

local KEYWORDS = {
  lua = set [[and break do else elseif end false for function goto if in local nil not or repeat
    return then true until while]],
  jinja = set [[if else elif endif for endfor in block endblock extends include import from as with
    context without macro endmacro call endcall filter endfilter set endset is not and or do trans
    pluralize endtrans raw endraw autoescape endautoescape true false none recursive break
    continue]],
  python = set [[and as async await class def else elif except False for from if import in is lambda
    None not or pass raise return True try while with yield]],
  json = set "true false null",
}

-- pattern (matched where the last piece ended), class; a class that is a table is the set of
-- keywords, other words being plain
local LANGUAGES = {}

LANGUAGES.lua = {
  { "^%-%-%[(=*)%[.-%]%1%]", "c" }, { "^%-%-[^\n]*", "c" },
  { "^%[(=*)%[.-%]%1%]", "s" }, { '^"[^"\n]*"', "s" }, { "^'[^'\n]*'", "s" },
  { "^0x%x+", "n" }, { "^%d[%w.]*", "n" },
  { "^[%a_][%w_]*%f[(]", "f", KEYWORDS.lua }, { "^[%a_][%w_]*", nil, KEYWORDS.lua },
}
LANGUAGES.python = {
  { "^#[^\n]*", "c" }, { '^"[^"\n]*"', "s" }, { "^'[^'\n]*'", "s" }, { "^@[%w_.]+", "t" },
  { "^%d[%w.]*", "n" }, { "^[%a_][%w_]*%f[(]", "f", KEYWORDS.python },
  { "^[%a_][%w_]*", nil, KEYWORDS.python },
}
LANGUAGES.json = {
  { '^"[^"\n]*"%f[:]', "t" }, { '^"[^"\n]*"', "s" }, { "^%-?%d[%w.+-]*", "n" },
  { "^%a+", nil, KEYWORDS.json },
}
LANGUAGES.jinja = {
  { "^{#.-#}", "c" }, { "^{%%.-%%}", "jinja" }, { "^{{.-}}", "jinja" },
  { "^<!%-%-.-%-%->", "c" }, { "^</?[%a!][%w-]*", "t" }, { "^/?>", "t" },
  { "^&%w+;", "n" },
}
LANGUAGES.html = LANGUAGES.jinja
LANGUAGES.ini = {
  { "^#[^\n]*", "c" }, { "^%[[^%]\n]*%]", "k" }, { "^[%w_-]+%f[=]", "t" }, { "^[%w_-]+", nil },
}
LANGUAGES.nginx = {
  { "^#[^\n]*", "c" }, { "^%$[%w_]+", "s" }, { "^[%a_][%w_]*", nil,
    set [[server location listen upstream proxy_pass proxy_set_header proxy_http_version
      ssl_certificate ssl_certificate_key server_name root try_files keepalive deny
      keepalive_timeout client_max_body_size]] },
  { "^%d[%w.:]*", "n" },
}
LANGUAGES.css = {
  { "^/%*.-%*/", "c" }, { "^[%w-]+%f[:]", "t" }, { "^#%x+", "n" }, { "^%-?%d[%w.%%]*", "n" },
  { "^[%w-]+", nil },
}
-- what is between {% and %}, {{ and }}
local IN_TAG = {
  { '^"[^"]*"', "s" }, { "^'[^']*'", "s" }, { "^%d[%w.]*", "n" }, { "^[{}%%-]+", "t" },
  { "^[%a_][%w_]*", nil, KEYWORDS.jinja },
}

local function span(class, text)
  return ('<span class="%s">%s</span>'):format(class, escape(text))
end

local coloured

--- The piece that begins at a place: its end, and its HTML.
local function piece(text, at, rules)
  for _, rule in ipairs(rules) do
    local pattern, class, words = rule[1], rule[2], rule[3]
    local _, stop = text:find(pattern, at)
    if stop then
      local taken = text:sub(at, stop)
      class = words and words[taken] and "k" or class
      return stop, class == "jinja" and coloured(taken, IN_TAG) or class and span(class, taken)
        or escape(taken)
    end
  end
  return at, escape(text:sub(at, at))
end

function coloured(text, rules)
  local out, at = {}, 1
  while at <= #text do
    local stop, html = piece(text, at, rules)
    out[#out + 1], at = html, stop + 1
  end
  return table.concat(out)
end

--- A session in a shell: what is typed stands behind "$ " or "> ", the rest is printed.
local function console(text)
  local out = {}
  for line in text:gmatch "([^\n]*)\n" do
    local prompt, rest = line:match "^([$#>] )(.*)$"
    out[#out + 1] = prompt and span("p", prompt) .. escape(rest) or span("o", line)
  end
  return table.concat(out, "\n") .. "\n"
end

--- Code as HTML.
---@param text string
---@param language string one that is not known: without colours
---@return string
function M.html(text, language)
  if language == "console" then
    return console(text)
  end
  local rules = LANGUAGES[language]
  return rules and coloured(text, rules) or escape(text)
end

return M
