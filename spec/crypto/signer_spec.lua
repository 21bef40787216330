--- crypto/signer: tokens as itsdangerous makes them; tampering, ages, rotation.

local ffi = require "ffi"
local native = require "support.native"

ffi.cdef [[
struct signer;
struct signer_options {
  const struct slice *keys;
  size_t nkeys;
  struct slice salt;
  struct slice separator;
  int derivation;
  int digest;
};
struct signer *signer_new(const struct signer_options *options);
void signer_free(struct signer *signer);
struct slice signer_sign(const struct signer *signer, struct arena *arena, struct slice payload,
                         int64_t now);
int signer_verify(const struct signer *signer, struct slice token, int64_t now, int64_t max_age,
                  struct slice *payload);
struct slice signer_seal(const struct signer *signer, struct arena *arena, struct slice text);
int signer_open(const struct signer *signer, struct slice token, struct slice *text,
                struct slice *mac);
int signer_part(const struct signer *signer, struct slice text, struct slice *payload,
                int64_t *time);
]]

local lib = native.lib
local EBADSIG, EEXPIRED, ESYNTAX, ENOENT = -10001, -10002, -10003, -2
local ANY_AGE, MONTH = -1, 2678400
local NOW = 1700000000
local DERIVATIONS = { hmac = 0, concat = 1, ["django-concat"] = 2, none = 3 }
local DIGESTS = { sha1 = 0, sha256 = 1, sha384 = 2, sha512 = 3 }

--- A signer as sessions have it; options: salt, separator, derivation, digest.
local function new(keys, options)
  options = options or {}
  local slices = ffi.new("struct slice[?]", #keys)
  for i, key in ipairs(keys) do
    slices[i - 1] = native.slice(key)
  end
  local c = ffi.new "struct signer_options"
  c.keys, c.nkeys = slices, #keys
  c.salt = native.slice(options.salt or "cookie-session")
  c.separator = native.slice(options.separator or "")
  c.derivation = DERIVATIONS[options.derivation or "hmac"]
  c.digest = DIGESTS[options.digest or "sha1"]
  return ffi.gc(lib.signer_new(c), lib.signer_free)
end

local function sign(signer, payload, now)
  return native.text(lib.signer_sign(signer, native.arena(), native.slice(payload), now or NOW))
end

local function seal(signer, text)
  return native.text(lib.signer_seal(signer, native.arena(), native.slice(text)))
end

--- The payload, or the code.
local function verify(signer, token, now, max_age)
  local payload = ffi.new "struct slice"
  local rc = lib.signer_verify(signer, native.slice(token), now or NOW, max_age or MONTH, payload)
  return rc == 0 and native.text(payload) or rc
end

--- code, text, mac
local function open(signer, token)
  local text, mac = ffi.new "struct slice", ffi.new "struct slice"
  local rc = lib.signer_open(signer, native.slice(token), text, mac)
  if text.data == nil then
    return rc
  end
  return rc, native.text(text), native.text(mac)
end

-- of Flask and Quart: secret, payload, time, token
local VECTORS = {
  { "dev-secret", "eyJ1c2VyIjoiYWxpY2UifQ", NOW, "ZVPxAA.vd-8LzQRrvraqY8Yri8sTsUFEPI" },
  { "dev-secret", "eyJfcGVybWFuZW50Ijp0cnVlLCJ1aWQiOjd9", NOW,
    "ZVPxAA.QstEfjtyZeKZ8KSpRP8WHB0DiTU" },
  { "old-secret", "eyJ1c2VyIjoiYm9iIn0", NOW, "ZVPxAA.vrMIcO4IeHKUhzf048icJ90N_ss" },
  { "dev-secret", "eyJ1c2VyIjoiYm9iIn0", NOW, "ZVPxAA.KFEcaPNfPkRoNEhtyryII7NrOgQ" },
  { "clé☃", "eyJhIjoxfQ", NOW, "ZVPxAA.4vspfPH79vq66m8KD9Ja6hJ_-uU" },
  { "\0\1\2\255", "eyJhIjoxfQ", NOW, "ZVPxAA.0RCYtAGf7Krtv6H6do_LcXnKneQ" },
  { "dev-secret", "eyJhIjoxfQ", 5000000000, "ASoF8gA.U2jBxMS4sn5i0jC3aNO3cvgF-4E" },
  { "dev-secret", "eyJhIjoxfQ", 1, "AQ.s6FW4AoqjoDIN02EaFP-EcpfBZg" },
  { "dev-secret", "eyJhIjoxfQ", 0, ".Oi0vhgOZl5pslro5_vylHjlty8s" },
  { "dev-secret", ".eJyrVkpJLElUslKqGAWjYBSMglEwCkbBkAdKtQBfYq0C", NOW,
    "ZVPxAA.iRQzIBSHTYFcFqK8w80DYpvLlmY" },
}

-- of itsdangerous: "hello" under "dev-secret" and the salt "a salt"
local DERIVED = {
  { "hmac", "sha1", "Ny44ODC5vt45_3PEfv5c6KND5Uc" },
  { "hmac", "sha256", "s30Gaso34DnmYol5swtyzSa-smhHUiWLqUIkfNodH0Y" },
  { "hmac", "sha384", "Lco9T2zpS6ZL9phbbyMjfStPaEoKb0tLDI0Rs6yoUE1yxwlZwEQl3z3O34JxKrHV" },
  { "hmac", "sha512", "UiesriRqEFuFJ6Dt18eI7ZVeD0YSQUffh-XI4jiOH4Ma"
    .. "2RYSTe8lteu0Swy6vFNSc85kJ6DxxDhVRPX8QfRN_Q" },
  { "concat", "sha1", "hyzpCQZyqaTJL0TMAc2vdP4BYBg" },
  { "concat", "sha256", "6rqGoModyJMsptYq2Kp0uH8c622NP7sc6YybYfQABa0" },
  { "concat", "sha384", "i5BkgV7CtdDKtmlyOqCTz9YjFa93uqE188lHyxQ_uhamWVc5qiNLS_MRaDZ3NE_T" },
  { "concat", "sha512", "AO6itpN5bX1re_o8BmXafQBMlraoNbHk30DXZX0--kHc"
    .. "fSozqpiwSSKE53wYIK8gSU4VruBospSDfJhyLwk6QA" },
  { "django-concat", "sha1", "XucnVRooZdVcXg3-Rjdh5tcUBR4" },
  { "django-concat", "sha256", "nLggh-N8kfiz86yciSZ7GuvOEK_4q0Nr_tMBVwN9xVQ" },
  { "django-concat", "sha384", "H0Hv2yL0n7z1JbOYQv_B_mOuKXsh7VwLV9pp4Vozj8VVf56OX5G8mwmPIMTdmueR" },
  { "django-concat", "sha512", "hPcbi1MeUVgd2EDTougdjhk-Bc8BZiuz5pq5iVjVZCCR"
    .. "9PR84nX1R0qZfi0Ca_uNayjK-UKGzKkq3Y6X8rPjdw" },
  { "none", "sha1", "cDca_2LjZLr2MGcI5Ww0AgZ-Aik" },
  { "none", "sha256", "RIHQWYRo_USP4aUfCnv1gWPd0ykCkLHJkolgIANz0_4" },
  { "none", "sha384", "3WSSlqFedpOOOFsJBe13pP7bBCX81JRHex8EMWu3EwMi5yY9kRzrABmLF4DwuJmC" },
  { "none", "sha512", "wdHtlTXe8RetpC0W0Fh1Ca1j2sU3JXdpW4eY1gv0Md5C"
    .. "nB83KR0NRsf0RDsw4ThG4pxDZ_YbPiywxHYjz3cK-g" },
}

describe("signer", function()
  it("signs and verifies as Flask and Quart do", function()
    for _, vector in ipairs(VECTORS) do
      local secret, payload, time, rest = unpack(vector)
      local signer, token = new { secret }, payload .. "." .. rest
      assert.equal(token, sign(signer, payload, time))
      assert.equal(payload, verify(signer, token, time))
    end
  end)

  it("derives its key in four ways, with four digests, as itsdangerous does", function()
    for _, row in ipairs(DERIVED) do
      local signer = new({ "dev-secret" },
        { salt = "a salt", derivation = row[1], digest = row[2] })
      assert.equal("hello." .. row[3], seal(signer, "hello"))
      assert.equal(0, (open(signer, "hello." .. row[3])))
    end
  end)

  it("takes a secret longer than a block as the key itself", function()
    local signer = new({ ("k"):rep(200) }, { salt = "a salt", derivation = "none" })
    assert.equal("hello.39mvPIG5Ov0AATNrJLHe1PPjemQ", seal(signer, "hello"))
  end)

  it("takes separators of several bytes", function()
    local signer = new({ "dev-secret" },
      { salt = "a salt", separator = "::", derivation = "django-concat" })
    assert.equal("a::b::_J6mVrOMIw0iOOUG61wy2y_EhUo", seal(signer, "a::b"))
    assert.same({ 0, "a::b", "_J6mVrOMIw0iOOUG61wy2y_EhUo" },
      { open(signer, "a::b::_J6mVrOMIw0iOOUG61wy2y_EhUo") })
    assert.equal("a:", verify(signer, sign(signer, "a:")))
    assert.equal("", verify(signer, sign(signer, "")))
    assert.same({ EBADSIG }, { open(signer, "a:b:c:") })
  end)

  it("keeps payloads of any bytes and any length", function()
    local signer = new { "dev-secret" }
    for _, payload in ipairs { "", ".", "..", "a.b", "\0\255", ("x"):rep(100000) } do
      assert.equal(payload, verify(signer, sign(signer, payload)))
      assert.same({ 0, payload }, { unpack({ open(signer, seal(signer, payload)) }, 1, 2) })
    end
  end)

  it("frees nothing of nothing", function()
    lib.signer_free(nil)
  end)

  describe("verify", function()
    local signer = new { "dev-secret" }
    local TOKEN = "eyJ1c2VyIjoiYWxpY2UifQ.ZVPxAA.vd-8LzQRrvraqY8Yri8sTsUFEPI"

    it("refuses a token with any one character changed", function()
      for i = 1, #TOKEN - 1 do
        local other = TOKEN:sub(i, i) == "Q" and "R" or "Q"
        assert.equal(EBADSIG, verify(signer, TOKEN:sub(1, i - 1) .. other .. TOKEN:sub(i + 1)), i)
      end
    end)

    it("refuses a token with any bit changed that means something", function()
      for i = 1, #TOKEN - 1 do
        for bit = 0, 7 do
          local byte = require("bit").bxor(TOKEN:byte(i), 2 ^ bit)
          local changed = TOKEN:sub(1, i - 1) .. string.char(byte) .. TOKEN:sub(i + 1)
          -- "/" is Python's other way to write "_", "+" that of "-"
          local same = changed:sub(24):gsub("/", "_"):gsub("%+", "-") == TOKEN:sub(24)
            and changed:sub(1, 23) == TOKEN:sub(1, 23)
          if not same then
            assert.equal(EBADSIG, verify(signer, changed), changed)
          end
        end
      end
    end)

    it("refuses a token cut anywhere", function()
      for i = 0, #TOKEN - 1 do
        assert.equal(EBADSIG, verify(signer, TOKEN:sub(1, i)))
      end
    end)

    it("compares what the mac decodes to: four last characters, padding", function()
      local head = TOKEN:sub(1, -2)
      for _, tail in ipairs { "I", "J", "K", "L", "I=", "I==", "\nI=", "I\0=" } do
        assert.equal("eyJ1c2VyIjoiYWxpY2UifQ", verify(signer, head .. tail), tail)
      end
      for _, tail in ipairs { "M", "Q", "H", "IA", "IAA", "\nI" } do
        assert.equal(EBADSIG, verify(signer, head .. tail), tail)
      end
    end)

    it("refuses what is no token", function()
      for _, token in ipairs {
        "", ".", "..", "...", "abc", "abc.def", "abc.def.", ".vd-8LzQRrvraqY8Yri8sTsUFEPI",
        ("."):rep(5000), ("A"):rep(5000), "a." .. ("A"):rep(5000),
      } do
        assert.equal(EBADSIG, verify(signer, token))
      end
    end)

    it("refuses a mac that is good of a text without a time", function()
      assert.equal(EBADSIG, verify(signer, seal(signer, "no time")))
      assert.equal(EBADSIG, verify(signer, seal(signer, "bad.time.A")))
    end)

    it("accepts the last second of the age and refuses the next", function()
      assert.equal("eyJ1c2VyIjoiYWxpY2UifQ", verify(signer, TOKEN, NOW + MONTH))
      assert.equal(EEXPIRED, verify(signer, TOKEN, NOW + MONTH + 1))
      assert.equal("eyJ1c2VyIjoiYWxpY2UifQ", verify(signer, TOKEN, NOW, 0))
      assert.equal(EEXPIRED, verify(signer, TOKEN, NOW + 1, 0))
    end)

    it("refuses a token from the future", function()
      assert.equal(EEXPIRED, verify(signer, TOKEN, NOW - 1))
      assert.equal(EEXPIRED, verify(signer, TOKEN, 0))
    end)

    it("accepts any time when any age will do", function()
      assert.equal("eyJ1c2VyIjoiYWxpY2UifQ", verify(signer, TOKEN, NOW - 1, ANY_AGE))
      assert.equal("eyJ1c2VyIjoiYWxpY2UifQ", verify(signer, TOKEN, 2 ^ 40, ANY_AGE))
    end)

    it("takes a time too large for a number as the far future", function()
      local token = seal(signer, "x." .. ("_"):rep(40))
      assert.equal(EEXPIRED, verify(signer, token))
      assert.equal("x", verify(signer, token, NOW, ANY_AGE))
    end)
  end)

  describe("with several keys", function()
    local old = "eyJ1c2VyIjoiYm9iIn0.ZVPxAA.vrMIcO4IeHKUhzf048icJ90N_ss"
    local new_one = "eyJ1c2VyIjoiYm9iIn0.ZVPxAA.KFEcaPNfPkRoNEhtyryII7NrOgQ"

    it("signs with the last", function()
      assert.equal(new_one, sign(new { "old-secret", "dev-secret" }, "eyJ1c2VyIjoiYm9iIn0"))
    end)

    it("verifies with each", function()
      local signer = new { "oldest", "old-secret", "dev-secret" }
      assert.equal("eyJ1c2VyIjoiYm9iIn0", verify(signer, old))
      assert.equal("eyJ1c2VyIjoiYm9iIn0", verify(signer, new_one))
      assert.equal("x", verify(signer, sign(new { "oldest" }, "x")))
    end)

    it("refuses a key that has been given up", function()
      assert.equal(EBADSIG, verify(new { "dev-secret" }, old))
    end)
  end)

  describe("opening and parting", function()
    local signer = new { "dev-secret" }

    it("gives the parts of a token whose mac is wrong, too", function()
      assert.same({ EBADSIG, "a.b", "c" }, { open(signer, "a.b.c") })
      assert.same({ EBADSIG, "", "" }, { open(signer, ".") })
      assert.same({ EBADSIG }, { open(signer, "abc") })
    end)

    it("tells a time that is missing from one that is none", function()
      local payload, time = ffi.new "struct slice", ffi.new "int64_t[1]"
      assert.equal(ENOENT, lib.signer_part(signer, native.slice "abc", payload, time))
      assert.equal(ESYNTAX, lib.signer_part(signer, native.slice "abc.A", payload, time))
      assert.equal("abc", native.text(payload))
      assert.equal(0, lib.signer_part(signer, native.slice "ab.c.ZVPxAA", payload, time))
      assert.equal("ab.c", native.text(payload))
      assert.equal(NOW, tonumber(time[0]))
    end)
  end)
end)
