//! The time that codes live by: the wall clock, held to its word when it is set back.
//!
//! A code that was seen expired must not come back to life because the clock went back, and a living one must not live
//! longer (C05). So when the clock is found set back, all codes are moved back with it: what had expired stays expired,
//! what had an hour left has an hour left. Steps of less than [`SLACK_MS`], as time servers make them, are waited out.

use tokio::sync::Mutex;

use super::store;
use crate::{Clock, Core, Db, Result};

/// What two servers' clocks may differ by, too.
pub(super) const SLACK_MS: i64 = 60_000;

pub(super) struct Time {
    clock: Clock,
    db: Db,
    /// The latest time that was seen.
    seen: Mutex<i64>,
}

impl Time {
    /// Goes on from the latest time the database tells of: the clock may have been set back while the server was down.
    pub(super) async fn start(core: &Core) -> Result<Self> {
        let seen = store::latest_issue(&core.db).await?.unwrap_or(i64::MIN);
        Ok(Self {
            clock: core.clock.clone(),
            db: core.db.clone(),
            seen: Mutex::new(seen),
        })
    }

    /// Now, in Unix milliseconds. Goes back only by moving all codes back with it.
    pub(super) async fn now(&self) -> Result<i64> {
        let now = self.clock.now_ms();
        let mut seen = self.seen.lock().await;
        if now < seen.saturating_sub(SLACK_MS) {
            let back = *seen - now;
            tracing::warn!(
                seconds = back / 1000,
                "the clock was set back; one-time codes are moved with it"
            );
            store::move_back(&self.db, *seen, back).await?;
            *seen = now;
        }
        *seen = now.max(*seen);
        Ok(*seen)
    }
}
