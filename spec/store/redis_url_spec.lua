--- store/redis_url: where a Redis is, read from SESSION_REDIS.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct redis_url {
  const char *host; int port; bool is_numeric; const char *path; uint32_t db; bool has_password;
  struct slice user, password; const char *place;
};
int redis_url_parse(struct arena *arena, struct slice text, struct redis_url *url,
                    struct err *err);
]]

local FORM = "; the form is redis://[[USER]:PASSWORD@]HOST[:PORT][/DB] or "
  .. "unix://[[USER]:PASSWORD@]/PATH[?db=DB], with / ? # @ : % in user, password and path "
  .. "written as %XX"

local function text_of(cstr)
  return cstr ~= nil and ffi.string(cstr) or nil
end

--- The fields of a URL, or nil and the message.
local function parse(text)
  local arena, url, err = native.arena(), ffi.new "struct redis_url", ffi.new "struct err"
  if native.lib.redis_url_parse(arena, native.slice(text), url, err) ~= 0 then
    return nil, ffi.string(err.message)
  end
  return {
    host = text_of(url.host), path = text_of(url.path), db = tonumber(url.db),
    port = url.host ~= nil and url.port or nil, numeric = url.is_numeric or nil,
    user = url.has_password and native.text(url.user) or nil,
    password = url.has_password and native.text(url.password) or nil,
    place = text_of(url.place),
  }
end

describe("redis_url", function()
  local RIGHT = {
    ["redis://127.0.0.1:6379/0"] =
      { host = "127.0.0.1", port = 6379, db = 0, numeric = true, place = "127.0.0.1:6379" },
    ["redis://localhost"] = { host = "localhost", port = 6379, db = 0, place = "localhost:6379" },
    ["redis://localhost/"] = { host = "localhost", port = 6379, db = 0, place = "localhost:6379" },
    ["REDIS://Cache_1.example:7000/12"] =
      { host = "Cache_1.example", port = 7000, db = 12, place = "Cache_1.example:7000" },
    ["redis://[::1]:1/3"] =
      { host = "::1", port = 1, db = 3, numeric = true, place = "[::1]:1" },
    ["redis://[fe80::1]"] =
      { host = "fe80::1", port = 6379, db = 0, numeric = true, place = "[fe80::1]:6379" },
    ["redis://:secret@h"] =
      { host = "h", port = 6379, db = 0, user = "", password = "secret", place = "h:6379" },
    ["redis://ann:s%2Fe%40c%3a%25%00@h:1/2"] =
      { host = "h", port = 1, db = 2, user = "ann", password = "s/e@c:%\0", place = "h:1" },
    ["redis://a%3Ab:c:d@e@h"] =
      { host = "h", port = 6379, db = 0, user = "a:b", password = "c:d@e", place = "h:6379" },
    ["unix:///run/redis/redis.sock"] =
      { path = "/run/redis/redis.sock", db = 0, place = "unix:/run/redis/redis.sock" },
    ["redis+unix:///a%20b@c?db=7"] = { path = "/a b@c", db = 7, place = "unix:/a b@c" },
    ["unix://:p/w@/run/r@x"] =
      { path = "/run/r@x", db = 0, user = "", password = "p/w", place = "unix:/run/r@x" },
    ["unix:///x?"] = { path = "/x", db = 0, place = "unix:/x" },
  }
  for text, expected in pairs(RIGHT) do
    it("reads " .. text, function()
      assert.same(expected, (assert(parse(text))))
    end)
  end

  local BEGINNING = "it begins with neither redis:// nor unix://"
  local CONTROLS = "it has a space, a control character or a # in it"
  local PORT = "its port is no number from 1 to 65535"
  local CREDENTIALS = "a % in its user or password is not followed by two hex digits"
  local WRONG = {
    [""] = BEGINNING, ["localhost:6379"] = BEGINNING, ["http://h"] = BEGINNING,
    ["redis:/h"] = BEGINNING,
    ["redis://"] = "it has no host", ["redis:///0"] = "it has no host",
    ["redis://:6379"] = "it has no host", ["redis://:secret@"] = "it has no host",
    ["redis://:secret@:1"] = "it has no host",
    ["redis://h:"] = PORT, ["redis://h:0"] = PORT, ["redis://h:65536"] = PORT,
    ["redis://h:-1"] = PORT, ["redis://h:99999999999"] = PORT, ["redis://h:4294967297"] = PORT,
    ["redis://[::1]6379"] = PORT, ["redis://[::1]:x"] = PORT,
    ["redis://::1"] = "it has no host", ["redis://1::2"] = PORT,
    ["redis://[::1"] = "what it has in brackets is no IPv6 address",
    ["redis://[]"] = "what it has in brackets is no IPv6 address",
    ["redis://[127.0.0.1]"] = "what it has in brackets is no IPv6 address",
    ["redis://a,b"] = "its host is no name and no address",
    ["redis://h%41"] = "its host is no name and no address",
    ["redis://h/x"] = "its database, behind the host, is no number",
    ["redis://h/0/"] = "its database, behind the host, is no number",
    ["redis://h/-1"] = "its database, behind the host, is no number",
    ["redis://h/2147483648"] = "its database, behind the host, is no number",
    ["redis://h/0?db=1"] = "it has options (?...), which redis:// does not take",
    ["redis://h?db=1"] = "it has options (?...), which redis:// does not take",
    ["redis://secret@h"] = "it has a user but no password (a password alone is :PASSWORD@)",
    ["redis://ann:@h"] = "its password is empty",
    ["redis://:sec%ret@h"] = CREDENTIALS, ["redis://:secret%@h"] = CREDENTIALS,
    ["redis://:secret%4@h"] = CREDENTIALS, ["redis://%zz:secret@h"] = CREDENTIALS,
    ["redis://:sec/ret@h"] = "a / stands before the @, where the password is",
    ["redis://:sec#ret@h"] = CONTROLS, ["redis:// h"] = CONTROLS, ["redis://h\n"] = CONTROLS,
    ["redis://h\0"] = CONTROLS,
    ["unix://run/redis"] = "its path does not begin with /",
    ["unix://"] = "its path does not begin with /",
    ["unix://secret@/x"] = "it has a user but no password (a password alone is :PASSWORD@)",
    ["unix:///x%2"] = "a % in its path is not followed by two hex digits",
    ["unix:///x%0a"] = "its path has a control character in it",
    ["unix:///x?db=x"] = "behind its ? stands something else than db and a number",
    ["unix:///x?password=secret"] = "behind its ? stands something else than db and a number",
    ["unix:///" .. ("x"):rep(106)] = "its path is longer than 106 bytes",
    ["redis://" .. ("x"):rep(254)] = "its host is no name and no address",
    ["redis://" .. ("x"):rep(5000)] = "it is longer than 4096 bytes",
  }
  for text, expected in pairs(WRONG) do
    it(("refuses %q"):format(text:sub(1, 60)), function()
      local url, message = parse(text)
      assert.is_nil(url)
      assert.equal(expected .. FORM, message)
      assert.is_nil(message:find "secret")
    end)
  end

  it("says of TLS that it is not there", function()
    local url, message = parse "rediss://:secret@h"
    assert.is_nil(url)
    assert.equal("rediss:// (Redis over TLS) is not in this version; use redis:// within a private "
      .. "network, or to a TLS tunnel on this machine", message)
  end)
end)
