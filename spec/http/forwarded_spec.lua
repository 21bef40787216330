--- http/forwarded: which addresses are trusted, and what trusted proxies say of a request.

local ffi = require "ffi"
local memory_conn = require "support.memory_conn"
local native = require "support.native"
local lists = require "support.fields"

ffi.cdef [[
struct trust;
bool trust_is_valid(const char *text);
struct trust *trust_new(const char *const *texts, size_t count);
void trust_free(struct trust *trust);
bool trust_has(const struct trust *trust, struct slice address);
void trust_apply(const struct trust *trust, struct request *req);
]]

local lib = native.lib

local function trust_of(...)
  local texts = ffi.new("const char *[?]", select("#", ...) + 1, { ... })
  return ffi.gc(lib.trust_new(texts, select("#", ...)), lib.trust_free)
end

describe("trust", function()
  it("is in addresses, networks and unix", function()
    for text, valid in pairs {
      ["unix"] = true, ["10.1.2.3"] = true, ["10.0.0.0/8"] = true, ["0.0.0.0/0"] = true,
      ["10.1.2.3/32"] = true, ["::1"] = true, ["fc00::/7"] = true, ["::/0"] = true,
      ["::1/128"] = true, ["::ffff:10.1.2.3"] = true,
      [""] = false, ["/"] = false, ["/8"] = false, ["10.0.0.0/"] = false, ["10.0.0/8"] = false,
      ["10.0.0.0/33"] = false, ["::1/129"] = false, ["::1/a"] = false, ["::1/-1"] = false,
      ["10.0.0.0/8/8"] = false, ["10.0.0.0/99999999999999999999"] = false, ["[::1]"] = false,
      ["10.0.0.1:80"] = false, [" 10.0.0.1"] = false, ["localhost"] = false, ["Unix"] = false,
      [("1"):rep(200)] = false,
    } do
      assert.equal(valid, lib.trust_is_valid(text), text)
    end
  end)

  it("is nothing when nobody is named", function()
    assert.is_true(lib.trust_new(nil, 0) == nil)
  end)

  it("reaches to the last bit of a network", function()
    for _, case in ipairs {
      { "10.0.0.0/8", "10.255.255.255", "11.0.0.0", "9.255.255.255", "", "::10.1.1.1" },
      { "10.1.2.3", "10.1.2.3", "10.1.2.2", "10.1.2.4" },
      { "172.16.0.0/12", "172.31.255.255", "172.32.0.0", "172.15.255.255" },
      { "192.168.1.7/31", "192.168.1.6", "192.168.1.5", "192.168.1.8" },
      { "10.0.0.0/8", "::ffff:10.1.1.1", "::ffff:11.1.1.1", "10.1.1.1.1", "010.1.1.1", "10.1" },
      { "::ffff:10.1.2.3", "10.1.2.3", "10.1.2.4" },
      { "fc00::/7", "fdff::1", "fe00::1", "fbff::1", "10.0.0.1", "fd00::1%eth0", "[fd00::1]" },
      { "0.0.0.0/0", "255.1.2.3", "::1", "x", "1.2.3.4:5", ("1"):rep(100) },
      { "::/0", "255.1.2.3" },
      { "unix", "", "unix", "127.0.0.1" },
    } do
      local trust = trust_of(case[1])
      assert.is_true(lib.trust_has(trust, lists.slice(case[2])), case[1] .. " has " .. case[2])
      for i = 3, #case do
        assert.is_false(lib.trust_has(trust, lists.slice(case[i])), case[1] .. " has " .. case[i])
      end
    end
  end)
end)

describe("forwarded", function()
  local trust = trust_of("unix", "10.0.0.0/8", "fd00::/8")

  --- What a request with these header lines is once the peer, a proxy, is believed.
  local function apply(lines, by)
    local seen
    local c = memory_conn.new {
      on_request = function(req, c)
        lib.trust_apply(by or trust, req)
        seen = {
          peer = native.text(req.peer), port = req.peer_port, scheme = native.text(req.scheme),
          host = native.text(req.host), root = native.text(req.root_path),
          fields = lists.pairs(req.headers),
        }
        c:answer(req, 200, "")
      end,
    }
    c:feed("GET / HTTP/1.1\r\nHost: inside\r\n" .. table.concat(lines, "\r\n")
      .. (#lines > 0 and "\r\n" or "") .. "\r\n")
    c:free()
    return assert(seen, "the request was refused")
  end

  --- "client port"
  local function client(...)
    local seen = apply { ... }
    return seen.peer .. " " .. seen.port
  end

  local function each(cases, header)
    for value, expected in pairs(cases) do
      assert.equal(expected, client(header .. ": " .. value), value)
    end
  end

  it("finds the client right of whom all is trusted", function()
    each({
      ["1.2.3.4"] = "1.2.3.4 0",
      ["9.9.9.9, 1.2.3.4"] = "1.2.3.4 0",
      ["9.9.9.9, 1.2.3.4, 10.0.0.1,10.0.0.2"] = "1.2.3.4 0",
      ["10.0.0.1, 10.0.0.2"] = "10.0.0.1 0",
      ["1.2.3.4, ::ffff:10.0.0.1"] = "1.2.3.4 0",
      [", ,1.2.3.4, ,, 10.0.0.1 ,"] = "1.2.3.4 0",
      [", ,"] = " 0",
      [""] = " 0",
    }, "X-Forwarded-For")
  end)

  it("takes nodes apart", function()
    each({
      ["1.2.3.4:567"] = "1.2.3.4 567",
      ["1.2.3.4:"] = "1.2.3.4 0",
      ["2001:db8::1"] = "2001:db8::1 0",
      ["[2001:db8::1]"] = "2001:db8::1 0",
      ["[2001:db8::1]:567"] = "2001:db8::1 567",
      ["1.2.3.4, [fd00::1]:80, fd00::2"] = "1.2.3.4 0",
      ["unknown"] = "unknown 0",
      ["_hidden"] = "_hidden 0",
      ["_hidden:_port"] = "_hidden 0",
      ["unknown, 10.0.0.1"] = "unknown 0",
      ["9.9.9.9, unknown, 10.0.0.1"] = "unknown 0",
    }, "X-Forwarded-For")
  end)

  it("gives no port that is none", function()
    each({
      ["1.2.3.4:65535"] = "1.2.3.4 65535",
      ["1.2.3.4:65536"] = "1.2.3.4 0",
      ["1.2.3.4:999999"] = "1.2.3.4 0",
      ["1.2.3.4:99999999999999999999"] = "1.2.3.4 0",
      ["1.2.3.4:80x"] = "1.2.3.4 0",
      ["1.2.3.4:-1"] = "1.2.3.4 0",
      ["[2001:db8::1]80"] = "2001:db8::1 0",
      ["[2001:db8::1"] = "2001:db8::1 0",
      ["[]:80"] = " 0",
    }, "X-Forwarded-For")
  end)

  -- A client may open a quote; what proxies append behind it must not become part of its text.
  it("is not closed to proxies by a client's quote", function()
    each({
      ['"evil, 1.2.3.4'] = "1.2.3.4 0",
      ['10.0.0.9:", 1.2.3.4'] = "1.2.3.4 0",
      ['", 1.2.3.4, 10.0.0.1'] = "1.2.3.4 0",
      ['9.9.9.9, "\\, 1.2.3.4'] = "1.2.3.4 0",
      ['"8.8.8.8, 9.9.9.9", 1.2.3.4, 10.0.0.1'] = "1.2.3.4 0",
    }, "X-Forwarded-For")
    each({
      ['for=10.0.0.9;x=", for=1.2.3.4'] = "1.2.3.4 0",
      ['", for=1.2.3.4, for=10.0.0.1'] = "1.2.3.4 0",
      ['for=10.0.0.9;x=", for="[2001:db8::1]:80", for=10.0.0.1'] = "2001:db8::1 80",
      ['for=10.0.0.9;x="\\, for="[2001:db8::1]:80"'] = "2001:db8::1 80",
    }, "Forwarded")
  end)

  it("goes through all lines of a header", function()
    assert.equal("1.2.3.4 0", client("X-Forwarded-For: 9.9.9.9, 1.2.3.4",
      "X-Forwarded-For: 10.0.0.1", "X-Forwarded-For: 10.0.0.2"))
    assert.equal("1.2.3.4 0", client('X-Forwarded-For: "', "X-Forwarded-For: 1.2.3.4"))
    assert.equal("1.2.3.4 0", client('Forwarded: for="', "Forwarded: for=1.2.3.4"))
  end)

  it("bears a list as long as a head may be", function()
    local commas = (","):rep(3000)
    assert.equal("1.2.3.4 0", client("X-Forwarded-For: 1.2.3.4" .. (", 10.0.0.1"):rep(1000)))
    assert.equal("a 0", client("X-Forwarded-For: " .. (","):rep(4000) .. "a" .. commas))
    assert.equal("a 0", client("X-Forwarded-For: " .. ("a,"):rep(5000) .. commas))
    assert.equal("1.2.3.4 0", client("Forwarded: for=1.2.3.4" .. (",for=10.0.0.1"):rep(1000)))
    assert.equal(" 0", client("Forwarded: " .. ("a,"):rep(5000) .. commas))
  end)

  it("reads Forwarded in any letter case, quoted or not", function()
    each({
      ["for=1.2.3.4"] = "1.2.3.4 0",
      ["FOR=1.2.3.4;by=10.0.0.1"] = "1.2.3.4 0",
      ['by=x;for="1.2.3.4:567"'] = "1.2.3.4 567",
      ['for="[2001:db8:cafe::17]:4711"'] = "2001:db8:cafe::17 4711",
      ['for="1.2.3.4", for="10.0.0.1:80";by="a,b;for=7.7.7.7"'] = "1.2.3.4 0",
      ['for="\\1.2.3.4"'] = "1.2.3.4 0",
      ["for=_hidden, for=10.0.0.1"] = "_hidden 0",
      ["for=unknown"] = "unknown 0",
      ["proto=https"] = " 0",
      ["for="] = " 0",
      ['for=""'] = " 0",
      ["for"] = " 0",
      ["for=1.2.3.4, proto=https"] = " 0",
    }, "Forwarded")
  end)

  it("is not read where X-Forwarded-For is there", function()
    assert.equal("1.2.3.4 0", client("Forwarded: for=9.9.9.9", "X-Forwarded-For: 1.2.3.4"))
  end)

  it("counts scheme, host and prefix as far as the proxies go", function()
    local seen = apply {
      "X-Forwarded-For: 9.9.9.9, 1.2.3.4, 10.0.0.1", "X-Forwarded-Proto: http, https, http",
      "X-Forwarded-Host: a.test, b.test:81, c.test", "X-Forwarded-Prefix: /a, /b/, /c",
    }
    assert.same({ "1.2.3.4", "https", "b.test:81", "/b" },
      { seen.peer, seen.scheme, seen.host, seen.root })
    assert.same({ "Host", "b.test:81" }, seen.fields[1])
    seen = apply { 'Forwarded: for=9.9.9.9;proto=http, for=1.2.3.4;proto=HTTPS;host="b.test:81"' }
    assert.same({ "1.2.3.4", "https", "b.test:81" }, { seen.peer, seen.scheme, seen.host })
  end)

  it("leaves what makes no sense as it was", function()
    for _, line in ipairs {
      "X-Forwarded-Proto: gopher", "X-Forwarded-Proto: https:", "X-Forwarded-Host: a b",
      "X-Forwarded-Host: a@b", "X-Forwarded-Host: a/b", 'X-Forwarded-Host: "a"',
      "X-Forwarded-Host: a:99999", "X-Forwarded-Prefix: x", "X-Forwarded-Prefix: /",
      "X-Forwarded-Prefix: ///", "X-Forwarded-Prefix: //evil.test", 'Forwarded: host="a b"',
      "Forwarded: proto=", "Forwarded: ;;;", "Forwarded: =",
    } do
      local seen = apply { line }
      assert.same({ "", "", "inside", "" }, { seen.peer, seen.scheme, seen.host, seen.root }, line)
    end
  end)

  it("is not believed from a peer that is not trusted", function()
    local seen = apply({ "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Proto: https",
      "X-Forwarded-Host: a.test", "X-Forwarded-Prefix: /x" }, trust_of "0.0.0.0/0")
    assert.same({ "", "", "inside", "" }, { seen.peer, seen.scheme, seen.host, seen.root })
  end)
end)
