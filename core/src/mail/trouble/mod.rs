//! What needs an operator about mail: what waits too long, what was given up lately, and a transport in trouble.
//!
//! Unlike `mail.stats` this counts no mail that is done with, so it costs the same however much there is.

mod store;

use schemars::JsonSchema;
use serde::Serialize;

use super::MailService;
use crate::Result;

/// For how long a mail that was given up is told of.
const LATELY_MS: i64 = 24 * 3_600_000;

/// What needs an operator about mail. Times are Unix milliseconds.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct Trouble {
    /// Mail that is queued or being sent; counted up to 10,000.
    waiting: i64,
    /// Since when the mail that waits longest has waited.
    oldest_waiting_at: Option<i64>,
    /// What the provider last said to it.
    waits_because: Option<String>,
    /// Mail that was given up, or came back, within a day; counted up to 10,000.
    given_up: i64,
    /// The first of them.
    given_up_at: Option<i64>,
    /// The latest of them.
    given_up_latest_at: Option<i64>,
    given_up_because: Option<String>,
    given_up_id: Option<String>,
    /// The active transport.
    transport: String,
    /// Its plugin, or `core`.
    provider: String,
    /// What the transport needs an operator for.
    alarm: Option<String>,
}

impl MailService {
    pub(super) async fn trouble(&self) -> Result<Trouble> {
        let now = self.core.clock.now_ms();
        let db = &self.core.db;
        let oldest = store::oldest_waiting(db).await?;
        let lately = now - LATELY_MS;
        let given_up = store::count_given_up(db, lately).await?;
        let first = if given_up.count > 0 {
            store::first_given_up(db, lately).await?
        } else {
            None
        };
        let transports = self.transports.list(now).await?;
        let active = transports.into_iter().find(|transport| transport.active);
        Ok(Trouble {
            waiting: store::count_waiting(db).await?,
            oldest_waiting_at: oldest.as_ref().map(|mail| mail.at),
            waits_because: oldest.and_then(|mail| mail.detail),
            given_up: given_up.count,
            given_up_latest_at: given_up.latest_at,
            given_up_at: first.as_ref().map(|mail| mail.at),
            given_up_id: first.as_ref().map(|mail| mail.id.clone()),
            given_up_because: first.and_then(|mail| mail.detail),
            transport: active
                .as_ref()
                .map(|active| active.name.clone())
                .unwrap_or_default(),
            provider: active
                .as_ref()
                .map(|active| active.provider.clone())
                .unwrap_or_default(),
            alarm: active.and_then(|active| active.alarm),
        })
    }
}
