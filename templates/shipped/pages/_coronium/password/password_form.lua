-- The page behind the link of a reset mail.
-- Showing it never uses the link up, so a mail scanner that opens it does no harm; only sending the form does.

local page = core.pages.new()

local PASSWORD_INVALID, RATE_LIMITED, LINK_DEAD = 603, 929, 960
local SHORTEST = 8

-- One page for used, expired, unknown and malformed links.
local function dead()
  page.status(404)
  return page.render("password_dead.tpl")
end

-- The runtime shows its page for this status.
local function failed(code, message)
  if code == RATE_LIMITED then
    return page.status(429)
  end
  core.log("the reset form cannot be served: " .. tostring(message))
  return page.status(503)
end

-- A code that is doubled or no text is as dead as any other.
if page.isGet and page.queryProblem then
  return dead()
end

local sent = page.isPost and page.form or page.query
local code = sent.code
if page.isPost and (type(code) ~= "string" or type(sent.password) ~= "string"
    or type(sent.password_confirm) ~= "string") then
  return page.status(400)
end
if type(code) ~= "string" or code == "" then
  return dead()
end

local reset, message, number = core.users.checkPasswordReset(code)
if number == LINK_DEAD then
  return dead()
elseif not reset then
  return failed(number, message)
end

local function form(problems)
  local values = problems or {}
  values.action = page.path
  values.code = code
  values.username = reset.username
  values.app_name = reset.app_name
  if problems then
    page.status(400)
  end
  return page.render("password_form.tpl", values)
end

if not page.isPost then
  return form()
end

if utf8.len(sent.password) < SHORTEST then
  return form({ password_problem = "This is too short: 8 characters at least." })
elseif sent.password ~= sent.password_confirm then
  return form({ confirm_problem = "The two are not the same. Type both again." })
end

local done
done, message, number = core.users.resetPassword(code, sent.password)
if done then
  local values = { app_name = reset.app_name }
  if reset.after_reset_url ~= "" then
    values.continue_url = reset.after_reset_url
  end
  return page.render("password_done.tpl", values)
elseif number == LINK_DEAD then
  return dead()
elseif number == PASSWORD_INVALID then
  return form({ password_problem = message })
end
return failed(number, message)
