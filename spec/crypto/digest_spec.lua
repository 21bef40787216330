--- crypto/digest and crypto/random: digests, HMAC with a key made ready, secret bytes.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct hmac;
int digest_by_name(struct slice name, int *kind);
size_t digest_of(int kind, const struct slice *parts, size_t count, unsigned char *dst);
bool digest_eq(struct slice a, struct slice b);
struct hmac *hmac_new(int kind, struct slice key);
void hmac_free(struct hmac *hmac);
size_t hmac_of(struct hmac *hmac, const struct slice *parts, size_t count, unsigned char *dst);
void random_bytes(void *dst, size_t len);
struct slice random_token(struct arena *arena, size_t bytes);
]]

local lib = native.lib
local SHA1, SHA256, SHA384, SHA512 = 0, 1, 2, 3

local function hex_of(bytes, len)
  return (ffi.string(bytes, len):gsub(".", function(c)
    return ("%02x"):format(c:byte())
  end))
end

--- A C array of slices; it borrows from the strings.
local function slices(...)
  local parts = ffi.new("struct slice[?]", select("#", ...) + 1)
  for i = 1, select("#", ...) do
    parts[i - 1] = native.slice((select(i, ...)))
  end
  return parts, select("#", ...)
end

local function digest(kind, ...)
  local dst = ffi.new "unsigned char[64]"
  local parts, count = slices(...)
  return hex_of(dst, lib.digest_of(kind, parts, count, dst))
end

local function hmac(key, ...)
  local dst = ffi.new "unsigned char[64]"
  local parts, count = slices(...)
  return hex_of(dst, lib.hmac_of(key, parts, count, dst))
end

local function new_key(kind, text)
  return ffi.gc(lib.hmac_new(kind, native.slice(text)), lib.hmac_free)
end

describe("digest", function()
  it("gives the digests of FIPS 180", function()
    assert.equal("a9993e364706816aba3e25717850c26c9cd0d89d", digest(SHA1, "abc"))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      digest(SHA256, "abc"))
    assert.equal("cb00753f45a35e8bb5a03d699ac65007272c32ab0eded163"
      .. "1a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7", digest(SHA384, "abc"))
    assert.equal("ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
      .. "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f", digest(SHA512, "abc"))
  end)

  it("takes its text in parts", function()
    assert.equal(digest(SHA1, "abc"), digest(SHA1, "a", "", "bc"))
    assert.equal("da39a3ee5e6b4b0d3255bfef95601890afd80709", digest(SHA1))
  end)

  it("knows the kinds by name", function()
    local kind = ffi.new "int[1]"
    local kinds = { sha1 = SHA1, sha256 = SHA256, sha384 = SHA384, sha512 = SHA512 }
    for name, expected in pairs(kinds) do
      assert.equal(0, lib.digest_by_name(native.slice(name), kind))
      assert.equal(expected, kind[0])
    end
    for _, name in ipairs { "", "md5", "SHA1", "sha", "sha2567" } do
      assert.is_true(lib.digest_by_name(native.slice(name), kind) < 0)
    end
  end)

  it("compares bytes of any length", function()
    local function eq(a, b)
      return lib.digest_eq(native.slice(a), native.slice(b))
    end
    assert.is_true(eq("", ""))
    assert.is_true(eq("ab\0c", "ab\0c"))
    assert.is_false(eq("ab\0c", "ab\0d"))
    assert.is_false(eq("ab", "abc"))
  end)
end)

describe("hmac", function()
  it("gives the macs of RFC 2202 and RFC 4231", function()
    local text = "what do ya want for nothing?"
    assert.equal("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", hmac(new_key(SHA1, "Jefe"), text))
    assert.equal("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      hmac(new_key(SHA256, "Jefe"), text))
    assert.equal("af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47"
      .. "e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649", hmac(new_key(SHA384, "Jefe"), text))
    assert.equal("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
      .. "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
      hmac(new_key(SHA512, "Jefe"), text))
  end)

  it("takes the digest of a key that is longer than a block", function()
    local text = "Test Using Larger Than Block-Size Key - Hash Key First"
    assert.equal("aa4ae5e15272d00e95705637ce8a3b55ed402112",
      hmac(new_key(SHA1, ("\xaa"):rep(80)), text))
    assert.equal("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      hmac(new_key(SHA256, ("\xaa"):rep(131)), text))
  end)

  it("takes a key of exactly a block, and none", function()
    assert.equal(hmac(new_key(SHA1, ("k"):rep(64)), "x"),
      hmac(new_key(SHA1, ("k"):rep(64)), "", "x"))
    assert.equal("fbdb1d1b18aa6c08324b7d64b71fb76370690e1d", hmac(new_key(SHA1, ""), ""))
  end)

  it("says the same of the same message each time", function()
    local key = new_key(SHA1, "dev-secret")
    assert.equal("48a4b423f2a3883c61406a9f20d47ecf468f349d", hmac(key, "cookie-session"))
    hmac(key, "another message")
    assert.equal("48a4b423f2a3883c61406a9f20d47ecf468f349d", hmac(key, "cookie", "-", "session"))
  end)

  it("frees nothing of nothing", function()
    lib.hmac_free(nil)
  end)
end)

describe("random", function()
  it("fills all the bytes it is asked for, and no more", function()
    local bytes = ffi.new("unsigned char[?]", 4098)
    lib.random_bytes(bytes + 1, 4096)
    assert.equal(0, bytes[0])
    assert.equal(0, bytes[4097])
    local seen, kinds = {}, 0
    for i = 1, 4096 do
      kinds = kinds + (seen[bytes[i]] and 0 or 1)
      seen[bytes[i]] = true
    end
    assert.is_true(kinds > 250)
  end)

  it("makes url-safe tokens that differ", function()
    local arena, seen = native.arena(), {}
    for _ = 1, 1000 do
      local token = native.text(lib.random_token(arena, 32))
      assert.truthy(token:find "^[%w_-]+$")
      assert.equal(43, #token)
      assert.is_nil(seen[token])
      seen[token] = true
    end
    assert.equal("", native.text(lib.random_token(arena, 0)))
  end)
end)
