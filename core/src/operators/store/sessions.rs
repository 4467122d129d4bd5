//! The table `sessions`.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Db, Result};

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

pub(in crate::operators) struct NewSession {
    pub token_hash: Vec<u8>,
    pub id: String,
    pub operator_id: String,
    pub created_at: i64,
    pub address: String,
    pub user_agent: String,
    /// Of the page that the operator signed in on.
    pub language: Option<&'static str>,
    /// Sessions made before this are swept away.
    pub dead_before: i64,
}

#[derive(sqlx::FromRow)]
pub(in crate::operators) struct LiveSession {
    pub operator_id: String,
    pub name: String,
    pub role: String,
    pub seen_at: i64,
    pub password_at: i64,
}

pub(in crate::operators) async fn insert_session(db: &Db, session: NewSession, now: i64) -> Result<()> {
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
            sqlx::query(
                "UPDATE operators SET last_login_at = $2, language = COALESCE($3, language) WHERE id = $1",
            )
                .bind(session.operator_id)
                .bind(now)
                .bind(session.language)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

pub(in crate::operators) async fn find_session(
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

pub(in crate::operators) async fn mark_seen(db: &Db, token_hash: Vec<u8>, now: i64) -> Result<()> {
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
pub(in crate::operators) async fn mark_password(db: &Db, token_hash: Vec<u8>, now: i64) -> Result<()> {
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

pub(in crate::operators) async fn session_id(db: &Db, token_hash: Vec<u8>) -> Result<Option<String>> {
    let id = sqlx::query_scalar("SELECT id FROM sessions WHERE token_hash = $1")
        .bind(token_hash)
        .fetch_optional(db.reader())
        .await?;
    Ok(id)
}

pub(in crate::operators) async fn delete_session(db: &Db, token_hash: Vec<u8>) -> Result<()> {
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

pub(in crate::operators) async fn end_other_sessions(
    db: &Db,
    operator_id: &str,
    token_hash: Vec<u8>,
) -> Result<u64> {
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

pub(in crate::operators) async fn end_session(db: &Db, id: &str) -> Result<bool> {
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

pub(in crate::operators) async fn list_sessions(
    db: &Db,
    seen_after: i64,
    created_after: i64,
) -> Result<Vec<Session>> {
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
