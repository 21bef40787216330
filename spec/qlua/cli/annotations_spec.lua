--- Annotations of Lua sources, read into tables.

local annotations = require "qlua.cli.annotations"

local SOURCE = [[
--- A file about shops.
--- Flow: it is read.

local M = {}

---@alias shop.Price number|string what
---  it costs

--- A shop.
---@class shop.Shop: shop.Place, shop.Owner where one buys
---@field name string
---@field open? fun(self, hour: integer): boolean, string is it open?
---@field prices table<string, { value: number, text?: string }> by
---  article
---@field private _secret string
---@field [string] any everything else
local Shop = {}
Shop.__index = Shop

--- Buy something. Raises shop.Empty when
--- there is none.
---
---   shop:buy("milk")
---
---@async
---@generic T: table
---@param article string as on the list
---@param options? { count?: integer,
---  gift: boolean } how
---@param ... any
---@return number price
---@return string? message why not
---@return boolean was it dear
---@overload fun(self, article: string): number
function Shop:buy(article, options, ...)
  ---@type shop.Price
  local price = 1
  --- Inner.
  local function helper(a) end
  return price
end

---@package
M.inner = function(x)
end

---@return string? etag, boolean? weak
function M.both() end

-- a plain comment
function M.silent() end

---------------------------------------------------------------
local rest
]]

describe("annotations", function()
  local entries, by_name = annotations.parse(SOURCE, "shop.lua"), {}
  for _, entry in ipairs(entries) do
    by_name[entry.name] = entry
  end

  it("are told in the order of the source", function()
    local names = {}
    for i, entry in ipairs(entries) do
      names[i] = entry.kind .. " " .. entry.name
    end
    assert.same({ "file shop.lua", "alias shop.Price", "class shop.Shop", "function Shop:buy",
      "value price", "function helper", "function M.inner", "function M.both" }, names)
  end)

  it("of a file are its first lines", function()
    assert.equal("A file about shops. Flow: it is read.", by_name["shop.lua"].text)
  end)

  it("of a class have fields, parents and the variable that stands for it", function()
    local class = by_name["shop.Shop"]
    assert.same({ "shop.Place", "shop.Owner" }, class.parents)
    assert.equal("A shop. where one buys", class.text)
    assert.same({ name = "open", type = "fun(self, hour: integer): boolean, string",
      text = "is it open?", optional = true, visibility = "public" }, class.fields[2])
    assert.same({ name = "prices", type = "table<string, { value: number, text?: string }>",
      text = "by article", optional = false, visibility = "public" }, class.fields[3])
    assert.equal("private", class.fields[4].visibility)
    assert.equal("[string]", class.fields[5].name)
    assert.equal("shop.Shop", by_name["Shop:buy"].class)
    assert.is_nil(by_name["M.both"].class)
  end)

  it("of a function have parameters, results and what is raised", function()
    local buy = by_name["Shop:buy"]
    assert.equal("Buy something. Raises shop.Empty when there is none.\n\n  shop:buy(\"milk\")",
      buy.text)
    assert.same({ "Raises shop.Empty when there is none." }, buy.raises)
    assert.equal("article, options, ...", buy.arguments)
    assert.is_true(buy.is_async)
    assert.same({ "T: table" }, buy.generics)
    assert.same({ "fun(self, article: string): number" }, buy.overloads)
    assert.same({ name = "options", type = "{ count?: integer, gift: boolean }", text = "how",
      optional = true, visibility = "public" }, buy.params[2])
    assert.equal("...", buy.params[3].name)
    assert.same({ name = "price", type = "number", text = "", optional = false,
      visibility = "public" }, buy.returns[1])
    assert.same({ type = "string?", text = "message why not", optional = true,
      visibility = "public" }, buy.returns[2])
    assert.equal("was it dear", buy.returns[3].text)
    assert.equal(35, buy.line)
    assert.equal("shop.lua", buy.file)
  end)

  it("of results on one line are several", function()
    local returns = by_name["M.both"].returns
    assert.same({ "string?", "etag", "boolean?", "weak" },
      { returns[1].type, returns[1].name, returns[2].type, returns[2].name })
  end)

  it("say what is not for everybody", function()
    assert.equal("package", by_name["M.inner"].visibility)
    assert.equal("public", by_name["M.both"].visibility)
  end)

  it("are kept as they stand", function()
    assert.same({ "---@return string? etag, boolean? weak" }, by_name["M.both"].source)
    assert.equal("shop.Price", by_name.price.type)
    assert.equal("number|string", by_name["shop.Price"].type)
    assert.equal("what it costs", by_name["shop.Price"].text)
  end)

  local types = {
    { "string", "string", "" },
    { "string text", "string", "text" },
    { "string | number text", "string | number", "text" },
    { "fun(a: string, b?: { c: number }): boolean, string text", "fun(a: string, b?: { c: number })"
      .. ": boolean, string", "text" },
    { "fun(): (fun(): string?) it", "fun(): (fun(): string?)", "it" },
    { "async fun(a): any it", "async fun(a): any", "it" },
    { '"a b"|"c" which', '"a b"|"c"', "which" },
    { "table<string, string[]>[] all of it", "table<string, string[]>[]", "all of it" },
    { "", "", "" },
  }
  for _, case in ipairs(types) do
    it("know where the type ends in " .. case[1], function()
      assert.same({ case[2], case[3] }, { annotations.split_type(case[1]) })
    end)
  end

  it("of qlua's own sources are all understood", function()
    for name in io.popen("ls lua/qlua/*.lua"):lines() do
      local file = io.open(name)
      for _, entry in ipairs(annotations.parse(file:read "*a", name)) do
        for _, part in ipairs(entry.params) do
          assert.truthy(part.type ~= "" and part.name, name .. ":" .. entry.line)
        end
        for _, part in ipairs(entry.fields) do
          assert.truthy(part.type ~= "" and part.name, name .. ":" .. entry.line)
        end
      end
      file:close()
    end
  end)
end)
