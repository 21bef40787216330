--- http/conn through the memory stream: what the handler is told, when, and what is written.

local memory_conn = require "support.memory_conn"
local native = require "support.native"

local BODY = memory_conn.BODY
local CALLS = { "on_head", "on_request", "on_body", "on_drain", "on_gone", "on_done" }
local H = "Host: localhost\r\n"

local function get(target, headers)
  return ("GET %s HTTP/1.1\r\n%s%s\r\n"):format(target, H, headers or "")
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

describe("conn", function()
  local c, told, parked

  -- Every call upward is written down; /park waits for c to answer, /big is large.
  local function handler(extra)
    told, parked = {}, {}
    local calls = {}
    for _, name in ipairs(CALLS) do
      calls[name] = function(req, conn)
        told[#told + 1] = name
        if extra and extra[name] then
          extra[name](req, conn)
        elseif name == "on_request" then
          local target = native.text(req.raw_target)
          if target == "/park" then
            parked[#parked + 1] = req
          else
            conn:answer(req, 200, target == "/big" and ("x"):rep(15000) or target)
          end
        end
      end
    end
    return calls
  end

  local function open(extra, options)
    c = memory_conn.new(handler(extra), options)
    return c
  end

  after_each(function()
    if c then
      c:free()
    end
    c = nil
  end)

  describe("pipelining", function()
    it("answers in the order of the requests", function()
      open():feed(get "/1" .. get "/2" .. get "/3")
      assert.same({ "/1", "/2", "/3" }, { c:output():match "\n(/1)HTTP.-\n(/2)HTTP.-\n(/3)$" })
    end)

    it("answers all of a batch whose answers are larger than the high-water mark", function()
      open():feed(get "/big":rep(100))
      assert.equal(100, count(c:output(), "HTTP/1.1 200 OK"))
      assert.equal(0, #c:output():match "x(%d*)$")
    end)

    it("holds back behind a slow reader and goes on when it reads", function()
      open(nil, { window = 100000 }):feed(get "/big":rep(100))
      local begun = count(table.concat(told, " "), "on_request")
      assert.is_true(begun < 40, begun .. " begun")
      for _ = 1, 100 do
        c:drain()
      end
      assert.equal(100, count(c:output(), "HTTP/1.1 200 OK"))
    end)

    it("starts no request behind a parked one", function()
      open():feed(get "/park" .. get "/2" .. get "/3")
      assert.same({ "on_request" }, told)
      c:answer(parked[1], 200, "first")
      assert.same({ "first", "/2", "/3" },
        { c:output():match "\n(first)HTTP.-\n(/2)HTTP.-\n(/3)$" })
    end)

    it("answers thousands behind a parked one without going deeper for each", function()
      open():feed(get "/park" .. get "/2":rep(1000))
      for _ = 1, 60 do
        c:feed(get "/2":rep(1000))
      end
      c:answer(parked[1], 200, "first")
      local answered = count(c:output(), "HTTP/1.1 200 OK")
      assert.is_true(answered > 1000)
    end)

    it("drops what follows a request that closes", function()
      open():feed(get("/1", "Connection: close\r\n") .. get "/2")
      assert.equal(1, count(c:output(), "HTTP/1.1"))
      assert.truthy(c:output():find("Connection: close", 1, true))
      assert.is_true(c:is_closed())
    end)
  end)

  describe("the handler", function()
    it("is told of the end of a request whose body broke with the head", function()
      open():feed("POST / HTTP/1.1\r\n" .. H .. "Transfer-Encoding: chunked\r\n\r\nx\r\n")
      assert.equal("400", c:output():match "^HTTP/1.1 (%d+)")
      assert.same({ "on_head", "on_done" }, told)
    end)

    it("does not hear of a request with a bad head", function()
      open():feed "GET / HTTP/1.1\r\n\r\n"
      assert.equal("400", c:output():match "^HTTP/1.1 (%d+)")
      assert.same({}, told)
    end)

    it("hears of a reset while it works, once, and its answer goes nowhere", function()
      open():feed(get "/park")
      c:reset()
      assert.same({ "on_request", "on_gone", "on_done" }, told)
      assert.equal("", c:output())
    end)

    it("may answer from within on_gone without effect", function()
      open { on_gone = function(req, conn) conn:answer(req, 200, "late") conn:abort(req) end }
      c:feed(get "/park")
      c:reset()
      assert.same({ "on_request", "on_gone", "on_done" }, told)
      assert.equal("", c:output())
    end)

    it("may cut the connection from within on_request, with requests behind", function()
      open { on_request = function(req, conn) conn:abort(req) end }
      c:feed(get "/1" .. get "/2")
      assert.same({ "on_request", "on_done" }, told)
      assert.is_true(c:is_closed())
      assert.equal("", c:output())
    end)

    it("may cut the connection from within on_body", function()
      open {
        on_request = function(req, conn) conn:want_body(req, true) end,
        on_body = function(req, conn) conn:abort(req) end,
      }
      c:feed("POST / HTTP/1.1\r\n" .. H .. "Content-Length: 5\r\n\r\na")
      c:feed "b"
      assert.same({ "on_head", "on_request", "on_body", "on_done" }, told)
      assert.is_true(c:is_closed())
    end)

    it("answers a stated length exactly", function()
      open { on_request = function(req, conn)
        conn:start(req, 200, 3)
        conn:write(req, "abcdef")
        conn:finish(req)
      end }
      c:feed(get "/1")
      assert.equal("abc", c:output():match "\r\n\r\n(.*)$")
      assert.truthy(c:output():find("Content-Length: 3", 1, true))
      assert.is_false(c:is_closed())
    end)

    it("cuts the connection when less comes than was stated", function()
      open { on_request = function(req, conn)
        conn:start(req, 200, 3)
        conn:write(req, "ab")
        conn:finish(req)
      end }
      c:feed(get "/1")
      assert.is_true(c:is_closed())
    end)

    it("is asked to wait above the high-water mark, and told when all is taken", function()
      local slow
      open({ on_request = function(req, conn)
        conn:start(req, 200)
        slow = conn:write(req, ("x"):rep(800 * 1024))
      end }, { window = 500000 })
      c:feed(get "/1")
      assert.is_true(slow)
      c:drain()
      assert.same({ "on_request", "on_drain" }, told)
    end)
  end)

  describe("the end of input", function()
    it("comes after the answer to what was asked", function()
      open():feed(get "/park")
      c:eof()
      assert.same({ "on_request" }, told)
      c:answer(parked[1], 200, "late")
      assert.truthy(c:output():find "late$")
      assert.is_true(c:is_closed())
    end)

    it("breaks a body that is not whole", function()
      local state
      open {
        on_request = function(req, conn) conn:want_body(req, true) end,
        on_body = function(req, conn) state = req.body_state conn:answer(req, 400, "broken") end,
      }
      c:feed("POST / HTTP/1.1\r\n" .. H .. "Content-Length: 5\r\n\r\na")
      c:eof()
      assert.equal(BODY.BROKEN, state)
      assert.truthy(c:output():find "broken$")
      assert.is_true(c:is_closed())
    end)

    it("ends a head that is not whole with 400", function()
      open():feed "GET / HTT"
      c:eof()
      assert.equal("400", c:output():match "^HTTP/1.1 (%d+)")
      assert.is_true(c:is_closed())
    end)

    it("ends a half head behind a parked request with 400 too", function()
      open():feed(get "/park" .. "GET / HTT")
      c:eof()
      c:answer(parked[1], 200, "first")
      assert.truthy(c:output():find "\nfirstHTTP/1.1 400 ")
      assert.is_true(c:is_closed())
    end)

    it("breaks a half body behind a parked request", function()
      local state
      open {
        on_request = function(req, conn)
          if native.text(req.raw_target) == "/park" then
            parked[#parked + 1] = req
          else
            conn:want_body(req, true)
          end
        end,
        on_body = function(req, conn) state = req.body_state conn:answer(req, 400, "broken") end,
      }
      c:feed(get "/park" .. "POST / HTTP/1.1\r\n" .. H .. "Content-Length: 5\r\n\r\na")
      c:eof()
      c:answer(parked[1], 200, "first")
      assert.equal(BODY.BROKEN, state)
      assert.truthy(c:output():find "broken$")
      assert.is_true(c:is_closed())
    end)

    it("is silent after a stray line end", function()
      open():feed(get "/1" .. "\r\n")
      c:eof()
      assert.equal(1, count(c:output(), "HTTP/1.1"))
      assert.is_true(c:is_closed())
    end)
  end)

  describe("a body that nobody reads", function()
    local function post(length, body)
      return "POST /1 HTTP/1.1\r\n" .. H .. "Content-Length: " .. length .. "\r\n\r\n" .. body
    end

    it("is dropped when little of it is left, and the connection goes on", function()
      open():feed(post(1000, "abc"))
      assert.falsy(c:output():find("Connection: close", 1, true))
      c:feed(("x"):rep(997) .. get "/2")
      assert.truthy(c:output():find "\n/1HTTP/1.1 200.-/2$")
    end)

    it("closes the connection when much is left, once the answer can be read", function()
      open():feed(post(10000000, "abc"))
      assert.truthy(c:output():find("Connection: close", 1, true))
      assert.is_true(c:is_closed()) -- for writing
      assert.is_false(c.closed)
      assert.is_true(c:feed(("x"):rep(1000)))
      c:eof()
      c:turn()
      assert.is_true(c.closed)
    end)

    it("is not read on beyond a mark", function()
      open { on_request = function() end }
      c:feed(post(10000000, ("x"):rep(100000)))
      assert.is_false(c:feed "x")
    end)
  end)
end)
