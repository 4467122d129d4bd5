//! Deleting what is too old, a little at a time.

use super::Db;
use crate::{Result, Shutdown};

/// Deleted in one write: others wait for it.
const BATCH: i64 = 500;

/// How the oldest rows of a table are found and deleted. Its ids sort by time, so finding them looks at nothing else.
pub(crate) struct Oldest {
    /// Gives `id` and `at` of the first `$1` rows in the order of their ids.
    pub(crate) select: &'static str,
    /// Deletes the rows up to the id `$1` that are older than `$2`.
    pub(crate) delete: &'static str,
}

/// Deletes the rows that are older than `before`, and gives how many there were.
///
/// # Errors
/// When the database cannot be read or written.
pub(crate) async fn sweep(db: &Db, table: &Oldest, before: i64, shutdown: &Shutdown) -> Result<u64> {
    let mut all = 0;
    while !shutdown.is_triggered() {
        let oldest: Vec<(String, i64)> = sqlx::query_as(table.select)
            .bind(BATCH)
            .fetch_all(db.reader())
            .await?;
        let old = oldest.into_iter().take_while(|(_, at)| *at < before);
        let Some((last, _)) = old.last() else { break };
        let delete = table.delete;
        all += db
            .write(move |tx| {
                Box::pin(async move {
                    let done = sqlx::query(delete)
                        .bind(last)
                        .bind(before)
                        .execute(&mut *tx)
                        .await?;
                    Ok(done.rows_affected())
                })
            })
            .await?;
    }
    Ok(all)
}
