//! What the table `users` says of addresses that are not in their canonical form.

use crate::{Db, Result};

/// A user whose address an older Coronet kept in another form.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(super) struct Spelled {
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) username: String,
    pub(super) email: String,
    pub(super) email_key: String,
}

/// Users whose domains are spelled in punycode, or in other letters than ASCII: no other spelling can differ. Read from
/// the index `users_list`, once for each start of a server.
pub(super) async fn internationalized(db: &Db) -> Result<Vec<Spelled>> {
    let rows = sqlx::query_as(
        "SELECT id, scope, username, email, email_key FROM users
         WHERE id IN (SELECT id FROM users
                      WHERE email_key LIKE '%xn--%' OR octet_length(email_key) <> length(email_key))
         ORDER BY id",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// Of these users, the one with this id as it is now.
pub(super) async fn get(db: &Db, id: &str) -> Result<Option<Spelled>> {
    let row = sqlx::query_as(
        "SELECT id, scope, username, email, email_key FROM users WHERE id = $1 AND email IS NOT NULL",
    )
    .bind(id.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(row)
}

/// Gives a user's address its canonical form, unless another user of the scope has that address, or the user's has
/// changed meanwhile. Says whether it was done.
pub(super) async fn respell(db: &Db, user: Spelled, email: String, email_key: String) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE users SET email = $3, email_key = $4
                 WHERE id = $1 AND email = $2
                   AND NOT EXISTS (SELECT 1 FROM users AS other
                                   WHERE other.scope = $5 AND other.email_key = $4 AND other.id <> $1)",
            )
            .bind(user.id)
            .bind(user.email)
            .bind(email)
            .bind(email_key)
            .bind(user.scope)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}
