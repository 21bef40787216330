std = "luajit"
max_line_length = 100
self = false -- a method that needs no self is still a method
files["spec"] = { std = "+busted" }
files["apps"] = { unused_args = false } -- examples show what a function is given
files["apps/*/spec"] = { std = "+busted" }
-- gives coroutine.resume, wrap and status their waiting forms
files["lua/qlua/coroutine.lua"] = { globals = { "coroutine" } }
