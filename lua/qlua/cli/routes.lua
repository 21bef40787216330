--- `qlua routes app.lua`: the app's rules as a table, in match order unless --sort says another.
--- Flow: the core loads the app and calls the function below with "--json" or "", then the options.

local core = require "qlua.core"
local json = require "qlua.json"
local words = require "qlua.cli.words"

local COLUMNS = { "endpoint", "methods", "rule" }
local TITLES = { endpoint = "Endpoint", methods = "Methods", rule = "Rule" }

--- The methods that a rule was given: HEAD and OPTIONS go without saying, unless they are all.
local function shown_methods(rule)
  local shown = {}
  for _, method in ipairs(rule.methods) do
    if method ~= "HEAD" and method ~= "OPTIONS" then
      shown[#shown + 1] = method
    end
  end
  return #shown > 0 and shown or rule.methods
end

--- The rule with the host or subdomain it is for.
local function shown_rule(app, rule)
  if app.url_map.host_matching then
    return (rule.host or "") .. rule.rule
  end
  return (rule.subdomain and rule.subdomain .. "." or "") .. rule.rule
end

local function print_table(rows)
  local widths = {}
  for _, column in ipairs(COLUMNS) do
    widths[column] = #TITLES[column]
    for _, row in ipairs(rows) do
      widths[column] = math.max(widths[column], #row[column])
    end
  end
  local function line(row)
    local format = ("%%-%ds  %%-%ds  %%s"):format(widths.endpoint, widths.methods)
    print((format:format(row.endpoint, row.methods, row.rule):gsub("%s+$", "")))
  end
  line(TITLES)
  line {
    endpoint = ("-"):rep(widths.endpoint), methods = ("-"):rep(widths.methods),
    rule = ("-"):rep(widths.rule),
  }
  for _, row in ipairs(rows) do
    line(row)
  end
end

local function print_json(list)
  local out = json.array {}
  for i, rule in ipairs(list) do
    out[i] = {
      endpoint = rule.endpoint, methods = json.array(rule.methods), rule = rule.rule,
      host = rule.host, subdomain = rule.subdomain,
    }
  end
  print(json.dumps(out))
end

local SORTS = { match = true, endpoint = true, methods = true, rule = true }

--- Rows by a column; those that are equal there stay in match order.
local function sort(rows, column)
  if column == "match" then
    return
  end
  for i, row in ipairs(rows) do
    row.place = i
  end
  table.sort(rows, function(a, b)
    if a[column] ~= b[column] then
      return a[column] < b[column]
    end
    return a.place < b.place
  end)
end

--- The rules as rows of the table; each keeps its rule.
local function rows_of(app, all_methods)
  local rows = {}
  for i, rule in ipairs(app.url_map:ordered()) do
    local methods = all_methods and rule.methods or shown_methods(rule)
    rows[i] = {
      endpoint = rule.endpoint, methods = table.concat(methods, ", "),
      rule = shown_rule(app, rule), of = rule,
    }
  end
  return rows
end

---@param app qlua.App
---@param args string[]
return function(app, args)
  local options = words.read(args, 2).options
  local column = options.sort and options.sort[#options.sort] or "match"
  if not SORTS[column] then
    io.stderr:write("qlua: --sort must be match, endpoint, methods or rule, not ", column, "\n")
    return core.set_exit_code(2)
  end
  local rows = rows_of(app, options["all-methods"])
  sort(rows, column)
  if args[1] == "--json" then
    for i, row in ipairs(rows) do
      rows[i] = row.of
    end
    return print_json(rows)
  elseif #rows == 0 then
    return print "No routes were registered."
  end
  print_table(rows)
end
