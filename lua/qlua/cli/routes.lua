--- `qlua routes app.lua`: the app's rules as a table, in match order.
--- Flow: the core loads the app and calls the function below with the remaining words.

local json = require "qlua.json"

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

---@param app qlua.App
---@param args string[] { "--json" } or none
return function(app, args)
  local list = app.url_map:ordered()
  if args[1] == "--json" then
    return print_json(list)
  elseif #list == 0 then
    return print "No routes were registered."
  end
  local rows = {}
  for i, rule in ipairs(list) do
    rows[i] = {
      endpoint = rule.endpoint, methods = table.concat(shown_methods(rule), ", "),
      rule = shown_rule(app, rule),
    }
  end
  print_table(rows)
end
