--- `qlua render FILE [--data FILE.json|-] [NAME=VALUE ...]`.

local server = require "support.server"

describe("qlua render", function()
  local folder
  before_each(function()
    folder = server.folder {
      ["mail.txt"] = "Hello {{ name }}, {{ n + 1 }}{{ tags|join('+') }}\n",
      ["page.html"] = "{% include 'sub/part.html' %}", ["sub/part.html"] = "{{ name }}",
      ["data.json"] = '{"name": "<Ann>", "n": 1, "tags": ["a", "b"]}', ["list.json"] = "[1]",
      ["bad.json"] = '{"a": }', ["bad.txt"] = "a\n{% if %}", ["undefined.txt"] = "{{ a.b }}",
    }
  end)
  after_each(server.stop_all)

  local function render(...)
    local ended = server.run({ argv = { "render", ... }, folder = folder, cwd = folder }, 20)
    return ended:stdout(), ended:stderr(), ended:exit_code()
  end

  it("takes the values from a file and from the command line, which wins", function()
    assert.same({ "Hello <Ann>, 2a+b\n", "", 0 }, { render("mail.txt", "--data", "data.json") })
    assert.equal("Hello Bob=x, 3a+b\n", (render("mail.txt", "--data=data.json", "name=Bob=x",
      "n=2")))
    assert.equal("Hello true, 2\n", (render("mail.txt", 'name="true"', "n=1", "tags=[]")))
  end)

  it("reads values from standard input", function()
    for _, words in ipairs { "--data -", "-" } do
      local pipe = io.popen(("cd %s; %s render mail.txt %s <data.json"):format(folder,
        server.program(), words))
      assert.equal("Hello <Ann>, 2a+b\n", pipe:read "*a")
      pipe:close()
    end
  end)

  it("escapes by the file's name, and finds what is included beside it", function()
    assert.equal("&lt;x&gt;", (render("page.html", "name=<x>")))
    assert.equal("&lt;x&gt;", (render("./page.html", "name=<x>")))
    assert.equal("&lt;x&gt;", (render(folder .. "/page.html", "name=<x>")))
    assert.equal("x", (render("sub/part.html", "name=x")))
  end)

  -- words, exit code, standard error
  local MISTAKES = {
    { "", 2, "qlua: name the template: qlua render FILE [--data FILE.json|-] [NAME=VALUE ...]" },
    { "none.txt", 1, "qlua render: none.txt: No such file or directory" },
    { "sub", 1, "qlua render: sub: " },
    { "mail.txt name", 1, 'qlua render: "name" is no value: NAME=VALUE is expected' },
    { "mail.txt --data none.json", 1, "qlua render: none.json: No such file or directory" },
    { "mail.txt --data bad.json", 1, "qlua render: bad.json: line 1 column 7: " },
    { "mail.txt --data list.json", 1, "qlua render: list.json: a JSON object with the template's "
      .. "values is expected" },
    { "mail.txt --dat x", 2, "unknown option --dat of qlua render; did you mean --data?" },
    { "bad.txt", 1, "/bad.txt, line 2: {% if %}" },
    { "undefined.txt", 1, "qlua render: 'a' is undefined\n  template " },
  }
  for _, mistake in ipairs(MISTAKES) do
    it("says what is wrong with: " .. mistake[1], function()
      local words = {}
      for word in mistake[1]:gmatch "%S+" do
        words[#words + 1] = word
      end
      local _, stderr, code = render(unpack(words))
      assert.equal(mistake[2], code)
      assert.matches(mistake[3], stderr, 1, true)
    end)
  end
end)
