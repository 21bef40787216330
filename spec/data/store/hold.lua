-- run by spec/qlua/store_session_spec.lua: takes the write lock of an LMDB file, writes without
-- committing, says so by a file, and stays. Arguments: the LMDB file, the file to make
local ffi = require "ffi"

ffi.cdef [[
typedef struct { size_t size; const void *data; } val;
int mdb_env_create(void **env);
int mdb_env_set_maxdbs(void *env, unsigned int dbs);
int mdb_env_open(void *env, const char *path, unsigned int flags, unsigned int mode);
int mdb_txn_begin(void *env, void *parent, unsigned int flags, void **txn);
int mdb_dbi_open(void *txn, const char *name, unsigned int flags, unsigned int *dbi);
int mdb_put(void *txn, unsigned int dbi, val *key, val *data, unsigned int flags);
unsigned int sleep(unsigned int seconds);
]]

local NOSUBDIR, NOSYNC = 0x4000, 0x10000

local lmdb = ffi.load "liblmdb.so.0"
local env, txn, dbi = ffi.new "void *[1]", ffi.new "void *[1]", ffi.new "unsigned int[1]"

local function good(rc)
  assert(rc == 0, rc)
end

local function val(text)
  return ffi.new("val", #text, ffi.cast("const void *", ffi.cast("const char *", text)))
end

good(lmdb.mdb_env_create(env))
good(lmdb.mdb_env_set_maxdbs(env[0], 2))
good(lmdb.mdb_env_open(env[0], arg[1], NOSUBDIR + NOSYNC, 384))
good(lmdb.mdb_txn_begin(env[0], nil, 0, txn))
good(lmdb.mdb_dbi_open(txn[0], "records", 0, dbi))
for i = 1, 1000 do
  local key, value = "unfinished" .. i, ("x"):rep(1000)
  good(lmdb.mdb_put(txn[0], dbi[0], val(key), val(value), 0))
end
assert(io.open(arg[2], "w")):close()
while true do
  ffi.C.sleep(1000)
end
