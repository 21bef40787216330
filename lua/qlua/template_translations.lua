--- Translations: what the i18n extension adds to an environment.
--- Flow: {% trans %} and calls of gettext in templates reach the functions installed here, which
--- are globals.

local check = require "qlua.check"
local core = require "qlua.core"

local M = {}

---@class qlua.Environment
local methods = {}
M.methods = methods

local OPTIONS = { newstyle = "boolean", pgettext = "function", npgettext = "function" }
local NULL_OPTIONS = { newstyle = "boolean" }

local NAMES = { "gettext", "ngettext", "pgettext", "npgettext" }

--- `_` is another name of gettext.
---@param environment qlua.Environment
function M.prepare(environment)
  function environment.globals._()
    error("_ was called in a template, but no gettext is installed; "
      .. "env:install_gettext_callables installs one", 0)
  end
end

--- Functions that translate: `gettext(text)` and `ngettext(singular, plural, n)` return a text;
--- so do `pgettext(context, text)` and `npgettext(context, singular, plural, n)`. Newstyle: the
--- values of a translation are formatted into it by `%(name)s`, escaped where autoescape is on.
--- They may wait.
---@param gettext fun(text: string): string
---@param ngettext fun(singular: string, plural: string, n: number): string
---@param options? { newstyle?: boolean, pgettext?: function, npgettext?: function }
function methods:install_gettext_callables(gettext, ngettext, options)
  local where = "install_gettext_callables"
  check.type(where, "gettext", gettext, "function")
  check.type(where, "ngettext", ngettext, "function")
  options = check.options(where, options, OPTIONS)
  local state, globals = rawget(self, "_state"), self.globals
  local functions = {
    gettext = gettext, ngettext = ngettext, pgettext = options.pgettext,
    npgettext = options.npgettext,
  }
  for _, name in ipairs(NAMES) do
    local fn = functions[name]
    globals[name] = fn and options.newstyle and core.template_gettext(name, fn) or fn
  end
  globals._ = globals.gettext
  state._newstyle_gettext = options.newstyle or false
  self.globals = globals -- the core is told anew
end

--- Functions that return the text as it stands; the plural unless n is 1.
---@param options? { newstyle?: boolean }
function methods:install_null_translations(options)
  options = check.options("install_null_translations", options, NULL_OPTIONS)
  local function plain(text)
    return text
  end
  local function plural(singular, several, n)
    return n == 1 and singular or several
  end
  self:install_gettext_callables(plain, plural, {
    newstyle = options.newstyle,
    pgettext = function(_, text)
      return text
    end,
    npgettext = function(_, singular, several, n)
      return plural(singular, several, n)
    end,
  })
end

--- The environment forgets them.
function methods:uninstall_translations()
  local globals = self.globals
  for _, name in ipairs(NAMES) do
    globals[name] = nil
  end
  M.prepare(self)
end

return M
