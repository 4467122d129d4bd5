//! The table `audit`.

use schemars::JsonSchema;
use serde::Serialize;

use sqlx::AnyConnection;

use super::List;
use crate::db::{self, Oldest, in_lists, placeholders};
use crate::{Db, Result};

/// One thing that was done, or refused.
#[derive(Debug, Clone, Serialize, JsonSchema, sqlx::FromRow)]
pub struct Entry {
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    /// `operator`, `app`, `job`, `page` or `plugin`.
    pub caller_kind: String,
    pub caller_id: String,
    pub caller_name: String,
    pub address: String,
    pub function: String,
    /// The parameters as JSON, secrets masked; cut when long.
    pub parameters: String,
    /// 0 when it was done, else the error's code.
    pub code: i64,
    pub message: String,
    pub duration_us: i64,
}

const COLUMNS: usize = 11;

pub(super) const OLDEST: Oldest = Oldest {
    select: "SELECT id, at FROM audit ORDER BY id LIMIT $1",
    delete: "DELETE FROM audit WHERE id <= $1 AND at < $2",
};

pub(super) async fn insert(db: Db, entries: Vec<Entry>) -> Result<Vec<()>> {
    let count = entries.len();
    db.write(move |tx| {
        Box::pin(async move {
            for entries in in_lists(entries) {
                insert_rows(tx, entries).await?;
            }
            Ok(vec![(); count])
        })
    })
    .await
}

async fn insert_rows(tx: &mut AnyConnection, entries: Vec<Entry>) -> Result<()> {
    let sql = format!(
        "INSERT INTO audit (id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message,
                            duration_us)
         VALUES {}",
        placeholders(entries.len(), COLUMNS)
    );
    db::execute(tx, sql, |mut query| {
        for entry in entries {
            query = query
                .bind(entry.id)
                .bind(entry.at)
                .bind(entry.caller_kind)
                .bind(entry.caller_id)
                .bind(entry.caller_name)
                .bind(entry.address)
                .bind(entry.function)
                // PostgreSQL's text holds no NUL; JSON writes one as an escape, and an error message must not fail here.
                .bind(entry.parameters)
                .bind(entry.code)
                .bind(entry.message.replace('\0', "\u{fffd}"))
                .bind(entry.duration_us);
        }
        query
    })
    .await?;
    Ok(())
}

pub(super) async fn list(db: &Db, filter: &List, limit: u32) -> Result<Vec<Entry>> {
    // An empty filter matches everything: one statement serves all combinations.
    let entries = sqlx::query_as(
        "SELECT id, at, caller_kind, caller_id, caller_name, address, function, parameters, code, message, duration_us
         FROM audit
         WHERE ($1 = '' OR id < $1)
           AND ($2 = '' OR lower(function) LIKE $2 ESCAPE '\\')
           AND ($3 = '' OR lower(caller_name) LIKE $3 ESCAPE '\\')
           AND ($4 = 0 OR code <> 0)
         ORDER BY id DESC
         LIMIT $5",
    )
    .bind(filter.after.clone().unwrap_or_default())
    .bind(contains(filter.function.as_deref()))
    .bind(contains(filter.caller.as_deref()))
    .bind(i64::from(filter.failed.unwrap_or(false)))
    .bind(i64::from(limit))
    .fetch_all(db.reader())
    .await?;
    Ok(entries)
}

/// A LIKE pattern that finds `text` anywhere, as it is written.
fn contains(text: Option<&str>) -> String {
    match text {
        None | Some("") => String::new(),
        Some(text) => {
            let escaped = text
                .to_lowercase()
                .replace('\\', "\\\\")
                .replace('%', "\\%")
                .replace('_', "\\_");
            format!("%{escaped}%")
        }
    }
}
