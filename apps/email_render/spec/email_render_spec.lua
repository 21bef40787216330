local qlua = require "qlua"

-- the program that runs this spec
local PROGRAM = ("/proc/%d/exe"):format(qlua.worker.pid)
local FOLDER = debug.getinfo(1, "S").source:match "^@(.*)spec/[^/]*$"

local MAIL = [[
Date: Thu, 01 Jan 1970 00:00:00 GMT
From: shopping@example-shop.com
Subject: Your Burger order
To: bob@example.com
Content-Type: text/plain

Hello Bob,

We have received your payment!

Below is the list of items we will deliver for lunch:

- Cheeseburger (4.5 Euros)
- Fries (2 Euros)
- Root Beer (3 Euros)


Thank you for your business!

--
My Fictional Burger Place
]]

describe("email_render", function()
  it("prints the mail", function()
    local pipe = io.popen(("%s %srender.lua"):format(PROGRAM, FOLDER))
    local text = pipe:read "*a"
    pipe:close()
    assert.equal(MAIL, text)
  end)
end)
