--- `qlua session COOKIE [--secret S]`: what a session cookie holds, and who signed it.
--- Flow: the core calls the function below with the cookie and, when it was given, the secret.

local core = require "qlua.core"
local stores = require "qlua.store_session"

--- The seconds that a cookie's time stands for, or nil.
local function seconds_of(encoded)
  local digits = encoded:gsub("-", "+"):gsub("_", "/")
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  local seconds = 0
  for digit in digits:gmatch "." do
    local value = alphabet:find(digit, 1, true)
    if not value then
      return nil
    end
    seconds = seconds * 64 + value - 1
  end
  return math.floor(seconds / 2 ^ (#digits * 6 % 8)) -- bits left over at the end
end

local function fail(format, ...)
  io.stderr:write("qlua session: ", format:format(...), "\n")
  core.set_exit_code(1)
end

--- A cookie that names a session which is kept on the server.
local function show_id(cookie, id, written, time, secret)
  print("the id of a session that is kept on the server (SESSION_TYPE lmdb or redis): " .. id)
  print(written and "permanent, its record written at: " .. core.http_date(written)
    or "not permanent")
  print("signed at: " .. (seconds_of(time) and core.http_date(seconds_of(time)) or "no time"))
  local class = stores.StoreSessionInterface
  if not secret then
    print "signature: not checked; give --secret"
  elseif core.signer({ secret }, class.salt, class.key_derivation, class.digest_method, ".")
    :open(cookie) then
    print "signature: good"
  else
    fail("the signature is not this secret's")
  end
end

--- The id, the seconds when its record was written, and the time of such a cookie; nil for others.
local function id_of(cookie)
  local id, rest = cookie:match("^(" .. ("[%w_-]"):rep(43) .. ")%.(.*)$")
  local text = id and core.session_unpack(id)
  if not id or (text and core.session_decode(text)) then
    return nil -- 43 characters that hold a session themselves
  end
  local written, time = rest:match "^(%d+)%.([^.]*)%.[^.]*$"
  if written then
    return id, tonumber(written), time
  end
  return rest:match "^[^.]*%.[^.]*$" and id, nil, rest:match "^[^.]*"
end

---@param _ any no app
---@param args string[] the cookie, and the secret if there is one
return function(_, args)
  local cookie, secret = args[1]:gsub("^[^=%s]+=(%.?[%w_-]+%.)", "%1"), args[2]
  local id, written, signed = id_of(cookie)
  if id then
    return show_id(cookie, id, written, signed, secret)
  end
  local payload, time = cookie:match "^(%.?[^.]*)%.([^.]*)%.[^.]*$"
  if not payload then
    return fail("this is no session cookie: PAYLOAD.TIME.SIGNATURE is expected")
  end
  local text, message = core.session_unpack(payload)
  if not text then
    return fail("the payload cannot be read: %s", message)
  end
  local seconds = seconds_of(time)
  print(text)
  print("signed at: " .. (seconds and core.http_date(seconds) or "no time"))
  if secret then
    local _, why, code = core.session_codec({ keys = { secret } }):load(cookie)
    if code == -10001 then
      return fail("the signature is not this secret's")
    end
    print("signature: good" .. (why and ", but the JSON is none of a session: " .. why or ""))
  else
    print "signature: not checked; give --secret"
  end
end
