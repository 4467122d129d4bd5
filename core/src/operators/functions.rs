//! The functions that manage operators; all need the role admin.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Operators, Session, store};
use crate::functions::{Call, Function, Role};
use crate::{Code, Error, Result};

pub(super) fn all(operators: &Arc<Operators>) -> Vec<Function> {
    vec![
        Function::write("operators.add", "Makes an operator.", operators, add).role(Role::Admin),
        Function::read("operators.list", "Lists the operators.", operators, list),
        Function::write(
            "operators.update",
            "Changes an operator's role, or whether they may sign in.",
            operators,
            update,
        )
        .role(Role::Admin),
        Function::write(
            "operators.setPassword",
            "Sets an operator's password, and ends their sessions.",
            operators,
            set_password,
        )
        .role(Role::Admin),
        Function::write(
            "operators.remove",
            "Removes an operator, and ends their sessions.",
            operators,
            remove,
        )
        .role(Role::Admin),
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

async fn add(operators: Arc<Operators>, _call: Arc<Call>, input: Add) -> Result<Added> {
    let id = operators.add(&input.name, input.password, input.role).await?;
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

async fn update(operators: Arc<Operators>, _call: Arc<Call>, input: Update) -> Result<bool> {
    found(
        store::update(&operators.core.db, &input.id, input.role.name(), input.active).await?,
        "operator",
    )
}

async fn set_password(operators: Arc<Operators>, _call: Arc<Call>, input: SetPassword) -> Result<bool> {
    operators.set_password(&input.name, input.password).await?;
    Ok(true)
}

async fn remove(operators: Arc<Operators>, _call: Arc<Call>, input: ById) -> Result<bool> {
    found(store::remove(&operators.core.db, &input.id).await?, "operator")
}

async fn sessions(operators: Arc<Operators>, _call: Arc<Call>, _input: Nothing) -> Result<Vec<Session>> {
    operators.list_sessions().await
}

async fn end_session(operators: Arc<Operators>, _call: Arc<Call>, input: ById) -> Result<bool> {
    found(
        store::end_session(&operators.core.db, &input.id).await?,
        "open session",
    )
}

fn found(was: bool, what: &str) -> Result<bool> {
    if was {
        Ok(true)
    } else {
        Err(Error::new(
            Code::NotFound,
            format!("There is no {what} with this id."),
        ))
    }
}
