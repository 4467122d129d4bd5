//! The table `operator_links`.

use sqlx::AnyConnection;

use super::{OperatorRow, by_id};
use crate::codes::time::{Dated, SLACK_MS};
use crate::mail::{self, NewMail};
use crate::operators::links::LinkKind;
use crate::{Db, Result};

#[derive(Debug, Clone)]
pub(in crate::operators) struct NewLink {
    pub token_hash: Vec<u8>,
    pub kind: LinkKind,
    /// Whose password it sets; none of the set-up link.
    pub operator_id: Option<String>,
    pub created_at: i64,
    pub expires_at: i64,
}

/// A link that may be used.
#[derive(sqlx::FromRow)]
pub(in crate::operators) struct LiveLink {
    pub kind: String,
    pub operator_id: Option<String>,
}

/// The links as what lives by the time.
pub(in crate::operators) const LINKS: Dated = Dated {
    what: "links of operators",
    latest: |db| Box::pin(latest(db)),
    move_back: |db, seen, by| Box::pin(move_back(db, seen, by)),
};

/// The link with this token, if it lives and its operator is active. Looking at it changes nothing (C01).
pub(in crate::operators) async fn find_link(
    db: &Db,
    token_hash: Vec<u8>,
    now: i64,
) -> Result<Option<LiveLink>> {
    let found = sqlx::query_as(
        "SELECT l.kind, l.operator_id
         FROM operator_links l LEFT JOIN operators o ON o.id = l.operator_id
         WHERE l.token_hash = $1 AND l.expires_at > $2 AND l.created_at <= $3
           AND (l.operator_id IS NULL OR o.active = 1)",
    )
    .bind(token_hash)
    .bind(now)
    .bind(now + SLACK_MS)
    .fetch_optional(db.reader())
    .await?;
    Ok(found)
}

/// Makes the set-up link, in place of an older one.
pub(in crate::operators) async fn insert_set_up(db: &Db, link: NewLink) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM operator_links WHERE kind = $1")
                .bind(LinkKind::SetUp.name())
                .execute(&mut *tx)
                .await?;
            insert_link(tx, link).await
        })
    })
    .await
}

/// A link, and the mail that carries it to its operator.
pub(in crate::operators) struct MailedLink {
    pub link: NewLink,
    pub mail: NewMail,
    /// Where the mail goes, as addresses are compared.
    pub email_key: String,
}

pub(super) async fn insert_mailed(tx: &mut AnyConnection, mailed: MailedLink) -> Result<()> {
    insert_link(tx, mailed.link).await?;
    mail::insert_all(tx, vec![mailed.mail]).await
}

/// Makes an invitation in place of all older links of its operator. `false` when the operator has changed since the mail
/// was written: no link goes to where they no longer are.
pub(in crate::operators) async fn insert_invitation(db: &Db, mailed: MailedLink) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let id = mailed.link.operator_id.clone().unwrap_or_default();
            let unchanged = sqlx::query(
                "UPDATE operators SET active = 1
                 WHERE id = $1 AND email_key = $2 AND active = 1 AND password_hash = ''",
            )
            .bind(id.clone())
            .bind(mailed.email_key.clone())
            .execute(&mut *tx)
            .await?;
            if unchanged.rows_affected() == 0 {
                return Ok(false);
            }
            end_links(tx, &id).await?;
            insert_mailed(tx, mailed).await?;
            Ok(true)
        })
    })
    .await
}

/// Makes a link to choose a new password, unless its operator has changed or got `most` of them since `since`. Older ones
/// live on until one is used: mails arrive in any order.
pub(in crate::operators) async fn insert_reset(
    db: &Db,
    mailed: MailedLink,
    most: i64,
    since: i64,
) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let id = mailed.link.operator_id.clone().unwrap_or_default();
            // The operator's row first: of several at once, each sees the links of those before.
            let unchanged = sqlx::query(
                "UPDATE operators SET active = 1
                 WHERE id = $1 AND email_key = $2 AND active = 1 AND password_hash <> ''",
            )
            .bind(id.clone())
            .bind(mailed.email_key.clone())
            .execute(&mut *tx)
            .await?;
            let had: i64 = sqlx::query_scalar(
                "SELECT COUNT(*) FROM operator_links WHERE operator_id = $1 AND kind = $2 AND created_at > $3",
            )
            .bind(id)
            .bind(LinkKind::Reset.name())
            .bind(since)
            .fetch_one(&mut *tx)
            .await?;
            if unchanged.rows_affected() == 0 || had >= most {
                return Ok(false);
            }
            insert_mailed(tx, mailed).await?;
            Ok(true)
        })
    })
    .await
}

/// What choosing a password by a link does.
pub(in crate::operators) struct Choice {
    pub token_hash: Vec<u8>,
    pub operator_id: String,
    pub password_hash: String,
    pub notice: Option<NewMail>,
    pub now: i64,
}

/// Uses a link up, sets its operator's password, and ends their sessions and other links. `None` when the link does not
/// live any more: of several who use it at once, one wins.
pub(in crate::operators) async fn choose_password(db: &Db, choice: Choice) -> Result<Option<OperatorRow>> {
    db.write(move |tx| {
        Box::pin(async move {
            let Choice {
                token_hash,
                operator_id,
                password_hash,
                notice,
                now,
            } = choice;
            // The operator's row first, as every change of an operator locks it: there is no deadlock.
            let held = sqlx::query("UPDATE operators SET active = 1 WHERE id = $1 AND active = 1")
                .bind(operator_id.clone())
                .execute(&mut *tx)
                .await?;
            let used = sqlx::query(
                "DELETE FROM operator_links
                 WHERE token_hash = $1 AND operator_id = $2 AND expires_at > $3 AND created_at <= $4",
            )
            .bind(token_hash)
            .bind(operator_id.clone())
            .bind(now)
            .bind(now + SLACK_MS)
            .execute(&mut *tx)
            .await?;
            if held.rows_affected() == 0 || used.rows_affected() == 0 {
                return Ok(None);
            }
            super::put_password(tx, &operator_id, password_hash).await?;
            mail::insert_all(tx, notice.into_iter().collect()).await?;
            by_id(tx, &operator_id).await
        })
    })
    .await
}

/// Ends an operator's open invitation. `false` when there is none.
pub(in crate::operators) async fn revoke_invitation(db: &Db, operator_id: &str, now: i64) -> Result<bool> {
    let id = operator_id.to_owned();
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "DELETE FROM operator_links WHERE operator_id = $1 AND kind = $2 AND expires_at > $3",
            )
            .bind(id)
            .bind(LinkKind::Invitation.name())
            .bind(now)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected() > 0)
        })
    })
    .await
}

/// When the open invitations end, by operator.
pub(in crate::operators) async fn invitations(db: &Db, now: i64) -> Result<Vec<(String, i64)>> {
    let open = sqlx::query_as(
        "SELECT operator_id, expires_at FROM operator_links WHERE kind = $1 AND expires_at > $2",
    )
    .bind(LinkKind::Invitation.name())
    .bind(now)
    .fetch_all(db.reader())
    .await?;
    Ok(open)
}

/// Deletes the links that ended before `before`, and gives how many there were.
pub(in crate::operators) async fn sweep(db: &Db, before: i64) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query("DELETE FROM operator_links WHERE expires_at < $1")
                .bind(before)
                .execute(&mut *tx)
                .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}

/// Ends all links of an operator.
pub(super) async fn end_links(tx: &mut AnyConnection, operator_id: &str) -> Result<()> {
    sqlx::query("DELETE FROM operator_links WHERE operator_id = $1")
        .bind(operator_id.to_owned())
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn insert_link(tx: &mut AnyConnection, link: NewLink) -> Result<()> {
    sqlx::query(
        "INSERT INTO operator_links (token_hash, kind, operator_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(link.token_hash)
    .bind(link.kind.name())
    .bind(link.operator_id)
    .bind(link.created_at)
    .bind(link.expires_at)
    .execute(&mut *tx)
    .await?;
    Ok(())
}

async fn latest(db: &Db) -> Result<Option<i64>> {
    let latest = sqlx::query_scalar("SELECT MAX(created_at) FROM operator_links")
        .fetch_one(db.reader())
        .await?;
    Ok(latest)
}

async fn move_back(db: &Db, seen: i64, by: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query(
                "UPDATE operator_links SET created_at = created_at - $2, expires_at = expires_at - $2
                 WHERE created_at <= $1",
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
