//! What `mail.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kit::parts::Badge;

/// A mail of the outbox; the list leaves body and attempts out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mail {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) to: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) bcc: Vec<String>,
    pub(crate) from: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) subject: String,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) headers: Map<String, Value>,
    pub(crate) tags: Vec<String>,
    pub(crate) message_id: String,
    pub(crate) transport: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) error: Option<String>,
    pub(crate) attempt_count: i64,
    pub(crate) attempts: Vec<Attempt>,
    pub(crate) created_at: Option<i64>,
    pub(crate) next_attempt_at: Option<i64>,
    pub(crate) sent_at: Option<i64>,
}

/// One try to hand the mail to its transport.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempt {
    pub(crate) at: Option<i64>,
    pub(crate) transport: String,
    pub(crate) outcome: String,
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Transport {
    pub(crate) name: String,
    pub(crate) active: bool,
    pub(crate) provider: Option<String>,
    pub(crate) available: bool,
    pub(crate) summary: String,
}

impl Mail {
    pub(crate) fn badge(&self) -> Badge {
        let tone = match self.state.as_str() {
            "sent" | "delivered" => "good",
            "captured" => "accent",
            "queued" | "waiting" => "info",
            "sending" => "info busy",
            "retrying" => "warn",
            "failed" | "bounced" | "complained" => "bad",
            _ => "",
        };
        Badge::new(tone, self.state.clone())
    }

    pub(crate) fn can_retry(&self) -> bool {
        matches!(
            self.state.as_str(),
            "failed" | "bounced" | "retrying" | "captured"
        )
    }
}
