--- script/profile: stacks that are counted, the bounds of the tables, and what is written of them.
--- What it looks into are coroutines of a Lua state of the spec's own that died where they were.

local cjson = require "cjson"
local ffi = require "ffi"

local native = require "support.native"

ffi.cdef [[
typedef struct lua_State lua_State;
lua_State *luaL_newstate(void);
void luaL_openlibs(lua_State *L);
int luaL_loadbuffer(lua_State *L, const char *text, size_t len, const char *name);
lua_State *lua_newthread(lua_State *L);
int lua_resume(lua_State *L, int narg);
void lua_getfield(lua_State *L, int index, const char *name);
lua_State *lua_tothread(lua_State *L, int index);
void lua_close(lua_State *L);
typedef void (*lua_Hook)(lua_State *L, void *ar);
int lua_sethook(lua_State *L, lua_Hook hook, int mask, int count);

struct profile;
struct profile *profile_new(void);
void profile_free(struct profile *profile);
void profile_sample(struct profile *profile, lua_State *L, lua_State *base, struct slice route,
                    unsigned ticks, int state);
void profile_outside(struct profile *profile, unsigned ticks);
void profile_abort(struct profile *profile, struct slice place, struct slice reason);
void profile_write(const struct profile *profile, int64_t nanoseconds, struct buf *out);
]]

jit.off(true, true)

local lib = native.lib
local GLOBALS = -10002
local ERROR = 2 -- LUA_ERRRUN
local MASK_LINE = 4
local FRAMES, NODES, ABORTS, DEPTH = 2048, 8192, 256, 90 -- as in profile.h

local DOWN = [[
local function down(n)
  if n == 0 then
    error "at the bottom"
  end
  return 1 + down(n - 1)
end
]]

describe("a profile", function()
  local profile, L

  before_each(function()
    profile = lib.profile_new()
    L = ffi.C.luaL_newstate()
    ffi.C.luaL_openlibs(L)
  end)
  after_each(function()
    lib.profile_free(profile)
    ffi.C.lua_close(L)
  end)

  --- A coroutine that ran text and died of an error there; it stays on L's stack.
  local function dead(text, name)
    local co = ffi.C.lua_newthread(L)
    assert.equal(0, ffi.C.luaL_loadbuffer(co, text, #text, name or "@app.lua"))
    assert.equal(ERROR, ffi.C.lua_resume(co, 0))
    return co
  end

  local function sample(co, route, ticks, state, base)
    lib.profile_sample(profile, co, base or co, native.slice(route or "GET /"), ticks or 1,
      (state or "I"):byte())
  end

  local function written()
    local out = native.buf()
    lib.profile_write(profile, 12345, out)
    return cjson.decode("{" .. native.text(out) .. "}")
  end

  --- The frames of a node, outermost first: "GET / > main chunk > inner".
  local function path(all, node)
    local names = {}
    while node do
      table.insert(names, 1, all.frames[node[2] + 1][2])
      node = all.nodes[node[1] + 1]
    end
    return table.concat(names, " > ")
  end

  --- By path, the counts of the stacks that have any.
  local function stacks(all)
    local found = {}
    for _, node in ipairs(all.nodes) do
      local counts = table.concat({ unpack(node, 3) }, " ")
      if counts ~= "0 0 0 0 0" then
        found[path(all, node)] = counts
      end
    end
    return found
  end

  it("begins with nothing", function()
    assert.same({ samples = 0, outside = 0, cut = 0, nanoseconds = 12345, frames = {}, nodes = {},
      lines = {}, aborts = {} }, written())
  end)

  it("counts a stack for its route, by what the processor was at", function()
    local co = dead "local function inner()\n  local x = nil + 1\nend\ninner()"
    for state, ticks in pairs { N = 1, I = 2, C = 3, G = 4, J = 5 } do
      sample(co, "GET /", ticks, state)
    end
    sample(co, "GET /other", 7, "?") -- as the interpreter
    local all = written()
    assert.same({ ["GET / > main chunk > inner"] = "1 2 3 4 5",
      ["GET /other > main chunk > inner"] = "0 7 0 0 0" }, stacks(all))
    assert.same({ 22, 0, 0 }, { all.samples, all.outside, all.cut })
    local frames = {}
    for _, frame in ipairs(all.frames) do
      frames[frame[2]] = { frame[1], frame[3], frame[4] }
    end
    assert.same({ ["GET /"] = { "route", "", 0 }, ["GET /other"] = { "route", "", 0 },
      ["main chunk"] = { "lua", "app.lua", 0 }, inner = { "lua", "app.lua", 1 } }, frames)
  end)

  it("counts lines of the innermost functions, for all routes together", function()
    local text, ticks = "local x = 0\nfor i = 1, 3 do\n  x = x + i\nend\nlocal t = x .. ''", 0
    local hook = ffi.cast("lua_Hook", function(co)
      ticks = ticks + 1
      sample(co, "GET /" .. ticks % 2, 1, "N")
    end)
    local co = ffi.C.lua_newthread(L)
    assert.equal(0, ffi.C.luaL_loadbuffer(co, text, #text, "@app.lua"))
    ffi.C.lua_sethook(co, hook, MASK_LINE, 0)
    assert.equal(0, ffi.C.lua_resume(co, 0))
    hook:free()
    local all, lines = written(), {}
    for _, line in ipairs(all.lines) do
      assert.equal("main chunk", all.frames[line[1] + 1][2])
      lines[line[2]] = line[3]
    end
    assert.same({ 1, 3, 1 }, { lines[1], lines[3], lines[5] })
    assert.equal(ticks, all.samples)
  end)

  it("knows C functions by their names, Lua's by where they stand", function()
    local co = dead "local function a(n) return n.x.y end\nlocal b = a\npcall(b, {})\nerror 'x'"
    sample(co)
    local other = dead "local function f() local t = nil; t.x = 1 end\nlocal g = f\ng()"
    sample(other)
    sample(dead "local function f() local t = nil; t.x = 1 end\nlocal other = f\nother()")
    local all = written()
    local found = stacks(all)
    assert.equal("0 1 0 0 0", found["GET / > main chunk > error"])
    assert.equal("0 2 0 0 0", found["GET / > main chunk > g"]) -- the name it was first called by
    for _, frame in ipairs(all.frames) do
      local kind = frame[2] == "error" and "c" or frame[2] == "GET /" and "route" or "lua"
      assert.equal(kind, frame[1])
    end
  end)

  it("goes from a coroutine of the app's own to who resumed it", function()
    local outer = dead [[
local function inside() local x = nil + 1 end
co = coroutine.create(function() inside() end)
local function resumes()
  coroutine.resume(co)
  error "and dies"
end
resumes()]]
    ffi.C.lua_getfield(L, GLOBALS, "co")
    local inner = ffi.C.lua_tothread(L, -1)
    sample(inner, "GET /", 1, "I", outer)
    local found = next(stacks(written()))
    assert.equal("GET / > main chunk > resumes > error >  > inside", found)
  end)

  it("counts what no stack is known of for its route, and the server itself apart", function()
    sample(nil, "task sweep", 3, "C")
    lib.profile_outside(profile, 4)
    lib.profile_outside(profile, 1)
    local all = written()
    assert.same({ 3, 5, 0 }, { all.samples, all.outside, all.cut })
    assert.same({ ["task sweep"] = "0 0 3 0 0" }, stacks(all))
  end)

  it("cuts a stack that is too deep at its outer end, and says so", function()
    sample(dead(DOWN .. "down(500)"), "GET /deep", 2)
    local all = written()
    assert.same({ 2, 2 }, { all.samples, all.cut })
    assert.equal(DEPTH + 1, #all.nodes) -- and the route
    local counted = next(stacks(all))
    assert.matches("^GET /deep > down > .* > down > error$", counted)
  end)

  it("has an end of frames: what is new then counts as cut", function()
    local co = dead "local function inner() local x = nil + 1 end\ninner()"
    for i = 1, FRAMES + 10 do
      sample(nil, "GET /" .. i)
    end
    sample(co, "GET /1", 5)
    sample(co, "GET /new", 5)
    local all = written()
    assert.equal(FRAMES, #all.frames)
    assert.same({ FRAMES + 20, 20 }, { all.samples, all.cut })
    assert.equal("0 6 0 0 0", stacks(all)["GET /1"]) -- the longest part that is known
  end)

  it("has an end of stacks, the same", function()
    local co = dead(DOWN .. "down(80)")
    local whole = math.floor(NODES / 84) -- the route, its main chunk, 81 of down, error
    for i = 1, whole + 6 do
      sample(co, "GET /" .. i)
    end
    local all = written()
    assert.equal(NODES, #all.nodes)
    assert.same({ whole + 6, 6 }, { all.samples, all.cut })
    local counted = 0
    for _, node in ipairs(all.nodes) do
      counted = counted + node[4]
    end
    assert.equal(whole + 1, counted) -- one of the cut stacks had room for its route
  end)

  it("counts traces that were given up, up to so many places", function()
    for _ = 1, 3 do
      lib.profile_abort(profile, native.slice "app.lua:5", native.slice "NYI: bytecode FNEW")
    end
    lib.profile_abort(profile, native.slice "app.lua:5", native.slice "leaving loop")
    for i = 1, ABORTS do
      lib.profile_abort(profile, native.slice("app.lua:" .. 100 + i), native.slice "blacklisted")
    end
    local all = written()
    assert.equal(ABORTS, #all.aborts)
    assert.same({ "app.lua:5", "NYI: bytecode FNEW", 3 }, all.aborts[1])
    assert.same({ "app.lua:5", "leaving loop", 1 }, all.aborts[2])
  end)

  it("writes any bytes of names and files, cut where they are long", function()
    local odd = 'GET /"\\\1\255\n'
    sample(nil, odd)
    sample(nil, ("r"):rep(1000))
    sample(dead("local x = nil + 1", "@a\"b\\\200.lua"))
    sample(dead(("local x = nil + 1"), "local source = 'the chunk is its own name'\n return 1"))
    lib.profile_abort(profile, native.slice(("p"):rep(500)), native.slice(odd))
    local all = written()
    assert.equal(240, #all.frames[2][2])
    assert.equal(240, #all.aborts[1][1])
    assert.matches('^GET /"\\\1', all.frames[1][2])
    local files = {}
    for _, frame in ipairs(all.frames) do
      files[#files + 1] = frame[1] == "lua" and frame[3] or nil
    end
    assert.matches('^a"b\\', files[1])
    assert.equal("[string \"local source = 'the chunk is its own name'...\"]", files[2])
  end)
end)
