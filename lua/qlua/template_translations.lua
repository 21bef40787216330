--- Translations: what the i18n extension adds to an environment.
--- Flow: {% trans %} and calls of gettext in templates reach the functions installed here, which
--- are globals.

local check = require "qlua.check"

local M = {}

---@class qlua.Environment
local methods = {}
M.methods = methods

local OPTIONS = { newstyle = "boolean", pgettext = "function", npgettext = "function" }
local NULL_OPTIONS = { newstyle = "boolean" }

--- `_` is another name of gettext, whichever is installed.
---@param environment qlua.Environment
function M.prepare(environment)
  local globals = environment.globals
  function globals._(...)
    local gettext = globals.gettext
    if not gettext then
      error("_ was called in a template, but no gettext is installed; "
        .. "env:install_gettext_callables installs one", 0)
    end
    return gettext(...)
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
  state._newstyle_gettext = options.newstyle or false
  globals.gettext, globals.ngettext = gettext, ngettext
  globals.pgettext, globals.npgettext = options.pgettext, options.npgettext
  self.globals = globals -- the core is to know
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
  for _, name in ipairs { "gettext", "ngettext", "pgettext", "npgettext" } do
    globals[name] = nil
  end
end

return M
