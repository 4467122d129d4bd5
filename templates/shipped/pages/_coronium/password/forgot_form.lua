-- Asks for a reset link: /_forgotpassword?scope=Fun%20Run
-- The answer is the same whether there is an account or not.

local page = core.pages.new()

-- The reader's language.
local german = page.language("en", "de") == "de"
local function say(english, deutsch)
  return german and deutsch or english
end

local MAIL_ADDRESS, SCOPE_NOT_FOUND, RATE_LIMITED, SENDER_MISSING = 704, 1004, 929, 804
-- A template that is wrong, or not there.
local TEMPLATE, NOT_FOUND = 922, 904

local function title(scope)
  return scope.display_name ~= "" and scope.display_name or scope.name
end

local function failed(number, message)
  if number == RATE_LIMITED then
    return page.status(429)
  end
  core.log("no reset link can be sent: " .. tostring(message))
  -- Waiting does not help: somebody has to set this right.
  if number == SENDER_MISSING or number == TEMPLATE or number == NOT_FOUND then
    return page.render("_coronium/error.tpl", {
      status = 500,
      german = german,
      title = say("No link can be sent", "Es kann kein Link gesendet werden"),
      message = say(
        "This site is not set up to send mail for this app. Tell whoever runs it; your account is as it was.",
        "Diese Seite ist nicht dafür eingerichtet, E-Mails für diese App zu senden. Sagen Sie es ihrem Betreiber; Ihr Konto ist unverändert."
      ),
    }, nil, 500)
  end
  return page.status(503)
end

-- The apps that this address can be for: those of this site, else those without a site of their own, else all.
local function candidates(scopes)
  local here, plain = {}, {}
  for _, scope in ipairs(scopes) do
    local host = string.match(scope.site_url, "^https?://([^/]+)")
    if not host then
      table.insert(plain, scope)
    elseif host == page.headers.host then
      table.insert(here, scope)
    end
  end
  return #here > 0 and here or #plain > 0 and plain or scopes
end

local function lifetime(seconds)
  local hours = seconds // 3600
  if seconds % 3600 == 0 then
    return hours == 1 and say("one hour", "eine Stunde") or hours .. say(" hours", " Stunden")
  end
  return seconds // 60 .. say(" minutes", " Minuten")
end

local sent = page.isPost and page.form or page.query
local name, email = sent.scope, sent.email
if name == "" then
  name = nil
end
if (name and type(name) ~= "string") or (page.isPost and type(email) ~= "string") then
  return page.status(400)
end

local scope, apps, message, number
if name then
  scope, message, number = core.scopes.get(name)
  if number == SCOPE_NOT_FOUND then
    return page.render("_coronium/error.tpl", {
      status = 404,
      german = german,
      title = say("This app is not known here", "Diese App ist hier nicht bekannt"),
      message = say(
        "The link that led you here names an app that this server does not know. Ask for a new password from within the app.",
        "Der Link, der Sie hierher geführt hat, nennt eine App, die dieser Server nicht kennt. Fordern Sie ein neues Passwort aus der App heraus an."
      ),
    }, nil, 404)
  elseif not scope then
    return failed(number, message)
  end
else
  local scopes
  scopes, message, number = core.scopes.list()
  if not scopes then
    return failed(number, message)
  end
  apps = candidates(scopes)
  if #apps == 1 then
    scope, apps = apps[1], nil
  end
end

local function form(problems)
  local values = problems or {}
  values.german = german
  if scope then
    values.scope, values.app_name = scope.name, title(scope)
  else
    values.apps = {}
    for index, app in ipairs(apps) do
      values.apps[index] = { name = app.name, title = title(app) }
    end
  end
  if problems then
    values.email = email
  end
  return page.render("forgot_form.tpl", values, nil, problems and 400)
end

if not page.isPost then
  return form()
elseif not scope then
  return form({ scope_problem = say("Which app is the password for?", "Für welche App ist das Passwort?") })
end

local done
done, message, number = core.users.sendPasswordResetLink(email, scope.name, {})
if done then
  return page.render("forgot_sent.tpl", {
    german = german,
    app_name = title(scope),
    lifetime = lifetime(scope.link_lifetime_seconds),
    again_url = page.path .. "?scope=" .. string.gsub(scope.name, "[^%w]", function(c)
      return string.format("%%%02X", string.byte(c))
    end),
  })
elseif number == MAIL_ADDRESS then
  return form({ email_problem = say(
    "This is not an email address. It looks like name@example.com.",
    "Das ist keine E-Mail-Adresse. Sie sieht aus wie name@example.com."
  ) })
end
return failed(number, message)
