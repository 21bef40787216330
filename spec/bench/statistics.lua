--- Medians, and how far to trust them: no model of the noise, only order.

local M = {}

local function sorted(values)
  local copy = { unpack(values) }
  table.sort(copy)
  return copy
end

---@param values number[]
---@return number
function M.median(values)
  local s = sorted(values)
  local middle = math.ceil(#s / 2)
  return #s % 2 == 1 and s[middle] or (s[middle] + s[middle + 1]) / 2
end

--- The interval of order statistics that holds the true median in at least 95 of 100 such runs:
--- ranks k and n + 1 - k, with k the largest for which at most 2.5 % of coin rows fall below it.
--- (15 rounds: 4th and 12th.) Fewer than 6 values give the whole range.
---@param values number[]
---@return number low
---@return number high
function M.median_interval(values)
  local s = sorted(values)
  local n, rank = #s, 1
  local term, below = 0.5 ^ n, 0.5 ^ n -- P(X = 0), P(X <= 0) of n fair coins
  for k = 1, n do
    if below > 0.025 then
      break
    end
    rank = k
    term = term * (n - k + 1) / k
    below = below + term
  end
  return s[rank], s[n + 1 - rank]
end

return M
