//! The table `mail_events`: a mail's past beside its failed attempts.

use sqlx::AnyConnection;

use super::super::State;
use super::super::timeline::What;
use super::{CLOCKS_MS, Event, NewEvent};
use crate::db::{in_lists, placeholders};
use crate::functions::Actor;
use crate::{Db, Result};

/// Kept of one mail: a provider that counts every look at a picture must not fill the database.
const MOST: i64 = 200;

/// A mail that a provider tells of.
#[derive(Debug, sqlx::FromRow)]
pub(in crate::mail) struct Told {
    pub(in crate::mail) id: String,
    pub(in crate::mail) message: Vec<u8>,
    pub(in crate::mail) transport: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    at: i64,
    what: String,
    transport: Option<String>,
    provider_id: Option<String>,
    recipient: Option<String>,
    by_kind: Option<String>,
    by_name: Option<String>,
    detail: Option<String>,
}

/// Keeps an event, unless it is known or there are too many.
pub(in crate::mail) async fn insert(tx: &mut AnyConnection, event: NewEvent) -> Result<bool> {
    let (by_kind, by_name) = event.by.map(|by| (by.kind, by.name)).unzip();
    let done = sqlx::query(
        "INSERT INTO mail_events (mail_id, event_id, at, what, transport, provider_id, recipient, by_kind, by_name,
                                  detail)
         SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM mails
         WHERE id = $1 AND (SELECT COUNT(*) FROM mail_events WHERE mail_id = $1) < $11
         ON CONFLICT (mail_id, event_id) DO NOTHING",
    )
    .bind(event.mail_id)
    .bind(event.event_id)
    .bind(event.at)
    .bind(event.what.name())
    .bind(event.transport)
    .bind(event.provider_id)
    .bind(event.recipient)
    .bind(by_kind)
    .bind(by_name)
    .bind(event.detail)
    .bind(MOST)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub(in crate::mail) async fn all(db: &Db, mail_id: &str) -> Result<Vec<Event>> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT at, what, transport, provider_id, recipient, by_kind, by_name, detail
         FROM mail_events WHERE mail_id = $1 ORDER BY at, event_id",
    )
    .bind(mail_id.to_owned())
    .fetch_all(db.reader())
    .await?;
    let read = |row: Row| {
        Some(Event {
            at: row.at,
            what: What::from_name(&row.what)?,
            transport: row.transport,
            provider_id: row.provider_id,
            recipient: row.recipient,
            by: row
                .by_kind
                .zip(row.by_name)
                .map(|(kind, name)| Actor { kind, name }),
            detail: row.detail,
        })
    };
    Ok(rows.into_iter().filter_map(read).collect())
}

/// The mail of this id, or the one that the provider calls so.
pub(in crate::mail) async fn told_of(db: &Db, id: &str, provider_id: &str) -> Result<Option<Told>> {
    let told = sqlx::query_as(
        "SELECT id, message, transport FROM mails
         WHERE id = $1 OR provider_id = $2 OR provider_id = $3
         ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1",
    )
    .bind(id.to_owned())
    .bind(provider_id.to_owned())
    .bind(format!("<{provider_id}>"))
    .fetch_optional(db.reader())
    .await?;
    Ok(told)
}

/// Keeps what a provider told, and moves the mails on; gives the states that mails came to.
pub(in crate::mail) async fn report(db: &Db, all: Vec<NewEvent>) -> Result<Vec<State>> {
    db.write(move |tx| {
        Box::pin(async move {
            let mut moved = Vec::new();
            for event in all {
                if let Some(state) = event.what.leads_to()
                    && !is_known(tx, &event).await?
                    && move_on(tx, &event, state).await?
                {
                    moved.push(state);
                }
                insert(tx, event).await?;
            }
            Ok(moved)
        })
    })
    .await
}

/// Whether it was told before. What is told again says nothing about a mail that was sent again meanwhile.
async fn is_known(tx: &mut AnyConnection, event: &NewEvent) -> Result<bool> {
    let known: Option<i64> =
        sqlx::query_scalar("SELECT at FROM mail_events WHERE mail_id = $1 AND event_id = $2")
            .bind(event.mail_id.clone())
            .bind(event.event_id.clone())
            .fetch_optional(tx)
            .await?;
    Ok(known.is_some())
}

/// A bounce is the last word, however late other news come. What is told of an earlier sending says nothing about one
/// that somebody asked for since.
async fn move_on(tx: &mut AnyConnection, event: &NewEvent, state: State) -> Result<bool> {
    let moved = sqlx::query(
        "UPDATE mails SET state = $2, detail = $3
         WHERE id = $1 AND (state IN ('sent', 'failed') OR (state = 'delivered' AND $2 = 'bounced'))
           AND (queued_at = created_at OR queued_at <= $4)",
    )
    .bind(event.mail_id.clone())
    .bind(state.name())
    .bind(event.detail.clone())
    .bind(event.at.saturating_add(CLOCKS_MS))
    .execute(tx)
    .await?;
    Ok(moved.rows_affected() > 0)
}

/// Mails that were just handed over, of which the provider told more before we wrote down that it has them; gives the
/// states that they came to.
///
/// Of one that was sent again, everything told of the sending before is kept too: there only what is later than the
/// wish counts, however the provider's clock goes.
pub(in crate::mail) async fn catch_up(tx: &mut AnyConnection, sent: Vec<String>) -> Result<Vec<State>> {
    let mut moved = Vec::new();
    for ids in in_lists(sent) {
        let sql = format!(
            "WITH sent (id) AS (VALUES {values})
             UPDATE mails
             SET state = CASE WHEN EXISTS (SELECT 1 FROM mail_events
                                           WHERE mail_id = mails.id AND what = 'bounced' AND {is_of_this_sending})
                              THEN 'bounced' ELSE 'delivered' END
             FROM sent
             WHERE mails.id = sent.id AND mails.state = 'sent'
               AND EXISTS (SELECT 1 FROM mail_events
                           WHERE mail_id = mails.id AND what IN ('bounced', 'delivered') AND {is_of_this_sending})
             RETURNING state",
            values = placeholders(ids.len(), 1),
            is_of_this_sending = "(mails.queued_at = mails.created_at OR at >= mails.queued_at)",
        );
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let states: Vec<String> = ids
            .into_iter()
            .fold(query, |query, id| query.bind(id))
            .fetch_all(&mut *tx)
            .await?;
        moved.extend(states.iter().map(|state| State::from_name(state)));
    }
    Ok(moved)
}
