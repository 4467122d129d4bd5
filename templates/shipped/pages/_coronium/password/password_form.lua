-- The page behind the link of a reset mail.
-- Showing it never uses the link up, so a mail scanner that opens it does no harm; only sending the form does.

local page = core.pages.new()

-- The reader's language. Code of an older Coronet, edited here, knows English alone.
local german = page.language("en", "de") == "de"
local function say(english, deutsch)
  return german and deutsch or english
end

local PASSWORD_INVALID, RATE_LIMITED, LINK_DEAD = 603, 929, 960
local SHORTEST = 8

local function title(scope)
  return scope.display_name ~= "" and scope.display_name or scope.name
end

-- The app of a dead link. Its code tells nothing, so it is the one that the link names, or else the one app of this site.
local function site_app()
  local named = not page.queryProblem and page.query.scope
  if type(named) == "string" and named ~= "" then
    local scope = core.scopes.get(named)
    if scope then
      return title(scope)
    end
  end
  local here, plain = {}, {}
  for _, scope in ipairs(core.scopes.list() or {}) do
    local host = string.match(scope.site_url, "^https?://([^/]+)")
    if not host then
      table.insert(plain, scope)
    elseif host == page.headers.host then
      table.insert(here, scope)
    end
  end
  local apps = #here > 0 and here or plain
  if #apps == 1 then
    return title(apps[1])
  end
end

-- One page for used, expired, unknown and malformed links.
local function dead()
  return page.render("password_dead.tpl", { german = german, app_name = site_app() }, nil, 404)
end

local function refusal(message)
  if not german then
    return message
  elseif string.find(message, "too short", 1, true) then
    return "Das ist zu kurz: mindestens " .. (string.match(message, "%d+") or SHORTEST) .. " Zeichen."
  elseif string.find(message, "too long", 1, true) then
    return "Das ist zu lang: höchstens 128 Zeichen."
  end
  return "Dieses Passwort wird als eines der ersten ausprobiert. Wählen Sie eines, auf das andere nicht kämen, etwa vier Wörter, die nichts miteinander zu tun haben."
end

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
  values.german = german
  return page.render("password_form.tpl", values, nil, problems and 400)
end

if not page.isPost then
  return form()
end

if utf8.len(sent.password) < SHORTEST then
  return form({ password_problem = say("This is too short: 8 characters at least.", "Das ist zu kurz: mindestens 8 Zeichen.") })
elseif sent.password ~= sent.password_confirm then
  return form({ confirm_problem = say("The two are not the same. Type both again.", "Die beiden sind nicht gleich. Bitte beide noch einmal eingeben.") })
end

local done
done, message, number = core.users.resetPassword(code, sent.password)
if done then
  local values = { app_name = reset.app_name, german = german }
  if reset.after_reset_url ~= "" then
    values.continue_url = reset.after_reset_url
  end
  return page.render("password_done.tpl", values)
elseif number == LINK_DEAD then
  return dead()
elseif number == PASSWORD_INVALID then
  return form({ password_problem = refusal(message) })
end
return failed(number, message)
