//! A mail's past as a list of steps, each with its time and a plain reason.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::events::{CLOCKS_MS, Event};
use super::view::{Attempt, State, Summary};
use crate::functions::Actor;

/// What happened to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Queued,
    /// An attempt to hand it over failed.
    NotTaken,
    /// The provider took it.
    Sent,
    Captured,
    GivenUp,
    Cancelled,
    /// Somebody asked for it to be sent again.
    SentAgain,
    /// The recipient's server asked the provider to come back later.
    Deferred,
    Delivered,
    Bounced,
    /// The recipient called it spam.
    Complained,
    /// The mail was looked at, as far as the provider can tell.
    Read,
    /// A link in it was followed, as far as the provider can tell.
    Clicked,
    Unsubscribed,
}

impl What {
    const NAMES: [(What, &str); 14] = [
        (What::Queued, "queued"),
        (What::NotTaken, "not_taken"),
        (What::Sent, "sent"),
        (What::Captured, "captured"),
        (What::GivenUp, "given_up"),
        (What::Cancelled, "cancelled"),
        (What::SentAgain, "sent_again"),
        (What::Deferred, "deferred"),
        (What::Delivered, "delivered"),
        (What::Bounced, "bounced"),
        (What::Complained, "complained"),
        (What::Read, "read"),
        (What::Clicked, "clicked"),
        (What::Unsubscribed, "unsubscribed"),
    ];

    pub(super) fn name(self) -> &'static str {
        let known = Self::NAMES.iter().find(|(what, _)| *what == self);
        known.map_or("", |(_, name)| name)
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(_, known)| *known == name);
        known.map(|(what, _)| *what)
    }

    /// The order of what happens in the same millisecond.
    fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::SentAgain => 1,
            Self::NotTaken => 2,
            Self::Sent | Self::Captured | Self::GivenUp | Self::Cancelled => 3,
            _ => NEWS,
        }
    }

    /// How a mail came to be in a state that it stays in.
    pub(super) fn of(state: State) -> Option<Self> {
        match state {
            State::Sent | State::Delivered | State::Bounced => Some(Self::Sent),
            State::Captured => Some(Self::Captured),
            State::Failed => Some(Self::GivenUp),
            State::Cancelled => Some(Self::Cancelled),
            State::Queued | State::Sending => None,
        }
    }

    /// The state that a provider's word puts a mail into.
    pub(super) fn leads_to(self) -> Option<State> {
        match self {
            Self::Delivered => Some(State::Delivered),
            Self::Bounced => Some(State::Bounced),
            _ => None,
        }
    }
}

/// The rank of what a provider tells.
const NEWS: u8 = 4;

/// A step on a mail's way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// Unix milliseconds.
    pub at: i64,
    pub what: What,
    /// Who did it, where somebody did.
    pub by: Option<Actor>,
    /// Who had it to deliver.
    pub transport: Option<String>,
    /// The provider's name for the mail.
    pub provider_id: Option<String>,
    /// Whom it is about, where the provider says so.
    pub recipient: Option<String>,
    /// In the provider's words.
    pub detail: Option<String>,
    /// When it was to be tried again.
    pub retry_at: Option<i64>,
    /// What it means, as a sentence.
    pub reason: String,
}

/// What is kept of a mail's past.
pub(super) struct Past {
    pub(super) provider_id: Option<String>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) events: Vec<Event>,
}

pub(super) fn of(summary: &Summary, past: &Past) -> Vec<Step> {
    let mut steps = vec![Step {
        recipient: Some(summary.to.clone()),
        ..step(summary.created_at, What::Queued)
    }];
    steps.extend(past.attempts.iter().map(|attempt| Step {
        transport: Some(attempt.transport.clone()),
        detail: Some(attempt.message.clone()),
        retry_at: attempt.retry_at,
        ..step(attempt.at, What::NotTaken)
    }));
    steps.extend(ending(summary, past));
    steps.extend(past.events.iter().map(from_event));
    let handed_over = ending(summary, past).map_or(0, |step| step.at);
    for step in &mut steps {
        // A provider's clock a little behind ours must not tell of a delivery before the hand-over.
        let before = handed_over - step.at;
        if step.what.rank() == NEWS && (0..CLOCKS_MS).contains(&before) {
            step.at = handed_over;
        }
    }
    steps.sort_by_key(|step| (step.at, step.what.rank()));
    for step in &mut steps {
        step.reason = reason(step);
    }
    steps
}

fn step(at: i64, what: What) -> Step {
    Step {
        at,
        what,
        by: None,
        transport: None,
        provider_id: None,
        recipient: None,
        detail: None,
        retry_at: None,
        reason: String::new(),
    }
}

/// How the present sending ended, as far as it depends on us.
fn ending(summary: &Summary, past: &Past) -> Option<Step> {
    let (at, what) = (summary.finished_at?, What::of(summary.state)?);
    let is_kept = |event: &Event| event.what == What::Cancelled && event.at == at;
    if what == What::Cancelled && past.events.iter().any(is_kept) {
        return None;
    }
    // Of what the provider told later, the detail is about that.
    let own = matches!(summary.state, State::Sent | State::Failed);
    Some(Step {
        transport: summary.transport.clone(),
        provider_id: past.provider_id.clone(),
        detail: summary.detail.clone().filter(|_| own),
        ..step(at, what)
    })
}

fn from_event(event: &Event) -> Step {
    Step {
        by: event.by.clone(),
        transport: event.transport.clone(),
        provider_id: event.provider_id.clone(),
        recipient: event.recipient.clone(),
        detail: event.detail.clone(),
        ..step(event.at, event.what)
    }
}

fn reason(step: &Step) -> String {
    let transport = step.transport.as_deref().unwrap_or("The transport");
    let recipient = step.recipient.as_deref().unwrap_or("the recipient");
    let by = step.by.as_ref().map_or("Somebody".to_owned(), Actor::told);
    let told = match step.what {
        What::Queued => format!("The mail to {recipient} was put into the outbox."),
        What::NotTaken => format!("{transport} did not take it."),
        What::Sent => format!("{transport} took the mail."),
        What::Captured => "The mail is kept in the server for reading; it was sent to nobody.".to_owned(),
        What::GivenUp => "The mail was given up.".to_owned(),
        What::Cancelled => format!("{by} took the mail back before it was sent."),
        What::SentAgain => format!("{by} put it into the outbox again."),
        What::Deferred => format!("The mail server of {recipient} asked {transport} to come back later."),
        What::Delivered => format!("The mail server of {recipient} took it."),
        What::Bounced => format!("It did not reach {recipient}."),
        What::Complained => format!("{recipient} called it spam."),
        What::Read => format!("{recipient} looked at it, or a program that loads pictures did."),
        What::Clicked => format!("{recipient} followed a link in it, or a program that checks links did."),
        What::Unsubscribed => format!("{recipient} wants no more mail of this kind."),
    };
    let next = match (step.what, step.retry_at) {
        (What::NotTaken, Some(_)) => "It is tried again.",
        (What::NotTaken, None) => "It is not tried again.",
        _ => "",
    };
    let parts = [told.as_str(), step.detail.as_deref().unwrap_or_default(), next];
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}
