//! The table `code_histories`.

use sqlx::AnyConnection;

use super::{Filter, State};
use crate::db::{self, Listing, Oldest, Select, SortKey, Value, containing, in_lists, placeholders};
use crate::functions::Actor;
use crate::{Db, Result};

/// The history of a code that was just made.
#[derive(Clone)]
pub(in crate::codes) struct NewHistory {
    pub(in crate::codes) code_id: String,
    pub(in crate::codes) mail_id: String,
    pub(in crate::codes) user_id: String,
    pub(in crate::codes) owner: String,
    pub(in crate::codes) purpose: String,
    pub(in crate::codes) asker: Actor,
    pub(in crate::codes) asked_at: i64,
    pub(in crate::codes) issued_at: i64,
    pub(in crate::codes) expires_at: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) code_id: String,
    pub(super) mail_id: String,
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) email: Option<String>,
    pub(super) scope: String,
    pub(super) purpose: String,
    pub(super) asker_kind: String,
    pub(super) asker_name: String,
    pub(super) asked_at: i64,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
    pub(super) opened_at: Option<i64>,
    pub(super) ending: Option<String>,
    pub(super) ended_at: Option<i64>,
    pub(super) ender_kind: Option<String>,
    pub(super) ender_name: Option<String>,
    pub(super) mail_state: String,
    pub(super) failure: Option<String>,
}

/// A code lives a day at most, and histories are kept for a day at least: no living code loses its own.
pub(in crate::codes) const OLDEST: Oldest = Oldest {
    select: "SELECT code_id, issued_at FROM code_histories ORDER BY code_id LIMIT $1",
    delete: "DELETE FROM code_histories WHERE code_id <= $1 AND issued_at < $2",
};

const SELECT: &str =
    "SELECT code_id, COALESCE(mail_id, '') AS mail_id, user_id, username, users.email AS email, scope, purpose, asker_kind,
        asker_name, asked_at, issued_at, expires_at, opened_at, ending, ended_at, ender_kind, ender_name,
        COALESCE(mails.state, '') AS mail_state, failure
 FROM code_histories JOIN users ON users.id = user_id LEFT JOIN mails ON mails.id = mail_id";

pub(in crate::codes) async fn insert_all(tx: &mut AnyConnection, all: Vec<NewHistory>) -> Result<()> {
    for list in in_lists(all) {
        let sql = format!(
            "INSERT INTO code_histories (code_id, mail_id, user_id, owner, purpose, asker_kind, asker_name, asked_at,
                                         issued_at, expires_at)
             VALUES {}",
            placeholders(list.len(), 10)
        );
        db::execute(tx, sql, |query| {
            list.into_iter().fold(query, |query, new| {
                query
                    .bind(new.code_id)
                    .bind(new.mail_id)
                    .bind(new.user_id)
                    .bind(new.owner)
                    .bind(new.purpose)
                    .bind(new.asker.kind)
                    .bind(new.asker.name)
                    .bind(new.asked_at)
                    .bind(new.issued_at)
                    .bind(new.expires_at)
            })
        })
        .await?;
    }
    Ok(())
}

/// A request that failed before there was a code.
pub(in crate::codes) struct Failure {
    /// In place of the code's.
    pub(in crate::codes) id: String,
    pub(in crate::codes) user_id: String,
    pub(in crate::codes) owner: String,
    pub(in crate::codes) purpose: String,
    pub(in crate::codes) asker: Actor,
    pub(in crate::codes) asked_at: i64,
    pub(in crate::codes) failed_at: i64,
    pub(in crate::codes) message: String,
}

/// Keeps a failed request, unless its user was deleted meanwhile. Says whether it was kept.
pub(in crate::codes) async fn failed(db: &Db, failure: Failure) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO code_histories (code_id, user_id, owner, purpose, asker_kind, asker_name, asked_at, issued_at,
                                             expires_at, ending, ended_at, failure)
                 SELECT $1, id, $3, $4, $5, $6, $7, $8, $8, 'failed', $8, $9 FROM users WHERE id = $2",
            )
            .bind(failure.id)
            .bind(failure.user_id)
            .bind(failure.owner)
            .bind(failure.purpose)
            .bind(failure.asker.kind)
            .bind(failure.asker.name)
            .bind(failure.asked_at)
            .bind(failure.failed_at)
            .bind(failure.message)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}

/// Failed requests since a time.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(in crate::codes) struct Failures {
    /// Up to 10,000.
    pub(in crate::codes) count: i64,
    pub(in crate::codes) first_at: Option<i64>,
    pub(in crate::codes) latest_at: Option<i64>,
}

pub(in crate::codes) async fn failures(db: &Db, since: i64) -> Result<Failures> {
    let found = sqlx::query_as(
        "SELECT COUNT(*) AS count, MIN(ended_at) AS first_at, MAX(ended_at) AS latest_at
         FROM (SELECT ended_at FROM code_histories WHERE ending = 'failed' AND ended_at >= $1 LIMIT 10000) AS failed",
    )
    .bind(since)
    .fetch_one(db.reader())
    .await?;
    Ok(found)
}

/// The latest failed request since a time: its id and why it failed.
pub(in crate::codes) async fn latest_failure(db: &Db, since: i64) -> Result<Option<(String, String)>> {
    let found = sqlx::query_as(
        "SELECT code_id, COALESCE(failure, '') AS failure FROM code_histories
         WHERE ending = 'failed' AND ended_at >= $1 ORDER BY ended_at DESC, code_id DESC LIMIT 1",
    )
    .bind(since)
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

/// Notes that a code was looked at, the first time.
pub(in crate::codes) async fn opened(db: &Db, code_id: String, now: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE code_histories SET opened_at = $2 WHERE code_id = $1 AND opened_at IS NULL")
                .bind(code_id)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

/// Notes that one code of a user was used, and that all others that live die with it.
pub(in crate::codes) async fn used(
    tx: &mut AnyConnection,
    user_id: String,
    code_id: String,
    by: Actor,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE code_histories
         SET ending = CASE WHEN code_id = $2 THEN 'used' ELSE 'replaced' END,
             ended_at = $3, ender_kind = $4, ender_name = $5
         WHERE user_id = $1 AND ending IS NULL AND expires_at > $3",
    )
    .bind(user_id)
    .bind(code_id)
    .bind(now)
    .bind(by.kind)
    .bind(by.name)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that a user's living codes die because the user changed.
pub(crate) async fn user_changed(tx: &mut AnyConnection, user_id: String, now: i64) -> Result<()> {
    sqlx::query(
        "UPDATE code_histories SET ending = 'changed', ended_at = $2
         WHERE user_id = $1 AND ending IS NULL AND expires_at > $2",
    )
    .bind(user_id)
    .bind(now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that a code is revoked, if it still lives.
pub(in crate::codes) async fn revoked(
    tx: &mut AnyConnection,
    code_id: String,
    by: Actor,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE code_histories SET ending = 'revoked', ended_at = $2, ender_kind = $3, ender_name = $4
         WHERE code_id = $1 AND ending IS NULL AND expires_at > $2",
    )
    .bind(code_id)
    .bind(now)
    .bind(by.kind)
    .bind(by.name)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes that codes issued by `before` are deleted although they still live. Those that had expired stay expired.
pub(in crate::codes) async fn flushed(
    tx: &mut AnyConnection,
    owner: &str,
    purpose: &str,
    before: i64,
    by: Actor,
    now: i64,
) -> Result<()> {
    sqlx::query(
        "UPDATE code_histories SET ending = 'deleted', ended_at = $4, ender_kind = $5, ender_name = $6
         WHERE ending IS NULL AND code_id IN
               (SELECT id FROM codes
                WHERE purpose = $1 AND issued_at <= $2 AND ($3 = '' OR owner = $3) AND expires_at > $4)",
    )
    .bind(purpose.to_owned())
    .bind(before)
    .bind(owner.to_owned())
    .bind(now)
    .bind(by.kind)
    .bind(by.name)
    .execute(tx)
    .await?;
    Ok(())
}

/// Moves the ends of living codes back in time, with the codes.
pub(in crate::codes) async fn move_back(tx: &mut AnyConnection, seen: i64, by: i64) -> Result<()> {
    sqlx::query(
        "UPDATE code_histories SET expires_at = expires_at - $2
         WHERE code_id IN (SELECT id FROM codes WHERE issued_at <= $1)",
    )
    .bind(seen)
    .bind(by)
    .execute(tx)
    .await?;
    Ok(())
}

pub(super) const LIST: Listing<Row> = Listing {
    rows: SELECT,
    ids: "SELECT code_id FROM code_histories",
    id: "code_id",
    prefix: "code",
    id_of: |row| &row.code_id,
    sorts: &[
        SortKey {
            name: "issued",
            sql: "issued_at",
            of: Value::Number(|row| row.issued_at),
        },
        SortKey {
            name: "expires",
            sql: "expires_at",
            of: Value::Number(|row| row.expires_at),
        },
    ],
    default: "-issued",
};

/// The codes that fit.
pub(super) fn choose(owner: Option<&str>, filter: &Filter, now: i64) -> Result<Select> {
    let pattern = filter
        .search
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(containing)
        .transpose()?;
    let state = filter.state;
    Ok(LIST
        .select()
        .filter_some("owner = ?", owner)
        .filter_some("purpose = ?", filter.purpose.as_deref())
        // Asked of one code after the other: most lists are full after a few, however many users the scope has.
        .filter_some(
            "(SELECT scope FROM users WHERE users.id = user_id) = ?",
            filter.scope.as_deref(),
        )
        .filter_some(
            "user_id IN (SELECT id FROM users WHERE replace(username_key, 'ς', 'σ') LIKE ? ESCAPE '!'
                                                 OR replace(email_key, 'ς', 'σ') LIKE ? ESCAPE '!')",
            pattern.as_deref(),
        )
        .filter_some("user_id = ?", filter.user_id.as_deref())
        .filter_some("mail_id = ?", filter.mail_id.as_deref())
        .filter_some("ending = ?", state.and_then(State::ending))
        .filter_if(
            state.is_some_and(|state| state.ending().is_none()),
            "ending IS NULL",
        )
        .filter_some("expires_at > ?", (state == Some(State::Pending)).then_some(now))
        .filter_some("expires_at <= ?", (state == Some(State::Expired)).then_some(now))
        .filter_some("issued_at >= ?", filter.since)
        .filter_some("issued_at < ?", filter.until))
}

pub(super) async fn get(db: &Db, owner: Option<&str>, id: &str) -> Result<Option<Row>> {
    let rows = Select::new(SELECT)
        .filter("code_id = ?", id)
        .filter_some("owner = ?", owner)
        .fetch(db)
        .await?;
    Ok(rows.into_iter().next())
}
