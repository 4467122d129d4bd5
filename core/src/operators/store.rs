//! The tables `operators` and `sessions`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Code, Db, Error, Result};

pub(super) struct NewOperator {
    pub id: String,
    pub name: String,
    pub password_hash: String,
    pub role: &'static str,
    pub created_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct OperatorRow {
    pub id: String,
    pub name: String,
    pub password_hash: String,
    pub role: String,
    pub active: i64,
    pub created_at: i64,
    pub last_login_at: Option<i64>,
}

/// An open session, as it is listed.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
pub struct Session {
    pub id: String,
    pub operator_id: String,
    pub operator_name: String,
    /// Unix milliseconds, like all times here.
    pub created_at: i64,
    pub seen_at: i64,
    pub address: String,
    pub user_agent: String,
}

pub(super) struct NewSession {
    pub token_hash: Vec<u8>,
    pub id: String,
    pub operator_id: String,
    pub created_at: i64,
    pub address: String,
    pub user_agent: String,
    /// Sessions made before this are swept away.
    pub dead_before: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct LiveSession {
    pub operator_id: String,
    pub name: String,
    pub role: String,
    pub seen_at: i64,
    pub password_at: i64,
}

pub(super) async fn any(db: &Db) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT created_at FROM operators LIMIT 1")
        .fetch_optional(db.reader())
        .await?;
    Ok(found.is_some())
}

pub(super) async fn find_by_name(db: &Db, name: &str) -> Result<Option<OperatorRow>> {
    let found = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators WHERE name = $1",
    )
    .bind(name.trim().to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

pub(super) async fn list(db: &Db) -> Result<Vec<OperatorRow>> {
    let rows = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators ORDER BY name",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

async fn insert_row(tx: &mut sqlx::AnyConnection, operator: &NewOperator) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO operators (id, name, password_hash, role, active, created_at)
         VALUES ($1, $2, $3, $4, 1, $5)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(operator.id.clone())
    .bind(operator.name.clone())
    .bind(operator.password_hash.clone())
    .bind(operator.role)
    .bind(operator.created_at)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        let text = format!(
            "There is an operator {} already. Choose another name.",
            operator.name
        );
        return Err(Error::new(Code::Conflict, text));
    }
    Ok(())
}

pub(super) async fn insert(db: &Db, operator: NewOperator) -> Result<()> {
    db.write(move |tx| Box::pin(async move { insert_row(tx, &operator).await }))
        .await
}

/// Inserts the first operator and uses the set-up link up, in one transaction: of two who
/// use it at once, one wins. `None` for the other.
pub(super) async fn insert_first(
    db: &Db,
    operator: NewOperator,
    setting: &'static str,
) -> Result<Option<OperatorRow>> {
    db.write(move |tx| {
        Box::pin(async move {
            let used = sqlx::query("DELETE FROM settings WHERE name = $1").bind(setting).execute(&mut *tx).await?;
            if used.rows_affected() == 0 {
                return Ok(None);
            }
            insert_row(tx, &operator).await?;
            let row = sqlx::query_as(
                "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators WHERE id = $1",
            )
            .bind(operator.id)
            .fetch_one(&mut *tx)
            .await?;
            Ok(Some(row))
        })
    })
    .await
}

impl OperatorRow {
    /// What the audit log may keep of it.
    pub(super) fn shown(&self) -> serde_json::Value {
        serde_json::json!({ "name": self.name, "role": self.role, "active": self.active != 0 })
    }
}

/// Sets a password and ends the operator's sessions. Returns the operator's id.
pub(super) async fn set_password(db: &Db, name: &str, hash: String) -> Result<Option<String>> {
    let name = name.trim().to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let id =
                sqlx::query_scalar("UPDATE operators SET password_hash = $2 WHERE name = $1 RETURNING id")
                    .bind(name.clone())
                    .bind(hash)
                    .fetch_optional(&mut *tx)
                    .await?;
            sqlx::query(
                "DELETE FROM sessions WHERE operator_id IN (SELECT id FROM operators WHERE name = $1)",
            )
            .bind(name)
            .execute(&mut *tx)
            .await?;
            Ok(id)
        })
    })
    .await
}

/// Sets role and whether the operator is active. An operator who is no longer active has no sessions.
/// The last active admin stays one: without any, nobody could change anything. Returns the operator as they were.
pub(super) async fn update(
    db: &Db,
    id: &str,
    role: &'static str,
    active: bool,
) -> Result<Option<OperatorRow>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let before = by_id(tx, &id).await?;
            sqlx::query("UPDATE operators SET role = $2, active = $3 WHERE id = $1")
                .bind(id.clone())
                .bind(role)
                .bind(i64::from(active))
                .execute(&mut *tx)
                .await?;
            if !active {
                sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
            }
            keep_an_admin(tx).await?;
            Ok(before)
        })
    })
    .await
}

async fn by_id(tx: &mut sqlx::AnyConnection, id: &str) -> Result<Option<OperatorRow>> {
    let row = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row)
}

/// Removes an operator. Returns who it was.
pub(super) async fn remove(db: &Db, id: &str) -> Result<Option<OperatorRow>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let before = by_id(tx, &id).await?;
            sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
                .bind(id.clone())
                .execute(&mut *tx)
                .await?;
            sqlx::query("DELETE FROM operators WHERE id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            keep_an_admin(tx).await?;
            Ok(before)
        })
    })
    .await
}

async fn keep_an_admin(tx: &mut sqlx::AnyConnection) -> Result<()> {
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM operators WHERE role = 'admin' AND active = 1")
        .fetch_one(&mut *tx)
        .await?;
    if left > 0 {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        "This is the last active admin. Make another operator an admin first.",
    ))
}

pub(super) async fn insert_session(db: &Db, session: NewSession, now: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM sessions WHERE created_at < $1")
                .bind(session.dead_before)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO sessions (token_hash, id, operator_id, created_at, seen_at, password_at, address, user_agent)
                 VALUES ($1, $2, $3, $4, $4, $4, $5, $6)",
            )
            .bind(session.token_hash)
            .bind(session.id)
            .bind(session.operator_id.clone())
            .bind(session.created_at)
            .bind(session.address)
            .bind(session.user_agent)
            .execute(&mut *tx)
            .await?;
            sqlx::query("UPDATE operators SET last_login_at = $2 WHERE id = $1")
                .bind(session.operator_id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn find_session(
    db: &Db,
    token_hash: Vec<u8>,
    seen_after: i64,
    created_after: i64,
) -> Result<Option<LiveSession>> {
    let found = sqlx::query_as(
        "SELECT s.operator_id, o.name, o.role, s.seen_at, s.password_at
         FROM sessions s JOIN operators o ON o.id = s.operator_id
         WHERE s.token_hash = $1 AND s.seen_at > $2 AND s.created_at > $3 AND o.active = 1",
    )
    .bind(token_hash)
    .bind(seen_after)
    .bind(created_after)
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

pub(super) async fn mark_seen(db: &Db, token_hash: Vec<u8>, now: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE sessions SET seen_at = $2 WHERE token_hash = $1")
                .bind(token_hash)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

/// Notes that the password was entered again.
pub(super) async fn mark_password(db: &Db, token_hash: Vec<u8>, now: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE sessions SET password_at = $2 WHERE token_hash = $1")
                .bind(token_hash)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn session_id(db: &Db, token_hash: Vec<u8>) -> Result<Option<String>> {
    let id = sqlx::query_scalar("SELECT id FROM sessions WHERE token_hash = $1")
        .bind(token_hash)
        .fetch_optional(db.reader())
        .await?;
    Ok(id)
}

pub(super) async fn delete_session(db: &Db, token_hash: Vec<u8>) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
                .bind(token_hash)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn end_other_sessions(db: &Db, operator_id: &str, token_hash: Vec<u8>) -> Result<u64> {
    let operator_id = operator_id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM sessions WHERE operator_id = $1 AND token_hash <> $2")
                .bind(operator_id)
                .bind(token_hash)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}

pub(super) async fn end_session(db: &Db, id: &str) -> Result<bool> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM sessions WHERE id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}

pub(super) async fn list_sessions(db: &Db, seen_after: i64, created_after: i64) -> Result<Vec<Session>> {
    let rows = sqlx::query_as(
        "SELECT s.id, s.operator_id, o.name AS operator_name, s.created_at, s.seen_at, s.address, s.user_agent
         FROM sessions s JOIN operators o ON o.id = s.operator_id
         WHERE s.seen_at > $1 AND s.created_at > $2
         ORDER BY s.seen_at DESC",
    )
    .bind(seen_after)
    .bind(created_after)
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}
