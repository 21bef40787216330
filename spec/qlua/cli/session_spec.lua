--- `qlua session COOKIE`: what a session cookie holds, and who signed it.

local server = require "support.server"

local COOKIE = "eyJ1c2VyIjoiYWxpY2UifQ.ZVPxAA.vd-8LzQRrvraqY8Yri8sTsUFEPI"
local HOLDS = '{"user":"alice"}\nsigned at: Tue, 14 Nov 2023 22:13:20 GMT\n'

describe("qlua session", function()
  after_each(server.stop_all)

  local function run(...)
    local ended = server.run { argv = { "session", ... } }
    return { ended:exit_code(), ended:stdout(), ended:stderr() }
  end

  it("shows what a cookie holds and when it was signed", function()
    assert.same({ 0, HOLDS .. "signature: not checked; give --secret\n", "" }, run(COOKIE))
  end)

  it("tells whether it was signed with the secret", function()
    assert.same({ 0, HOLDS .. "signature: good\n", "" }, run(COOKIE, "--secret", "dev-secret"))
    assert.same({ 1, HOLDS, "qlua session: the signature is not this secret's\n" },
      run(COOKIE, "--secret=other"))
  end)

  it("takes the cookie with its name", function()
    assert.same({ 0, HOLDS .. "signature: good\n", "" },
      run("session=" .. COOKIE, "--secret", "dev-secret"))
  end)

  it("says that a cookie names a session which is kept on the server", function()
    -- made by Python's itsdangerous: TimestampSigner("dev-secret", salt="qlua.session-id", ...)
    local id = ("A"):rep(43)
    local once = id .. ".ZVPxAA.eIwmKGy8l-nRb_wNLpKTw70pJrQ"
    local permanent = id .. ".1699999990.ZVPxAA.kbyBwJgAlpCt9fSVbSSD7QZQHnk"
    local first = "the id of a session that is kept on the server (SESSION_TYPE lmdb or redis): "
      .. id .. "\n"
    local last = "signed at: Tue, 14 Nov 2023 22:13:20 GMT\n"
    assert.same({ 0, first .. "not permanent\n" .. last .. "signature: good\n", "" },
      run(once, "--secret", "dev-secret"))
    assert.same({ 0, first .. "permanent, its record written at: Tue, 14 Nov 2023 22:13:10 GMT\n"
      .. last .. "signature: good\n", "" }, run("session=" .. permanent, "--secret", "dev-secret"))
    assert.same({ 0, first .. "not permanent\n" .. last
      .. "signature: not checked; give --secret\n", "" }, run(once))
    assert.same({ 1, first .. "not permanent\n" .. last,
      "qlua session: the signature is not this secret's\n" }, run(once, "--secret", "other"))
  end)

  it("refuses what is no session cookie, and no cookie at all", function()
    assert.same({ 1, "", "qlua session: this is no session cookie: PAYLOAD.TIME.SIGNATURE is "
      .. "expected\n" }, run "abc")
    assert.same({ 1, "", "qlua session: the payload cannot be read: syntax error\n" },
      run ".bm96bGli.ZVPxAA.K-vgbdxGADXGyj9DWICZaa_FKGc")
    local none = run()
    assert.is_true(none[1] ~= 0)
    assert.matches("name the cookie: qlua session COOKIE", none[3], 1, true)
  end)
end)
