--- What the benchmark's jobs answer with, the same for every server: app.lua, nginx/jobs.lua and
--- the driver read it.

local M = {}

M.route_count = 500
M.route_path = "/r250/1234/items/widget"
M.route_answer = "1234 widget"

--- 50 rows, about 3.7 KB as JSON.
M.rows = {}
for i = 1, 50 do
  M.rows[i] = {
    id = i, name = "Product " .. i, price = i + 0.5, stock = (i * 37) % 100,
    tags = { "new", "sale" },
  }
end

--- The rows of the page "fortunes"; each request adds one of its own.
local FORTUNES = {
  "fortune: No such file or directory",
  "A computer scientist is someone who fixes things that aren't broken.",
  "After enough decimal places, nobody gives a damn.",
  "A bad random number generator: 1, 1, 1, 1, 1, 4.33e+67, 1, 1, 1",
  "A computer program does what you tell it to do, not what you want it to do.",
  "Emacs is a nice operating system, but I prefer UNIX. — Tom Christaensen",
  "Any program that runs right is obsolete.",
  "A list is only as strong as its weakest link. — Donald Knuth",
  "Feature: A bug with seniority.",
  "Computers make very fast, very accurate mistakes.",
  '<script>alert("This should not be displayed in a browser alert box.");</script>',
}

--- The 12 rows of one request.
---@return { id: integer, message: string }[]
function M.fortunes()
  local rows = {}
  for i, message in ipairs(FORTUNES) do
    rows[i] = { id = i, message = message }
  end
  rows[#rows + 1] = { id = 0, message = "Additional fortune added at request time." }
  return rows
end

--- 1 KB of JSON, as a client might send it.
M.echo_body = [[{"id":90125,"user":{"name":"Ada Lovelace","mail":"ada@example.org","active":true,]]
  .. [["roles":["admin","editor","author"]},"title":"On the analytical engine","score":4.75,]]
  .. [["position":[51.5072,-0.1276],"items":[]]
  .. [[{"sku":"A-1001","label":"Punched card","quantity":120,"price":0.35},]]
  .. [[{"sku":"A-1002","label":"Brass gear, small","quantity":48,"price":2.5},]]
  .. [[{"sku":"A-1003","label":"Brass gear, large","quantity":12,"price":7.25},]]
  .. [[{"sku":"A-1004","label":"Lever \"long\"","quantity":6,"price":11},]]
  .. [[{"sku":"A-1005","label":"Axle","quantity":24,"price":3.125}],]]
  .. [["note":"The engine might compose elaborate and scientific pieces of music of any degree ]]
  .. [[of complexity or extent, if the fundamental relations of pitched sounds were susceptible ]]
  .. [[of such expression and adaptations; supposing, for instance, that the whole science of ]]
  .. [[harmony were at hand.","flags":{"gift":false,"express":true,"fragile":true},]]
  .. [["history":[{"at":"2024-01-05T10:00:00Z","what":"created"},]]
  .. [[{"at":"2024-01-06T12:30:00Z","what":"paid"}],"total":260.75,"currency":"GBP"}]]

--- 200 bytes of JSON: a session such as people keep.
M.session_text = [[{"_permanent":true,"cart":[{"id":1001,"qty":2},{"id":1002,"qty":1}],]]
  .. [["csrf_token":"5f2b9c1d8e7a4f60b3c2d1e0f9a8b7c6d5e4f3a2","lang":"en","seen":1700000000,]]
  .. [["user":"alice@example.org","user_id":48213770}]]

return M
