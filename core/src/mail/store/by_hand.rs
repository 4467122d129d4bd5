//! What operators do to a mail: taking it back, and sending it again.

use crate::functions::Actor;
use crate::mail::events::{self, NewEvent};
use crate::mail::timeline::What;
use crate::mail::view::State;
use crate::{Db, Result};

/// A mail's move into another state by somebody's hand.
#[derive(Debug, Clone)]
pub(in crate::mail) struct Change {
    pub(in crate::mail) id: String,
    pub(in crate::mail) from: State,
    pub(in crate::mail) to: State,
    pub(in crate::mail) by: Actor,
    pub(in crate::mail) now: i64,
}

#[derive(sqlx::FromRow)]
struct Ended {
    finished_at: Option<i64>,
    transport: Option<String>,
    provider_id: Option<String>,
    detail: Option<String>,
}

/// Puts a mail in `from` into another state; false when it is in another by now. How it ended before stays in its past.
pub(in crate::mail) async fn change_state(db: &Db, change: Change) -> Result<bool> {
    db.write(move |tx| {
        Box::pin(async move {
            let before: Option<Ended> = sqlx::query_as(
                "SELECT finished_at, transport, provider_id, detail FROM mails WHERE id = $1 AND state = $2",
            )
            .bind(change.id.clone())
            .bind(change.from.name())
            .fetch_optional(&mut *tx)
            .await?;
            let done = sqlx::query(
                "UPDATE mails
                 SET state = $3, queued_at = $4, due_at = $4, finished_at = $5, transport = NULL, detail = NULL
                 WHERE id = $1 AND state = $2",
            )
            .bind(change.id.clone())
            .bind(change.from.name())
            .bind(change.to.name())
            .bind(change.now)
            .bind((change.to != State::Queued).then_some(change.now))
            .execute(&mut *tx)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(false);
            }
            for event in before.into_iter().filter_map(|before| before.event(&change)) {
                events::insert(tx, event).await?;
            }
            events::insert(tx, change.event()).await?;
            Ok(true)
        })
    })
    .await
}

impl Ended {
    /// How the mail ended, which its row is about to forget. What somebody or the provider did is kept already.
    fn event(self, change: &Change) -> Option<NewEvent> {
        let (at, what) = (self.finished_at?, What::of(change.from)?);
        (what != What::Cancelled).then(|| NewEvent {
            transport: self.transport,
            provider_id: self.provider_id,
            // Of a bounced mail it is the reason for the bounce, which has its own event.
            detail: self.detail.filter(|_| change.from != State::Bounced),
            ..NewEvent::new(&change.id, what, at)
        })
    }
}

impl Change {
    fn event(&self) -> NewEvent {
        let what = match self.to {
            State::Cancelled => What::Cancelled,
            _ => What::SentAgain,
        };
        NewEvent {
            by: Some(self.by.clone()),
            ..NewEvent::new(&self.id, what, self.now)
        }
    }
}
