//! The tables `settings`, `setting_values` and `setting_groups`.

use sqlx::AnyConnection;

use crate::{Db, Result};

pub(super) async fn get(db: &Db, name: &str) -> Result<Option<String>> {
    let text = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(name.to_owned())
        .fetch_optional(db.reader())
        .await?;
    Ok(text)
}

pub(super) async fn put(db: &Db, name: &str, value: String, now: i64) -> Result<()> {
    let name = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO settings (name, value, changed_at) VALUES ($1, $2, $3)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
            )
            .bind(name)
            .bind(value)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn remove(db: &Db, name: &str) -> Result<bool> {
    let name = name.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM settings WHERE name = $1")
                .bind(name)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}

/// A setting that somebody touched.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(super) struct Row {
    pub(super) group_name: String,
    pub(super) name: String,
    /// JSON; `None` when it is at its default, or a secret.
    pub(super) value: Option<String>,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) changed_by: String,
    pub(super) changed_at: i64,
}

/// Everything that was ever touched.
pub(super) async fn all(db: &Db) -> Result<Vec<Row>> {
    let rows = sqlx::query_as(
        "SELECT group_name, name, value, sealed, changed_by, changed_at FROM setting_values ORDER BY group_name, name",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// How often each group was changed.
pub(super) async fn revisions(db: &Db) -> Result<Vec<(String, i64)>> {
    let revisions = sqlx::query_as("SELECT name, revision FROM setting_groups ORDER BY name")
        .fetch_all(db.reader())
        .await?;
    Ok(revisions)
}

/// Changes a group. `decide` is told the group's revision and all that is set, and says what is written.
pub(super) async fn change<F>(db: &Db, group: &str, decide: F) -> Result<()>
where
    F: FnOnce(i64, Vec<Row>) -> Result<Vec<Row>> + Send + 'static,
{
    let group = group.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let revision = locked(tx, &group).await?;
            let rows = sqlx::query_as(
                "SELECT group_name, name, value, sealed, changed_by, changed_at FROM setting_values",
            )
            .fetch_all(&mut *tx)
            .await?;
            let changes = decide(revision, rows)?;
            if !changes.is_empty() {
                sqlx::query("UPDATE setting_groups SET revision = revision + 1 WHERE name = $1")
                    .bind(group)
                    .execute(&mut *tx)
                    .await?;
            }
            for change in changes {
                write(tx, change).await?;
            }
            Ok(())
        })
    })
    .await
}

/// The group's revision; until the transaction ends nobody else changes the group.
async fn locked(tx: &mut AnyConnection, group: &str) -> Result<i64> {
    let revision = sqlx::query_scalar(
        "INSERT INTO setting_groups (name, revision) VALUES ($1, 0)
         ON CONFLICT (name) DO UPDATE SET revision = setting_groups.revision
         RETURNING revision",
    )
    .bind(group.to_owned())
    .fetch_one(&mut *tx)
    .await?;
    Ok(revision)
}

async fn write(tx: &mut AnyConnection, row: Row) -> Result<()> {
    sqlx::query(
        "INSERT INTO setting_values (group_name, name, value, sealed, changed_by, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (group_name, name) DO UPDATE
         SET value = excluded.value, sealed = excluded.sealed,
             changed_by = excluded.changed_by, changed_at = excluded.changed_at",
    )
    .bind(row.group_name)
    .bind(row.name)
    .bind(row.value)
    .bind(row.sealed)
    .bind(row.changed_by)
    .bind(row.changed_at)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
