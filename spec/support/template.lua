--- The template engine in plain luajit: what environment.lua and the driver need of qlua.core comes
--- from build/libqlua-test.so. Requiring this makes `require "qlua.environment"` work.

local library = os.getenv "QLUA_TEST_LIB" or (os.getenv "BUILD" or "build") .. "/libqlua-test.so"

local M = {}

local core = assert(package.loadlib(library, "luaopen_qlua_value"))()
for name, value in pairs(assert(package.loadlib(library, "luaopen_qlua_template"))()) do
  core[name] = value
end

local ESCAPES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ["'"] = "&#39;",
  ['"'] = "&#34;" }

-- what the server's own half of the core has
core.escape_html = core.escape_html or function(text)
  return (text:gsub("[&<>'\"]", ESCAPES))
end

package.path = "lua/?.lua;lua/?/init.lua;" .. package.path
package.preload["qlua.core"] = package.preload["qlua.core"] or function()
  return core
end

M.core = require "qlua.core"

return M
