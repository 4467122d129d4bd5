//! The table `tokens`.

use std::sync::Arc;

use crate::{Code, Db, Error, Result};

pub(super) struct NewToken {
    pub id: String,
    pub name: String,
    pub hash: Vec<u8>,
    pub hint: String,
    pub grants: String,
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
pub(super) struct TokenRow {
    pub id: String,
    pub name: String,
    pub hint: String,
    pub grants: String,
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: Option<i64>,
    pub revoked_at: Option<i64>,
    pub used_at: Option<i64>,
}

/// A token that may be used.
pub(super) struct LiveToken {
    pub id: String,
    pub name: String,
    pub grants: Arc<[String]>,
    pub expires_at: Option<i64>,
}

pub(super) async fn insert(db: &Db, token: NewToken) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO tokens (id, name, token_hash, hint, grants, created_at, created_by, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(token.id)
            .bind(token.name)
            .bind(token.hash)
            .bind(token.hint)
            .bind(token.grants)
            .bind(token.created_at)
            .bind(token.created_by)
            .bind(token.expires_at)
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(Error::new(
                    Code::Conflict,
                    "There is a token of this name already. Choose another name.",
                ));
            }
            Ok(())
        })
    })
    .await
}

pub(super) async fn find_live(db: &Db, hash: Vec<u8>, now: i64) -> Result<Option<Arc<LiveToken>>> {
    let found: Option<(String, String, String, Option<i64>)> = sqlx::query_as(
        "SELECT id, name, grants, expires_at FROM tokens
         WHERE token_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2)",
    )
    .bind(hash)
    .bind(now)
    .fetch_optional(db.reader())
    .await?;
    let read = |(id, name, grants, expires_at): (_, _, String, _)| {
        Ok(Arc::new(LiveToken {
            id,
            name,
            grants: serde_json::from_str(&grants).map_err(Error::unexpected)?,
            expires_at,
        }))
    };
    found.map(read).transpose()
}

pub(super) async fn list(db: &Db) -> Result<Vec<TokenRow>> {
    let rows = sqlx::query_as(
        "SELECT id, name, hint, grants, created_at, created_by, expires_at, revoked_at, used_at
         FROM tokens ORDER BY created_at DESC, id DESC",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// Revokes a token that is not revoked yet. Returns its name.
pub(super) async fn revoke(db: &Db, id: &str, now: i64) -> Result<Option<String>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let name = sqlx::query_scalar(
                "UPDATE tokens SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING name",
            )
            .bind(id)
            .bind(now)
            .fetch_optional(&mut *tx)
            .await?;
            Ok(name)
        })
    })
    .await
}

pub(super) async fn mark_used(db: &Db, id: &str, now: i64) -> Result<()> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE tokens SET used_at = $2 WHERE id = $1")
                .bind(id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}
