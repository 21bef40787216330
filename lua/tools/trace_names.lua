--- What LuaJIT's numbers mean in the messages of its compiler, as a Lua module.
--- Flow: make runs it with the tool of the LuaJIT that is linked; lua/qlua/profile/traces.lua reads
--- what it prints.

local vmdef = require "jit.vmdef"

print "-- made by make (lua/tools/trace_names.lua)"
print(("return { bytecodes = %q, functions = {"):format(vmdef.bcnames))
for number, name in pairs(vmdef.ffnames) do
  print(("  [%d] = %q,"):format(number, name))
end
print "}, reasons = {"
for number, text in pairs(vmdef.traceerr) do
  print(("  [%d] = %q,"):format(number, text))
end
print "} }"
