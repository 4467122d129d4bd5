//! What became of each code that was mailed: who asked, how the mail went, whether the link was opened, how it ended.
//!
//! A history is written in the writes that happen anyway, and kept as long as the mail. What happened to the mail is
//! not written twice: it is read from the outbox.

mod events;
pub(crate) mod store;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Codes;
use crate::functions::Actor;
use crate::{Code, Error, Page, PartRequest, Result};
pub use events::{Event, Happening, What};

/// Who asked for a code, and when: given by `codes.asker`, and given back to `codes.mail` later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asker {
    pub by: Actor,
    /// Unix milliseconds.
    pub at: i64,
}

/// How far a code has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its link works.
    Pending,
    /// It was used.
    Used,
    /// Its time was over before it was used.
    Expired,
    /// Another code of the user was used.
    Replaced,
    /// It was taken back.
    Revoked,
    /// The user changed: password, address, or activity.
    Changed,
    /// It was deleted with other old codes before its time.
    Deleted,
    /// The request was answered, and then no link could be sent.
    Failed,
}

impl State {
    /// What is stored as its ending.
    fn ending(self) -> Option<&'static str> {
        match self {
            Self::Pending | Self::Expired => None,
            Self::Used => Some("used"),
            Self::Replaced => Some("replaced"),
            Self::Revoked => Some("revoked"),
            Self::Changed => Some("changed"),
            Self::Deleted => Some("deleted"),
            Self::Failed => Some("failed"),
        }
    }

    fn from_ending(ending: &str) -> Self {
        match ending {
            "used" => Self::Used,
            "replaced" => Self::Replaced,
            "revoked" => Self::Revoked,
            "changed" => Self::Changed,
            "failed" => Self::Failed,
            _ => Self::Deleted,
        }
    }
}

/// Which histories are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    pub(super) purpose: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) user_id: Option<String>,
    /// The code that this mail carries.
    pub(super) mail_id: Option<String>,
    /// Only of users with this text in their username or address.
    pub(super) search: Option<String>,
    pub(super) state: Option<State>,
    /// Only codes made at this time or later, Unix milliseconds.
    pub(super) since: Option<i64>,
    /// Only codes made before this time.
    pub(super) until: Option<i64>,
}

/// What became of a code, in short. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct History {
    pub id: String,
    pub purpose: String,
    pub user_id: String,
    pub username: String,
    pub email: Option<String>,
    pub scope: String,
    pub state: State,
    pub asked_by: Actor,
    pub asked_at: i64,
    pub issued_at: i64,
    pub expires_at: i64,
    /// When the link was opened first.
    pub opened_at: Option<i64>,
    pub ended_at: Option<i64>,
    pub ended_by: Option<Actor>,
    /// Empty of a request that failed.
    pub mail_id: String,
    /// As in `mail.get`; empty of a request that failed.
    pub mail_state: String,
    /// Why a request failed.
    pub failure: Option<String>,
}

/// What became of a code, step by step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FullHistory {
    #[serde(flatten)]
    pub history: History,
    /// The provider's name for the mail.
    pub provider_id: Option<String>,
    /// In order of time.
    pub events: Vec<Event>,
}

impl Codes {
    pub(super) async fn histories(
        &self,
        owner: Option<&str>,
        filter: &Filter,
        sort: Option<&str>,
        part: &PartRequest,
    ) -> Result<Page<History>> {
        let now = self.time.now().await?;
        let chosen = store::choose(owner, filter, now)?;
        let rows = store::LIST.read(&self.core.db, chosen, sort, part).await?;
        Ok(rows.map(|row| row.read(now)))
    }

    pub(super) async fn history(&self, owner: Option<&str>, id: &str) -> Result<FullHistory> {
        let row = store::get(&self.core.db, owner, id).await?.ok_or_else(|| {
            let text = "There is no history of this id. It is kept as long as the mail is.";
            Error::new(Code::NotFound, text)
        })?;
        let history = row.read(self.time.now().await?);
        let mail = match history.mail_id.as_str() {
            "" => None,
            id => Some(self.mail.get(id, false).await?),
        };
        Ok(FullHistory {
            events: events::of(&history, mail.as_ref()),
            provider_id: mail.and_then(|mail| mail.provider_id),
            history,
        })
    }
}

impl store::Row {
    fn read(self, now: i64) -> History {
        let ended = self.ending.as_deref().map(State::from_ending);
        let by_itself = if self.expires_at <= now {
            State::Expired
        } else {
            State::Pending
        };
        let state = ended.unwrap_or(by_itself);
        let actor = |(kind, name)| Actor { kind, name };
        History {
            id: self.code_id,
            purpose: self.purpose,
            user_id: self.user_id,
            username: self.username,
            email: self.email,
            scope: self.scope,
            state,
            asked_by: actor((self.asker_kind, self.asker_name)),
            asked_at: self.asked_at,
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            opened_at: self.opened_at,
            ended_at: match state {
                State::Expired => Some(self.expires_at),
                _ => self.ended_at,
            },
            ended_by: self.ender_kind.zip(self.ender_name).map(actor),
            mail_id: self.mail_id,
            mail_state: self.mail_state,
            failure: self.failure,
        }
    }
}
