-- run by spec/session/codec_spec.lua through `qlua test`: random sessions against Debian's Flask,
-- in both directions. SEED=n repeats a run.
local core = require "qlua.core"
local json = require "qlua.json"

local NOW = 1700000000
local COUNT, ROUND_TRIPS = 2500, 100000
local seed = tonumber(os.getenv "SEED") or os.time()

--- The lines that flask_random.py answers these with.
local function python(command, lines)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(table.concat(lines, "\n"), #lines > 0 and "\n" or "")
  file:close()
  local pipe = io.popen(("/usr/bin/python3 '%s/flask_random.py' %s <%s"):format(core.app_root(),
    command, name))
  local answers = {}
  for line in pipe:lines() do
    answers[#answers + 1] = line
  end
  pipe:close()
  os.remove(name)
  return answers
end

local told

local function told_items(value)
  local parts = {}
  for i, item in ipairs(value) do
    parts[i] = told(item)
  end
  return table.concat(parts)
end

local function told_pairs(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys) -- by bytes: the locale is C
  for i, key in ipairs(keys) do
    keys[i] = ("%d:%s%s"):format(#key, key, told(value[key]))
  end
  return table.concat(keys)
end

local MARKED = {
  ["qlua.array"] = function(value) return "[" .. told_items(value) .. "]" end,
  ["qlua.tuple"] = function(value) return "(" .. told_items(value) .. ")" end,
  ["qlua.bytes"] = function(value) return ("b%d:%s"):format(#value[1], value[1]) end,
  ["qlua.Markup"] = function(value) return ("m%d:%s"):format(#value[1], value[1]) end,
  ["qlua.UUID"] = function(value) return "u" .. value[1] end,
  ["qlua.datetime"] = function(value) return ("d%.0f;"):format(value.seconds) end,
}

--- What a value holds, as flask_random.py tells it.
function told(value)
  local kind = type(value)
  if kind == "table" then
    local meta = getmetatable(value)
    return meta and MARKED[meta.__name](value) or "{" .. told_pairs(value) .. "}"
  elseif kind == "string" then
    return ("s%d:%s"):format(#value, value)
  elseif kind == "number" then
    local part, exponent = math.frexp(value)
    return ("#%.0f,%d;"):format(part * 2 ^ 53, exponent)
  elseif kind == "boolean" then
    return value and "T" or "F"
  end
  assert(value == json.null, kind)
  return "n"
end

local function unhex(text)
  return (text:gsub("%x%x", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function difference(found, expected)
  local at = 1
  while found:byte(at) == expected:byte(at) do
    at = at + 1
  end
  local from = math.max(at - 40, 1)
  return ("%q, where %q belongs"):format(found:sub(from, at + 40), expected:sub(from, at + 40))
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

describe("random sessions (SEED=" .. seed .. ")", function()
  local codec = core.session_codec { keys = { "dev-secret" }, max_text = 2 ^ 24 }

  it("are the same in Flask and here, whoever wrote them", function()
    local cookies = {}
    local written = python(("write %d %d"):format(seed, COUNT), {})
    assert.equal(COUNT, #written)
    for i, line in ipairs(written) do
      local cookie, expected = line:match "^(%S+) (%x+)$"
      local values, message = codec:load(cookie, 60, NOW)
      assert.is_table(values, message)
      if unhex(expected) ~= told(values) then
        error(("session %d: %s"):format(i, difference(told(values), unhex(expected))))
      end
      cookies[i] = codec:dump(values, NOW)
    end
    assert.same({}, python(("read %d %d"):format(seed, COUNT), cookies))
  end)

  it("come back as they were, a hundred thousand times", function()
    math.randomseed(seed)
    local random = math.random
    local function value(depth)
      local kind = random(depth > 3 and 5 or 9)
      if kind == 1 then
        return random(-2 ^ 40, 2 ^ 40)
      elseif kind == 2 then
        return random() * 10 ^ random(-20, 20)
      elseif kind == 3 then
        return random() < 0.5
      elseif kind == 4 then
        return json.null
      elseif kind == 5 then
        return ("é\n"):rep(random(0, 9)) .. string.char(random(32, 126)):rep(random(0, 20))
      end
      local made = kind == 6 and json.array {} or kind == 7 and core.tuple {} or {}
      for i = 1, random(0, 3) do
        made[kind > 7 and ({ " t", " di", "b__" })[i] or i] = value(depth + 1)
      end
      return made
    end
    for i = 1, ROUND_TRIPS do
      local values = { x = value(1), [" m"] = random() < 0.5 and 1 or nil }
      local cookie = codec:dump(values, NOW)
      local again = codec:load(cookie, 60, NOW)
      if not again or told(values) ~= told(again) or cookie ~= codec:dump(again, NOW) then
        error(("round trip %d: %s"):format(i, cookie))
      end
    end
  end)
end)

describe("random cookies (SEED=" .. seed .. ")", function()
  local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  local KEYS = { "dev-secret", "old-secret", "clé☃", ("long"):rep(40), "\0\1\2\255", "k" }
  local codecs = {}

  --- qlua's verdict.
  local function verdict(job)
    local keys = {}
    for i, key in ipairs(job.keys) do
      keys[i] = unhex(key)
    end
    local name = table.concat(job.keys, ",")
    codecs[name] = codecs[name] or core.session_codec { keys = keys }
    return codecs[name]:load(job.token, job.max_age, job.now) and "ok" or "bad"
  end

  --- Both verdicts are the same for all jobs; how many are accepted.
  local function compare(jobs)
    local lines, accepted = {}, 0
    for i, job in ipairs(jobs) do
      lines[i] = json.dumps(job)
    end
    local answers = python("ask", lines)
    assert.equal(#jobs, #answers)
    for i, answer in ipairs(answers) do
      assert.equal(answer, verdict(jobs[i]), lines[i])
      accepted = accepted + (answer == "ok" and 1 or 0)
    end
    return accepted
  end

  local function signed(values, now)
    return core.session_codec({ keys = { "dev-secret" } }):dump(values, now or NOW)
  end

  it("are refused when any byte is another, but for bits that say nothing", function()
    math.randomseed(seed)
    local jobs = {}
    local function add(token, is_refused)
      local job = { keys = { hex "dev-secret" }, now = NOW, max_age = 60, token = token }
      jobs[#jobs + 1] = job
      assert.is_true(not is_refused or verdict(job) == "bad", token)
    end
    for _, values in ipairs { { user = "alice" }, { data = ("ab"):rep(50) } } do
      local cookie = signed(values)
      for at = 1, #cookie do
        local own = cookie:sub(at, at)
        for _ = 1, 4 do
          local n = math.random(#LETTERS)
          local other = LETTERS:sub(n, n)
          add(cookie:sub(1, at - 1) .. other .. cookie:sub(at + 1), other ~= own and at < #cookie)
        end
        for _, other in ipairs { ".", "=", "!", "+", "/", " ", "" } do -- put there, and put in
          add(cookie:sub(1, at - 1) .. other .. cookie:sub(at + 1))
          add(cookie:sub(1, at) .. other .. cookie:sub(at + 1))
        end
      end
      for other in LETTERS:gmatch "." do -- two bits of the last one mean nothing
        add(cookie:sub(1, -2) .. other)
      end
    end
    assert.is_true(compare(jobs) >= 2 * 4)
  end)

  it("are accepted up to their age, and not from the future", function()
    math.randomseed(seed)
    local jobs = {}
    for _ = 1, 60 do
      local signed_at, age = math.random(0, 2 ^ 31), math.random(0, 10 ^ math.random(0, 7))
      local token = signed({ a = 1 }, signed_at)
      for _, passed in ipairs { -2, -1, 0, 1, age - 1, age, age + 1, age + 2 } do
        jobs[#jobs + 1] = {
          keys = { hex "dev-secret" }, now = math.max(signed_at + passed, 0), max_age = age,
          token = token,
        }
        assert.equal(passed >= 0 and passed <= age and "ok" or "bad",
          signed_at + passed >= 0 and verdict(jobs[#jobs]) or "bad")
      end
    end
    assert.is_true(compare(jobs) > 60)
  end)

  it("are accepted with any key of the list, and signed with the last", function()
    math.randomseed(seed)
    local function some_keys()
      local keys = {}
      for i = 1, math.random(4) do
        keys[i] = hex(KEYS[math.random(#KEYS)])
      end
      return keys
    end
    local asked, lines, jobs = {}, {}, {}
    for i = 1, 60 do
      asked[i] = { keys = some_keys(), now = NOW, value = { n = i } }
      lines[i] = json.dumps(asked[i])
    end
    for i, token in ipairs(python("ask", lines)) do
      local last = core.session_codec { keys = { unhex(asked[i].keys[#asked[i].keys]) } }
      assert.equal(token, last:dump({ n = i }, NOW))
      for _ = 1, 20 do
        jobs[#jobs + 1] = { keys = some_keys(), now = NOW, max_age = 60, token = token }
      end
    end
    local accepted = compare(jobs)
    assert.is_true(accepted > 100 and accepted < #jobs - 100)
  end)
end)
