//! `users.sendPasswordResetLink`: what is asked for, checked before anybody knows whether the account exists.

use crate::send::Outcome;
use crate::{State, words};
use coronet_plugin::address::{EmailAddress, Mailbox, has_control};
use coronet_plugin::prelude::*;
use serde_json::Map;

/// Keys of one request, as JSON; it must fit into the queue.
const LARGEST_OPTIONS: usize = 16 * 1024;
const LONGEST_SUBJECT: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendPasswordResetLink {
    /// The user's mail address; the mail goes to the address that is stored.
    to_email: String,
    /// The application.
    scope: String,
    #[serde(default)]
    options: Options,
}

/// How the mail looks. What is absent comes from the scope's settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// The sender, as `a@b` or `Name <a@b>`.
    pub(crate) from_email: Option<String>,
    /// The subject of the mail; `Password Reset Request` when the scope has none either.
    pub(crate) subject: Option<String>,
    /// A template below `templates/password/`, such as `custom_reset.tpl`.
    pub(crate) tpl_name: Option<String>,
    /// Further keys for the template; `reset_link` is filled in by the server.
    pub(crate) tpl_keys: Option<Map<String, Value>>,
}

/// The settings of a scope that matter here. An empty text is none.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Scope {
    pub(crate) name: String,
    pub(crate) display_name: String,
    /// Where links lead, without a slash at the end: that of the server when the scope has none.
    pub(crate) site_url: String,
    pub(crate) from_email: String,
    pub(crate) subject: String,
    pub(crate) template: String,
    pub(crate) link_lifetime_seconds: Option<i64>,
    pub(crate) after_reset_url: String,
}

/// A request that was found good.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(crate) struct Request {
    pub(crate) email: String,
    pub(crate) scope: String,
    pub(crate) options: Options,
    /// Who asked, in core's own words; core keeps it with the code.
    #[serde(default)]
    pub(crate) asked: Option<Value>,
    /// The mail with a stand-in for the code. Not kept: another process has another stand-in, and renders again.
    #[serde(skip)]
    pub(crate) mail: Option<Mail>,
}

/// A mail without its code and its recipient.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) lifetime_seconds: i64,
}

pub(crate) fn send_password_reset_link(host: &Host, input: SendPasswordResetLink) -> Result<bool> {
    let state: &State = host.state()?;
    EmailAddress::parse(&input.to_email).map_err(|mistake| {
        Error::new(codes::MAIL_ADDRESS, format!("`to_email`: {mistake}"))
            .with_details(json!({"parameter": "to_email"}))
    })?;
    let options = checked(input.options)?;
    let mut request = Request {
        email: input.to_email,
        scope: input.scope,
        options,
        asked: None,
        mail: None,
    };
    let made = state.mailer.render(host, &request)?;
    request.mail = Some(made.mail);
    request.asked = made.asked;
    match host.caller() {
        Caller::App | Caller::Page | Caller::Plugin => state.queue.add(request)?,
        Caller::Operator | Caller::Job | Caller::System => match state.mailer.send(host, &request)? {
            Outcome::Sent | Outcome::TooMany => {}
            Outcome::NoAccount => {
                let text = "There is no active user with this mail address in this scope.";
                return Err(Error::new(codes::USER_NOT_FOUND, text));
            }
        },
    }
    Ok(true)
}

impl Scope {
    /// The scope of this name.
    pub(crate) fn load(host: &Host, name: &str) -> Result<Self> {
        let answers = host.call_many(&Self::calls(name))?;
        let Ok([scope, own_url]) = <[_; 2]>::try_from(answers) else {
            return Err(Error::unexpected("a batch of two was answered otherwise"));
        };
        Self::read(scope, own_url)
    }

    /// What tells of a scope.
    pub(crate) fn calls(name: &str) -> [(&'static str, Value); 2] {
        [
            ("scopes.get", json!({"name": name})),
            ("server.siteUrl", json!({})),
        ]
    }

    /// Reads the answers of [`Self::calls`].
    pub(crate) fn read(scope: Result<Value>, own_url: Result<Value>) -> Result<Self> {
        let mut scope: Self = serde_json::from_value(scope?)?;
        if scope.site_url.is_empty() {
            scope.site_url = serde_json::from_value(own_url?)?;
        }
        scope
            .site_url
            .truncate(scope.site_url.trim_end_matches('/').len());
        Ok(scope)
    }

    /// How users know the application.
    pub(crate) fn app_name(&self) -> &str {
        if self.display_name.is_empty() {
            &self.name
        } else {
            &self.display_name
        }
    }

    pub(crate) fn lifetime_seconds(&self) -> i64 {
        self.link_lifetime_seconds.unwrap_or(86_400)
    }

    /// Where a user of the scope asks for a new link.
    pub(crate) fn forgot_link(&self) -> String {
        let name = words::percent_encoded(&self.name);
        format!("{}/_forgotpassword?scope={name}", self.site_url)
    }
}

pub(crate) fn first<'a>(option: Option<&'a str>, setting: &'a str, name: &str) -> Result<&'a str> {
    let found = option
        .filter(|text| !text.is_empty())
        .or(Some(setting).filter(|text| !text.is_empty()));
    found.ok_or_else(|| {
        let message = format!("`{name}` is missing: give it in the options, or set it in the scope.");
        Error::new(codes::PARAMETER_MISSING, message).with_details(json!({"parameter": name}))
    })
}

/// What can be said about options without looking anything up.
fn checked(options: Options) -> Result<Options> {
    let wrong = |code, name: &str, message: &str| {
        Err(Error::new(code, format!("`{name}` {message}.")).with_details(json!({"parameter": name})))
    };
    if let Some(from) = options.from_email.as_deref().filter(|from| !from.is_empty()) {
        check_sender(from)?;
    }
    let long = |subject: &str| has_control(subject) || subject.chars().count() > LONGEST_SUBJECT;
    if options.subject.as_deref().is_some_and(long) {
        return wrong(
            codes::PARAMETER_INVALID,
            "subject",
            "must be one line of 200 characters at most",
        );
    }
    if options.tpl_name.as_deref().is_some_and(|name| !is_template(name)) {
        return wrong(
            codes::NOT_FOUND,
            "tpl_name",
            "names no template below templates/password/",
        );
    }
    if options
        .tpl_keys
        .as_ref()
        .is_some_and(|keys| keys.contains_key("reset_link"))
    {
        return wrong(
            codes::PARAMETER_INVALID,
            "tpl_keys",
            "must not have reset_link, which the server fills in",
        );
    }
    if serde_json::to_vec(&options)?.len() > LARGEST_OPTIONS {
        return wrong(
            codes::PARAMETER_INVALID,
            "options",
            "are too large: 16 KiB at most",
        );
    }
    Ok(options)
}

/// A path that stays below its folder, whoever reads it (M07).
fn is_template(name: &str) -> bool {
    let part = |part: &str| !matches!(part, "" | "." | "..");
    name.len() <= 200
        && name.split('/').all(part)
        && !name.chars().any(|c| c.is_control() || matches!(c, '\\' | '%'))
}

/// The rule that core has when the mail is made: what is accepted here does not fail after the answer (B02).
pub(crate) fn check_sender(from: &str) -> Result<()> {
    Mailbox::parse(from).map(drop).map_err(|mistake| {
        Error::new(codes::MAIL_ADDRESS, format!("`from_email`: {mistake}"))
            .with_details(json!({"parameter": "from_email"}))
    })
}
