//! The table `scopes`.

use serde_json::json;

use super::{Scope, ScopeSettings, not_found};
use crate::text::counted;
use crate::{Code, Db, Error, Result};

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    settings: String,
    created_at: i64,
    updated_at: i64,
}

impl Row {
    fn read(self) -> Result<Scope> {
        Ok(Scope {
            name: self.name,
            settings: serde_json::from_str(&self.settings).map_err(Error::unexpected)?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn text(settings: &ScopeSettings) -> Result<String> {
    serde_json::to_string(settings).map_err(Error::unexpected)
}

pub(super) async fn get(db: &Db, name: &str) -> Result<Option<Scope>> {
    let row: Option<Row> =
        sqlx::query_as("SELECT name, settings, created_at, updated_at FROM scopes WHERE name = $1")
            .bind(name.to_owned())
            .fetch_optional(db.reader())
            .await?;
    row.map(Row::read).transpose()
}

pub(super) async fn list(db: &Db) -> Result<Vec<Scope>> {
    let rows: Vec<Row> =
        sqlx::query_as("SELECT name, settings, created_at, updated_at FROM scopes ORDER BY name")
            .fetch_all(db.reader())
            .await?;
    rows.into_iter().map(Row::read).collect()
}

pub(super) async fn insert(db: &Db, scope: Scope) -> Result<Scope> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO scopes (name, settings, created_at, updated_at) VALUES ($1, $2, $3, $3)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(scope.name.clone())
            .bind(text(&scope.settings)?)
            .bind(scope.created_at)
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                let text = format!("There is already a scope \"{}\".", scope.name);
                return Err(Error::new(Code::ScopeExists, text));
            }
            Ok(scope)
        })
    })
    .await
}

/// Changes a scope. Returns its settings as they were, and the scope as it is.
pub(super) async fn update<F>(db: &Db, name: String, now: i64, change: F) -> Result<(ScopeSettings, Scope)>
where
    F: FnOnce(&mut ScopeSettings) -> Result<()> + Send + 'static,
{
    db.write(move |tx| {
        Box::pin(async move {
            // Taking the row by a change keeps others from changing it until we are done, on both databases.
            let row: Option<Row> = sqlx::query_as(
                "UPDATE scopes SET updated_at = $2 WHERE name = $1
                 RETURNING name, settings, created_at, updated_at",
            )
            .bind(name.clone())
            .bind(now)
            .fetch_optional(&mut *tx)
            .await?;
            let mut scope = row.ok_or_else(|| not_found(&name))?.read()?;
            let before = scope.settings.clone();
            change(&mut scope.settings)?;
            sqlx::query("UPDATE scopes SET settings = $2 WHERE name = $1")
                .bind(name)
                .bind(text(&scope.settings)?)
                .execute(&mut *tx)
                .await?;
            Ok((before, scope))
        })
    })
    .await
}

/// Deletes a scope. Returns its settings and how many users went with it; `None` when it was not there.
pub(super) async fn delete(db: &Db, name: String, with_users: bool) -> Result<Option<(ScopeSettings, i64)>> {
    db.write(move |tx| {
        Box::pin(async move {
            let users: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE scope = $1")
                .bind(name.clone())
                .fetch_one(&mut *tx)
                .await?;
            if users > 0 && !with_users {
                let text = format!(
                    "The scope \"{name}\" has {}. Delete {} first, or say with_users to delete {} too.",
                    counted(users, "user", "users"),
                    if users == 1 { "it" } else { "them" },
                    if users == 1 { "it" } else { "them" },
                );
                return Err(Error::new(Code::Conflict, text).with_details(json!({ "users": users })));
            }
            let deleted: Option<Row> = sqlx::query_as(
                "DELETE FROM scopes WHERE name = $1 RETURNING name, settings, created_at, updated_at",
            )
            .bind(name)
            .fetch_optional(&mut *tx)
            .await?;
            let scope = deleted.map(Row::read).transpose()?;
            Ok(scope.map(|scope| (scope.settings, users)))
        })
    })
    .await
}
