//! The table `operators`; its sessions and links have files of their own.

mod links;
mod sessions;

pub(super) use links::*;
pub use sessions::Session;
pub(super) use sessions::*;

use super::email::Email;
use crate::{Code, Db, Error, Result};

macro_rules! select_operators {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, email, language, password_hash, role, active, created_at, last_login_at FROM operators ",
            $rest
        )
    };
}

pub(super) struct NewOperator {
    pub id: String,
    pub name: String,
    /// [`super::name_key`] of the name.
    pub name_key: String,
    pub email: Option<Email>,
    pub language: Option<&'static str>,
    /// Empty while an invitation waits: no password is right then.
    pub password_hash: String,
    pub role: &'static str,
    pub created_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct OperatorRow {
    pub id: String,
    pub name: String,
    pub email: Option<String>,
    /// In which the operator used the webmin last.
    pub language: Option<String>,
    pub password_hash: String,
    pub role: String,
    pub active: i64,
    pub created_at: i64,
    pub last_login_at: Option<i64>,
}

pub(super) async fn any(db: &Db) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar("SELECT created_at FROM operators LIMIT 1")
        .fetch_optional(db.reader())
        .await?;
    Ok(found.is_some())
}

/// The operator of this name. Of two whose names differ only in case, it is the one whose name is written exactly so.
pub(super) async fn find_by_name(db: &Db, name: &str, name_key: String) -> Result<Option<OperatorRow>> {
    let found = sqlx::query_as(select_operators!(
        "WHERE name = $1 OR name_key = $2
         ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1"
    ))
    .bind(name.trim().to_owned())
    .bind(name_key)
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

/// The active operator with this address who has a password.
pub(super) async fn find_by_email(db: &Db, email_key: &str) -> Result<Option<OperatorRow>> {
    let found = sqlx::query_as(select_operators!(
        "WHERE email_key = $1 AND active = 1 AND password_hash <> ''"
    ))
    .bind(email_key.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

pub(super) async fn find(db: &Db, id: &str) -> Result<Option<OperatorRow>> {
    let found = sqlx::query_as(select_operators!("WHERE id = $1"))
        .bind(id.to_owned())
        .fetch_optional(db.reader())
        .await?;
    Ok(found)
}

pub(super) async fn list(db: &Db) -> Result<Vec<OperatorRow>> {
    let rows = sqlx::query_as(select_operators!("ORDER BY name"))
        .fetch_all(db.reader())
        .await?;
    Ok(rows)
}

async fn insert_row(tx: &mut sqlx::AnyConnection, operator: &NewOperator) -> Result<()> {
    if let Some(email) = &operator.email {
        check_free(tx, &operator.id, email).await?;
    }
    let done = sqlx::query(
        "INSERT INTO operators (id, name, name_key, email, email_key, language, password_hash, role, active, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)
         ON CONFLICT DO NOTHING",
    )
    .bind(operator.id.clone())
    .bind(operator.name.clone())
    .bind(operator.name_key.clone())
    .bind(operator.email.as_ref().map(|email| email.shown.clone()))
    .bind(operator.email.as_ref().map(|email| email.key.clone()))
    .bind(operator.language)
    .bind(operator.password_hash.clone())
    .bind(operator.role)
    .bind(operator.created_at)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        let text = format!(
            "There is an operator {} already. Choose another name.",
            operator.name
        );
        return Err(Error::new(Code::Conflict, text).with_details(serde_json::json!({ "parameter": "name" })));
    }
    Ok(())
}

/// A mail must reach the one operator it is for.
async fn check_free(tx: &mut sqlx::AnyConnection, id: &str, email: &Email) -> Result<()> {
    let holder: Option<String> =
        sqlx::query_scalar("SELECT name FROM operators WHERE email_key = $1 AND id <> $2")
            .bind(email.key.clone())
            .bind(id.to_owned())
            .fetch_optional(&mut *tx)
            .await?;
    let Some(holder) = holder else { return Ok(()) };
    let text = format!("The operator {holder} has this mail address already. Choose another one.");
    Err(Error::new(Code::Conflict, text).with_details(serde_json::json!({ "parameter": "email" })))
}

/// Inserts an operator, and the invitation if they get one.
pub(super) async fn insert(db: &Db, operator: NewOperator, invitation: Option<MailedLink>) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            insert_row(tx, &operator).await?;
            match invitation {
                Some(invitation) => links::insert_mailed(tx, invitation).await,
                None => Ok(()),
            }
        })
    })
    .await
}

/// Inserts the first operator and uses the set-up link up, in one transaction: of two who
/// use it at once, one wins. `None` for the other.
pub(super) async fn insert_first(
    db: &Db,
    operator: NewOperator,
    token_hash: Vec<u8>,
) -> Result<Option<OperatorRow>> {
    db.write(move |tx| {
        Box::pin(async move {
            let used =
                sqlx::query("DELETE FROM operator_links WHERE token_hash = $1 AND operator_id IS NULL")
                    .bind(token_hash)
                    .execute(&mut *tx)
                    .await?;
            if used.rows_affected() == 0 {
                return Ok(None);
            }
            insert_row(tx, &operator).await?;
            by_id(tx, &operator.id).await
        })
    })
    .await
}

impl OperatorRow {
    /// What the audit log may keep of it.
    pub(super) fn shown(&self) -> serde_json::Value {
        serde_json::json!({ "name": self.name, "email": self.email, "role": self.role, "active": self.active != 0 })
    }
}

/// Sets a password, and ends the operator's sessions and open links.
pub(super) async fn set_password(db: &Db, id: String, hash: String) -> Result<()> {
    db.write(move |tx| Box::pin(async move { put_password(tx, &id, hash).await }))
        .await
}

async fn put_password(tx: &mut sqlx::AnyConnection, id: &str, hash: String) -> Result<()> {
    sqlx::query("UPDATE operators SET password_hash = $2 WHERE id = $1")
        .bind(id.to_owned())
        .bind(hash)
        .execute(&mut *tx)
        .await?;
    end_sessions(tx, id).await?;
    links::end_links(tx, id).await
}

async fn end_sessions(tx: &mut sqlx::AnyConnection, id: &str) -> Result<()> {
    sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
        .bind(id.to_owned())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Gives every operator without one the key of the name, the oldest first. Returns the names whose key is taken.
pub(super) async fn fill_name_keys(db: &Db, key: fn(&str) -> String) -> Result<Vec<String>> {
    const MISSING: &str = "SELECT id, name FROM operators WHERE name_key IS NULL ORDER BY created_at, id";
    let missing: Vec<(String, String)> = sqlx::query_as(MISSING).fetch_all(db.reader()).await?;
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    db.write(move |tx| {
        Box::pin(async move {
            let mut taken = Vec::new();
            for (id, name) in missing {
                let done = sqlx::query(
                    "UPDATE operators SET name_key = $2
                     WHERE id = $1 AND NOT EXISTS (SELECT 1 FROM operators WHERE name_key = $2)",
                )
                .bind(id)
                .bind(key(&name))
                .execute(&mut *tx)
                .await?;
                if done.rows_affected() == 0 {
                    taken.push(name);
                }
            }
            Ok(taken)
        })
    })
    .await
}

/// What is changed about an operator. What is `None` stays as it is.
pub(super) struct Update {
    pub role: Option<&'static str>,
    pub active: Option<bool>,
    /// `Some(None)` takes the address away.
    pub email: Option<Option<Email>>,
    /// Tells the old address, when the address is another one then.
    pub notice: Option<crate::mail::NewMail>,
}

/// Changes an operator. Who is no longer active has no sessions; an address that changes, and that, end the open links.
/// The last active admin stays one: without any, nobody could change anything. Returns the operator as they were.
pub(super) async fn update(db: &Db, id: &str, update: Update) -> Result<Option<OperatorRow>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let Some(before) = by_id(tx, &id).await? else {
                return Ok(None);
            };
            let active = update.active.map_or(before.active, i64::from);
            sqlx::query("UPDATE operators SET role = $2, active = $3 WHERE id = $1")
                .bind(id.clone())
                .bind(update.role.unwrap_or(&before.role).to_owned())
                .bind(active)
                .execute(&mut *tx)
                .await?;
            if active == 0 {
                end_sessions(tx, &id).await?;
                links::end_links(tx, &id).await?;
            }
            if let Some(email) = update.email
                && email.as_ref().map(|email| &email.shown) != before.email.as_ref()
            {
                put_email(tx, &id, email).await?;
                crate::mail::insert_all(tx, update.notice.into_iter().collect()).await?;
            }
            if update.role.is_some() || update.active.is_some() {
                keep_an_admin(tx).await?;
            }
            Ok(Some(before))
        })
    })
    .await
}

async fn put_email(tx: &mut sqlx::AnyConnection, id: &str, email: Option<Email>) -> Result<()> {
    if let Some(email) = &email {
        check_free(tx, id, email).await?;
    }
    links::end_links(tx, id).await?;
    let (shown, key) = email.map(|email| (email.shown, email.key)).unzip();
    sqlx::query("UPDATE operators SET email = $2, email_key = $3 WHERE id = $1")
        .bind(id.to_owned())
        .bind(shown)
        .bind(key)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn by_id(tx: &mut sqlx::AnyConnection, id: &str) -> Result<Option<OperatorRow>> {
    let row = sqlx::query_as(select_operators!("WHERE id = $1"))
        .bind(id.to_owned())
        .fetch_optional(&mut *tx)
        .await?;
    Ok(row)
}

/// Removes an operator. Returns who it was.
pub(super) async fn remove(db: &Db, id: &str) -> Result<Option<OperatorRow>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let before = by_id(tx, &id).await?;
            end_sessions(tx, &id).await?;
            links::end_links(tx, &id).await?;
            sqlx::query("DELETE FROM operators WHERE id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            keep_an_admin(tx).await?;
            Ok(before)
        })
    })
    .await
}

/// An admin who has not accepted the invitation yet may never do so, and does not count.
async fn keep_an_admin(tx: &mut sqlx::AnyConnection) -> Result<()> {
    let left: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM operators WHERE role = 'admin' AND active = 1 AND password_hash <> ''",
    )
    .fetch_one(&mut *tx)
    .await?;
    if left > 0 {
        return Ok(());
    }
    Err(Error::new(
        Code::Conflict,
        "This is the last active admin. Make another operator an admin first.",
    ))
}

/// Renames an operator, and takes the keys of all names away.
#[cfg(test)]
pub(super) async fn as_an_earlier_version_left_it(
    db: &Db,
    name: &'static str,
    to: &'static str,
) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE operators SET name_key = NULL")
                .execute(&mut *tx)
                .await?;
            sqlx::query("UPDATE operators SET name = $2 WHERE name = $1")
                .bind(name)
                .bind(to)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}
