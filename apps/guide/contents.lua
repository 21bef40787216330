--- What the guide has, in the order of reading. A page is pages/NAME.md, or one that reference.lua
--- makes.

---@class guide.Section
---@field title string
---@field pages string[] names

---@type guide.Section[]
return {
  { title = "Start", pages = { "quickstart" } },
  { title = "Tutorial: a shop", pages = {
    "tutorial/catalogue", "tutorial/cart", "tutorial/checkout", "tutorial/errors",
    "tutorial/tests", "tutorial/config", "tutorial/deployment",
  } },
  { title = "How to", pages = {
    "howto/uploads", "howto/streaming", "howto/tasks", "howto/signals", "howto/middleware",
    "howto/sessions", "howto/signing", "howto/errors", "howto/static", "howto/json",
    "howto/routing", "howto/hosts", "howto/templates", "howto/i18n", "howto/testing",
    "howto/debugging", "howto/config", "howto/logging", "howto/limits", "howto/reload",
  } },
  { title = "Reference", pages = {
    "reference/module", "reference/app", "reference/request", "reference/response",
    "reference/templating", "reference/templates", "reference/signing", "reference/testing",
    "reference/settings", "reference/commands",
  } },
  { title = "Differences", pages = { "differences/quart", "differences/jinja" } },
}
