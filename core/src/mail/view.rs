//! A mail as operators see it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::message::{Kept, Reference};
use super::timeline::{self, Past, Step};

/// How far a mail has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits to be sent, or to be tried again.
    Queued,
    /// Is being handed to the provider.
    Sending,
    /// The provider took it, and has not told yet what became of it.
    Sent,
    /// The recipient's server took it, says the provider.
    Delivered,
    /// The recipient's server, or the provider, refused it for good.
    Bounced,
    /// Will not be tried again unless someone asks for it.
    Failed,
    /// Kept for reading by the transport `capture`, and sent to nobody.
    Captured,
    /// Taken back before it was sent.
    Cancelled,
}

impl State {
    const ALL: [State; 8] = [
        State::Queued,
        State::Sending,
        State::Sent,
        State::Delivered,
        State::Bounced,
        State::Failed,
        State::Captured,
        State::Cancelled,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Sending => "sending",
            State::Sent => "sent",
            State::Delivered => "delivered",
            State::Bounced => "bounced",
            State::Failed => "failed",
            State::Captured => "captured",
            State::Cancelled => "cancelled",
        }
    }

    /// The state of this name. Only names of ours are in the database; any other is as good as failed.
    pub(super) fn from_name(name: &str) -> State {
        let known = Self::ALL.into_iter().find(|state| state.name() == name);
        known.unwrap_or(State::Failed)
    }
}

/// Which mails are wanted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Filter {
    pub(super) state: Option<State>,
    /// Only mail with this text in its recipients or subject.
    pub(super) search: Option<String>,
    /// Only mail from this time on, Unix milliseconds.
    pub(super) since: Option<i64>,
    /// Only mail before this time.
    pub(super) until: Option<i64>,
    pub(super) reference: Option<Reference>,
}

/// A mail in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Summary {
    pub id: String,
    pub state: State,
    /// All recipients.
    pub to: String,
    pub subject: String,
    /// Who has, or had, it to deliver.
    pub transport: Option<String>,
    pub attempts: i64,
    /// Unix milliseconds.
    pub created_at: i64,
    /// When it is tried next, of a mail that waits.
    pub due_at: Option<i64>,
    /// When it was handed over, given up, captured or cancelled.
    pub finished_at: Option<i64>,
    /// The provider's latest answer.
    pub detail: Option<String>,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    pub number: i64,
    /// Unix milliseconds.
    pub at: i64,
    pub transport: String,
    pub duration_ms: i64,
    pub code: i64,
    pub message: String,
    /// When it was to be tried again; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<i64>,
}

/// A whole mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Mail {
    #[serde(flatten)]
    pub summary: Summary,
    pub from: String,
    pub recipients: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub headers: Map<String, Value>,
    pub tags: Vec<String>,
    pub test_mode: bool,
    pub message_id: String,
    pub reference: Option<Reference>,
    /// The provider's name for the mail.
    pub provider_id: Option<String>,
    /// The provider's account, when it is not that of the settings.
    pub account: Option<String>,
    /// Whether secrets in the mail are hidden in this view.
    pub masked: bool,
    pub failed_attempts: Vec<Attempt>,
    /// What happened to it, in order of time.
    pub timeline: Vec<Step>,
}

impl Mail {
    pub(super) fn new(summary: Summary, kept: Kept, past: Past, may_see_secrets: bool) -> Self {
        let timeline = timeline::of(&summary, &past);
        let masked = !may_see_secrets && !kept.masks.is_empty();
        let show = |text: String| if masked { kept.masks.apply(&text) } else { text };
        let content = kept.content;
        let headers = content
            .headers
            .into_iter()
            .map(|(name, value)| {
                (
                    name,
                    Value::from(show(value.as_str().unwrap_or_default().to_owned())),
                )
            })
            .collect();
        Self {
            summary: Summary {
                subject: show(content.subject),
                ..summary
            },
            from: content.from,
            recipients: content.to,
            cc: content.cc,
            bcc: content.bcc,
            reply_to: content.reply_to,
            text: content.text.map(show),
            html: content.html.map(show),
            headers,
            tags: content.tags,
            test_mode: content.test_mode.unwrap_or(false),
            message_id: content.message_id,
            reference: kept.reference,
            provider_id: past.provider_id,
            account: kept.account.map(|account| account.domain),
            masked,
            failed_attempts: past.attempts,
            timeline,
        }
    }
}
