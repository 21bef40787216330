--- src/template's parser for specs, and Jinja's own beside it.
--- Both answer { tree = text } or { error = { kind =, line =, message = } }.

local cjson = require "cjson"
local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct template_syntax {
  struct slice block_start, block_end, variable_start, variable_end, comment_start, comment_end,
    line_statement_prefix, line_comment_prefix, newline_sequence;
  bool trim_blocks, lstrip_blocks, keep_trailing_newline, ext_do, ext_loopcontrols, ext_i18n,
    newstyle_gettext, ext_debug, trim_trans;
};
struct template_error { int kind; int line; char name[256]; char message[512]; };
void template_syntax_init(struct template_syntax *syntax);
bool template_parse(struct arena *arena, const struct template_syntax *syntax, struct slice source,
                    const char *name, void **out, struct template_error *error);
void ast_print(struct buf *out, const void *tree);
]]

local KINDS = { "syntax", "assertion" }
local TEXTS = { block_start_string = "block_start", block_end_string = "block_end",
  variable_start_string = "variable_start", variable_end_string = "variable_end",
  comment_start_string = "comment_start", comment_end_string = "comment_end",
  line_statement_prefix = "line_statement_prefix", line_comment_prefix = "line_comment_prefix",
  newline_sequence = "newline_sequence" }
local FLAGS = { "trim_blocks", "lstrip_blocks", "keep_trailing_newline" }

local M = {}

--- The options of a case of the corpus as a struct template_syntax. It borrows from options.
local function syntax_of(options)
  local syntax = ffi.new "struct template_syntax"
  native.lib.template_syntax_init(syntax)
  for name, field in pairs(TEXTS) do
    if options[name] then
      syntax[field] = native.slice(options[name])
    end
  end
  for _, name in ipairs(FLAGS) do
    syntax[name] = options[name] == true
  end
  for _, name in ipairs(options.extensions or {}) do
    syntax["ext_" .. name] = true
  end
  syntax.newstyle_gettext = options.i18n == "newstyle"
  syntax.trim_trans = (options.policies or {})["ext.i18n.trimmed"] == true
  return syntax
end

--- What src/template makes of a template.
---@param source string
---@param options? table as `env` in the corpus
function M.parse(source, options)
  local arena, out = native.arena(), ffi.new "void *[1]"
  local failure = ffi.new "struct template_error"
  if not native.lib.template_parse(arena, syntax_of(options or {}), native.slice(source), nil, out,
    failure) then
    return { error = { kind = KINDS[failure.kind], line = failure.line,
      message = ffi.string(failure.message) } }
  end
  local text = native.buf()
  native.lib.ast_print(text, out[0])
  return { tree = "[" .. native.text(text):gsub("\n", "") .. "]" }
end

--- What Jinja makes of templates: { source =, env = } each; a list of answers.
function M.jinja(cases)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  for _, case in ipairs(cases) do
    file:write(cjson.encode(case), "\n")
  end
  file:close()
  local answers = {}
  local pipe = assert(io.popen("/usr/bin/python3 spec/support/jinja_tree.py <" .. path))
  for line in pipe:lines() do
    answers[#answers + 1] = cjson.decode(line)
  end
  pipe:close()
  os.remove(path)
  assert(#answers == #cases, "jinja_tree.py ended early")
  return answers
end

--- Every template of the corpus: { source =, env = }, in the order of the files.
function M.corpus_templates()
  local found = {}
  for case in M.corpus() do
    local env = case.env or { extensions = {} }
    if case.source then
      found[#found + 1] = { source = case.source, env = env }
    end
    local names = {}
    for name in pairs(case.templates or {}) do
      names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
      found[#found + 1] = { source = case.templates[name], env = env }
    end
  end
  return found
end

local FILES = { { "spec/data/jinja/own-dev.jsonl", "../shared/jinja/own-dev.jsonl" },
  { "../shared/jinja/recorded-dev.jsonl" } }

--- Iterate over the cases of the corpus; those in shared/ where that is present.
function M.corpus()
  return coroutine.wrap(function()
    for _, paths in ipairs(FILES) do
      local file = io.open(paths[1]) or (paths[2] and io.open(paths[2]))
      if file then
        for line in file:lines() do
          coroutine.yield(cjson.decode(line))
        end
        file:close()
      end
    end
  end)
end

return M
