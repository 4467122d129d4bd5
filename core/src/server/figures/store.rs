//! The tables `figures` and `figure_marks`.

use sqlx::AnyConnection;

use super::{Figure, Kind, MINUTE_MS, Pending, add, floor, rows};
use crate::db::{self, in_lists, placeholders};
use crate::{Db, Result};

/// A value for a bucket.
#[derive(Clone)]
pub(super) struct Row {
    pub(super) step: i64,
    /// Where the bucket begins.
    pub(super) at: i64,
    pub(super) figure: Figure,
    pub(super) value: i64,
}

/// The values of a figure in one of the buckets that are asked for.
#[derive(sqlx::FromRow)]
pub(super) struct Bucket {
    pub(super) name: String,
    pub(super) start: i64,
    pub(super) total: i64,
    pub(super) highest: i64,
}

/// Adds values to their buckets, and the ends of codes that nobody used since the last time, whichever server that was.
pub(super) async fn flush(db: &Db, noted: Vec<Row>, purpose: &'static str, now: i64) -> Result<Vec<()>> {
    let count = noted.len();
    db.write(move |tx| {
        Box::pin(async move {
            let expired = expired(tx, purpose, now).await?;
            let (totals, highest): (Vec<_>, Vec<_>) = noted
                .into_iter()
                .chain(rows(&expired))
                .partition(|row| row.figure.kind() == Kind::Total);
            add_all(tx, totals, "figures.value + excluded.value").await?;
            let higher =
                "CASE WHEN excluded.value > figures.value THEN excluded.value ELSE figures.value END";
            add_all(tx, highest, higher).await?;
            Ok(vec![(); count])
        })
    })
    .await
}

async fn add_all(tx: &mut AnyConnection, rows: Vec<Row>, joined: &'static str) -> Result<()> {
    for list in in_lists(rows) {
        let sql = format!(
            "INSERT INTO figures (step, at, name, value) VALUES {}
             ON CONFLICT (step, at, name) DO UPDATE SET value = {joined}",
            placeholders(list.len(), 4)
        );
        db::execute(tx, sql, |query| {
            list.into_iter().fold(query, |query, row| {
                query
                    .bind(row.step)
                    .bind(row.at)
                    .bind(row.figure.name())
                    .bind(row.value)
            })
        })
        .await?;
    }
    Ok(())
}

/// Counts the codes that ended by themselves since the mark, and moves it. Whoever moves it holds its row until the counts
/// are written, so that every end is counted by one server.
async fn expired(tx: &mut AnyConnection, purpose: &str, now: i64) -> Result<Pending> {
    let name = Figure::ResetsExpired.name();
    sqlx::query(
        "INSERT INTO figure_marks (name, since, until) VALUES ($1, $2, $2) ON CONFLICT (name) DO NOTHING",
    )
    .bind(name)
    .bind(now)
    .execute(&mut *tx)
    .await?;
    let since: Option<i64> = sqlx::query_scalar(
        "UPDATE figure_marks SET since = until, until = $2 WHERE name = $1 AND until < $2 RETURNING since",
    )
    .bind(name)
    .bind(now)
    .fetch_optional(&mut *tx)
    .await?;
    let mut counts = Pending::new();
    let Some(since) = since else { return Ok(counts) };
    let ended: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT expires_at - expires_at % $4 AS minute, COUNT(*) FROM code_histories
         WHERE ending IS NULL AND expires_at > $1 AND expires_at <= $2 AND purpose = $3
         GROUP BY 1",
    )
    .bind(since)
    .bind(now)
    .bind(purpose.to_owned())
    .bind(MINUTE_MS)
    .fetch_all(&mut *tx)
    .await?;
    for (minute, count) in ended {
        add(
            &mut counts,
            floor(minute, MINUTE_MS),
            Figure::ResetsExpired,
            count,
        );
    }
    Ok(counts)
}

pub(super) async fn history(db: &Db, step: i64, from: i64, until: i64, width_ms: i64) -> Result<Vec<Bucket>> {
    let buckets = sqlx::query_as(
        "SELECT name, at - at % $4 AS start, CAST(SUM(value) AS BIGINT) AS total, MAX(value) AS highest
         FROM figures
         WHERE step = $1 AND at >= $2 AND at < $3
         GROUP BY 1, 2",
    )
    .bind(step)
    .bind(from)
    .bind(until)
    .bind(width_ms)
    .fetch_all(db.reader())
    .await?;
    Ok(buckets)
}

/// Deletes buckets of each step that began before its time.
pub(super) async fn sweep<const N: usize>(db: &Db, steps: [(i64, i64); N]) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            for (step, before) in steps {
                sqlx::query("DELETE FROM figures WHERE step = $1 AND at < $2")
                    .bind(step)
                    .bind(before)
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(())
        })
    })
    .await
}
