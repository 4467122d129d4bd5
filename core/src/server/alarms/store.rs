//! The table `alarm_mutes`.

use super::{Key, Mute};
use crate::{Db, Result};

#[derive(sqlx::FromRow)]
struct Row {
    part: String,
    kind: String,
    subject: String,
    reason: String,
    muted_by: String,
    muted_at: i64,
    until: i64,
}

pub(super) async fn all(db: &Db, now: i64) -> Result<Vec<Mute>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT part, kind, subject, reason, muted_by, muted_at, until FROM alarm_mutes WHERE until > $1
         ORDER BY until, part, kind, subject",
    )
    .bind(now)
    .fetch_all(db.reader())
    .await?;
    let mutes = rows.into_iter().map(|row| Mute {
        part: row.part,
        kind: row.kind,
        subject: row.subject,
        reason: row.reason,
        by: row.muted_by,
        at: row.muted_at,
        until: row.until,
    });
    Ok(mutes.collect())
}

/// Keeps a mute in place of an earlier one of the same alarm, and deletes those that are over.
pub(super) async fn put(db: &Db, mute: Mute) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM alarm_mutes WHERE until <= $1")
                .bind(mute.at)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO alarm_mutes (part, kind, subject, reason, muted_by, muted_at, until)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 ON CONFLICT (part, kind, subject) DO UPDATE SET
                     reason = excluded.reason, muted_by = excluded.muted_by, muted_at = excluded.muted_at,
                     until = excluded.until",
            )
            .bind(mute.part)
            .bind(mute.kind)
            .bind(mute.subject)
            .bind(mute.reason)
            .bind(mute.by)
            .bind(mute.at)
            .bind(mute.until)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

/// Says whether it was there.
pub(super) async fn delete(db: &Db, key: Key) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM alarm_mutes WHERE part = $1 AND kind = $2 AND subject = $3")
                .bind(key.part)
                .bind(key.kind)
                .bind(key.subject)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}
