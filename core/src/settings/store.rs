//! The table `settings`.

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
