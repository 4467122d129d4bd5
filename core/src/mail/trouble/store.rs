//! What the table `mails` says of mail in trouble. Each query looks at few rows, through an index.

use crate::{Db, Result};

/// A mail in trouble.
#[derive(sqlx::FromRow)]
pub(super) struct Mail {
    pub(super) id: String,
    /// Since when.
    pub(super) at: i64,
    pub(super) detail: Option<String>,
}

pub(super) async fn count_waiting(db: &Db) -> Result<i64> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state IN ('queued', 'sending') LIMIT 10000) AS waiting",
    )
    .fetch_one(db.reader())
    .await?;
    Ok(count)
}

/// Of the hundred oldest that wait, the one that was queued first: one that somebody queued again waits since then.
pub(super) async fn oldest_waiting(db: &Db) -> Result<Option<Mail>> {
    let mail = sqlx::query_as(
        "SELECT id, queued_at AS at, detail
         FROM (SELECT id, queued_at, detail FROM mails WHERE state = 'queued' ORDER BY id LIMIT 100) AS oldest
         ORDER BY queued_at, id LIMIT 1",
    )
    .fetch_optional(db.reader())
    .await?;
    Ok(mail)
}

pub(super) async fn count_given_up(db: &Db, since: i64) -> Result<i64> {
    let count = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM mails WHERE state IN ('failed', 'bounced') AND finished_at >= $1 LIMIT 10000)
         AS given_up",
    )
    .bind(since)
    .fetch_one(db.reader())
    .await?;
    Ok(count)
}

pub(super) async fn first_given_up(db: &Db, since: i64) -> Result<Option<Mail>> {
    let mail = sqlx::query_as(
        "SELECT id, finished_at AS at, detail FROM mails
         WHERE state IN ('failed', 'bounced') AND finished_at >= $1
         ORDER BY finished_at LIMIT 1",
    )
    .bind(since)
    .fetch_optional(db.reader())
    .await?;
    Ok(mail)
}
