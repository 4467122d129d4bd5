//! The table `bundle_uploads`.

use super::Files;
use crate::{Db, Error, Result};

const KEPT_MS: i64 = 86_400_000;
/// Uploads of one operator that are kept at a time.
const MOST: i64 = 5;

/// Files that an operator uploaded.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Upload {
    pub(super) id: String,
    pub(super) operator_id: String,
    pub(super) uploaded_at: i64,
    pub(super) files: String,
    pub(super) outcome: String,
}

impl Upload {
    pub(super) fn files(&self) -> Result<Files> {
        serde_json::from_str(&self.files).map_err(Error::unexpected)
    }
}

/// Keeps an upload, and forgets old ones.
pub(super) async fn insert(db: &Db, upload: Upload) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "DELETE FROM bundle_uploads
                 WHERE uploaded_at < $1
                    OR id IN (SELECT id FROM bundle_uploads WHERE operator_id = $2 ORDER BY id DESC LIMIT 1000 OFFSET $3)",
            )
            .bind(upload.uploaded_at - KEPT_MS)
            .bind(upload.operator_id.clone())
            .bind(MOST - 1)
            .execute(&mut *tx)
            .await?;
            sqlx::query(
                "INSERT INTO bundle_uploads (id, operator_id, uploaded_at, files, outcome) VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(upload.id)
            .bind(upload.operator_id)
            .bind(upload.uploaded_at)
            .bind(upload.files)
            .bind(upload.outcome)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn get(db: &Db, id: &str, now: i64) -> Result<Option<Upload>> {
    let row = sqlx::query_as(
        "SELECT id, operator_id, uploaded_at, files, outcome FROM bundle_uploads WHERE id = $1 AND uploaded_at > $2",
    )
    .bind(id.to_owned())
    .bind(now - KEPT_MS)
    .fetch_optional(db.reader())
    .await?;
    Ok(row)
}

/// Notes what came of the import.
pub(super) async fn conclude(db: &Db, id: &str, outcome: String) -> Result<()> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE bundle_uploads SET outcome = $2 WHERE id = $1")
                .bind(id)
                .bind(outcome)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}
