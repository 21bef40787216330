-- run by spec/session/codec_spec.lua through `qlua test`
local core = require "qlua.core"
local files = dofile(core.app_root() .. "/vectors.lua")
local json = require "qlua.json"
local null = require("qlua").null

local NOW = 1700000000
local BAD, EXPIRED = -10001, -10002

describe("the session codec", function()
  local codec = core.session_codec { keys = { "dev-secret" } }

  local function load(cookie, max_age, now)
    return codec:load(cookie, max_age or 2678400, now or NOW)
  end

  local function code(...)
    return (select(3, load(...)))
  end

  describe("with Python's cookies", function()
    -- by name: the values, and whether qlua writes the same bytes (keys come sorted)
    local CASES = {
      alice = { { user = "alice" }, true },
      unicode = { { name = "Zoë ☃ 日本 😀", slash = "a/b", q = '"\\\n\t\127' } },
      large = { { data = ("x"):rep(2000) }, true },
      permanent = { { _permanent = true, uid = 7 }, true },
      deflated = { { data = ("ab"):rep(7) }, true },
      not_deflated = { { data = ("ab"):rep(6) }, true },
      unsorted = { { a = 2, z = 1 } },
      sorted = { { a = 2, z = 1, ["é"] = "ü" }, true },
      trailing = { { a = 1 } },
      level_9 = { { data = ("x"):rep(100) } },
      flashes = { { _flashes = json.array {
        core.tuple { "message", "hi" }, core.tuple { "error", "<b>no</b>" },
      } }, true },
    }

    for name, case in pairs(CASES) do
      it("reads " .. name .. (case[2] and " and writes it" or ""), function()
        assert.same(case[1], load(files[name]))
        if case[2] then
          assert.equal(files[name], codec:dump(case[1], NOW))
        end
        assert.same(case[1], load(codec:dump(case[1], NOW)))
      end)
    end

    it("reads every kind of JSON value, and keeps lists, objects and null apart", function()
      local values = load(files.values)
      assert.equal(null, values.n)
      assert.same({ true, false, -42, 1.5, 1e100 },
        { values.t, values.f, values.i, values.fl, values.e })
      assert.equal(12345678901234567890, values.big)
      local text = core.session_unpack(codec:dump(values, NOW):match "^(%.?[^.]*)")
      assert.matches('"d":{"x":{"y":[]}}', text, 1, true)
      assert.matches('"empty":{}', text, 1, true)
      assert.matches('"l":[1,[2,[3]]],"n":null', text, 1, true)
    end)

    it("keeps tuples, bytes, Markup, UUID and datetime, of either form", function()
      for _, name in ipairs { "tags", "tags_iso" } do
        local values = load(files[name])
        assert.equal("\0\255 hi", tostring(values.b))
        assert.equal("<b>&</b>", tostring(values.m))
        assert.equal("12345678-1234-5678-1234-567812345678", tostring(values.u))
        assert.equal("Tue, 14 Nov 2023 22:13:20 GMT", tostring(values.dt))
        assert.equal(NOW, values.dt.seconds)
        assert.same({ 1, "a", { 2 } }, values.tup)
        local text = core.session_unpack(codec:dump(values, NOW):match "^(%.?[^.]*)")
        assert.equal('{"b":{" b":"AP8gaGk="},"dt":{" d":"Tue, 14 Nov 2023 22:13:20 GMT"},'
          .. '"m":{" m":"<b>&</b>"},"tup":{" t":[1,"a",{" t":[2]}]},'
          .. '"u":{" u":"12345678123456781234567812345678"}}', text)
      end
    end)

    it("keeps fractions of a second, of any year that Python has", function()
      for _, year in ipairs { "0674", "2023", "9999" } do
        local date = ("%s-11-14T22:13:20.250000+00:00"):format(year)
        local cookie = files.alice -- any value will do: its datetime is put in by hand
        local values = load(cookie)
        values.dt = load(files.tags).dt
        values.dt[1] = date
        local again = load(codec:dump(values, NOW))
        assert.equal(date, tostring(again.dt))
      end
    end)

    it("escapes plain tables that look like a tag", function()
      local values = load(files.escaped)
      assert.same({
        x = { [" t"] = { 1, 2 } },
        y = { [" di"] = { [" b"] = "z" } }, z = { [" b"] = 2, [" t"] = 1 },
      }, values)
      assert.same(values, load(codec:dump(values, NOW)))
    end)

    it("takes text and bytes for keys", function()
      for name, key in pairs { unicode_key = "clé☃", bytes_key = "\0\1\2\255" } do
        local other = core.session_codec { keys = { key } }
        assert.same({ a = 1 }, other:load(files[name], 60, NOW))
        assert.equal(files[name], other:dump({ a = 1 }, NOW))
      end
    end)

    it("takes former keys and signs with the last", function()
      local both = core.session_codec { keys = { "old-secret", "dev-secret" } }
      assert.same({ user = "bob" }, both:load(files.old_key, 60, NOW))
      assert.equal(files.new_key, both:dump({ user = "bob" }, NOW))
      assert.equal(BAD, code(files.old_key))
    end)

    it("writes times of any length", function()
      for name, now in pairs { far_time = 5000000000, time_1 = 1, time_0 = 0 } do
        assert.equal(files[name], codec:dump({ a = 1 }, now))
        assert.same({ a = 1 }, load(files[name], 60, now))
      end
    end)
  end)

  describe("refuses", function()
    it("a change in any byte", function()
      local cookie = files.alice
      for at = 1, #cookie - 1 do -- two bits of the last digit mean nothing
        local other = cookie:sub(at, at) == "A" and "B" or "A"
        local changed = cookie:sub(1, at - 1) .. other .. cookie:sub(at + 1)
        assert.equal(BAD, code(changed), changed)
      end
    end)

    it("what has another shape", function()
      for _, text in ipairs { "abc", "abc.def", "", ".", "..", "..." } do
        assert.equal(BAD, code(text), text)
      end
    end)

    it("what is too old, or from the future", function()
      assert.same({ user = "alice" }, load(files.alice, nil, NOW + 2678400))
      assert.equal(EXPIRED, code(files.alice, nil, NOW + 2678401))
      assert.equal(EXPIRED, code(files.alice, nil, NOW - 1))
    end)

    it("a payload that cannot be read, with another code", function()
      for _, cookie in ipairs(files.unreadable) do
        local result = code(cookie)
        assert.is_true(result ~= nil and result ~= BAD and result ~= EXPIRED, cookie)
      end
    end)

    it("a small cookie with a large text", function()
      local small = core.session_codec { keys = { "dev-secret" }, max_text = 4096 }
      local cookie = small:dump({ data = ("x"):rep(5000) }, NOW)
      assert.is_true(#cookie < 200)
      assert.is_nil((small:load(cookie, 60, NOW)))
      assert.equal(5000, #load(cookie).data)
      assert.equal(65000, #load(codec:dump({ data = ("x"):rep(65000) }, NOW)).data)
      assert.is_nil((load(codec:dump({ data = ("x"):rep(70000) }, NOW))))
    end)

    it("values that JSON has no form for, with their place", function()
      local text, message = codec:dump { user = { call = print } }
      assert.is_nil(text)
      assert.matches("cannot encode a function at user.call", message, 1, true)
    end)
  end)

  it("takes other digests and derivations, and names those it does not know", function()
    for _, digest in ipairs { "sha1", "sha256", "sha384", "sha512" } do
      for _, derivation in ipairs { "hmac", "concat", "django-concat", "none" } do
        local own = core.session_codec {
          keys = { "k" }, digest = digest, key_derivation = derivation,
        }
        assert.same({ a = 1 }, own:load(own:dump({ a = 1 }, NOW), 1, NOW))
      end
    end
    assert.has_error(function()
      core.session_codec { keys = { "k" }, digest = "md4" }
    end, 'digest "md4" is unknown; there are sha1, sha256, sha384 and sha512')
  end)
end)
