--- How many processors may be used: the quotas of control groups of both versions.

local ffi = require "ffi"
local files = require "support.files"
local native = require "support.native"

ffi.cdef [[
int processors_usable(void);
int processors_quota(const char *groups, const char *root);
]]

describe("processors", function()
  local folder
  before_each(function()
    folder = files.folder()
  end)
  after_each(function()
    files.remove(folder)
  end)

  --- The quota where these files say so; `groups` is what /proc/self/cgroup holds.
  local function quota(groups, limits)
    files.write(folder .. "/groups", groups)
    for name, text in pairs(limits) do
      files.write(folder .. "/root/" .. name, text)
    end
    return native.lib.processors_quota(folder .. "/groups", folder .. "/root")
  end

  for name, case in pairs {
    ["the group's own quota"] = { 2, "0::/a/b\n", { ["a/b/cpu.max"] = "200000 100000\n" } },
    ["a part of a processor as one"] = { 1, "0::/a\n", { ["a/cpu.max"] = "10000 100000\n" } },
    ["one and a half as two"] = { 2, "0::/a\n", { ["a/cpu.max"] = "150000 100000\n" } },
    ["the least of those above"] = { 3, "0::/a/b/c\n", { ["a/b/c/cpu.max"] = "max 100000\n",
      ["a/b/cpu.max"] = "800000 100000\n", ["a/cpu.max"] = "300000 100000\n",
      ["cpu.max"] = "400000 100000\n" } },
    ["that of a container's root"] = { 4, "0::/\n", { ["cpu.max"] = "400000 100000\n" } },
    ["that of a root whose groups lie elsewhere"] = { 4, "0::/docker/0123\n",
      { ["cpu.max"] = "400000 100000\n" } },
    ["none where there is none"] = { 0, "0::/a\n", { ["a/cpu.max"] = "max 100000\n" } },
    ["none without control groups"] = { 0, "", {} },
    ["none in a broken file"] = { 0, "0::/a\nnonsense\n::\n0\n", { ["a/cpu.max"] = "x\n" } },
    ["version 1"] = { 2, "5:memory:/m\n4:cpu,cpuacct:/a\n1:name=systemd:/s\n",
      { ["cpu,cpuacct/a/cpu.cfs_quota_us"] = "150000\n",
        ["cpu,cpuacct/a/cpu.cfs_period_us"] = "100000\n" } },
    ["version 1 without a quota"] = { 0, "4:cpu:/a\n", { ["cpu/a/cpu.cfs_quota_us"] = "-1\n",
      ["cpu/a/cpu.cfs_period_us"] = "100000\n" } },
    ["no other controller of version 1"] = { 0, "4:cpuset:/a\n",
      { ["cpuset/a/cpu.cfs_quota_us"] = "100000\n",
        ["cpuset/a/cpu.cfs_period_us"] = "100000\n" } },
  } do
    it("count " .. name, function()
      assert.equal(case[1], quota(case[2], case[3]))
    end)
  end

  it("are at least one, whatever this machine has", function()
    assert.truthy(native.lib.processors_usable() >= 1)
  end)

  it("have no quota where no file says so", function()
    assert.equal(0, native.lib.processors_quota(folder .. "/none", folder))
  end)
end)
