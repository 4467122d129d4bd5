//! Scopes: the applications whose users are kept here.

mod store;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Accounts, names};
use crate::address::{Mailbox, has_control};
use crate::functions::{Access, Call, Caller, Change, Function, Reversal, Role};
use crate::{Code, Error, Result, web_url};

const LINK_LIFETIME: std::ops::RangeInclusive<i64> = 600..=86_400;
const LONGEST_TEXT: usize = 200;
const LONGEST_URL: usize = 2000;
/// What a scope is called in the audit log.
const KIND: &str = "scope";

/// An application.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Scope {
    pub name: String,
    #[serde(flatten)]
    pub settings: ScopeSettings,
    /// Unix milliseconds.
    pub created_at: i64,
    pub updated_at: i64,
}

/// What mail and pages of a scope say. An empty text means: the server's own default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct ScopeSettings {
    /// How users know the application; the scope's name when empty.
    pub display_name: String,
    /// Where the reset links of this scope lead, such as `https://accounts.example.com`; the server's own URL when empty.
    pub site_url: String,
    /// The sender of mail to this scope's users; the server's default sender when empty.
    pub from_email: String,
    /// The subject of reset mails.
    pub subject: String,
    /// The template of reset mails, below `templates/password/`.
    pub template: String,
    /// How long a reset link can be used.
    pub link_lifetime_seconds: i64,
    /// Where a user goes on to after setting a password.
    pub after_reset_url: String,
}

impl Default for ScopeSettings {
    fn default() -> Self {
        Self {
            display_name: String::new(),
            site_url: String::new(),
            from_email: String::new(),
            subject: String::new(),
            template: String::new(),
            link_lifetime_seconds: *LINK_LIFETIME.end(),
            after_reset_url: String::new(),
        }
    }
}

/// New settings of a scope; what is absent stays as it is.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ScopeChanges {
    /// How users know the application; the scope's name when empty.
    display_name: Option<String>,
    /// Where the reset links of this scope lead, such as `https://accounts.example.com`; the server's own URL when empty.
    site_url: Option<String>,
    /// The sender of mail to this scope's users, as `a@b` or `Name <a@b>`.
    from_email: Option<String>,
    /// The subject of reset mails.
    subject: Option<String>,
    /// The template of reset mails, below `templates/password/`.
    template: Option<String>,
    /// How long a reset link can be used: 600 to 86400.
    #[schemars(range(min = 600, max = 86400))]
    link_lifetime_seconds: Option<i64>,
    /// Where a user goes on to after setting a password.
    after_reset_url: Option<String>,
}

impl ScopeChanges {
    fn apply(self, settings: &mut ScopeSettings) -> Result<()> {
        let site_url = self
            .site_url
            .map(|url| checked_url("site_url", &url))
            .transpose()?;
        if let Some(url) = &site_url {
            check_start_of_links(url)?;
        }
        let after_reset_url = self
            .after_reset_url
            .map(|url| checked_url("after_reset_url", &url));
        let after_reset_url = after_reset_url.transpose()?;
        let from_email = self.from_email.map(|from| checked_sender(&from)).transpose()?;
        if let Some(template) = &self.template {
            check_template(template)?;
        }
        for (name, text) in [("display_name", &self.display_name), ("subject", &self.subject)] {
            check_line(name, text.as_deref().unwrap_or_default())?;
        }
        let set = |field: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        set(&mut settings.display_name, self.display_name);
        set(
            &mut settings.site_url,
            site_url.map(|url| url.trim_end_matches('/').to_owned()),
        );
        set(&mut settings.from_email, from_email);
        set(&mut settings.subject, self.subject);
        set(&mut settings.template, self.template);
        set(&mut settings.after_reset_url, after_reset_url);
        if let Some(seconds) = self.link_lifetime_seconds {
            settings.link_lifetime_seconds = seconds.clamp(*LINK_LIFETIME.start(), *LINK_LIFETIME.end());
        }
        Ok(())
    }
}

fn invalid(parameter: &str, text: &str) -> Error {
    Error::new(Code::ParameterInvalid, format!("`{parameter}` {text}."))
        .with_details(json!({ "parameter": parameter }))
}

fn check_line(parameter: &str, text: &str) -> Result<()> {
    if text.chars().count() > LONGEST_TEXT || has_control(text) {
        return Err(invalid(parameter, "must be one line of 200 characters at most"));
    }
    Ok(())
}

fn checked_url(parameter: &str, url: &str) -> Result<String> {
    if url.trim().is_empty() {
        return Ok(String::new());
    }
    if url.len() > LONGEST_URL {
        return Err(invalid(parameter, "is too long: 2000 bytes at most"));
    }
    web_url::normal(url).map_err(|why| {
        let text = format!("must be a URL that starts with https:// (or http:// for trying out): {why}");
        invalid(parameter, &text)
    })
}

/// Paths and codes are put behind it: after a query or a fragment they would be part of that.
fn check_start_of_links(url: &str) -> Result<()> {
    let authority = url.split("://").nth(1).and_then(|rest| rest.split('/').next());
    let port = authority.and_then(|authority| authority.rsplit_once(':'));
    let is_port = |port: &str| port.ends_with(']') || port.parse::<u16>().is_ok_and(|port| port > 0);
    if url.contains(['?', '#']) || port.is_some_and(|(_, port)| !is_port(port)) {
        return Err(invalid(
            "site_url",
            "must be only scheme, host, port and path, such as https://accounts.example.com",
        ));
    }
    Ok(())
}

/// The sender in the form that is kept. What is accepted here is accepted when mail is sent (B02).
fn checked_sender(from: &str) -> Result<String> {
    if from.trim().is_empty() {
        return Ok(String::new());
    }
    check_line("from_email", from)?;
    let mailbox = Mailbox::parse(from).map_err(|mistake| {
        let text = format!("must be a mail address such as a@b.example, or Name <a@b.example>. {mistake}");
        invalid("from_email", text.trim_end_matches('.'))
    })?;
    Ok(mailbox.to_string())
}

/// A template's name is looked up below a folder: nothing in it may lead out of there (M07).
fn check_template(template: &str) -> Result<()> {
    check_line("template", template)?;
    let leads_out = template.starts_with('/')
        || template.contains('\\')
        || template.split('/').any(|part| part == ".." || part == ".");
    if leads_out {
        return Err(invalid("template", "must be a file below templates/password/"));
    }
    Ok(())
}

pub(super) fn not_found(name: &str) -> Error {
    // A name may be long, or hold anything: it is repeated only when it could be a scope's.
    match names::scope(name) {
        Ok(name) => Error::new(Code::ScopeNotFound, format!("There is no scope \"{name}\".")),
        Err(_) => Error::new(Code::ScopeNotFound, "There is no scope of this name."),
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Create {
    /// The application's name, such as `Fun Run`.
    name: String,
    settings: Option<ScopeChanges>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByName {
    name: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    name: String,
    settings: ScopeChanges,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Delete {
    name: String,
    /// Also deletes the users of the scope; without it a scope that has users is kept.
    with_users: Option<bool>,
}

pub(super) fn functions(accounts: &Arc<Accounts>) -> Vec<Function> {
    let known = Access::APP | Access::JOB | Access::PLUGIN;
    vec![
        Function::write("scopes.create", "Makes a scope.", accounts, create).access(known),
        Function::read("scopes.list", "Lists all scopes by name.", accounts, list)
            .access(known | Access::PAGE),
        Function::read("scopes.get", "Gives a scope with its settings.", accounts, get)
            .access(known | Access::PAGE),
        Function::read(
            "scopes.check",
            "Gives the settings that a scope would have, without making it.",
            accounts,
            check,
        ),
        Function::write("scopes.update", "Changes settings of a scope.", accounts, update).access(known),
        Function::write(
            "scopes.delete",
            "Deletes a scope, and its users only when told to. Gives the number of deleted scopes.",
            accounts,
            delete,
        )
        .access(Access::APP | Access::JOB)
        .role(Role::Admin),
    ]
}

async fn create(accounts: Arc<Accounts>, call: Arc<Call>, input: Create) -> Result<Scope> {
    let mut settings = ScopeSettings::default();
    input.settings.unwrap_or_default().apply(&mut settings)?;
    let now = accounts.core.clock.now_ms();
    let scope = Scope {
        name: names::scope(&input.name)?,
        settings,
        created_at: now,
        updated_at: now,
    };
    let scope = store::insert(&accounts.core.db, scope).await?;
    call.changed(
        Change::of(KIND, &scope.name)
            .after(&scope.settings)
            .never("A new scope is taken away by deleting it, which asks about its users."),
    );
    Ok(scope)
}

/// A scope as it would be.
#[derive(Debug, Serialize, JsonSchema)]
struct Draft {
    name: String,
    #[serde(flatten)]
    settings: ScopeSettings,
}

async fn check(_: Arc<Accounts>, _: Arc<Call>, input: Create) -> Result<Draft> {
    let mut settings = ScopeSettings::default();
    input.settings.unwrap_or_default().apply(&mut settings)?;
    let name = names::scope(&input.name)?;
    Ok(Draft { name, settings })
}

async fn list(accounts: Arc<Accounts>, call: Arc<Call>, _: Nothing) -> Result<Vec<Scope>> {
    let scopes = store::list(&accounts.core.db).await?;
    Ok(scopes
        .into_iter()
        .map(|scope| accounts.shown(scope, &call))
        .collect())
}

async fn get(accounts: Arc<Accounts>, call: Arc<Call>, input: ByName) -> Result<Scope> {
    let scope = accounts.scope(&input.name).await?;
    Ok(accounts.shown(scope, &call))
}

async fn update(accounts: Arc<Accounts>, call: Arc<Call>, input: Update) -> Result<Scope> {
    let name = names::scope(&input.name).map_err(|_| not_found(&input.name))?;
    let now = accounts.core.clock.now_ms();
    let updated = store::update(&accounts.core.db, name, now, |settings| {
        input.settings.apply(settings)
    });
    let updated = updated.await;
    accounts.scopes.forget();
    let (before, scope) = updated?;
    call.changed(updating(&before, &scope));
    Ok(scope)
}

fn updating(before: &ScopeSettings, scope: &Scope) -> Change {
    let change = Change::of(KIND, &scope.name)
        .before(before)
        .after(&scope.settings);
    let (was, is) = change.touched();
    change.undo(Reversal {
        function: "scopes.update".to_owned(),
        parameters: json!({ "name": scope.name, "settings": was }),
        look: "scopes.get".to_owned(),
        at: json!({ "name": scope.name }),
        expect: is.into(),
    })
}

async fn delete(accounts: Arc<Accounts>, call: Arc<Call>, input: Delete) -> Result<u64> {
    let name = names::scope(&input.name).map_err(|_| not_found(&input.name))?;
    let with_users = input.with_users.unwrap_or(false);
    let deleted = store::delete(&accounts.core.db, name.clone(), with_users).await;
    accounts.scopes.forget();
    let Some((settings, users)) = deleted? else {
        return Ok(0);
    };
    let mut before = serde_json::to_value(&settings).map_err(Error::unexpected)?;
    let change = Change::of(KIND, &name);
    call.changed(if users > 0 {
        before["users"] = users.into();
        change
            .before(&before)
            .never("Its users went with it, and they cannot be brought back.")
    } else {
        change.before(&before).undo(Reversal {
            function: "scopes.create".to_owned(),
            parameters: json!({ "name": name, "settings": settings }),
            look: "scopes.get".to_owned(),
            at: json!({ "name": name }),
            expect: json!(null),
        })
    });
    Ok(1)
}

impl Accounts {
    /// Operators see what is kept, to change it. All others see what holds: the server's settings fill in what the scope
    /// leaves open, and bound what it sets.
    fn shown(&self, mut scope: Scope, call: &Call) -> Scope {
        if matches!(call.caller, Caller::Operator(_)) {
            return scope;
        }
        let settings = self.core.settings.now();
        let own = &mut scope.settings;
        own.link_lifetime_seconds = own
            .link_lifetime_seconds
            .min(settings.security.link_life_minutes * 60);
        if own.from_email.is_empty() {
            own.from_email.clone_from(&settings.mail.default_sender);
        }
        scope
    }

    /// The scope of this name.
    ///
    /// # Errors
    /// `ScopeNotFound`.
    pub async fn scope(&self, name: &str) -> Result<Scope> {
        let name = names::scope(name).map_err(|_| not_found(name))?;
        let found = self.scopes.get(&name, store::get(&self.core.db, &name)).await?;
        found.ok_or_else(|| not_found(&name))
    }
}
