--- The job "fortunes" as a good compiler of templates to Lua writes it: one table of pieces,
--- escaping only where there is something to escape, one concat. Flow: nginx/jobs.lua prints what
--- this makes; templates/fortunes.html and layout.html are the same page.

local find, gsub, concat, sort, tostring = string.find, string.gsub, table.concat, table.sort,
  tostring

local ESCAPES = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&#34;", ["'"] = "&#39;",
}

local function escape(value)
  if type(value) == "number" then
    return tostring(value)
  elseif find(value, "[&<>\"']") then
    return (gsub(value, "[&<>\"']", ESCAPES))
  end
  return value
end

local function by_message(a, b)
  return a.message < b.message
end

--- The page of these fortunes, which are left in their order.
---@param fortunes { id: integer, message: string }[]
---@return string
return function(fortunes)
  local sorted, count = {}, #fortunes
  for i = 1, count do
    sorted[i] = fortunes[i]
  end
  sort(sorted, by_message)
  local pieces, n = {}, 1
  pieces[1] = "<!DOCTYPE html>\n<html>\n<head><title>Fortunes</title></head>\n<body>\n<table>\n"
    .. "<tr><th>id</th><th>message</th></tr>\n"
  for i = 1, count do
    local fortune = sorted[i]
    pieces[n + 1] = "<tr><td>"
    pieces[n + 2] = escape(fortune.id)
    pieces[n + 3] = "</td><td>"
    pieces[n + 4] = escape(fortune.message)
    pieces[n + 5] = "</td></tr>\n"
    n = n + 5
  end
  pieces[n + 1] = "</table>\n</body>\n</html>"
  return concat(pieces)
end
