-- run by spec/store/lmdb_spec.lua: makes an LMDB file larger than who has it open thinks it can be.
-- Argument: the file
package.path = "spec/?.lua;" .. package.path

local bench = require("support.store").new()
local store = assert(bench:open("lmdb", arg[1], 64 * 1048576))
for i = 1, 1000 do
  assert(store:set("grown" .. i, ("v"):rep(10000), 3600).code == 0)
end
bench:free()
