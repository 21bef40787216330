--- The debugger in a real browser: headless Chromium clicks and types as a developer does.

local browser = require "support.browser"
local debugged = require "support.debugged"
local files = require "support.files"
local server = require "support.server"

local APP = [[
local qlua = require "qlua"
local app, request = qlua.App(...), qlua.request
local function price_of(item, count)
  local total = item.price * count
  return total
end
app:get("/", function()
  return '<form method=post action=/buy><input name=item value=tea><button>Buy</button></form>'
end)
app:post("/buy", function()
  local item = { name = request.form.item, tags = { "hot", "green" } }
  local total = price_of(item, 2)
  return "<p id=done>" .. item.name .. " " .. total .. "</p>"
end)
app:get("/read", function()
  local user
  return user.name
end)
return app
]]

local FIXED = APP:gsub("item.price %* count", "(item.price or 3) * count")

describe("in a browser the debug page", function()
  local b, d
  setup(function()
    b = browser.start { width = 1400, height = 1000 }
  end)
  teardown(browser.close_all)
  before_each(function()
    b:forget() -- cookies of another server on the same host
    d = debugged.start { app = APP }
  end)
  after_each(server.stop_all)

  local function url(path)
    return ("http://localhost:%d%s"):format(d.server.port, path)
  end

  --- Buy: the page of the error that this ends in.
  local function fail()
    b:open(url "/")
    b:click "button"
    b:wait_for("return document.querySelector('h1').textContent == 'Lua error'", "the debug page")
  end

  local function give_pin(pin)
    b:wait_for("return document.getElementById('pin').open", "the question for the PIN")
    b:type("#pin input", pin .. "\n")
  end

  --- Type at a frame; what its log says once it has `lines` lines.
  local function run(frame, code, lines)
    b:type(frame .. " textarea", code .. "\n")
    return b:wait_for(([[
      var log = document.querySelector('%s .log');
      return log.children.length >= %d && log.innerText]]):format(frame, lines), code)
  end

  it("renders, without an error of its own", function()
    fail()
    assert.matches("attempt to perform arithmetic on field 'price' %(a nil value%)$",
      b:text ".message")
    assert.equal("500", tostring(b:eval [[
      return performance.getEntriesByType('navigation')[0].responseStatus]]))
    assert.truthy(b:text("main"):find("Innermost first", 1, true))
    assert.same({}, b:messages())
    -- the policy lets the page's own style and script in, and no other
    assert.equal("none", b:eval [[
      return getComputedStyle(document.querySelector('.source i')).userSelect]])
    b:eval [[
      var script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.appendChild(script)]]
    assert.is_true(b:eval "return window.ran === undefined")
    assert.matches("Content Security Policy", b:messages()[1])
  end)

  it("opens the innermost frame, and others at a click", function()
    fail()
    local open = [[
      return Array.from(document.querySelectorAll('details.frame[open] > summary b')).map(
        function (title) { return title.textContent }).join()]]
    assert.equal("price_of", b:eval(open))
    assert.equal("local total = item.price * count", b:text(".source .current"):match "%d+%s*(.*)$")
    local view = "#frame-" .. b:eval [[
      return Array.from(document.querySelectorAll('details.frame')).find(function (frame) {
        return frame.textContent.indexOf('view "buy"') >= 0 }).id.replace('frame-', '')]]
    b:click(view .. " > summary")
    assert.equal('price_of,view "buy"', b:eval(open))
    -- a table opens, and the table in it
    assert.is_nil(b:text(view .. " details.tree"):find("green", 1, true))
    b:click(view .. " details.tree > summary")
    b:click(view .. " details.tree details.tree > summary")
    assert.truthy(b:text(view .. " details.tree"):find('"green"', 1, true))
    assert.truthy(b:text(view .. " details.tree"):find('"tea"', 1, true))
  end)

  it("has a console that answers after the PIN, and refuses before", function()
    fail()
    b:type("details.frame[open] textarea", "item.name .. count\n")
    b:wait_for "return document.getElementById('pin').open"
    assert.equal("", b:text "details.frame[open] .log")
    b:type("#pin input", "000-000-000\n")
    b:wait_for "return document.querySelector('#pin .wrong').textContent.indexOf('not the PIN') > 0"
    give_pin(d:pin())
    b:wait_for "return !document.getElementById('pin').open"
    local log = b:wait_for "return document.querySelector('details.frame[open] .log').innerText"
    assert.equal('item.name .. count\n"tea2"', (log:gsub("\n+", "\n")))
    local frame = "details.frame[open]"
    log = run(frame, "print(request.method); item.price = 4", 4)
    assert.truthy(log:find("POST", 1, true))
    log = run(frame, "item", 6)
    assert.truthy(log:find("table, 3 entries", 1, true))
    log = run(frame, "nothing.x", 8)
    assert.truthy(log:find("attempt to index global 'nothing'", 1, true))
    log = run(frame, "'<img src=x>'", 10)
    assert.truthy(log:find('"<img src=x>"', 1, true))
    assert.equal(0, b:eval "return document.images.length")
    -- what was typed before comes back
    b:press(frame .. " textarea", "ArrowUp")
    assert.equal("'<img src=x>'", b:eval("return document.querySelector(arguments[0]).value",
      frame .. " textarea"))
    assert.same({}, b:messages "Failed to load resource") -- the console's 403 before the PIN
  end)

  it("locks after ten wrong PINs", function()
    fail()
    b:type("details.frame[open] textarea", "1\n")
    b:wait_for "return document.getElementById('pin').open"
    for i = 1, 10 do
      b:type("#pin input", ("%09d\n"):format(i))
      b:wait_for(([[return document.querySelector('#pin .wrong').textContent.indexOf('%s') >= 0]])
        :format(i < 10 and (10 - i) .. " more" or "is locked"))
    end
    b:type("#pin input", d:pin() .. "\n")
    b:wait_for "return document.querySelector('#pin input').value == ''"
    assert.truthy(b:text("#pin .wrong"):find("locked until the server is started anew", 1, true))
    assert.is_true(b:eval "return document.getElementById('pin').open")
  end)

  it("runs the request again after an edit", function()
    fail()
    assert.is_false(b:eval "return !document.getElementById('newer').hidden")
    files.write(d.server.app, FIXED)
    b:wait_for("return !document.getElementById('newer').hidden", "the page to hear of new code")
    b:click "#again button"
    give_pin(d:pin())
    b:wait_for("return document.querySelector('h1').textContent == 'Run it again?'",
      "the question whether a POST is to be sent again")
    assert.truthy(b:text(".message"):find("POST /buy is not safe", 1, true))
    b:click "button"
    b:wait_for "return document.getElementById('done')"
    assert.equal("tea 6", b:text "#done")
  end)

  it("runs a GET again without asking", function()
    b:open(url "/read")
    b:click "#again button"
    give_pin(d:pin())
    b:wait_for "return location.pathname.endsWith('/again')"
    assert.equal("Lua error", b:text "h1")
    files.write(d.server.app, (APP:gsub("local user\n", "local user = { name = 'Ann' }\n")))
    b:wait_for "return !document.getElementById('newer').hidden"
    b:click "#again button"
    b:wait_for "return document.body.innerText == 'Ann'"
  end)

  it("shows why the app does not load, and the app again when it does", function()
    b:open(url "/")
    files.write(d.server.app, APP:gsub("return total", "return return total"))
    d.server:wait_for_stderr "generation 2 does not load"
    b:open(url "/")
    assert.equal("The app does not load", b:text "h1")
    assert.equal("return return total", b:text(".source .current"):match "%d+%s*(.*)$")
    files.write(d.server.app, APP:gsub("return total", "returm total"))
    b:wait_for "return document.body.innerText.indexOf('returm total') > 0"
    files.write(d.server.app, APP)
    b:wait_for("return document.querySelector('form[action=\"/buy\"]')", "the app's own page")
  end)

  for _, width in ipairs { 400, 1400 } do
    for _, scheme in ipairs { "light", "dark" } do
      it(("fits %d pixels, readable when %s"):format(width, scheme), function()
        b:show_as(scheme, width, 900)
        fail()
        b:eval "document.querySelectorAll('details').forEach(function (d) { d.open = true })"
        assert.is_true(b:eval "return document.documentElement.scrollWidth <= innerWidth")
        -- contrast of text and ground (WCAG 2: 4.5 for text)
        local worst = b:eval [[
          function light(color) {
            var parts = color.match(/[\d.]+/g).slice(0, 3).map(function (part) {
              part = part / 255;
              return part <= 0.03928 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
            });
            return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
          }
          function ground(element) {
            for (; element; element = element.parentElement) {
              var color = getComputedStyle(element).backgroundColor;
              if (!/, 0\)$/.test(color) && color != 'transparent') { return color; }
            }
            return 'rgb(255, 255, 255)';
          }
          var worst = 21, whose = '';
          document.querySelectorAll('h1, h2, h3, p, b, code, span, summary, button, dt, dd, td, th,'
              + ' footer').forEach(function (element) {
            if (!element.textContent.trim() || !element.offsetParent) { return; }
            var a = light(getComputedStyle(element).color), b = light(ground(element));
            var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            if (ratio < worst) {
              worst = ratio;
              whose = element.tagName + '.' + element.className + ' ' + element.textContent;
            }
          });
          return [worst, whose.slice(0, 80)];]]
        assert.is_true(worst[1] >= 4.5, ("%.2f: %s"):format(worst[1], worst[2]))
        local ground = b:eval "return getComputedStyle(document.body).backgroundColor"
        local sum = 0
        for part in ground:gmatch "%d+" do
          sum = sum + tonumber(part)
        end
        assert.equal(scheme == "light", sum > 384)
      end)
    end
  end
end)
