-- wrk's script: `wrk ... -s spec/bench/load.lua URL -- METHOD DEPTH [COOKIE]`. Sends the job's
-- request, DEPTH of them in one batch, and prints one line for measure.lua at the end.
-- luacheck: globals wrk init request done

package.path = "spec/bench/?.lua;" .. package.path

function init(args)
  local depth = tonumber(args[2])
  wrk.method = args[1]
  if wrk.method == "POST" then
    wrk.body = require("data").echo_body
    wrk.headers["Content-Type"] = "application/json"
  end
  wrk.headers["Cookie"] = args[3]
  if depth > 1 then
    local batch = wrk.format():rep(depth)
    request = function()
      return batch
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  print(("RESULT requests=%d us=%d p50=%d p99=%d errors=%d"):format(summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
