//! The time that one-time codes and links live by: the wall clock, held to its word when it is set back.
//!
//! A code that was seen expired must not come back to life because the clock went back, and a living one must not live
//! longer (C05). So when the clock is found set back, all codes are moved back with it: what had expired stays expired,
//! what had an hour left has an hour left. Steps of less than [`SLACK_MS`], as time servers make them, are waited out.

use futures::future::BoxFuture;
use tokio::sync::Mutex;

use crate::{Clock, Core, Db, Result};

/// What two servers' clocks may differ by, too.
pub(crate) const SLACK_MS: i64 = 60_000;

/// A table of what lives by the time.
pub(crate) struct Dated {
    /// What its rows are, for the log.
    pub(crate) what: &'static str,
    /// When its latest row was made.
    pub(crate) latest: fn(&Db) -> BoxFuture<'_, Result<Option<i64>>>,
    /// Moves the rows that were made up to a time back by so many milliseconds.
    pub(crate) move_back: fn(&Db, i64, i64) -> BoxFuture<'_, Result<()>>,
}

pub(crate) struct Time {
    clock: Clock,
    db: Db,
    table: Dated,
    /// The latest time that was seen.
    seen: Mutex<i64>,
}

impl Time {
    /// Goes on from the latest time the database tells of: the clock may have been set back while the server was down.
    pub(crate) async fn start(core: &Core, table: Dated) -> Result<Self> {
        let seen = (table.latest)(&core.db).await?.unwrap_or(i64::MIN);
        Ok(Self {
            clock: core.clock.clone(),
            db: core.db.clone(),
            table,
            seen: Mutex::new(seen),
        })
    }

    /// Now, in Unix milliseconds. Goes back only by moving all rows back with it.
    pub(crate) async fn now(&self) -> Result<i64> {
        let now = self.clock.now_ms();
        let mut seen = self.seen.lock().await;
        if now < seen.saturating_sub(SLACK_MS) {
            let back = *seen - now;
            let what = self.table.what;
            tracing::warn!(
                seconds = back / 1000,
                "the clock was set back; {what} are moved with it"
            );
            (self.table.move_back)(&self.db, *seen, back).await?;
            *seen = now;
        }
        *seen = now.max(*seen);
        Ok(*seen)
    }
}
