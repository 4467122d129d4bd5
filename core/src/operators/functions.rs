//! The functions that manage operators; all need the role admin.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Operators, Session, store};
use crate::functions::{Call, Change, Function, Role};
use crate::{Code, Error, Result};

pub(super) fn all(operators: &Arc<Operators>) -> Vec<Function> {
    vec![
        Function::write("operators.add", "Makes an operator.", operators, add)
            .role(Role::Admin)
            .needs_password(),
        Function::read("operators.list", "Lists the operators.", operators, list),
        Function::write(
            "operators.update",
            "Changes an operator's role, or whether they may sign in.",
            operators,
            update,
        )
        .role(Role::Admin)
        .needs_password(),
        Function::write(
            "operators.setPassword",
            "Sets an operator's password, and ends their sessions.",
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
    /// At least 15 characters.
    #[schemars(extend("format" = "password"))]
    password: String,
    /// `viewer` sees everything, `editor` does the daily work, `admin` may do all.
    role: Role,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Update {
    /// The operator's id.
    id: String,
    role: Role,
    /// Whether they may sign in.
    active: bool,
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
    role: String,
    active: bool,
    /// Unix milliseconds.
    created_at: i64,
    last_login_at: Option<i64>,
}

/// What an operator is called in the audit log.
const KIND: &str = "operator";
const BY_HAND: &str = "Rights of operators are given by hand, not by undoing.";

async fn add(operators: Arc<Operators>, call: Arc<Call>, input: Add) -> Result<Added> {
    let id = operators.add(&input.name, input.password, input.role).await?;
    let after = json!({ "name": input.name.trim(), "role": input.role, "active": true });
    call.changed(Change::of(KIND, &id).after(&after).never(BY_HAND));
    Ok(Added { id })
}

async fn list(operators: Arc<Operators>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Operator>> {
    let rows = store::list(&operators.core.db).await?;
    let shown = rows.into_iter().map(|row| Operator {
        id: row.id,
        name: row.name,
        role: row.role,
        active: row.active != 0,
        created_at: row.created_at,
        last_login_at: row.last_login_at,
    });
    Ok(shown.collect())
}

async fn update(operators: Arc<Operators>, call: Arc<Call>, input: Update) -> Result<bool> {
    let before = store::update(&operators.core.db, &input.id, input.role.name(), input.active).await?;
    let before = before.ok_or_else(|| absent(KIND))?;
    let after = json!({ "name": before.name, "role": input.role, "active": input.active });
    let change = Change::of(KIND, &input.id).before(&before.shown()).after(&after);
    call.changed(change.never(BY_HAND));
    Ok(true)
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
