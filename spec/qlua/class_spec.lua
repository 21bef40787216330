local classes = require "qlua.class"

describe("qlua.class", function()
  it("makes instances whose message is the first argument", function()
    local Broken = classes.class "Broken"
    local err = Broken "the pump"
    assert.equal("the pump", err.message)
    assert.equal("the pump", tostring(err))
    assert.equal(Broken, getmetatable(err))
    assert.equal("Broken", tostring(Broken()))
  end)

  it("calls init when there is one", function()
    local Point = classes.class "Point"
    function Point:init(x, y)
      self.x, self.y = x, y
    end
    local point = Point(1, 2)
    assert.same({ 1, 2 }, { point.x, point.y })
  end)

  it("inherits methods, init and metamethods", function()
    local Parent = classes.class "Parent"
    function Parent:init(text)
      self.text = text
    end
    function Parent:__tostring()
      return "<" .. self.text .. ">"
    end
    function Parent:shout()
      return self.text:upper()
    end
    local Child = classes.class("Child", Parent)
    assert.equal("<a>", tostring(Child "a"))
    assert.equal("A", Child("a"):shout())
    assert.equal(Child, Child.__index)
    assert.equal(Parent, getmetatable(Child).__index)
    assert.equal("Child", Child.__name)
  end)

  it("knows what is an instance of what", function()
    local Parent = classes.class "Parent"
    local Child = classes.class("Child", Parent)
    local Other = classes.class "Other"
    assert.is_true(classes.is_a(Child(), Parent))
    assert.is_true(classes.is_a(Child(), Child))
    assert.is_false(classes.is_a(Parent(), Child))
    assert.is_false(classes.is_a(Child(), Other))
    for _, value in ipairs { 1, "text", {}, setmetatable({}, {}), Parent } do
      assert.is_false(classes.is_a(value, Parent))
    end
    assert.is_true(classes.is_class(Parent))
    assert.is_false(classes.is_class(Parent()))
    assert.equal(Parent, classes.parent(Child))
    assert.is_nil(classes.parent(Parent))
  end)

  it("refuses a parent that is no class, at the caller's line", function()
    local ok, message = pcall(function()
      return classes.class("Child", { __index = 1 })
    end)
    assert.is_false(ok)
    assert.matches('class_spec%.lua:%d+: class "Child": the parent must be a class, got a table$',
      message)
  end)
end)
