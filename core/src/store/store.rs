//! The table `store`. A key past its expiry is as good as gone, whether it was swept or not.

use super::Entry;
use crate::db::Select;
use crate::{Code, Db, Error, PageRequest, Result};

/// What the owner's name of a job's keys starts with; the job's id follows.
pub(super) const OF_JOBS: &str = "job:";

#[derive(sqlx::FromRow)]
struct Row {
    name: String,
    value: String,
    version: i64,
    expires_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<Entry> {
        Ok(Entry {
            key: self.name,
            value: serde_json::from_str(&self.value).map_err(Error::unexpected)?,
            version: self.version,
            expires_at: self.expires_at,
        })
    }
}

/// What must be there for a value to be kept.
pub(super) enum Condition {
    None,
    Version(i64),
    Absent,
}

pub(super) struct NewRow {
    pub(super) owner: String,
    pub(super) key: String,
    pub(super) value: String,
    pub(super) expires_at: Option<i64>,
    pub(super) now: i64,
}

pub(super) async fn get(db: &Db, owner: &str, key: &str, now: i64) -> Result<Option<Entry>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT name, value, version, expires_at FROM store
         WHERE owner = $1 AND name = $2 AND (expires_at IS NULL OR expires_at > $3)",
    )
    .bind(owner.to_owned())
    .bind(key.to_owned())
    .bind(now)
    .fetch_optional(db.reader())
    .await?;
    row.map(Row::read).transpose()
}

pub(super) async fn list(
    db: &Db,
    owner: &str,
    prefix: &str,
    page: &PageRequest,
    now: i64,
) -> Result<Vec<Entry>> {
    let rows: Vec<Row> = Select::new("SELECT name, value, version, expires_at FROM store")
        .filter("owner = ?", owner)
        .filter("name >= ?", prefix)
        .filter_some("name < ?", after_prefix(prefix).as_deref())
        .filter_some("name > ?", page.position()?)
        .filter("(expires_at IS NULL OR expires_at > ?)", now)
        .then("ORDER BY name LIMIT ?", page.rows())
        .fetch(db)
        .await?;
    rows.into_iter().map(Row::read).collect()
}

/// The least text that comes after all that start with the prefix, in the order of code points, which is that of both
/// databases here; `None` when there is none.
fn after_prefix(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

/// Keeps the value and gives its version; an expired key counts as absent.
pub(super) async fn put(db: &Db, row: NewRow, condition: Condition) -> Result<i64> {
    let written = db
        .write(move |tx| {
            Box::pin(async move {
                let statement = match condition {
                    Condition::None => {
                        "INSERT INTO store (owner, name, value, version, expires_at, changed_at)
                         VALUES ($1, $2, $3, 1, $4, $5)
                         ON CONFLICT (owner, name) DO UPDATE
                         SET value = excluded.value, version = store.version + 1,
                             expires_at = excluded.expires_at, changed_at = excluded.changed_at
                         RETURNING version"
                    }
                    Condition::Absent => {
                        "INSERT INTO store (owner, name, value, version, expires_at, changed_at)
                         VALUES ($1, $2, $3, 1, $4, $5)
                         ON CONFLICT (owner, name) DO UPDATE
                         SET value = excluded.value, version = store.version + 1,
                             expires_at = excluded.expires_at, changed_at = excluded.changed_at
                         WHERE store.expires_at <= $5
                         RETURNING version"
                    }
                    Condition::Version(_) => {
                        "UPDATE store
                         SET value = $3, version = version + 1, expires_at = $4, changed_at = $5
                         WHERE owner = $1 AND name = $2 AND version = $6
                           AND (expires_at IS NULL OR expires_at > $5)
                         RETURNING version"
                    }
                };
                let mut query = sqlx::query_scalar::<_, i64>(statement)
                    .bind(row.owner)
                    .bind(row.key)
                    .bind(row.value)
                    .bind(row.expires_at)
                    .bind(row.now);
                if let Condition::Version(version) = condition {
                    query = query.bind(version);
                }
                Ok(query.fetch_optional(&mut *tx).await?)
            })
        })
        .await?;
    written.ok_or_else(changed)
}

pub(super) async fn delete(
    db: &Db,
    owner: String,
    key: String,
    if_version: Option<i64>,
    now: i64,
) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let held: Option<(i64, Option<i64>)> = sqlx::query_as(
                "DELETE FROM store WHERE owner = $1 AND name = $2 RETURNING version, expires_at",
            )
            .bind(owner)
            .bind(key)
            .fetch_optional(&mut *tx)
            .await?;
            let held = held.filter(|(_, expires_at)| expires_at.is_none_or(|at| at > now));
            match (held, if_version) {
                // The error takes the delete back.
                (Some((version, _)), Some(wanted)) if version != wanted => Err(changed()),
                (None, Some(_)) => Err(changed()),
                (held, _) => Ok(u64::from(held.is_some())),
            }
        })
    })
    .await
}

/// Adds to the number under the key, which starts at 0 when it is not there or expired.
pub(super) async fn increment(db: &Db, row: NewRow, by: i64) -> Result<(i64, Option<i64>)> {
    db.write(move |tx| {
        Box::pin(async move {
            // Taking the row by a change keeps others from changing it until we are done, on both databases.
            let (held, held_until): (String, Option<i64>) = sqlx::query_as(
                "INSERT INTO store (owner, name, value, version, expires_at, changed_at)
                 VALUES ($1, $2, $3, 0, $4, $5)
                 ON CONFLICT (owner, name) DO UPDATE SET changed_at = excluded.changed_at
                 RETURNING value, expires_at",
            )
            .bind(row.owner.clone())
            .bind(row.key.clone())
            .bind(row.value)
            .bind(row.expires_at)
            .bind(row.now)
            .fetch_one(&mut *tx)
            .await?;
            let (number, expires_at) = match held_until {
                Some(until) if until <= row.now => (0, row.expires_at),
                until => (held.parse().map_err(|_| not_a_number())?, until),
            };
            let sum = i64::checked_add(number, by).ok_or_else(not_a_number)?;
            sqlx::query(
                "UPDATE store SET value = $3, expires_at = $4, version = version + 1
                 WHERE owner = $1 AND name = $2",
            )
            .bind(row.owner)
            .bind(row.key)
            .bind(sum.to_string())
            .bind(expires_at)
            .execute(&mut *tx)
            .await?;
            Ok((sum, expires_at))
        })
    })
    .await
}

/// Deletes what is expired, and the keys of jobs that are gone.
pub(super) async fn sweep(db: &Db, now: i64) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM store WHERE expires_at <= $1")
                .bind(now)
                .execute(&mut *tx)
                .await?;
            let orphaned = sqlx::query(
                "DELETE FROM store
                 WHERE owner >= $1 AND owner < 'job;'
                   AND NOT EXISTS (SELECT 1 FROM jobs WHERE $1 || jobs.id = store.owner)",
            )
            .bind(OF_JOBS)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected() + orphaned.rows_affected())
        })
    })
    .await
}

fn changed() -> Error {
    Error::new(
        Code::Conflict,
        "The key is not what it was when it was read. Read it again.",
    )
}

fn not_a_number() -> Error {
    Error::new(
        Code::ParameterType,
        "The value under this key is not a whole number that can be added to.",
    )
}

#[cfg(test)]
mod tests {
    use super::after_prefix;

    #[test]
    fn the_text_after_a_prefix() {
        assert_eq!(after_prefix("ab").as_deref(), Some("ac"));
        assert_eq!(after_prefix("a\u{10FFFF}").as_deref(), Some("b"));
        assert_eq!(after_prefix(""), None);
        assert_eq!(after_prefix("\u{D7FF}").as_deref(), Some("\u{E000}"));
    }
}
