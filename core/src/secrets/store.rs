//! The table `key_check`, and what else in the database is sealed with `secret.key`.

use crate::{Db, Result};

/// A sealed value, and what it is sealed for.
pub(super) struct Sample {
    pub(super) context: String,
    pub(super) sealed: Vec<u8>,
}

pub(super) async fn get(db: &Db) -> Result<Option<Vec<u8>>> {
    Ok(sqlx::query_scalar("SELECT sealed FROM key_check WHERE id = 1")
        .fetch_optional(db.reader())
        .await?)
}

/// Stores the check value unless there is one, and returns the one that is stored: of two servers that start at once on
/// an empty database, the second gets the first one's.
pub(super) async fn put_first(db: &Db, sealed: Vec<u8>, now: i64) -> Result<Vec<u8>> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO key_check (id, sealed, made_at) VALUES (1, $1, $2) ON CONFLICT (id) DO NOTHING",
            )
            .bind(sealed)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            let stored = sqlx::query_scalar("SELECT sealed FROM key_check WHERE id = 1")
                .fetch_one(&mut *tx)
                .await?;
            Ok(stored)
        })
    })
    .await
}

/// Stores the check value in place of the one that is there.
pub(super) async fn replace(db: &Db, sealed: Vec<u8>, now: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "INSERT INTO key_check (id, sealed, made_at) VALUES (1, $1, $2)
                 ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, made_at = excluded.made_at",
            )
            .bind(sealed)
            .bind(now)
            .execute(tx)
            .await?;
            Ok(())
        })
    })
    .await
}

/// The newest sealed values: mail, settings of plugins, secret settings.
pub(super) async fn samples(db: &Db) -> Result<Vec<Sample>> {
    let queries = [
        "SELECT 'mail ' || id, message FROM mails ORDER BY id DESC LIMIT 50",
        "SELECT 'settings of the plugin ' || name, settings FROM plugins WHERE settings IS NOT NULL LIMIT 50",
        "SELECT 'setting ' || group_name || '.' || name, sealed FROM setting_values WHERE sealed IS NOT NULL LIMIT 50",
    ];
    let mut samples = Vec::new();
    for query in queries {
        let rows: Vec<(String, Vec<u8>)> = sqlx::query_as(query).fetch_all(db.reader()).await?;
        let sample = |(context, sealed)| Sample { context, sealed };
        samples.extend(rows.into_iter().map(sample));
    }
    Ok(samples)
}

/// How many servers gave a sign of life since then.
pub(super) async fn running_servers(db: &Db, since: i64) -> Result<i64> {
    Ok(
        sqlx::query_scalar("SELECT COUNT(*) FROM servers WHERE seen_at > $1")
            .bind(since)
            .fetch_one(db.reader())
            .await?,
    )
}
