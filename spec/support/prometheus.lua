--- A strict reader of Prometheus' text format 0.0.4: what its documentation allows, and the order
--- that it recommends (HELP, TYPE, samples; a family's lines together).
---
---   local families = prometheus.parse(text)
---   families.qlua_workers_ready.type, .help
---   prometheus.value(families, "qlua_x_total", { worker = "1" })

local M = {}

local TYPES = { counter = true, gauge = true, histogram = true }

local function fail(number, line, why)
  error(("line %d: %s: %s"):format(number, why, line), 0)
end

--- `{a="x",b="y"}` -> table; raises on anything else.
local function parse_labels(text, number, line)
  local labels, at = {}, 1
  while at <= #text do
    local name, from = text:match('^([%a_][%w_]*)="()', at)
    if not name or labels[name] then
      fail(number, line, "bad or double label")
    end
    local value = {}
    at = from
    while text:sub(at, at) ~= '"' do
      local plain = text:match('^[^\\"\n]+', at)
      local escaped = text:match('^\\[\\"n]', at)
      if not plain and not escaped then
        fail(number, line, "bad label value")
      end
      value[#value + 1] = plain or (escaped == "\\n" and "\n" or escaped:sub(2))
      at = at + #(plain or escaped)
    end
    labels[name] = table.concat(value)
    at = at + 1
    if at <= #text then
      if text:sub(at, at) ~= "," then
        fail(number, line, "expected a comma")
      end
      at = at + 1
    end
  end
  return labels
end

--- The number of a sample, as Go's ParseFloat takes it in the forms we may write.
local function parse_number(text, number, line)
  if text == "+Inf" then
    return math.huge
  elseif not text:find "^%-?%d+$" and not text:find "^%-?%d+%.%d+$" then
    fail(number, line, "bad number")
  end
  return tonumber(text)
end

local function key_of(sample)
  local parts = {}
  for name, value in pairs(sample.labels) do
    parts[#parts + 1] = ("%s=%q"):format(name, value)
  end
  table.sort(parts)
  return sample.name .. "{" .. table.concat(parts, ",") .. "}"
end

--- The sample's family: a histogram's have suffixes.
local function belongs(family, name)
  if family.type ~= "histogram" then
    return name == family.name
  end
  local suffix = name:sub(1, #family.name) == family.name and name:sub(#family.name + 1)
  return suffix == "_bucket" or suffix == "_sum" or suffix == "_count"
end

--- Buckets in order, cumulative, the last one +Inf and the count.
local function check_histogram(family)
  local last, le, count, sum = 0, -1, nil, nil
  for _, sample in ipairs(family.samples) do
    if sample.name == family.name .. "_bucket" then
      local limit = parse_number(sample.labels.le, 0, family.name)
      assert(limit > le, family.name .. ": buckets out of order")
      assert(sample.value >= last, family.name .. ": buckets do not add up")
      last, le = sample.value, limit
    elseif sample.name == family.name .. "_count" then
      count = sample.value
    else
      sum = sample.value
    end
  end
  assert(le == math.huge and count == last and sum, family.name .. ": +Inf, count and sum")
end

---@param text string
---@return table<string, { name: string, type: string, help: string, samples: table[] }>
function M.parse(text)
  assert(text:sub(-1) == "\n", "the last line has no end")
  local families, current, seen, number = {}, nil, {}, 0
  for line in text:gmatch "([^\n]*)\n" do
    number = number + 1
    local kind, name, rest = line:match "^# (%u+) ([%a_:][%w_:]*) (.+)$"
    if kind == "HELP" then
      if families[name] then
        fail(number, line, "a family twice")
      end
      current = { name = name, help = rest, samples = {} }
      families[name] = current
    elseif kind == "TYPE" then
      if not current or current.name ~= name or current.type or not TYPES[rest] then
        fail(number, line, "TYPE without its HELP")
      end
      current.type = rest
    else
      local sample = {}
      local labels, value
      sample.name, labels, value = line:match "^([%a_:][%w_:]*)(%b{}) (%S+)$"
      if not sample.name then
        sample.name, value = line:match "^([%a_:][%w_:]*) (%S+)$"
      end
      if not sample.name or not current or not current.type
        or not belongs(current, sample.name) then
        fail(number, line, "not a sample of the family above")
      end
      sample.labels = parse_labels(labels and labels:sub(2, -2) or "", number, line)
      sample.value = parse_number(value, number, line)
      if seen[key_of(sample)] then
        fail(number, line, "a series twice")
      end
      seen[key_of(sample)] = true
      current.samples[#current.samples + 1] = sample
    end
  end
  for name, family in pairs(families) do
    assert((family.type == "counter") == (name:find "_total$" ~= nil), name .. ": counter, _total")
    if family.type == "histogram" then
      check_histogram(family)
    end
  end
  return families
end

--- The sum of a family's samples that have these labels.
---@param families table
---@param name string
---@param labels? table<string, string>
---@return number
function M.value(families, name, labels)
  local family = families[name] or families[name:match "^(.*)_%l+$"]
  local sum = 0
  for _, sample in ipairs(assert(family, name).samples) do
    local is_one = sample.name == name
    for label, value in pairs(labels or {}) do
      is_one = is_one and sample.labels[label] == value
    end
    sum = sum + (is_one and sample.value or 0)
  end
  return sum
end

return M
