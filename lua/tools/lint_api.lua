--- `make lint`: every public name of qlua is annotated, and its annotation says in words what it
--- is: reference pages are made of them. Run by `qlua lua/tools/lint_api.lua` in the project's
--- folder.

local core = require "qlua.core"
local surface = require "qlua.cli.surface"

package.path = "lua/tools/?.lua;" .. package.path
local sources = require "sources"

local index = sources.index()
local problems, count = {}, 0
for _, owner in ipairs(surface.owners()) do
  for name, value in pairs(surface.names(owner)) do
    local said = surface.said(index, owner, name, value)
    count = count + 1
    if not said then
      problems[#problems + 1] = ("%s.%s: no annotation"):format(owner.name, name)
    elseif said.visibility == "public" and (said.text or "") == "" then
      problems[#problems + 1] = ("%s.%s: its annotation (%s) does not say what it is"):format(
        owner.name, name, said.line and said.file .. ":" .. said.line or "a field")
    end
  end
end

table.sort(problems)
for _, problem in ipairs(problems) do
  io.stderr:write("lint-api: ", problem, "\n")
end
io.stderr:write(#problems > 0 and ("lint-api: %d of %d public names\n"):format(#problems, count)
  or "")
core.set_exit_code(#problems > 0 and 1 or 0)
