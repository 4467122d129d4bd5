//! Requests that failed after they were answered: no caller is left to receive the error, so health, the user's history and a figure
//! tell of them (B02).

use schemars::JsonSchema;
use serde::Serialize;

use super::history::store::{self, Failure};
use super::{Asker, Codes, Realm};
use crate::{Code, Figure, Result, accounts, random};

/// For how long health tells of a failed request.
const LATELY_MS: i64 = 24 * 3_600_000;
const LONGEST_MESSAGE: usize = 500;

/// Requests that failed within a day.
#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(super) struct Trouble {
    /// Counted up to 10,000.
    failed: i64,
    /// When the first of them failed, Unix milliseconds.
    first_at: Option<i64>,
    /// When the latest of them failed.
    latest_at: Option<i64>,
    /// The latest, as in `codes.history`.
    latest_id: Option<String>,
    /// Why the latest failed.
    latest_because: Option<String>,
}

impl Codes {
    /// Notes that no code can be sent for a request. An address without an active account is no failure: it would have
    /// got no mail either way. Says whether it was noted.
    pub(super) async fn give_up(
        &self,
        realm: Realm,
        email: &str,
        scope: &str,
        asked: Asker,
        why: &str,
    ) -> Result<bool> {
        let user = match self.accounts.user_with_email(email, scope).await {
            Ok(user) if user.active => user,
            Ok(_) => return Ok(false),
            Err(error) => match error.code() {
                Code::UserNotFound | Code::ScopeNotFound | Code::MailAddress => return Ok(false),
                _ => return Err(error),
            },
        };
        let now = self.time.now().await?;
        let purpose = realm.purpose.clone();
        let failure = Failure {
            id: random::id("code"),
            user_id: user.user_id,
            owner: realm.owner,
            purpose: realm.purpose,
            asker: asked.by,
            asked_at: asked.at.min(now),
            failed_at: now,
            message: why
                .chars()
                .filter(|character| *character != '\0')
                .take(LONGEST_MESSAGE)
                .collect(),
        };
        if !store::failed(&self.core.db, failure).await? {
            return Err(accounts::not_found());
        }
        self.core.figures.note_code(Figure::ResetsFailed, &purpose);
        Ok(true)
    }

    pub(super) async fn trouble(&self) -> Result<Trouble> {
        let since = self.core.clock.now_ms() - LATELY_MS;
        let found = store::failures(&self.core.db, since).await?;
        let latest = match found.count {
            0 => None,
            _ => store::latest_failure(&self.core.db, since).await?,
        };
        let (latest_id, latest_because) = latest.unzip();
        Ok(Trouble {
            failed: found.count,
            first_at: found.first_at,
            latest_at: found.latest_at,
            latest_id,
            latest_because,
        })
    }
}
