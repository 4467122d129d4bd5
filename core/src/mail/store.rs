//! The tables `mails` and `mail_attempts`.

mod by_hand;
mod list;

use sqlx::AnyConnection;

use super::dialect;
use super::events;
use super::view::{Attempt, State, Summary};
use crate::db::{self, AnyQuery, in_lists, placeholders};
use crate::{Db, Result};

pub(super) use by_hand::{Change, change_state};
pub(super) use list::list;

/// A mail that is checked and sealed, and not in the outbox yet.
#[derive(Debug, Clone)]
pub(crate) struct NewMail {
    pub(super) id: String,
    pub(super) state: State,
    pub(super) recipients: String,
    pub(super) subject: String,
    pub(super) reference: Option<String>,
    pub(super) own_account: bool,
    /// Sealed.
    pub(super) message: Vec<u8>,
    pub(super) now: i64,
}

/// A mail under a lease of ours.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Claimed {
    pub(super) id: String,
    pub(super) message: Vec<u8>,
    pub(super) attempts: i64,
    pub(super) queued_at: i64,
}

/// Who claims, for which transport.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) owner: String,
    pub(super) transport: String,
    pub(super) only_own_account: bool,
    pub(super) most: i64,
    pub(super) now: i64,
    pub(super) lease_until: i64,
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub(super) struct Finished {
    pub(super) id: String,
    pub(super) state: State,
    /// When it is tried again, of a mail that is queued again.
    pub(super) due_at: i64,
    pub(super) at: i64,
    pub(super) provider_id: Option<String>,
    pub(super) detail: Option<String>,
    /// Of an attempt that failed.
    pub(super) attempt: Option<Attempt>,
    /// Whether the mail was handed to the transport at all; else the claim does not count as an attempt.
    pub(super) is_attempt: bool,
}

impl Finished {
    /// Leaves only the state. Returns whether there was more.
    pub(super) fn forget_answer(&mut self) -> bool {
        let had_more = self.provider_id.is_some() || self.detail.is_some() || self.attempt.is_some();
        self.provider_id = None;
        self.detail = None;
        self.attempt = None;
        had_more
    }
}

/// A mail's row with its sealed message.
#[derive(sqlx::FromRow)]
pub(super) struct FullRow {
    #[sqlx(flatten)]
    pub(super) summary: SummaryRow,
    pub(super) message: Vec<u8>,
    pub(super) provider_id: Option<String>,
}

#[derive(sqlx::FromRow)]
pub(super) struct SummaryRow {
    id: String,
    state: String,
    recipients: String,
    subject: String,
    transport: Option<String>,
    attempts: i64,
    created_at: i64,
    due_at: i64,
    finished_at: Option<i64>,
    detail: Option<String>,
}

impl SummaryRow {
    pub(super) fn read(self) -> Summary {
        let state = State::from_name(&self.state);
        Summary {
            id: self.id,
            state,
            to: self.recipients,
            subject: self.subject,
            transport: self.transport,
            attempts: self.attempts,
            created_at: self.created_at,
            due_at: (state == State::Queued).then_some(self.due_at),
            finished_at: self.finished_at,
            detail: self.detail,
        }
    }
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    number: i64,
    at: i64,
    transport: String,
    duration_ms: i64,
    code: i64,
    message: String,
    retry_at: Option<i64>,
}

/// One write: the mail is safe when this returns.
pub(super) async fn insert(db: &Db, mail: NewMail) -> Result<()> {
    db.write(move |tx| Box::pin(async move { insert_all(tx, vec![mail]).await }))
        .await
}

/// Puts mails into the outbox together with whatever else the transaction changes.
pub(crate) async fn insert_all(tx: &mut AnyConnection, mails: Vec<NewMail>) -> Result<()> {
    for mails in in_lists(mails) {
        let sql = format!(
            "INSERT INTO mails (id, state, recipients, subject, search, reference, own_account, message, transport,
                                attempts, created_at, queued_at, due_at, finished_at)
             VALUES {}",
            placeholders(mails.len(), 14)
        );
        db::execute(tx, sql, |query| mails.into_iter().fold(query, NewMail::bind)).await?;
    }
    Ok(())
}

/// What came of a mail that was handed over before it was in the outbox.
pub(super) struct Tried {
    pub(super) transport: String,
    pub(super) provider_id: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) at: i64,
}

/// Puts a mail into the outbox that is done with.
pub(super) async fn insert_tried(db: &Db, mail: NewMail, tried: Tried) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            let id = mail.id.clone();
            insert_all(tx, vec![mail]).await?;
            sqlx::query(
                "UPDATE mails SET transport = $2, attempts = 1, finished_at = $3, provider_id = $4, detail = $5
                 WHERE id = $1",
            )
            .bind(id)
            .bind(tried.transport)
            .bind(tried.at)
            .bind(tried.provider_id)
            .bind(tried.detail)
            .execute(&mut *tx)
            .await?;
            Ok(())
        })
    })
    .await
}

impl NewMail {
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    fn bind(query: AnyQuery<'_>, mail: Self) -> AnyQuery<'_> {
        let captured = mail.state == State::Captured;
        query
            .bind(mail.id)
            .bind(mail.state.name())
            .bind(mail.recipients.clone())
            .bind(mail.subject.clone())
            .bind(db::search_key(&format!("{}\n{}", mail.recipients, mail.subject)))
            .bind(mail.reference)
            .bind(i64::from(mail.own_account))
            .bind(mail.message)
            .bind(captured.then_some(super::transports::CAPTURE))
            .bind(0_i64)
            .bind(mail.now)
            .bind(mail.now)
            .bind(mail.now)
            .bind(captured.then_some(mail.now))
    }
}

pub(super) async fn is_due(db: &Db, now: i64) -> Result<bool> {
    let due: Option<i64> = sqlx::query_scalar(dialect::is_due(db.dialect()))
        .bind(now)
        .fetch_optional(db.reader())
        .await?;
    Ok(due.is_some())
}

pub(super) async fn claim(db: &Db, claim: Claim) -> Result<Vec<Claimed>> {
    let statement = dialect::claim(db.dialect());
    db.write(move |tx| {
        Box::pin(async move {
            let claimed = sqlx::query_as(statement)
                .bind(claim.owner)
                .bind(claim.lease_until)
                .bind(claim.transport)
                .bind(claim.now)
                .bind(i64::from(claim.only_own_account))
                .bind(claim.most)
                .fetch_all(&mut *tx)
                .await?;
            Ok(claimed)
        })
    })
    .await
}

/// Records what became of attempts, many in one write. A mail whose lease another server took over is left to it.
/// Gives the states that sent mails came to beyond that, by what their provider told already.
pub(super) async fn finish(db: &Db, owner: String, all: Vec<Finished>) -> Result<Vec<State>> {
    db.write(move |tx| {
        Box::pin(async move {
            let mut moved = Vec::new();
            for mut finished in in_lists(all) {
                let attempts: Vec<_> = finished
                    .iter_mut()
                    .filter_map(|done| Some((done.id.clone(), done.attempt.take()?)))
                    .collect();
                // Before the state changes: whose mail it is still shows.
                for (id, attempt) in attempts {
                    insert_attempt(tx, &owner, id, attempt).await?;
                }
                let sent: Vec<_> = finished
                    .iter()
                    .filter(|done| done.state == State::Sent)
                    .map(|done| done.id.clone())
                    .collect();
                finish_list(tx, &owner, finished).await?;
                moved.extend(events::catch_up(tx, sent).await?);
            }
            Ok(moved)
        })
    })
    .await
}

async fn insert_attempt(tx: &mut AnyConnection, owner: &str, id: String, attempt: Attempt) -> Result<()> {
    sqlx::query(
        "INSERT INTO mail_attempts (mail_id, number, at, transport, duration_ms, code, message, retry_at)
         SELECT id, $2, $3, $4, $5, $6, $7, $8 FROM mails
         WHERE id = $1 AND state = 'sending' AND lease_owner = $9
         ON CONFLICT (mail_id, number) DO NOTHING",
    )
    .bind(id)
    .bind(attempt.number)
    .bind(attempt.at)
    .bind(attempt.transport)
    .bind(attempt.duration_ms)
    .bind(attempt.code)
    .bind(attempt.message)
    .bind(attempt.retry_at)
    .bind(owner.to_owned())
    .execute(tx)
    .await?;
    Ok(())
}

async fn finish_list(tx: &mut AnyConnection, owner: &str, finished: Vec<Finished>) -> Result<()> {
    let sql = format!(
        "WITH done (id, state, due_at, finished_at, provider_id, detail, owner, uncounted) AS (VALUES {})
         UPDATE mails
         SET state = done.state, due_at = done.due_at, finished_at = done.finished_at,
             provider_id = done.provider_id, detail = done.detail, attempts = mails.attempts - done.uncounted,
             lease_owner = NULL, lease_until = NULL
         FROM done
         WHERE mails.id = done.id AND mails.state = 'sending' AND mails.lease_owner = done.owner",
        placeholders(finished.len(), 8)
    );
    db::execute(tx, sql, |mut query| {
        for done in finished {
            query = query
                .bind(done.id)
                .bind(done.state.name())
                .bind(done.due_at)
                .bind((done.state != State::Queued).then_some(done.at))
                .bind(done.provider_id)
                .bind(done.detail)
                .bind(owner.to_owned())
                .bind(i64::from(!done.is_attempt));
        }
        query
    })
    .await?;
    Ok(())
}

pub(super) async fn extend_leases(db: &Db, owner: String, until: i64) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("UPDATE mails SET lease_until = $2 WHERE state = 'sending' AND lease_owner = $1")
                .bind(owner)
                .bind(until)
                .execute(&mut *tx)
                .await?;
            Ok(())
        })
    })
    .await
}

/// Queues again what a server was sending when it died: any whose lease ran out, and all of `owner`, who knows
/// that it sends nothing yet.
pub(super) async fn take_over(db: &Db, owner: Option<String>, now: i64) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "UPDATE mails SET state = 'queued', lease_owner = NULL, lease_until = NULL
                 WHERE state = 'sending' AND (lease_until < $1 OR lease_owner = $2)",
            )
            .bind(now)
            .bind(owner.unwrap_or_default())
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}

pub(super) async fn any_lease_ran_out(db: &Db, now: i64) -> Result<bool> {
    let found: Option<i64> = sqlx::query_scalar(
        "SELECT lease_until FROM mails WHERE state = 'sending' AND lease_until < $1 LIMIT 1",
    )
    .bind(now)
    .fetch_optional(db.reader())
    .await?;
    Ok(found.is_some())
}

pub(super) async fn get(db: &Db, id: &str) -> Result<Option<FullRow>> {
    let row = sqlx::query_as(
        "SELECT id, state, recipients, subject, transport, attempts, created_at, due_at, finished_at, detail, message,
                provider_id
         FROM mails WHERE id = $1",
    )
    .bind(id.to_owned())
    .fetch_optional(db.reader())
    .await?;
    Ok(row)
}

/// The latest failed attempts, in order.
pub(super) async fn attempts(db: &Db, id: &str) -> Result<Vec<Attempt>> {
    let rows: Vec<AttemptRow> = sqlx::query_as(
        "SELECT number, at, transport, duration_ms, code, message, retry_at
         FROM mail_attempts WHERE mail_id = $1 ORDER BY number DESC LIMIT 100",
    )
    .bind(id.to_owned())
    .fetch_all(db.reader())
    .await?;
    let attempts = rows.into_iter().rev().map(|row| Attempt {
        number: row.number,
        at: row.at,
        transport: row.transport,
        duration_ms: row.duration_ms,
        code: row.code,
        message: row.message,
        retry_at: row.retry_at,
    });
    Ok(attempts.collect())
}

pub(super) async fn counts(db: &Db) -> Result<Vec<(String, i64)>> {
    let counts = sqlx::query_as("SELECT state, COUNT(*) FROM mails GROUP BY state")
        .fetch_all(db.reader())
        .await?;
    Ok(counts)
}

pub(super) async fn oldest_waiting(db: &Db) -> Result<Option<i64>> {
    let oldest = sqlx::query_scalar("SELECT MIN(queued_at) FROM mails WHERE state = 'queued'")
        .fetch_one(db.reader())
        .await?;
    Ok(oldest)
}

/// Deletes some of the mails that were finished by `before`, and gives how many.
pub(super) async fn sweep(db: &Db, before: i64, most: i64) -> Result<u64> {
    db.write(move |tx| {
        Box::pin(async move {
            let done = sqlx::query(
                "DELETE FROM mails
                 WHERE id IN (SELECT id FROM mails WHERE finished_at <= $1 ORDER BY finished_at LIMIT $2)",
            )
            .bind(before)
            .bind(most)
            .execute(&mut *tx)
            .await?;
            Ok(done.rows_affected())
        })
    })
    .await
}
