//! What `mail.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kit::language::say;
use crate::kit::parts::Badge;
use crate::kit::timeline::Event;

/// A mail in the list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Summary {
    pub(crate) id: String,
    pub(crate) state: String,
    /// All recipients.
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) transport: Option<String>,
    pub(crate) attempts: i64,
    pub(crate) created_at: Option<i64>,
    pub(crate) due_at: Option<i64>,
    pub(crate) finished_at: Option<i64>,
    /// The provider's latest answer.
    pub(crate) detail: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Mail {
    #[serde(flatten)]
    pub(crate) summary: Summary,
    pub(crate) from: String,
    pub(crate) recipients: Vec<String>,
    pub(crate) cc: Vec<String>,
    pub(crate) bcc: Vec<String>,
    #[serde(default)]
    pub(crate) reply_to: Vec<String>,
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) headers: Map<String, Value>,
    pub(crate) tags: Vec<String>,
    pub(crate) test_mode: bool,
    pub(crate) message_id: String,
    pub(crate) reference: Option<Reference>,
    pub(crate) provider_id: Option<String>,
    pub(crate) account: Option<String>,
    /// Whether secrets in the mail are hidden in this view.
    pub(crate) masked: bool,
    pub(crate) failed_attempts: Vec<Attempt>,
    #[serde(skip_serializing)]
    pub(crate) timeline: Vec<Event>,
}

/// What a mail is about.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    pub(crate) kind: String,
    pub(crate) id: String,
}

/// A try to hand the mail to its transport, that failed.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Attempt {
    pub(crate) at: Option<i64>,
    pub(crate) transport: String,
    pub(crate) message: String,
    pub(crate) retry_at: Option<i64>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Transport {
    pub(crate) name: String,
    /// `core`, or the plugin.
    pub(crate) provider: String,
    pub(crate) active: bool,
    /// `ready`, `paused` or `missing`.
    pub(crate) state: String,
    pub(crate) alarm: Option<String>,
    pub(crate) paused_until: Option<i64>,
}

impl Summary {
    pub(crate) fn badge(&self) -> Badge {
        let tone = match self.state.as_str() {
            "sent" => "info",
            "delivered" => "good",
            "captured" => "accent",
            "queued" if self.attempts > 0 => "warn",
            "queued" => "info",
            "sending" => "info busy",
            "failed" | "bounced" => "bad",
            _ => "",
        };
        let word = if self.state == "queued" {
            "waiting"
        } else {
            &self.state
        };
        Badge::new(tone, say(word, &[]))
    }

    /// Still on its way.
    pub(crate) fn waits(&self) -> bool {
        matches!(self.state.as_str(), "queued" | "sending")
    }
}
