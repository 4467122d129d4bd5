//! What the table `mails` says of mail in trouble. Test mails are left out: whoever sent one sees what came of it. Each query looks at few rows, through an index.

use crate::{Db, Result};

/// The inner order is that of the index on states and times: any other one reads and sorts all that waits.
const OLDEST_WAITING: &str = "SELECT id, queued_at AS at, detail
     FROM (SELECT id, queued_at, detail FROM mails
           WHERE state = 'queued' AND (reference IS NULL OR reference <> 'test/mail')
           ORDER BY created_at, id LIMIT 100) AS oldest
     ORDER BY queued_at, id LIMIT 1";

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
    Ok(sqlx::query_as(OLDEST_WAITING).fetch_optional(db.reader()).await?)
}

/// Mail that was given up since a time: up to 10,000, and when the latest was.
#[derive(sqlx::FromRow)]
pub(super) struct GivenUp {
    pub(super) count: i64,
    pub(super) latest_at: Option<i64>,
}

pub(super) async fn count_given_up(db: &Db, since: i64) -> Result<GivenUp> {
    let count = sqlx::query_as(
        "SELECT COUNT(*) AS count, MAX(finished_at) AS latest_at
         FROM (SELECT finished_at FROM mails
               WHERE state IN ('failed', 'bounced') AND finished_at >= $1
                 AND (reference IS NULL OR reference <> 'test/mail')
               ORDER BY finished_at DESC LIMIT 10000) AS given_up",
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
           AND (reference IS NULL OR reference <> 'test/mail')
         ORDER BY finished_at LIMIT 1",
    )
    .bind(since)
    .fetch_optional(db.reader())
    .await?;
    Ok(mail)
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use super::*;

    #[tokio::test]
    async fn the_oldest_that_waits_is_found_without_a_look_at_all() {
        let (_home, core) = crate::testing::core().await;
        let plan = format!("EXPLAIN QUERY PLAN {OLDEST_WAITING}");
        let steps = sqlx::query(sqlx::AssertSqlSafe(plan))
            .fetch_all(core.db.reader())
            .await
            .unwrap();
        let steps: Vec<String> = steps.iter().map(|step| step.get("detail")).collect();
        assert!(steps[1].contains("USING INDEX mails_list_of_state"), "{steps:?}");
        // Only the hundred are sorted.
        assert!(steps[2].starts_with("SCAN oldest"), "{steps:?}");
    }
}
