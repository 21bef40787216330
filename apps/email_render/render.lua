local qlua = require "qlua"

local function render_email(data)
  return qlua.Template(qlua.read_file("email_template.j2")):render(data)
end

print(render_email {
  date = qlua.http_date(0), to = "bob@example.com", from = "shopping@example-shop.com",
  subject = "Your Burger order", name = "Bob",
  items = {
    { name = "Cheeseburger", price = 4.5 }, { name = "Fries", price = 2 },
    { name = "Root Beer", price = 3 },
  },
})
