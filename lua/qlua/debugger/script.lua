--- The script of the debug pages: the console, the PIN, and the wait for an app that loads again.
--- Flow: templates.lua puts it into the pages behind a nonce; it speaks with init.lua only.

return [[
(function () {
  "use strict";
  var body = document.body, base = body.dataset.base, dialog = document.getElementById("pin");

  function post(url, values) {
    return fetch(url, { method: "POST", credentials: "same-origin", cache: "no-store",
      headers: { "Accept": "application/json" }, body: new URLSearchParams(values)
    }).then(function (answer) { return answer.json(); });
  }

  // ---- the PIN: asked for once, when it is first needed -------------------------------------
  var waiting = [];
  function withPin(action) {
    waiting.push(action);
    if (!dialog.open) {
      dialog.showModal();
      dialog.querySelector("input").focus();
    }
  }
  if (dialog) {
    var wrong = dialog.querySelector(".wrong");
    dialog.addEventListener("close", function () { waiting = []; });
    dialog.querySelector("button.quiet").addEventListener("click", function () {
      dialog.close();
    });
    dialog.querySelector("form").addEventListener("submit", function (event) {
      event.preventDefault();
      var field = dialog.querySelector("input");
      post(base + "pin", { pin: field.value }).then(function (answer) {
        field.value = "";
        wrong.textContent = answer.ok ? "" : answer.error;
        if (answer.ok) {
          var actions = waiting;
          dialog.close();
          actions.forEach(function (action) { action(); });
        }
      }, function () { wrong.textContent = "The server does not answer"; });
    });
  }

  // ---- the console --------------------------------------------------------------------------
  function add(log, kind, text) {
    var line = document.createElement("div");
    line.className = kind;
    line.textContent = text;
    log.appendChild(line);
    return line;
  }

  function show(log, answer) {
    if (answer.html) {
      var line = add(log, "answer", "");
      line.innerHTML = answer.html; // made by the server's templates, which escape
    } else {
      add(log, "wrong", answer.error || "no answer");
    }
  }

  document.querySelectorAll(".console").forEach(function (box) {
    var field = box.querySelector("textarea"), log = box.querySelector(".log");
    var past = [], at = 0;
    function run(code) {
      post(box.dataset.url, { code: code }).then(function (answer) {
        if (answer.locked) {
          withPin(function () { run(code); });
          return;
        }
        add(log, "asked", code);
        show(log, answer);
        field.value = "";
      }, function () {
        add(log, "wrong", "The server does not answer");
      });
    }
    box.querySelector("form").addEventListener("submit", function (event) {
      event.preventDefault();
      var code = field.value.trim();
      if (code !== "") {
        past.push(code);
        at = past.length;
        run(code);
      }
    });
    field.addEventListener("keydown", function (event) {
      var single = field.value.indexOf("\n") < 0;
      if (event.key === "Enter" && !event.shiftKey) {
        event.preventDefault();
        box.querySelector("form").requestSubmit();
      } else if (single && event.key === "ArrowUp" && at > 0) {
        field.value = past[--at];
        event.preventDefault();
      } else if (single && event.key === "ArrowDown" && at < past.length) {
        field.value = past[++at] || "";
        event.preventDefault();
      }
    });
  });

  // ---- run again ----------------------------------------------------------------------------
  var again = document.getElementById("again");
  if (again) {
    again.addEventListener("submit", function (event) {
      if (again.dataset.known) { return; }
      event.preventDefault();
      fetch(base + "pin", { credentials: "same-origin", cache: "no-store" }).then(function (a) {
        return a.json();
      }).then(function (state) {
        function go() {
          again.dataset.known = "1";
          again.requestSubmit();
        }
        if (state.unlocked) { go(); } else { withPin(go); }
      });
    });
  }

  // ---- newer code ---------------------------------------------------------------------------
  var generation = body.dataset.generation, banner = document.getElementById("newer");
  function look() {
    fetch(base + "loaded", { credentials: "same-origin", cache: "no-store" }).then(function (a) {
      return a.json();
    }).then(function (state) {
      if (body.dataset.wait) {
        var changed = String(state.changes) !== body.dataset.changes;
        if (state.loads || changed) {
          if (body.dataset.wait === "reload") { location.reload(); return; }
          banner.hidden = !state.loads;
        }
      } else if (banner) {
        banner.hidden = String(state.generation) === generation;
      }
    }).catch(function () {}).then(function () { setTimeout(look, 1000); });
  }
  if (base && (body.dataset.wait || banner)) { setTimeout(look, 500); }
})();
]]
