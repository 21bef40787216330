--- HTTPS as its users meet it: start and its errors, requests, protocols, resumption.

local files = require "support.files"
local server = require "support.server"
local tls = require "support.tls"

local APP = [[
local qlua = require "qlua"
local app, request, session = qlua.App(...), qlua.request, qlua.session
app.config.SECRET_KEY = "k"
app.config.SESSION_COOKIE_SECURE = true
app:get("/", function()
  return ("%s %s %s %s"):format(request.scheme, tostring(request.is_secure), request.url,
    request.remote_addr)
end)
app:get("/count", function()
  session.count = (session.count or 0) + 1
  return tostring(session.count)
end)
app:get("/worker", function() return tostring(qlua.worker.id) end)
return app
]]

local PYTHON = "/usr/bin/python3 spec/support/tls_client.py"

describe("HTTPS", function()
  local folder, certificate, key

  before_each(function()
    folder = server.folder()
    certificate, key = tls.certificate(folder)
  end)
  after_each(server.stop_all)

  local function start(options)
    options.app = options.app or APP
    options.args = { "--cert", certificate, "--key", key, unpack(options.args or {}) }
    return server.start(options)
  end

  local function s_client(s, arguments, input)
    return tls.run(("%s | timeout 20 openssl s_client -connect 127.0.0.1:%d -CAfile %s %s"):format(
      input or "echo", s.port, certificate, arguments))
  end

  describe("requests", function()
    it("are https and secure to the app", function()
      local s = start {}
      local status, body = tls.get(s.port, "/", certificate)
      assert.equal(200, status)
      assert.equal(("https true https://127.0.0.1:%d/ 127.0.0.1"):format(s.port), body)
      assert.truthy(s:stderr():find(" * Running on https://127.0.0.1:" .. s.port, 1, true))
      s:stop()
    end)

    it("keep secure cookies", function()
      local s = start {}
      local jar = folder .. "/jar"
      for i = 1, 3 do
        local _, body = tls.get(s.port, "/count", certificate, ("-b %s -c %s"):format(jar, jar))
        assert.equal(tostring(i), body)
      end
      s:stop()
    end)

    it("are served without a supervisor too", function()
      local s = start { workers = 0 }
      assert.equal(200, (tls.get(s.port, "/", certificate)))
      s:stop()
    end)

    it("stay plain on Unix sockets", function()
      local path = folder .. "/app.sock"
      local s = start { bind = { "127.0.0.1:" .. server.free_port(), "unix:" .. path } }
      assert.equal(200, (tls.get(s.address, "/", certificate)))
      local body = tls.curl("--unix-socket " .. path .. " http://localhost/")
      assert.equal("http false http://localhost/ ", body:match "^http false http://localhost/ ")
      assert.truthy(s:stderr():find("https://127.0.0.1:" .. s.address, 1, true))
      assert.truthy(s:stderr():find("unix:" .. path, 1, true))
      s:stop()
    end)

    it("that are plain HTTP are told so", function()
      local s = start {}
      for _, method in ipairs { "GET", "DELETE", "POST", "OPTIONS" } do
        local answer = tls.curl(("-i -X %s -d x=1 http://127.0.0.1:%d/"):format(method, s.port))
        assert.truthy(answer:find("^HTTP/1.1 400 Bad Request\r\n"), answer)
        assert.truthy(answer:find("\r\nConnection: close\r\n", 1, true), answer)
        assert.truthy(answer:find("This port speaks HTTPS; the request came as plain HTTP. "
          .. "Use https:// in the address.", 1, true), answer)
      end
      assert.equal(200, (tls.get(s.port, "/", certificate)))
      s:stop()
    end)
  end)

  describe("protocols", function()
    it("are TLS 1.2 and 1.3, with forward secrecy", function()
      local s = start {}
      local text = s_client(s, "-tls1_3")
      assert.truthy(text:find("New, TLSv1.3, Cipher is TLS_AES", 1, true), text)
      text = s_client(s, "-tls1_2")
      assert.truthy(text:find("New, TLSv1.2, Cipher is ECDHE-ECDSA-AES", 1, true), text)
      assert.truthy(text:find("Compression: NONE", 1, true), text)
      s:stop()
    end)

    local refused = {
      ["TLS 1.1"] = "-tls1_1 -cipher DEFAULT@SECLEVEL=0",
      ["TLS 1.0"] = "-tls1 -cipher DEFAULT@SECLEVEL=0",
      ["ciphers without forward secrecy"] = "-tls1_2 -cipher AES128-GCM-SHA256:AES256-SHA",
      ["ciphers of the CBC kind"] = "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256",
      ["a protocol by ALPN that is not spoken here"] = "-alpn h2",
    }
    for what, arguments in pairs(refused) do
      it("refuse " .. what, function()
        local s = start {}
        local text = s_client(s, arguments)
        assert.truthy(text:find("Cipher is (NONE)", 1, true), text)
        assert.truthy(text:find("alert", 1, true), text)
        assert.equal(200, (tls.get(s.port, "/", certificate)))
        s:stop()
      end)
    end

    it("are agreed on by ALPN", function()
      local s = start {}
      for _, offered in ipairs { "http/1.1", "h2,http/1.1", "http/1.0,http/1.1" } do
        local text = s_client(s, "-alpn " .. offered)
        assert.truthy(text:find("ALPN protocol: http/1.1", 1, true), text)
      end
      assert.truthy(s_client(s, "-alpn http/1.0"):find("ALPN protocol: http/1.0", 1, true))
      assert.truthy(s_client(s, ""):find("No ALPN negotiated", 1, true))
      s:stop()
    end)

    it("do not begin anew in the middle", function()
      local s = start {}
      local text = s_client(s, "-tls1_2", "(sleep 0.5; echo R; sleep 1)")
      assert.truthy(text:find("RENEGOTIATING", 1, true), text)
      assert.truthy(text:find("no renegotiation", 1, true), text)
      assert.equal(200, (tls.get(s.port, "/", certificate)))
      s:stop()
    end)
  end)

  describe("sessions", function()
    for _, version in ipairs { "1.2", "1.3" } do
      it("are resumed whichever worker gets the connection, with TLS " .. version, function()
        local s = start { workers = 2 }
        -- the kernel chooses the worker: ask until both have resumed
        s:wait_for(function()
          local text = tls.run(("%s resume %d %s %s 20"):format(PYTHON, s.port, certificate,
            version))
          assert.truthy(text:find("resumed 19 ", 1, true), text)
          return text:find("workers 2", 1, true)
        end, 60, "both workers to resume sessions")
        s:stop()
      end)
    end

    it("of another server are not", function()
      local s, other = start {}, start {}
      local ticket = folder .. "/ticket"
      local text = s_client(s, "-tls1_2 -sess_out " .. ticket)
      assert.truthy(text:find("New, TLSv1.2", 1, true), text)
      text = s_client(s, "-tls1_2 -sess_in " .. ticket)
      assert.truthy(text:find("Reused, TLSv1.2", 1, true), text)
      text = s_client(other, "-tls1_2 -sess_in " .. ticket)
      assert.truthy(text:find("New, TLSv1.2", 1, true), text)
      s:stop()
      other:stop()
    end)
  end)

  describe("at the start", function()
    local function refusal(cert, secret)
      local ended = server.run { app = APP, args = { "--cert", cert, unpack { secret
        and "--key" or nil, secret } } }
      assert.equal(1, ended:exit_code())
      return ended:stderr()
    end

    local function pem(name, text)
      files.write(folder .. "/" .. name, text)
      return folder .. "/" .. name
    end

    it("takes both from one file", function()
      local both = pem("both.pem", files.read(key) .. files.read(certificate))
      local s = server.start { app = APP, args = { "--cert", both } }
      assert.equal(200, (tls.get(s.port, "/", certificate)))
      s:stop()
    end)

    it("takes certificates that vouch for it along", function()
      local issuer, issuer_key = tls.certificate(folder, "issuer", { name = "issuer" })
      local leaf = folder .. "/leaf"
      tls.run(("openssl req -new -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout %s.key "
        .. "-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -out %s.csr"):format(leaf,
        leaf))
      local text, ok = tls.run(("openssl x509 -req -in %s.csr -CA %s -CAkey %s -days 5 "
        .. "-copy_extensions copyall -out %s.pem"):format(leaf, issuer, issuer_key, leaf))
      assert.truthy(ok, text)
      local chain = pem("chain.pem", files.read(leaf .. ".pem") .. files.read(issuer))
      local s = server.start { app = APP, args = { "--cert", chain, "--key", leaf .. ".key" } }
      assert.equal(200, (tls.get(s.port, "/", issuer)))
      text = tls.run(("echo | openssl s_client -showcerts -connect 127.0.0.1:%d"):format(s.port))
      assert.equal(2, select(2, text:gsub("BEGIN CERTIFICATE", "")))
      s:stop()
    end)

    it("refuses files that are not there", function()
      assert.equal("qlua: /nonexistent/c.pem: the certificate cannot be read: No such file or "
        .. "directory\n", refusal("/nonexistent/c.pem", key))
      assert.equal("qlua: /nonexistent/k.pem: the private key cannot be read: No such file or "
        .. "directory\n", refusal(certificate, "/nonexistent/k.pem"))
      assert.equal(("qlua: %s: the certificate cannot be read: Is a directory\n"):format(folder),
        refusal(folder, key))
    end)

    it("refuses a certificate without its key", function()
      assert.equal(("qlua: %s: there is no private key beside the certificate; name its file with "
        .. "key\n"):format(certificate), refusal(certificate))
    end)

    it("refuses what is no certificate", function()
      assert.equal(("qlua: %s: there is no certificate in it; it must hold one in PEM, beginning "
        .. "with -----BEGIN CERTIFICATE-----\n"):format(key), refusal(key, certificate))
      local damaged = pem("damaged.pem",
        (files.read(certificate):gsub("\nMII(%w%w)", "\nAAA%1", 1)))
      assert.truthy(refusal(damaged, key):find(
        "^qlua: [^\n]*/damaged.pem: certificate 1 in it is damaged: [%w ]+\n$"))
      local second = pem("second.pem", files.read(certificate) .. files.read(damaged))
      assert.truthy(refusal(second, key):find("certificate 2 in it is damaged: ", 1, true))
    end)

    it("refuses what is no key", function()
      assert.equal(("qlua: %s: there is no private key in it; it must hold one in PEM, beginning "
        .. "with -----BEGIN PRIVATE KEY-----\n"):format(certificate),
        refusal(certificate, certificate))
    end)

    it("refuses an encrypted key and says how to decrypt it", function()
      local locked = folder .. "/locked.key"
      tls.run(("openssl pkey -in %s -aes256 -passout pass:x -out %s"):format(key, locked))
      assert.equal(("qlua: %s: the private key is encrypted, and nobody is there to be asked for "
        .. "the passphrase; decrypt it with: openssl pkey -in FILE -out NEWFILE\n"):format(locked),
        refusal(certificate, locked))
    end)

    it("refuses a key of another certificate", function()
      local _, other = tls.certificate(folder, "other")
      assert.equal(("qlua: %s: the private key is not that of the certificate\n"):format(other),
        refusal(certificate, other))
    end)

    it("refuses a certificate that is too weak", function()
      local weak, weak_key = tls.certificate(folder, "weak",
        { key = "-algorithm RSA -pkeyopt rsa_keygen_bits:1024" })
      assert.equal(("qlua: %s: OpenSSL does not take it for a server: ee key too small\n")
        :format(weak), refusal(weak, weak_key))
    end)

    it("warns of a certificate that has expired", function()
      local old, old_key = tls.certificate(folder, "old", { expired = true })
      local s = server.start { app = APP, args = { "--cert", old, "--key", old_key } }
      assert.truthy(s:stderr():find("[WARNING] " .. old .. ": the certificate of localhost expired "
        .. "on Sat, 01 Feb 2020 00:00:00 GMT: clients will refuse it; renew it\n", 1, true),
        s:stderr())
      assert.equal("200", (tls.curl(("-k -o /dev/null -w '%%{http_code}' https://127.0.0.1:%d/")
        :format(s.port))))
      s:stop()
    end)
  end)
end)
