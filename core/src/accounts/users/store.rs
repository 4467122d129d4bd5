//! The table `users`.

use serde_json::Map;
use sqlx::{AnyConnection, AssertSqlSafe};

use super::{Prepared, User, changes, exists, not_found};
use crate::accounts::{names, scopes};
use crate::address::EmailAddress;
use crate::db::{self, Listing, Select, SortKey, in_lists, placeholders};
use crate::{Db, Error, Result, codes};

const COLUMNS: &str = "SELECT id, scope, username, email, group_name, extra, password_hash, active, created_at, \
     updated_at, last_login_at FROM users";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: String,
    scope: String,
    username: String,
    email: Option<String>,
    group_name: Option<String>,
    extra: String,
    password_hash: String,
    active: i64,
    created_at: i64,
    updated_at: i64,
    last_login_at: Option<i64>,
}

impl Row {
    fn read(self) -> Result<(User, String)> {
        let user = User {
            user_id: self.id,
            username: self.username,
            scope: self.scope,
            email: self.email,
            group: self.group_name,
            extra: serde_json::from_str(&self.extra).map_err(Error::unexpected)?,
            active: self.active != 0,
            created_at: self.created_at,
            updated_at: self.updated_at,
            last_login_at: self.last_login_at,
        };
        Ok((user, self.password_hash))
    }

    pub(super) fn into_user(self) -> Result<User> {
        self.read().map(|(user, _)| user)
    }
}

/// The part of a user that changes replace.
pub(crate) struct NewState {
    pub(super) username: String,
    pub(super) username_key: String,
    pub(super) email: Option<String>,
    /// `None` keeps the key that is there.
    pub(super) email_key: Option<Option<String>>,
    pub(super) group: Option<String>,
    pub(super) extra: Map<String, serde_json::Value>,
    pub(super) password_hash: String,
    pub(super) active: bool,
}

pub(super) struct NewUser {
    pub(super) id: String,
    pub(super) scope: String,
    pub(super) state: NewState,
    pub(super) now: i64,
    pub(super) last_login_at: Option<i64>,
}

pub(super) async fn get(db: &Db, id: &str) -> Result<Option<User>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, scope, username, email, group_name, extra, password_hash, active, created_at, updated_at,
                last_login_at
         FROM users WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(row.map(Row::read).transpose()?.map(|(user, _)| user))
}

/// A scope, and a mail address in its canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Address {
    pub(super) scope: String,
    pub(super) email_key: String,
}

/// Who has these addresses, in their order.
pub(super) async fn find_by_email(db: Db, addresses: Vec<Address>) -> Result<Vec<Option<User>>> {
    #[derive(sqlx::FromRow)]
    struct Found {
        place: i64,
        #[sqlx(flatten)]
        user: Row,
    }
    let mut users = Vec::with_capacity(addresses.len());
    for list in in_lists(addresses) {
        let sql = format!(
            "WITH asked (place, scope, email_key) AS (VALUES {})
             SELECT asked.place AS place, id, users.scope AS scope, username, email, group_name, extra, password_hash,
                    active, created_at, updated_at, last_login_at
             FROM asked JOIN users ON users.scope = asked.scope AND users.email_key = asked.email_key",
            placeholders(list.len(), 3)
        );
        let start = users.len();
        users.resize_with(start + list.len(), || None);
        let mut query = sqlx::query_as(AssertSqlSafe(sql));
        for (place, address) in (start..).zip(list) {
            let place = i64::try_from(place).map_err(Error::unexpected)?;
            query = query.bind(place).bind(address.scope).bind(address.email_key);
        }
        let rows: Vec<Found> = query.fetch_all(db.reader()).await?;
        for Found { place, user } in rows {
            let place = usize::try_from(place).map_err(Error::unexpected)?;
            users[place] = Some(user.read()?.0);
        }
    }
    Ok(users)
}

/// The user with the password's hash.
pub(super) async fn find_by_username(db: &Db, scope: &str, key: &str) -> Result<Option<(User, String)>> {
    let row: Option<Row> = sqlx::query_as(
        "SELECT id, scope, username, email, group_name, extra, password_hash, active, created_at, updated_at,
                last_login_at
         FROM users WHERE scope = $1 AND username_key = $2",
    )
    .bind(scope.to_owned())
    .bind(key.to_owned())
    .fetch_optional(db.reader())
    .await?;
    row.map(Row::read).transpose()
}

/// The start of a query for users by conditions.
pub(super) fn select() -> Select {
    Select::new(COLUMNS)
}

/// A search looks through the indices `users_list…` and not through whole users, four times as fast.
pub(super) const LIST: Listing<Row> = Listing {
    rows: COLUMNS,
    ids: "SELECT id FROM users",
    id: "id",
    prefix: "usr",
    id_of: |row| &row.id,
    sorts: &[
        SortKey {
            name: "created",
            sql: "created_at",
            of: db::Value::Number(|row| row.created_at),
        },
        SortKey {
            name: "username",
            sql: "username_key",
            of: db::Value::Text(|row| names::username_key(&row.username)),
        },
        SortKey {
            name: "last_login",
            sql: "COALESCE(last_login_at, 0)",
            of: db::Value::Number(|row| row.last_login_at.unwrap_or(0)),
        },
    ],
    default: "-created",
};

pub(super) async fn fetch(db: &Db, query: Select) -> Result<Vec<User>> {
    let rows: Vec<Row> = query.fetch(db).await?;
    rows.into_iter().map(Row::into_user).collect()
}

pub(super) async fn insert(db: &Db, user: NewUser) -> Result<String> {
    db.write(move |tx| Box::pin(insert_within(tx, user))).await
}

async fn insert_within(tx: &mut AnyConnection, user: NewUser) -> Result<String> {
    let state = user.state;
    let done = sqlx::query(
        "INSERT INTO users (id, scope, username, username_key, email, email_key, group_name, extra, password_hash,
                            active, created_at, updated_at, last_login_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11, $12)",
    )
    .bind(user.id.clone())
    .bind(user.scope.clone())
    .bind(state.username)
    .bind(state.username_key)
    .bind(state.email)
    .bind(state.email_key.flatten())
    .bind(state.group)
    .bind(serde_json::Value::Object(state.extra).to_string())
    .bind(state.password_hash)
    .bind(i64::from(state.active))
    .bind(user.now)
    .bind(user.last_login_at)
    .execute(&mut *tx)
    .await;
    match done {
        Ok(_) => Ok(user.id),
        Err(cause) => Err(refused(cause, &user.scope)),
    }
}

/// What a broken constraint means.
fn refused(cause: sqlx::Error, scope: &str) -> Error {
    match cause.as_database_error() {
        Some(broken) if broken.is_unique_violation() => exists(if broken.message().contains("email") {
            "email"
        } else {
            "username"
        }),
        // The scope was deleted since it was looked up.
        Some(broken) if broken.is_foreign_key_violation() => scopes::not_found(scope),
        _ => cause.into(),
    }
}

/// Changes a user. Returns the user before and after.
pub(super) async fn update(db: &Db, id: String, changes: Prepared) -> Result<(User, User)> {
    db.write(move |tx| Box::pin(async move { apply(tx, &id, changes).await }))
        .await
}

/// Makes the changes within a transaction, and kills the user's codes when the password, the address or the
/// activity is another one now (C04, C14). Returns the user before and after.
pub(crate) async fn apply(tx: &mut AnyConnection, id: &str, changes: Prepared) -> Result<(User, User)> {
    // Taking the row by a change keeps others from changing it until we are done, on both databases.
    let row: Option<Row> = sqlx::query_as(
        "UPDATE users SET updated_at = $2 WHERE id = $1
         RETURNING id, scope, username, email, group_name, extra, password_hash, active, created_at, updated_at,
                   last_login_at",
    )
    .bind(id.to_owned())
    .bind(changes.now)
    .fetch_optional(&mut *tx)
    .await?;
    let (before, hash) = row.ok_or_else(not_found)?.read()?;
    let new_password = changes.password_hash.is_some();
    let now = changes.now;
    let state = merge(&before, hash, changes)?;
    let kills_codes = new_password
        || !is_same_address(before.email.as_deref(), state.email.as_deref())
        || state.active != before.active;
    let user = User {
        username: state.username.clone(),
        email: state.email.clone(),
        group: state.group.clone(),
        extra: state.extra.clone(),
        active: state.active,
        ..before.clone()
    };
    let done = sqlx::query(
        "UPDATE users SET username = $2, username_key = $3, email = $4,
                          email_key = CASE WHEN $10 = 1 THEN $5 ELSE email_key END, group_name = $6, extra = $7,
                          password_hash = $8, active = $9
         WHERE id = $1",
    )
    .bind(id.to_owned())
    .bind(state.username)
    .bind(state.username_key)
    .bind(state.email)
    .bind(state.email_key.clone().flatten())
    .bind(state.group)
    .bind(serde_json::Value::Object(state.extra).to_string())
    .bind(state.password_hash)
    .bind(i64::from(state.active))
    .bind(i64::from(state.email_key.is_some()))
    .execute(&mut *tx)
    .await;
    done.map_err(|cause| refused(cause, &user.scope))?;
    if kills_codes {
        codes::user_changed(tx, id.to_owned(), now).await?;
        sqlx::query("DELETE FROM codes WHERE user_id = $1")
            .bind(id.to_owned())
            .execute(&mut *tx)
            .await?;
    }
    Ok((before, user))
}

/// Whether mail to both goes to the same reader, as far as Coronet tells addresses apart.
fn is_same_address(one: Option<&str>, other: Option<&str>) -> bool {
    let canonical = |text: &str| EmailAddress::parse(text).map(|address| address.canonical());
    match (one, other) {
        (Some(one), Some(other)) => {
            one == other || matches!((canonical(one), canonical(other)), (Ok(one), Ok(other)) if one == other)
        }
        (one, other) => one == other,
    }
}

fn merge(before: &User, hash: String, changes: Prepared) -> Result<NewState> {
    let username = changes.username.unwrap_or_else(|| before.username.clone());
    // An address that does not change stays as it is, whatever rule it was accepted by.
    let (email, email_key) = match changes.email {
        Some(email) => {
            let key = email.as_ref().map(EmailAddress::canonical);
            (email.map(|email| email.to_string()), Some(key))
        }
        None => (before.email.clone(), None),
    };
    Ok(NewState {
        username_key: names::username_key(&username),
        username,
        email_key,
        email,
        group: changes.group.unwrap_or_else(|| before.group.clone()),
        extra: changes::merged_extra(before.extra.clone(), changes.extra)?,
        password_hash: changes.password_hash.unwrap_or(hash),
        active: changes.active.unwrap_or(before.active),
    })
}

/// Deletes a user. Returns who it was.
pub(super) async fn delete(db: &Db, id: String) -> Result<Option<User>> {
    db.write(move |tx| {
        Box::pin(async move {
            let row: Option<Row> = sqlx::query_as(
                "DELETE FROM users WHERE id = $1
                 RETURNING id, scope, username, email, group_name, extra, password_hash, active, created_at, updated_at,
                           last_login_at",
            )
            .bind(id)
            .fetch_optional(&mut *tx)
            .await?;
            Ok(row.map(Row::read).transpose()?.map(|(user, _)| user))
        })
    })
    .await
}

/// Notes a login, and takes a hash made with today's parameters in place of the one that was checked.
pub(super) async fn logged_in(db: &Db, id: String, now: i64, rehash: Option<(String, String)>) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE users SET last_login_at = $2 WHERE id = $1")
                .bind(id.clone())
                .bind(now)
                .execute(&mut *tx)
                .await?;
            if let Some((old, new)) = rehash {
                // Only in place of the one that was checked: the password may have been changed meanwhile.
                sqlx::query("UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2")
                    .bind(id)
                    .bind(old)
                    .bind(new)
                    .execute(&mut *tx)
                    .await?;
            }
            Ok(())
        })
    })
    .await
}

#[cfg(test)]
pub(crate) mod tests {
    use argon2::{Argon2, Params, PasswordHasher};

    use crate::Db;

    pub(crate) async fn stored_hash(db: &Db, scope: &str, username: &str) -> String {
        super::find_by_username(db, scope, username)
            .await
            .unwrap()
            .unwrap()
            .1
    }

    /// Stores an address as an older Coronet did.
    pub(crate) async fn respell(db: &Db, user: String, email: String, key: String) {
        db.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE users SET email = $2, email_key = $3 WHERE id = $1")
                    .bind(user)
                    .bind(email)
                    .bind(key)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }

    /// Stores a hash as an older Coronet with cheaper parameters would have made it.
    pub(crate) async fn weaken(db: &Db, username: &str, password: &str) {
        let params = Params::new(64, 1, 1, None).unwrap();
        let hasher = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = hasher
            .hash_password_with_salt(password.as_bytes(), &[7; 16])
            .unwrap()
            .to_string();
        let username = username.to_owned();
        db.write(move |tx| {
            Box::pin(async move {
                sqlx::query("UPDATE users SET password_hash = $2 WHERE username_key = $1")
                    .bind(username)
                    .bind(hash)
                    .execute(&mut *tx)
                    .await?;
                Ok(())
            })
        })
        .await
        .unwrap();
    }
}
