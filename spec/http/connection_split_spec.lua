--- One connection, any packets: where the bytes are split changes no answer.

local memory_conn = require "support.memory_conn"
local native = require "support.native"

local BODY = memory_conn.BODY

-- The answer shows all that was understood: target, state of the body, the body.
local function respond(req, c)
  local body = c:take_body(req)
  c:answer(req, 200, ("%s %d %s"):format(native.text(req.raw_target), req.body_state, body))
end

local HANDLER = {
  on_request = function(req, c)
    if req.body_state == BODY.READING then
      c:want_body(req, true)
    else
      respond(req, c)
    end
  end,
  on_body = function(req, c)
    if req.body_state ~= BODY.READING then
      respond(req, c)
    end
  end,
}

local H = "Host: localhost\r\n"
local NEXT = "GET /next HTTP/1.1\r\n" .. H .. "\r\n"

local STREAMS = {
  ["a plain request"] = "GET /a?b=c HTTP/1.1\r\n" .. H .. "Accept: */*\r\nX-Empty:\r\n\r\n",
  ["two requests"] = "GET /1 HTTP/1.1\r\n" .. H .. "\r\n" .. NEXT,
  ["blank lines before a request"] = "\r\n\r\nGET /1 HTTP/1.1\r\n" .. H .. "\r\n\r\n" .. NEXT,
  ["a counted body and a request behind"] =
    "POST /1 HTTP/1.1\r\n" .. H .. "Content-Length: 5\r\n\r\nabcde" .. NEXT,
  ["an empty counted body"] = "POST /1 HTTP/1.1\r\n" .. H .. "Content-Length: 0\r\n\r\n" .. NEXT,
  ["a chunked body with extension and trailers"] = "POST /1 HTTP/1.1\r\n" .. H
    .. "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n"
    .. NEXT,
  ["an upgrade that is not followed"] = "GET /1 HTTP/1.1\r\n" .. H
    .. "Connection: upgrade\r\nUpgrade: websocket\r\n\r\n" .. NEXT,
  ["an upgrade with a body"] = "POST /1 HTTP/1.1\r\n" .. H
    .. "Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nhi" .. NEXT,
  ["HTTP/1.0 without Host"] = "GET /1 HTTP/1.0\r\n\r\n",
  ["a head that closes"] = "GET /1 HTTP/1.1\r\n" .. H .. "Connection: close\r\n\r\n" .. NEXT,
  ["a bare line feed"] = "GET /1 HTTP/1.1\r\n" .. H .. "A: b\nC: d\r\n\r\n",
  ["a bare carriage return"] = "GET /1 HTTP/1.1\r\n" .. H .. "A: b\rC\r\n\r\n",
  ["an unknown method"] = "BREW /1 HTTP/1.1\r\n" .. H .. "\r\n",
  ["a folded header"] = "GET /1 HTTP/1.1\r\n" .. H .. "A: b\r\n c\r\n\r\n",
  ["a header folded to begin with"] = "GET /1 HTTP/1.1\r\n" .. H .. "A: \r\n  c\r\n\r\n",
  ["empty values"] = "GET /1 HTTP/1.1\r\nA:\r\nB: \r\n" .. H .. "C:\t \r\n\r\n" .. NEXT,
  ["a bare line feed behind the request line"] = "GET /1 HTTP/1.1\n" .. H .. "\r\n",
  ["a bare line feed at the head's end"] = "GET /1 HTTP/1.1\r\n" .. H .. "\n",
  ["both framings"] = "POST /1 HTTP/1.1\r\n" .. H
    .. "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  ["HTTP/2's preface"] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  ["a version of the future"] = "GET / HTTP/3.1\r\n" .. H .. "\r\n",
  ["no Host"] = "GET / HTTP/1.1\r\n\r\n",
  ["an unknown expectation"] = "POST / HTTP/1.1\r\n" .. H
    .. "Expect: wonders\r\nContent-Length: 1\r\n\r\na",
}

-- Of the first answer, where it is not 200.
local STATUS = {
  ["a bare line feed"] = 400, ["a bare carriage return"] = 400, ["an unknown method"] = 501,
  ["a folded header"] = 400, ["a header folded to begin with"] = 400,
  ["a bare line feed behind the request line"] = 400,
  ["a bare line feed at the head's end"] = 400, ["both framings"] = 400,
  ["HTTP/2's preface"] = 400, ["a version of the future"] = 505, ["no Host"] = 400,
  ["an unknown expectation"] = 417,
}

-- Where exactly a broken body is noticed depends on the packets: with the head, the connection
-- refuses it by itself; later, the handler is told.
local function answer_to(pieces)
  local c = memory_conn.new(HANDLER)
  for _, piece in ipairs(pieces) do
    c:feed(piece)
  end
  local output = c:output() .. (c:is_closed() and "closed" or "open")
  c:free()
  return output
end

describe("a connection's input", function()
  for name, bytes in pairs(STREAMS) do
    it("gives the same answer wherever it is split: " .. name, function()
      local whole = answer_to { bytes }
      assert.equal(STATUS[name] or 200, tonumber(whole:match "^HTTP/1.1 (%d%d%d) "))
      for at = 1, #bytes - 1 do
        assert.equal(whole, answer_to { bytes:sub(1, at), bytes:sub(at + 1) }, "split at " .. at)
      end
      local single = {}
      for i = 1, #bytes do
        single[i] = bytes:sub(i, i)
      end
      assert.equal(whole, answer_to(single))
    end)
  end
end)
