//! The table `operators`; its sessions have a file of their own.

mod sessions;

pub use sessions::Session;
pub(super) use sessions::*;

use crate::{Code, Db, Error, Result};

pub(super) struct NewOperator {
    pub id: String,
    pub name: String,
    /// [`super::name_key`] of the name.
    pub name_key: String,
    pub password_hash: String,
    pub role: &'static str,
    pub created_at: i64,
}

#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct OperatorRow {
    pub id: String,
    pub name: String,
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
    let found = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators
         WHERE name = $1 OR name_key = $2
         ORDER BY CASE WHEN name = $1 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(name.trim().to_owned())
    .bind(name_key)
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

pub(super) async fn list(db: &Db) -> Result<Vec<OperatorRow>> {
    let rows = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators ORDER BY name",
    )
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

async fn insert_row(tx: &mut sqlx::AnyConnection, operator: &NewOperator) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO operators (id, name, name_key, password_hash, role, active, created_at)
         VALUES ($1, $2, $6, $3, $4, 1, $5)
         ON CONFLICT DO NOTHING",
    )
    .bind(operator.id.clone())
    .bind(operator.name.clone())
    .bind(operator.password_hash.clone())
    .bind(operator.role)
    .bind(operator.created_at)
    .bind(operator.name_key.clone())
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        let text = format!(
            "There is an operator {} already. Choose another name.",
            operator.name
        );
        return Err(Error::new(Code::Conflict, text));
    }
    Ok(())
}

pub(super) async fn insert(db: &Db, operator: NewOperator) -> Result<()> {
    db.write(move |tx| Box::pin(async move { insert_row(tx, &operator).await }))
        .await
}

/// Inserts the first operator and uses the set-up link up, in one transaction: of two who
/// use it at once, one wins. `None` for the other.
pub(super) async fn insert_first(
    db: &Db,
    operator: NewOperator,
    setting: &'static str,
) -> Result<Option<OperatorRow>> {
    db.write(move |tx| {
        Box::pin(async move {
            let used = sqlx::query("DELETE FROM settings WHERE name = $1").bind(setting).execute(&mut *tx).await?;
            if used.rows_affected() == 0 {
                return Ok(None);
            }
            insert_row(tx, &operator).await?;
            let row = sqlx::query_as(
                "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators WHERE id = $1",
            )
            .bind(operator.id)
            .fetch_one(&mut *tx)
            .await?;
            Ok(Some(row))
        })
    })
    .await
}

impl OperatorRow {
    /// What the audit log may keep of it.
    pub(super) fn shown(&self) -> serde_json::Value {
        serde_json::json!({ "name": self.name, "role": self.role, "active": self.active != 0 })
    }
}

/// Sets a password and ends the operator's sessions.
pub(super) async fn set_password(db: &Db, id: String, hash: String) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE operators SET password_hash = $2 WHERE id = $1")
                .bind(id.clone())
                .bind(hash)
                .execute(&mut *tx)
                .await?;
            sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
                .bind(id)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
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

/// Sets role and whether the operator is active. An operator who is no longer active has no sessions.
/// The last active admin stays one: without any, nobody could change anything. Returns the operator as they were.
pub(super) async fn update(
    db: &Db,
    id: &str,
    role: &'static str,
    active: bool,
) -> Result<Option<OperatorRow>> {
    let id = id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let before = by_id(tx, &id).await?;
            sqlx::query("UPDATE operators SET role = $2, active = $3 WHERE id = $1")
                .bind(id.clone())
                .bind(role)
                .bind(i64::from(active))
                .execute(&mut *tx)
                .await?;
            if !active {
                sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
                    .bind(id)
                    .execute(&mut *tx)
                    .await?;
            }
            keep_an_admin(tx).await?;
            Ok(before)
        })
    })
    .await
}

async fn by_id(tx: &mut sqlx::AnyConnection, id: &str) -> Result<Option<OperatorRow>> {
    let row = sqlx::query_as(
        "SELECT id, name, password_hash, role, active, created_at, last_login_at FROM operators WHERE id = $1",
    )
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
            sqlx::query("DELETE FROM sessions WHERE operator_id = $1")
                .bind(id.clone())
                .execute(&mut *tx)
                .await?;
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

async fn keep_an_admin(tx: &mut sqlx::AnyConnection) -> Result<()> {
    let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM operators WHERE role = 'admin' AND active = 1")
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
