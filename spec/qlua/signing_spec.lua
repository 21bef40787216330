--- qlua.signing: tokens that Python's itsdangerous reads and writes; what is refused, and how.

local cjson = require "cjson"
local views = require "support.views"

-- what a view does with a job, and Python too: support/python_tokens.py
local JOB = [[
local job = request:get_json()
local options = job.options or {}
local signer = qlua.signing[job.class](job.secret, options)
local is_serializer = job.class:find "Serializer"
if job["do"] == "sign" then
  return { token = signer[is_serializer and "dumps" or "sign"](signer, job.value) }
end
local ok, value = pcall(signer[is_serializer and "loads" or "unsign"], signer, job.token,
  job.max_age and { max_age = job.max_age })
if ok then
  return { value = value }
end
return { error = getmetatable(value).__name }
]]

local CLASSES = { "Signer", "TimestampSigner", "Serializer", "TimedSerializer",
  "URLSafeSerializer", "URLSafeTimedSerializer" }

--- The answers of Python to jobs.
local function python(jobs)
  local path, lines = os.tmpname(), {}
  for i, job in ipairs(jobs) do
    lines[i] = cjson.encode(job)
  end
  local file = assert(io.open(path, "w"))
  file:write(table.concat(lines, "\n"), "\n")
  file:close()
  local pipe = assert(io.popen("/usr/bin/python3 spec/support/python_tokens.py < " .. path))
  local answers = {}
  for line in pipe:lines() do
    answers[#answers + 1] = cjson.decode(line)
  end
  pipe:close()
  os.remove(path)
  assert.equal(#jobs, #answers)
  return answers
end

local VALUES = {
  { "text", 1, 2.5, true, false, { deep = { 1, { 2 } } } },
  { name = "Zoë ☃ 日本 😀", slash = "a/b", quote = "\"\\\n\t\127" },
  ("abc "):rep(500), "", 0, { big = 12345678901234, less = -1 },
}

local TEXTS = { "hello", "", "a.b", "é☃", ("x"):rep(999) }

--- A job for each class, value and way of signing.
local function jobs_of(kind)
  local jobs = {}
  local ways = {
    {}, { salt = "a salt" }, { key_derivation = "hmac", digest_method = "sha512" },
    { key_derivation = "concat", digest_method = "sha256" },
    { key_derivation = "none", digest_method = "sha384", salt = "é" },
  }
  for _, class in ipairs(CLASSES) do
    local values = class:find "Serializer" and VALUES or TEXTS
    for _, value in ipairs(values) do
      for i, way in ipairs(ways) do
        jobs[#jobs + 1] = { ["do"] = kind, class = class, value = value,
          options = next(way) and way,
          secret = i == 2 and { "old-secret", "clé☃" } or "dev-secret" }
      end
    end
  end
  return jobs
end

local function reading(job, token, more)
  local read = { ["do"] = "read", class = job.class, secret = job.secret, token = token,
    options = job.options }
  for name, value in pairs(more or {}) do
    read[name] = value
  end
  return read
end

describe("qlua.signing", function()
  local server

  setup(function()
    server = views.start({
      job = JOB,
      lua = [[return assert(loadstring("local signing, classes = ...\n" .. request:get_data()))(
        qlua.signing, qlua.errors)]],
    }, "app.config.MAX_CONTENT_LENGTH = nil")
  end)

  teardown(function()
    server:stop()
  end)

  local function qlua(job)
    local answer = views.call(server, "/job",
      { body = cjson.encode(job), headers = { ["Content-Type"] = "application/json" } })
    return answer.value or answer
  end

  local function run(piece)
    local answer = views.call(server, "/lua", { body = piece })
    return answer.value, answer.error
  end

  it("reads what Python signed", function()
    local jobs = jobs_of "sign"
    for i, answer in ipairs(python(jobs)) do
      assert.same({ value = jobs[i].value }, qlua(reading(jobs[i], answer.token)))
    end
  end)

  it("signs what Python reads", function()
    local jobs, reads = jobs_of "sign", {}
    for i, job in ipairs(jobs) do
      reads[i] = reading(job, qlua(job).token)
    end
    for i, answer in ipairs(python(reads)) do
      assert.same({ value = jobs[i].value }, answer)
    end
  end)

  it("makes the very tokens of Python for URLs, compressed or not", function()
    for _, value in ipairs { { user = "alice" }, { data = ("x"):rep(2000) }, "Zoë ☃" } do
      local job = { ["do"] = "sign", class = "URLSafeSerializer", secret = "s", value = value }
      assert.same(python({ job })[1], qlua(job))
      assert.truthy(qlua(job).token:find "^[%w._-]+$")
    end
  end)

  it("says of damaged tokens what Python says", function()
    local reads = {}
    for _, class in ipairs(CLASSES) do
      local job = { ["do"] = "sign", class = class, secret = "dev-secret", value = "hello" }
      local token = qlua(job).token
      for i = 1, #token do
        local other = token:sub(i, i) == "Q" and "z" or "Q"
        reads[#reads + 1] = reading(job, token:sub(1, i - 1) .. other .. token:sub(i + 1))
        reads[#reads + 1] = reading(job, token:sub(1, i))
        reads[#reads + 1] = reading(job, token:sub(i))
      end
      reads[#reads + 1] = reading(job, "")
      reads[#reads + 1] = reading(job, token .. "=")
    end
    for i, answer in ipairs(python(reads)) do
      assert.same(answer, qlua(reads[i]), cjson.encode(reads[i]))
    end
  end)

  it("reads a token signed by a former secret, and signs with the last", function()
    for _, class in ipairs(CLASSES) do
      local old = { ["do"] = "sign", class = class, secret = "old", value = "v" }
      local token = qlua(old).token
      local rotated = { ["do"] = "sign", class = class, secret = { "old", "new" }, value = "v" }
      assert.same({ value = "v" }, qlua(reading(rotated, token)))
      assert.same({ value = "v" },
        qlua(reading({ class = class, secret = "new" }, qlua(rotated).token)))
      assert.truthy(qlua(reading({ class = class, secret = "new" }, token)).error)
    end
  end)

  it("refuses what is too old, or from the future, when there is a max_age", function()
    assert.same({ "at 10: v", "at 11: SignatureExpired Signature age 11 > 10 seconds 1000",
      "before: SignatureExpired Signature age -1 < 0 seconds 1000", "any: v" }, (run [[
      local signer, now = signing.TimestampSigner("s"), 1000
      signer.get_timestamp = function() return now end
      local token = signer:sign("v")
      local function read(options)
        local ok, value = pcall(signer.unsign, signer, token, options)
        return ok and value or table.concat({ getmetatable(value).__name, value.message,
          value.date_signed }, " ")
      end
      local results = {}
      now = 1010; results[1] = "at 10: " .. read { max_age = 10 }
      now = 1011; results[2] = "at 11: " .. read { max_age = 10 }
      now = 999; results[3] = "before: " .. read { max_age = 10 }
      results[4] = "any: " .. read()
      return results
    ]]))
  end)

  it("gives the time of signing when asked", function()
    assert.same({ true, true, 1, 1 }, (run [[
      local signer = signing.TimestampSigner("s")
      local serializer = signing.URLSafeTimedSerializer("s")
      local _, at = signer:unsign(signer:sign("v"), { return_timestamp = true })
      local _, of = serializer:loads(serializer:dumps(1), { return_timestamp = true })
      return { math.abs(at - os.time()) < 2, math.abs(of - os.time()) < 2,
        select("#", signer:unsign(signer:sign("v"))) - 1,
        select("#", serializer:loads(serializer:dumps(1))) - 1 }
    ]]))
  end)

  it("raises errors that have classes, payload and date", function()
    assert.same({ "SignatureExpired", true, true, true, "Signature age" }, (run [[
      local s = signing.TimedSerializer("s")
      local token = s:dumps("v")
      local ok, err = pcall(s.loads, s, token, { max_age = -1 })
      local function below(class, parent)
        return getmetatable(class).__index == parent
      end
      return { getmetatable(err).__name, err.payload == '"v"' and err.date_signed ~= nil,
        below(signing.SignatureExpired, signing.BadTimeSignature)
          and below(signing.BadTimeSignature, signing.BadSignature),
        below(signing.BadSignature, signing.BadData) and below(signing.BadPayload, signing.BadData)
          and below(signing.BadData, classes.Exception), tostring(err):sub(1, 13) }
    ]]))
  end)

  it("tells a payload that is no value from a bad signature", function()
    local token = run [[return signing.Signer("s", { salt = "itsdangerous" }):sign("no json")]]
    for _, class in ipairs { "Serializer", "URLSafeSerializer" } do
      assert.same({ error = "BadPayload" },
        qlua { ["do"] = "read", class = class, secret = "s", token = token })
    end
  end)

  it("takes a salt with a call, fallbacks, and another serializer", function()
    assert.same({ "v", false, "v", "<v>" }, (run [[
      local s = signing.URLSafeSerializer("s")
      local token = s:dumps("v", { salt = "other" })
      local old = signing.Serializer("s", { digest_method = "sha512" }):dumps("v")
      local both = signing.Serializer("s", { fallback_signers = { { digest_method = "sha512" } } })
      local own = signing.Serializer("s", { serializer = {
        dumps = function(value) return "<" .. value .. ">" end,
        loads = function(text) return text end } })
      return { s:loads(token, { salt = "other" }), (pcall(s.loads, s, token)), both:loads(old),
        own:loads(own:dumps("v")) }
    ]]))
  end)

  it("validates without raising", function()
    assert.same({ true, false, true, false }, (run [[
      local plain, timed = signing.Signer("s"), signing.TimestampSigner("s")
      return { plain:validate(plain:sign("v")), plain:validate("v"),
        timed:validate(timed:sign("v"), { max_age = 60 }),
        timed:validate(timed:sign("v"), { max_age = -1 }) }
    ]]))
  end)

  it("explains mistakes", function()
    for piece, message in pairs {
      ['signing.Signer()'] = "secret must be a string or a list of strings, got nil",
      ['signing.Signer({})'] = "secret must be a string or a list of strings, got an empty list",
      ['signing.Signer("")'] = "secret must not be empty",
      ['signing.Signer({ "a", 5 })'] = "secret must be a string, got the number 5",
      ['signing.Signer("s", { slat = "x" })'] = 'unknown option "slat" (did you mean "salt"?)',
      ['signing.Signer("s", { sep = "x" })'] = "sep must not have letters, digits",
      ['signing.Signer("s", { sep = "" })'] = "sep must not have letters, digits",
      ['signing.Signer("s", { key_derivation = "hmca" })'] = 'unknown key_derivation "hmca"',
      ['signing.Signer("s", { digest_method = "md5" })'] = 'unknown digest_method "md5"',
      ['signing.Signer("s"):sign(5)'] = "sign: text must be a string, got the number 5",
      ['signing.Signer("s"):unsign()'] = "unsign: token must be a string, got nil",
      ['signing.Signer("s"):unsign("x", { max_age = 5 })'] = 'unsign: unknown option "max_age"',
      ['signing.Serializer("s"):loads("x", { max_age = 5 })'] = 'unknown option "max_age"',
      ['signing.Serializer("s"):loads()'] = "loads: token must be a string, got nil",
      ['signing.Serializer("s"):dumps(print)'] = "dumps: ",
      ['signing.Serializer("s", { fallback_signers = { { salt = "x" } } })'] =
        'fallback_signers: unknown option "salt"',
    } do
      local value, err = run(piece:gsub("^", "local _ = ", 1))
      assert.is_nil(value, piece)
      assert.truthy(err and err:find(message, 1, true), piece .. ": " .. tostring(err))
    end
  end)
end)
