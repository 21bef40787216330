local qlua = require "qlua"
local function jsonify_errors(app)
  local function error_handling(err)
    local response = qlua.jsonify {
      code = err.code, description = err.description, message = tostring(err),
    }
    response.status_code = err.code
    return response
  end
  for code in pairs(qlua.errors.default_exceptions) do
    app:register_error_handler(code, error_handling)
  end
  return app
end

local app = jsonify_errors(qlua.App(...))
app:route("/api", function() error "Some Exception" end)
app:run()
