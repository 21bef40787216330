--- Certificates for specs and benchmarks, made with openssl when they are needed, and requests
--- over TLS by curl, so that what speaks TLS to qlua is not qlua's own.

local files = require "support.files"

local M = {}

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- Run a shell command; its output (both streams) and whether it ended well.
---@param command string
---@return string output
---@return boolean ok
function M.run(command)
  local pipe = io.popen("exec 2>&1; " .. command .. "; printf '\\nexit=%s' $?")
  local text = pipe:read "*a"
  pipe:close()
  local output, code = text:match "^(.*)\nexit=(%d+)$"
  return output, code == "0"
end

local function openssl(command)
  local output, ok = M.run("openssl " .. command)
  if not ok then
    error("openssl " .. command .. ": " .. output, 3)
  end
end

local EXPIRING = [[
[ca]
default_ca = one
[one]
database = @/index
new_certs_dir = @
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
]]

--- A certificate of a time that is over: of openssl's commands only ca takes dates.
local function make_expired(certificate, key, name)
  local place = files.folder()
  files.write(place .. "/ca.cnf", (EXPIRING:gsub("@", place)))
  files.write(place .. "/index", "")
  openssl(("req -new -key %s -subj /CN=%s -out %s/request"):format(quoted(key), name, place))
  openssl(("ca -batch -notext -selfsign -config %s/ca.cnf -keyfile %s -in %s/request -out %s "
    .. "-startdate 20200101000000Z -enddate 20200201000000Z"):format(place, quoted(key), place,
    quoted(certificate)))
  files.remove(place)
end

---@class spec.CertificateOptions
---@field name? string whom it names beside 127.0.0.1 (default localhost)
---@field expired? boolean it was valid in January 2020
---@field key? string openssl's -newkey and its options (default a P-256 key)

--- Make a self-signed certificate and its key: FOLDER/NAME.pem and FOLDER/NAME.key.
---@param folder string
---@param stem? string default "cert"
---@param options? spec.CertificateOptions
---@return string certificate path
---@return string key path
function M.certificate(folder, stem, options)
  options = options or {}
  local name = options.name or "localhost"
  local certificate = folder .. "/" .. (stem or "cert") .. ".pem"
  local key = folder .. "/" .. (stem or "cert") .. ".key"
  openssl(("genpkey -quiet %s -out %s"):format(options.key
    or "-algorithm EC -pkeyopt ec_paramgen_curve:P-256", quoted(key)))
  if options.expired then
    make_expired(certificate, key, name)
  else
    openssl(("req -x509 -key %s -out %s -days 30 -subj /CN=%s -addext %s"):format(quoted(key),
      quoted(certificate), name, quoted("subjectAltName=DNS:" .. name .. ",IP:127.0.0.1")))
  end
  return certificate, key
end

--- curl with these arguments: what it writes, and whether it ended well.
---@param arguments string
---@return string output
---@return boolean ok
function M.curl(arguments)
  return M.run("curl -sS --max-time 30 " .. arguments)
end

--- One request; its status and body.
---@param port integer
---@param path string
---@param certificate string that is trusted
---@param arguments? string more of curl's
---@return integer status
---@return string body
function M.get(port, path, certificate, arguments)
  local body = files.folder()
  local status = M.curl(("--cacert %s -o %s -w '%%{http_code}' %s https://127.0.0.1:%d%s"):format(
    quoted(certificate), body .. "/body", arguments or "", port, path))
  local text = files.read(body .. "/body")
  files.remove(body)
  return tonumber(status) or status, text
end

return M
