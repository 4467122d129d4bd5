//! The table `codes`.

use std::collections::HashSet;

use sqlx::{AnyConnection, AssertSqlSafe};

use super::history::store::{self as histories, NewHistory};
use super::time::{Dated, SLACK_MS};
use super::{LONGEST_LIFE_SECONDS, Pending, Realm, dead};
use crate::accounts::{self, Prepared, User};
use crate::db::{Select, in_lists, placeholders};
use crate::functions::Actor;
use crate::mail::{self, NewMail};
use crate::{Code, Db, Error, PageRequest, Result};

#[derive(Clone)]
pub(super) struct NewCode {
    pub(super) id: String,
    pub(super) hash: Vec<u8>,
    pub(super) realm: Realm,
    pub(super) user_id: String,
    pub(super) data: String,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct Live {
    pub(super) id: String,
    pub(super) user_id: String,
    pub(super) username: String,
    pub(super) scope: String,
    pub(super) data: String,
    pub(super) expires_at: i64,
    /// 1 of a code with a history in which nobody has opened it yet.
    pub(super) is_unopened: i64,
}

const HOUR_MS: i64 = 3_600_000;

/// The least time of issue of a code that may live: whatever `expires_at` says, none outlives the cap.
fn oldest(now: i64) -> i64 {
    now - LONGEST_LIFE_SECONDS * 1000
}

pub(super) async fn insert(db: &Db, code: NewCode) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "INSERT INTO codes (id, code_hash, owner, purpose, user_id, data, issued_at, expires_at)
                 SELECT $1, $2, $3, $4, id, $6, $7, $8 FROM users WHERE id = $5 AND active = 1",
            )
            .bind(code.id)
            .bind(code.hash)
            .bind(code.realm.owner)
            .bind(code.realm.purpose)
            .bind(code.user_id)
            .bind(code.data)
            .bind(code.issued_at)
            .bind(code.expires_at)
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                return Err(no_user());
            }
            Ok(())
        })
    })
    .await
}

/// A code and the mail that carries it.
#[derive(Clone)]
pub(super) struct MailedCode {
    pub(super) code: NewCode,
    pub(super) mail: NewMail,
    pub(super) history: NewHistory,
    /// Where the mail goes.
    pub(super) address: String,
    pub(super) most_per_hour: Option<i64>,
}

/// Keeps codes, the mails that carry them and their histories, of each all or nothing. Gives for each how it went.
pub(super) async fn insert_mailed(db: Db, all: Vec<MailedCode>) -> Result<Vec<Result<()>>> {
    db.write(move |tx| {
        Box::pin(async move {
            let mut outcomes: Vec<Result<()>> = Vec::new();
            let mut mails = Vec::new();
            let mut new_histories = Vec::new();
            for list in in_lists_of_users(all) {
                let inserted = insert_list(tx, &list).await?;
                for mailed in list {
                    if inserted.contains(&mailed.code.id) {
                        outcomes.push(Ok(()));
                        mails.push(mailed.mail);
                        new_histories.push(mailed.history);
                    } else {
                        outcomes.push(Err(refusal(tx, mailed).await?));
                    }
                }
            }
            mail::insert_all(tx, mails).await?;
            histories::insert_all(tx, new_histories).await?;
            Ok(outcomes)
        })
    })
    .await
}

/// As [`in_lists`], with every user once in a list: within a statement none of its rows sees the others.
fn in_lists_of_users(all: Vec<MailedCode>) -> impl Iterator<Item = Vec<MailedCode>> {
    let mut runs: Vec<Vec<MailedCode>> = Vec::new();
    let mut users = HashSet::new();
    for mailed in all {
        let is_new = users.insert(mailed.code.user_id.clone());
        match runs.last_mut().filter(|_| is_new) {
            Some(run) => run.push(mailed),
            None => {
                users = HashSet::from([mailed.code.user_id.clone()]);
                runs.push(vec![mailed]);
            }
        }
    }
    runs.into_iter().flat_map(in_lists)
}

/// Inserts codes in one statement, and gives the ids of those that were. A user may have changed since the address was
/// looked up: no code goes to where they no longer are.
async fn insert_list(tx: &mut AnyConnection, list: &[MailedCode]) -> Result<HashSet<String>> {
    let sql = format!(
        "WITH new (id, code_hash, owner, purpose, user_id, data, issued_at, expires_at, address, most, since) AS (VALUES {})
         INSERT INTO codes (id, code_hash, owner, purpose, user_id, data, issued_at, expires_at)
         SELECT new.id, new.code_hash, new.owner, new.purpose, new.user_id, new.data, new.issued_at, new.expires_at
         FROM new JOIN users ON users.id = new.user_id AND users.active = 1 AND users.email = new.address
         WHERE new.most = 0
            OR new.most > (SELECT COUNT(*) FROM codes AS old
                           WHERE old.user_id = new.user_id AND old.owner = new.owner AND old.purpose = new.purpose
                             AND old.issued_at > new.since)
         RETURNING id",
        placeholders(list.len(), 11)
    );
    let mut query = sqlx::query_scalar(AssertSqlSafe(sql));
    for MailedCode {
        code,
        address,
        most_per_hour,
        ..
    } in list
    {
        query = query
            .bind(code.id.clone())
            .bind(code.hash.clone())
            .bind(code.realm.owner.clone())
            .bind(code.realm.purpose.clone())
            .bind(code.user_id.clone())
            .bind(code.data.clone())
            .bind(code.issued_at)
            .bind(code.expires_at)
            .bind(address.clone())
            .bind(most_per_hour.unwrap_or(0))
            .bind(code.issued_at - HOUR_MS);
    }
    Ok(query.fetch_all(tx).await?.into_iter().collect())
}

/// Why a code was not issued.
async fn refusal(tx: &mut AnyConnection, mailed: MailedCode) -> Result<Error> {
    let there: Option<i64> =
        sqlx::query_scalar("SELECT active FROM users WHERE id = $1 AND active = 1 AND email = $2")
            .bind(mailed.code.user_id)
            .bind(mailed.address)
            .fetch_optional(tx)
            .await?;
    Ok(match there {
        Some(_) => Error::new(Code::RateLimited, "The user got as many codes as an hour allows."),
        None => no_user(),
    })
}

fn no_user() -> Error {
    Error::new(Code::UserNotFound, "There is no such active user.")
}

pub(super) async fn find(db: &Db, realm: &Realm, hash: Vec<u8>, now: i64) -> Result<Option<Live>> {
    let live = sqlx::query_as(
        "SELECT codes.id AS id, user_id, username, scope, data, expires_at,
                (SELECT COUNT(*) FROM code_histories WHERE code_id = codes.id AND opened_at IS NULL) AS is_unopened
         FROM codes JOIN users ON users.id = codes.user_id
         WHERE code_hash = $1 AND owner = $2 AND purpose = $3
           AND expires_at > $4 AND issued_at <= $5 AND issued_at > $6",
    )
    .bind(hash)
    .bind(realm.owner.clone())
    .bind(realm.purpose.clone())
    .bind(now)
    .bind(now + SLACK_MS)
    .bind(oldest(now))
    .fetch_optional(db.reader())
    .await?;
    Ok(live)
}

/// What redeeming a code does.
#[derive(Clone)]
pub(super) struct Redemption {
    pub(super) realm: Realm,
    pub(super) hash: Vec<u8>,
    pub(super) code_id: String,
    pub(super) user_id: String,
    /// Who redeems it.
    pub(super) actor: Actor,
    pub(super) changes: Prepared,
    pub(super) notice: Option<NewMail>,
    pub(super) now: i64,
}

/// Deletes the code if it lives, changes its user, deletes the user's other codes, and puts the notice into the outbox.
pub(super) async fn redeem(db: &Db, redemption: Redemption) -> Result<User> {
    db.write(move |tx| {
        Box::pin(async move {
            let Redemption {
                realm,
                hash,
                code_id,
                user_id,
                actor,
                changes,
                notice,
                now,
            } = redemption;
            // The user's row first, as all who change a user take it: nobody waits for each other in a circle.
            let held = sqlx::query("UPDATE users SET updated_at = $2 WHERE id = $1 AND active = 1")
                .bind(user_id.clone())
                .bind(now)
                .execute(&mut *tx)
                .await?;
            // This delete decides who of several redeems the code (C03).
            let redeemed = sqlx::query(
                "DELETE FROM codes
                 WHERE code_hash = $1 AND owner = $2 AND purpose = $3 AND user_id = $4
                   AND expires_at > $5 AND issued_at <= $6 AND issued_at > $7",
            )
            .bind(hash)
            .bind(realm.owner)
            .bind(realm.purpose)
            .bind(user_id.clone())
            .bind(now)
            .bind(now + SLACK_MS)
            .bind(oldest(now))
            .execute(&mut *tx)
            .await?;
            if held.rows_affected() == 0 || redeemed.rows_affected() == 0 {
                return Err(dead());
            }
            // Before the user changes, which would end the codes for another reason.
            histories::used(tx, user_id.clone(), code_id, actor, now).await?;
            let (_, user) = accounts::apply(tx, &user_id, changes).await?;
            sqlx::query("DELETE FROM codes WHERE user_id = $1")
                .bind(user_id)
                .execute(&mut *tx)
                .await?;
            mail::insert_all(tx, notice.into_iter().collect()).await?;
            Ok(user)
        })
    })
    .await
}

#[derive(sqlx::FromRow)]
struct ListedRow {
    id: String,
    purpose: String,
    user_id: String,
    username: String,
    email: Option<String>,
    scope: String,
    issued_at: i64,
    expires_at: i64,
}

pub(super) async fn list(
    db: &Db,
    owner: Option<&str>,
    purpose: Option<&str>,
    scope: Option<&str>,
    page: &PageRequest,
    now: i64,
) -> Result<Vec<Pending>> {
    let rows: Vec<ListedRow> = Select::new(
        "SELECT codes.id AS id, purpose, user_id, username, email, scope, issued_at, expires_at
         FROM codes JOIN users ON users.id = codes.user_id",
    )
    .filter_some("owner = ?", owner)
    .filter_some("purpose = ?", purpose)
    .filter_some("scope = ?", scope)
    .filter_some("codes.id < ?", page.position()?)
    .then("ORDER BY codes.id DESC LIMIT ?", page.rows())
    .fetch(db)
    .await?;
    let pending = rows.into_iter().map(|row| Pending {
        expired: row.expires_at <= now || row.issued_at <= oldest(now),
        id: row.id,
        purpose: row.purpose,
        user_id: row.user_id,
        username: row.username,
        email: row.email,
        scope: row.scope,
        issued_at: row.issued_at,
        expires_at: row.expires_at,
    });
    Ok(pending.collect())
}

pub(super) async fn revoke(db: &Db, owner: Option<String>, id: String, by: Actor, now: i64) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM codes WHERE id = $1 AND ($2 = '' OR owner = $2)")
                .bind(id.clone())
                .bind(owner.unwrap_or_default())
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() > 0 {
                histories::revoked(tx, id, by, now).await?;
            }
            Ok(done.rows_affected())
        })
    })
    .await
}

/// Which codes are deleted, and by whom.
#[derive(Clone)]
pub(super) struct Flush {
    /// Empty for everybody's.
    pub(super) owner: String,
    pub(super) purpose: String,
    pub(super) before: i64,
    pub(super) by: Actor,
    pub(super) now: i64,
}

/// Deletes the purpose's codes that were issued by `before`.
pub(super) async fn flush(db: &Db, flush: Flush) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let Flush {
                owner,
                purpose,
                before,
                by,
                now,
            } = flush;
            histories::flushed(tx, &owner, &purpose, before, by, now).await?;
            let done = sqlx::query(
                "DELETE FROM codes WHERE purpose = $1 AND issued_at <= $2 AND ($3 = '' OR owner = $3)",
            )
            .bind(purpose)
            .bind(before)
            .bind(owner)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}

async fn latest_issue(db: &Db) -> Result<Option<i64>> {
    let latest = sqlx::query_scalar("SELECT MAX(issued_at) FROM codes")
        .fetch_one(db.reader())
        .await?;
    Ok(latest)
}

/// The codes, with their histories, as what lives by the time.
pub(super) const CODES: Dated = Dated {
    what: "one-time codes",
    latest: |db| Box::pin(latest_issue(db)),
    move_back: |db, seen, by| Box::pin(move_back(db, seen, by)),
};

/// Moves the codes that were issued up to `seen` back in time.
async fn move_back(db: &Db, seen: i64, by: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            histories::move_back(tx, seen, by).await?;
            sqlx::query(
                "UPDATE codes SET issued_at = issued_at - $2, expires_at = expires_at - $2 WHERE issued_at <= $1",
            )
            .bind(seen)
            .bind(by)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}
