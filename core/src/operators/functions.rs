//! The functions that manage operators; all need the role admin.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::email::Email;
use super::letters::Language;
use super::{Operators, Session, store};
use crate::functions::{Call, Caller, Change, Function, Role};
use crate::{Code, Error, Result};

pub(super) fn all(operators: &Arc<Operators>) -> Vec<Function> {
    vec![
        Function::write(
            "operators.add",
            "Makes an operator, with a password or by an invitation.",
            operators,
            add,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::read("operators.list", "Lists the operators.", operators, list),
        Function::write(
            "operators.update",
            "Changes an operator's role, mail address, or whether they may sign in.",
            operators,
            update,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::write(
            "operators.setOwnEmail",
            "Changes the mail address of the operator who calls it.",
            operators,
            set_own_email,
        )
        .role(Role::Viewer)
        .needs_password(),
        Function::write(
            "operators.invite",
            "Sends an operator who has no password yet an invitation, in place of an older one.",
            operators,
            invite,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::write(
            "operators.revokeInvitation",
            "Makes an open invitation useless.",
            operators,
            revoke_invitation,
        )
        .role(Role::Admin),
        Function::write(
            "operators.setPassword",
            "Sets an operator's password, and ends their sessions and open links.",
            operators,
            set_password,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::write(
            "operators.remove",
            "Removes an operator, and ends their sessions.",
            operators,
            remove,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::read(
            "operators.sessions",
            "Lists the open sessions of the webmin.",
            operators,
            sessions,
        )
        .role(Role::Admin),
        Function::write(
            "operators.endSession",
            "Ends a session of the webmin at once.",
            operators,
            end_session,
        )
        .role(Role::Admin),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    /// What the operator signs in with.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// At least 15 characters. Needed without `invite`.
    #[schemars(extend("format" = "password"))]
    password: Option<String>,
    /// `viewer` sees everything, `editor` does the daily work, `admin` may do all.
    role: Role,
    /// Where invitations and links to choose a new password go. No two operators have the same.
    #[schemars(length(max = 254))]
    email: Option<String>,
    /// Mails a link to choose a password, which works once, for three days. Takes the place of `password`.
    invite: Option<bool>,
    /// The language of the invitation.
    language: Option<Language>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    /// The operator's id.
    id: String,
    role: Role,
    /// Whether they may sign in.
    active: bool,
    /// Empty takes it away. Another address ends the links that were mailed to the old one.
    #[schemars(length(max = 254))]
    email: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetOwnEmail {
    /// Empty takes it away. Another address ends the links that were mailed to the old one.
    #[schemars(length(max = 254))]
    email: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SetPassword {
    /// The operator's name.
    name: String,
    /// At least 15 characters.
    #[schemars(extend("format" = "password"))]
    password: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Serialize, JsonSchema)]
struct Added {
    id: String,
}

/// An operator, as far as they may be shown.
#[derive(Debug, Serialize, JsonSchema)]
struct Operator {
    id: String,
    name: String,
    email: Option<String>,
    role: String,
    active: bool,
    /// Whether a password was set. Without one an operator was invited and has not chosen one yet.
    has_password: bool,
    /// Until when an open invitation works, Unix milliseconds.
    invited_until: Option<i64>,
    /// Unix milliseconds.
    created_at: i64,
    last_login_at: Option<i64>,
}

/// What an operator is called in the audit log.
const KIND: &str = "operator";
const BY_HAND: &str = "Rights of operators are given by hand, not by undoing.";

async fn add(operators: Arc<Operators>, call: Arc<Call>, input: Add) -> Result<Added> {
    let row = store::NewOperator {
        email: Email::read(input.email.as_deref().unwrap_or_default())?,
        language: input.language.map(Language::tag),
        ..operators.new_operator(&input.name, input.role)?
    };
    let email = row.email.as_ref().map(|email| email.shown.clone());
    let after = json!({ "name": row.name, "email": email, "role": input.role, "active": true });
    let id = match (input.invite.unwrap_or_default(), input.password) {
        (true, None) => operators.add_invited(row, &call.caller).await?,
        (true, Some(_)) => return Err(either()),
        (false, password) => operators.add_with(row, password.ok_or_else(either)?).await?,
    };
    call.changed(Change::of(KIND, &id).after(&after).never(BY_HAND));
    Ok(Added { id })
}

async fn list(operators: Arc<Operators>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Operator>> {
    let now = operators.time.now().await?;
    let invitations = store::invitations(&operators.core.db, now).await?;
    let invited_until = |id: &str| {
        invitations
            .iter()
            .find(|(invited, _)| invited == id)
            .map(|(_, end)| *end)
    };
    let rows = store::list(&operators.core.db).await?;
    let shown = rows.into_iter().map(|row| Operator {
        invited_until: invited_until(&row.id),
        id: row.id,
        name: row.name,
        email: row.email,
        role: row.role,
        active: row.active != 0,
        has_password: !row.password_hash.is_empty(),
        created_at: row.created_at,
        last_login_at: row.last_login_at,
    });
    Ok(shown.collect())
}

async fn update(operators: Arc<Operators>, call: Arc<Call>, input: Update) -> Result<bool> {
    let email = input.email.as_deref().map(Email::read).transpose()?;
    let update = store::Update {
        role: Some(input.role.name()),
        active: Some(input.active),
        notice: operators.address_notice(&input.id, email.as_ref()).await?,
        email,
    };
    change(&operators, &call, &input.id, update).await
}

async fn set_own_email(operators: Arc<Operators>, call: Arc<Call>, input: SetOwnEmail) -> Result<bool> {
    let Caller::Operator(operator) = &call.caller else {
        return Err(absent(KIND));
    };
    let email = Some(Email::read(&input.email)?);
    let update = store::Update {
        role: None,
        active: None,
        notice: operators.address_notice(&operator.id, email.as_ref()).await?,
        email,
    };
    change(&operators, &call, &operator.id, update).await
}

async fn change(operators: &Operators, call: &Call, id: &str, update: store::Update) -> Result<bool> {
    let (role, active) = (update.role, update.active);
    let email = update
        .email
        .as_ref()
        .map(|email| email.as_ref().map(|email| email.shown.clone()));
    let state = update.notice.as_ref().map(crate::mail::NewMail::state);
    let before = store::update(&operators.core.db, id, update).await?;
    let before = before.ok_or_else(|| absent(KIND))?;
    let email_before = before.email.clone();
    if let Some(state) = state.filter(|_| email.as_ref().is_some_and(|email| *email != email_before)) {
        operators.mail.accepted(state);
    }
    let after = json!({
        "name": before.name, "email": email.unwrap_or(email_before), "role": role.unwrap_or(&before.role),
        "active": active.unwrap_or(before.active != 0),
    });
    let change = Change::of(KIND, id).before(&before.shown()).after(&after);
    call.changed(change.never(BY_HAND));
    Ok(true)
}

async fn invite(operators: Arc<Operators>, call: Arc<Call>, input: ById) -> Result<bool> {
    operators.invite(&input.id, &call.caller).await?;
    let change = Change::of(KIND, &input.id).after(&json!({ "invitation": "sent" }));
    call.changed(change.never("A mail that was sent cannot be taken back. Revoke the invitation instead."));
    Ok(true)
}

async fn revoke_invitation(operators: Arc<Operators>, call: Arc<Call>, input: ById) -> Result<bool> {
    let now = operators.time.now().await?;
    if !store::revoke_invitation(&operators.core.db, &input.id, now).await? {
        return Err(Error::new(
            Code::NotFound,
            "This operator has no open invitation.",
        ));
    }
    let change = Change::of(KIND, &input.id).before(&json!({ "invitation": "open" }));
    call.changed(change.never("The link is gone. Send another invitation."));
    Ok(true)
}

fn either() -> Error {
    let text = "Give either a `password`, or `invite` and an `email` that the invitation goes to.";
    Error::new(Code::ParameterMissing, text).with_details(json!({ "parameter": "password" }))
}

async fn set_password(operators: Arc<Operators>, call: Arc<Call>, input: SetPassword) -> Result<bool> {
    let id = operators.set_password(&input.name, input.password).await?;
    // Only that there is another one: both are masked.
    let change = Change::of(KIND, id)
        .before(&json!({ "password": "old" }))
        .after(&json!({ "password": "new" }));
    call.changed(change.never("A password is kept as a hash, and the old one is gone."));
    Ok(true)
}

async fn remove(operators: Arc<Operators>, call: Arc<Call>, input: ById) -> Result<bool> {
    let before = store::remove(&operators.core.db, &input.id).await?;
    let before = before.ok_or_else(|| absent(KIND))?;
    let change = Change::of(KIND, &input.id).before(&before.shown());
    call.changed(change.never("The password is gone. Add the operator again."));
    Ok(true)
}

async fn sessions(operators: Arc<Operators>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Session>> {
    operators.list_sessions().await
}

async fn end_session(operators: Arc<Operators>, call: Arc<Call>, input: ById) -> Result<bool> {
    let open = operators.list_sessions().await?;
    if !store::end_session(&operators.core.db, &input.id).await? {
        return Err(absent("open session"));
    }
    let ended = open.iter().find(|session| session.id == input.id);
    let before = ended.map(|session| {
        json!({ "operator": session.operator_name, "address": session.address, "browser": session.user_agent })
    });
    let change = Change::of("session", &input.id).before(&before.unwrap_or_else(|| json!({})));
    call.changed(change.never("Whoever was signed out signs in again."));
    Ok(true)
}

fn absent(what: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no {what} with this id."))
}
