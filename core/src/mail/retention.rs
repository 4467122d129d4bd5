//! Mail is kept for a while after it is done with, and then deleted.

use super::{MailService, store};
use crate::Result;

const DAY_MS: i64 = 86_400_000;
/// Deleted in one write: others wait for it.
const BATCH: i64 = 500;

impl MailService {
    /// Deletes the mail whose time is over, and gives how many there were.
    pub(super) async fn sweep(&self) -> Result<u64> {
        let days = self.core.settings.now().retention.mail_days;
        let before = self.core.clock.now_ms() - days * DAY_MS;
        let mut all = 0;
        loop {
            let some = store::sweep(&self.core.db, before, BATCH).await?;
            all += some;
            if some == 0 || self.core.shutdown.is_triggered() {
                return Ok(all);
            }
        }
    }
}
