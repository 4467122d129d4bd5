//! The table `idempotency_keys`. A row past its expiry is as good as gone, whether it was swept or not.

use crate::{Db, Result};

/// Deleted in one write: others wait for it.
const BATCH: i64 = 500;

#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) token: String,
    pub(super) key: Vec<u8>,
    /// The sealed fingerprint of the call.
    pub(super) request: Vec<u8>,
    pub(super) now: i64,
    /// Until when nobody else carries the call out. It also tells this claim from an earlier one.
    pub(super) lease_until: i64,
    pub(super) expires_at: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) request: Vec<u8>,
    pub(super) lease_until: i64,
    pub(super) status: Option<i64>,
    pub(super) answer: Option<Vec<u8>>,
}

pub(super) async fn find(db: &Db, token: &str, key: &[u8], now: i64) -> Result<Option<Row>> {
    let row = sqlx::query_as(
        "SELECT request, lease_until, status, answer FROM idempotency_keys
         WHERE token_id = $1 AND key_hash = $2 AND expires_at > $3",
    )
    .bind(token.to_owned())
    .bind(key.to_vec())
    .bind(now)
    .fetch_optional(db.reader())
    .await?;
    Ok(row)
}

/// Takes the key, unless a call that is carried out or was answered holds it. Returns whether it was taken.
pub(super) async fn claim(db: &Db, claim: Claim) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO idempotency_keys (token_id, key_hash, request, lease_until, created_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6)
                 ON CONFLICT (token_id, key_hash) DO UPDATE
                 SET request = excluded.request, lease_until = excluded.lease_until, status = NULL, answer = NULL,
                     created_at = excluded.created_at, expires_at = excluded.expires_at
                 WHERE idempotency_keys.expires_at <= $5
                    OR (idempotency_keys.status IS NULL AND idempotency_keys.lease_until <= $5)",
            )
            .bind(claim.token)
            .bind(claim.key)
            .bind(claim.request)
            .bind(claim.lease_until)
            .bind(claim.now)
            .bind(claim.expires_at)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected() == 1)
        })
    })
    .await
}

/// Stores the answer of a claimed call; without `answer`, only that there was one.
pub(super) async fn answered(db: &Db, claim: Claim, status: u16, answer: Option<Vec<u8>>) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "UPDATE idempotency_keys SET status = $4, answer = $5
                 WHERE token_id = $1 AND key_hash = $2 AND lease_until = $3 AND status IS NULL",
            )
            .bind(claim.token)
            .bind(claim.key)
            .bind(claim.lease_until)
            .bind(i64::from(status))
            .bind(answer)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

/// Gives a claimed key back: nothing was done with it.
pub(super) async fn release(db: &Db, claim: Claim) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "DELETE FROM idempotency_keys
                 WHERE token_id = $1 AND key_hash = $2 AND lease_until = $3 AND status IS NULL",
            )
            .bind(claim.token)
            .bind(claim.key)
            .bind(claim.lease_until)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

pub(super) async fn count(db: &Db, token: &str, now: i64) -> Result<i64> {
    let count =
        sqlx::query_scalar("SELECT COUNT(*) FROM idempotency_keys WHERE token_id = $1 AND expires_at > $2")
            .bind(token.to_owned())
            .bind(now)
            .fetch_one(db.reader())
            .await?;
    Ok(count)
}

/// Ends every claim. Only for a server that is alone on its database and has just started: its claims died with it.
pub(super) async fn end_claims(db: &Db) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM idempotency_keys WHERE status IS NULL")
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

/// Deletes what is too old, a little at a time, and returns how many rows there were.
pub(super) async fn sweep(db: &Db, now: i64) -> Result<u64> {
    let mut all = 0;
    loop {
        let deleted = db
            .write(move |tx| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "DELETE FROM idempotency_keys WHERE (token_id, key_hash) IN
                         (SELECT token_id, key_hash FROM idempotency_keys WHERE expires_at <= $1 LIMIT $2)",
                    )
                    .bind(now)
                    .bind(BATCH)
                    .execute(&mut *tx)
                    .await?;
                    Ok(done.rows_affected())
                })
            })
            .await?;
        if deleted == 0 {
            return Ok(all);
        }
        all += deleted;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::Db;

    /// All that is kept: the hashed key, the fingerprint of the request and the answer of each call.
    pub(crate) async fn everything(db: &Db) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        sqlx::query_as("SELECT key_hash, request, answer FROM idempotency_keys")
            .fetch_all(db.reader())
            .await
            .unwrap()
    }
}
