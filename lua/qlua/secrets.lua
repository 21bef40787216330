--- Secrets: what nobody else should see of values that are shown.
--- Flow: `qlua config` and the debug page ask here, by the name of a value and by its text.

local M = {}

--- What stands in the place of a secret.
M.MASK = "********"

local WORDS = { "secret", "passw", "passphrase", "token", "credential", "private", "apikey",
  "authorization" }

--- Does a name say that its value is one nobody else should see?
---@param name any
---@return boolean
function M.is_secret(name)
  local lower = tostring(name):lower()
  for _, word in ipairs(WORDS) do
    if lower:find(word, 1, true) then
      return true
    end
  end
  return ("_" .. lower):find "[_.-]keys?$" ~= nil and tostring(name) ~= "key"
    or ("_" .. lower):find "[_.-]pwd?$" ~= nil or lower:find "[_.-]pass$" ~= nil
    or lower == "pass" or tostring(name):find "%lKey$" ~= nil
end

-- `password=x` within a text
local ASSIGNED = { "password", "passwd", "pwd", "token", "secret", "key" }

local function any_case(word)
  return (word:gsub("%a", function(letter)
    return ("[%s%s]"):format(letter, letter:upper())
  end))
end

for i, word in ipairs(ASSIGNED) do
  ASSIGNED[i] = "(" .. any_case(word) .. "%s*=%s*)[^%s;&]+"
end

--- A text without the passwords in its URLs and its `password=x`.
---@param text string
---@return string
function M.masked_text(text)
  text = text:gsub("(://[^%s:@/]*):%S*@", "%1:" .. M.MASK .. "@")
  for _, pattern in ipairs(ASSIGNED) do
    text = text:gsub(pattern, "%1" .. M.MASK)
  end
  return text
end

return M
