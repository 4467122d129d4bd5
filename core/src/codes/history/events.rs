//! A history as a list of steps, each with its time and a plain reason: those of the code, and those of its mail.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{History, State};
use crate::functions::Actor;
use crate::mail::{self, Mail};

/// What happened to a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Asked,
    /// The link was opened: by the user, or by a program that checks links in mail.
    Opened,
    Used,
    Expired,
    Replaced,
    Revoked,
    Changed,
    Deleted,
    /// No link could be sent.
    NotSent,
}

/// What happened: to the code, or to the mail that carries it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Happening {
    Code(What),
    Mail(mail::What),
}

/// A step of a code's history, with the fields of the steps of a mail's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// Unix milliseconds.
    pub at: i64,
    pub what: Happening,
    /// Who did it, where somebody did.
    pub by: Option<Actor>,
    /// Who had the mail to deliver.
    pub transport: Option<String>,
    /// The provider's name for the mail.
    pub provider_id: Option<String>,
    /// Whom of the mail's recipients it is about.
    pub recipient: Option<String>,
    /// In the provider's words.
    pub detail: Option<String>,
    /// When the mail was to be tried again.
    pub retry_at: Option<i64>,
    /// Why, or what it means.
    pub reason: String,
}

pub(super) fn of(history: &History, mail: Option<&Mail>) -> Vec<Event> {
    let asked = format!("{} asked for a link.", history.asked_by.told());
    let mut events = vec![Event {
        by: Some(history.asked_by.clone()),
        ..event(history.asked_at, What::Asked, asked)
    }];
    let steps = mail.map(|mail| mail.timeline.as_slice()).unwrap_or_default();
    events.extend(steps.iter().cloned().map(Event::from));
    events.extend(history.opened_at.map(|at| {
        let reason = "The form was opened: by the user, or by a program that checks links in mail.";
        event(at, What::Opened, reason.to_owned())
    }));
    events.extend(end(history));
    // What happened in the same millisecond stays in the order above.
    events.sort_by_key(|event| event.at);
    events
}

fn event(at: i64, what: What, reason: String) -> Event {
    Event {
        at,
        what: Happening::Code(what),
        by: None,
        transport: None,
        provider_id: None,
        recipient: None,
        detail: None,
        retry_at: None,
        reason,
    }
}

impl From<mail::Step> for Event {
    fn from(step: mail::Step) -> Self {
        Self {
            at: step.at,
            what: Happening::Mail(step.what),
            by: step.by,
            transport: step.transport,
            provider_id: step.provider_id,
            recipient: step.recipient,
            detail: step.detail,
            retry_at: step.retry_at,
            reason: step.reason,
        }
    }
}

fn end(history: &History) -> Option<Event> {
    let at = history.ended_at?;
    let by = match &history.ended_by {
        Some(actor) => actor.told(),
        None => "Somebody".to_owned(),
    };
    let (what, reason) = match history.state {
        State::Pending => return None,
        State::Used => (
            What::Used,
            format!(
                "A new password was set with the link, through {}.",
                through(history)
            ),
        ),
        State::Expired => (
            What::Expired,
            "The link was not used in time, and is dead.".to_owned(),
        ),
        State::Replaced => (
            What::Replaced,
            "A new password was set with another link of the user. That ends all others.".to_owned(),
        ),
        State::Revoked => (What::Revoked, format!("{by} made the link useless.")),
        State::Changed => (
            What::Changed,
            "The user's password, address or activity changed. That ends all links.".to_owned(),
        ),
        State::Deleted => (
            What::Deleted,
            format!("{by} deleted old links, and this one with them."),
        ),
        State::Failed => (
            What::NotSent,
            "The request was accepted, but no link could be sent.".to_owned(),
        ),
    };
    Some(Event {
        by: history.ended_by.clone(),
        detail: history.failure.clone(),
        ..event(at, what, reason)
    })
}

fn through(history: &History) -> String {
    match &history.ended_by {
        Some(actor) => actor.told().replacen("The ", "the ", 1),
        None => "somebody".to_owned(),
    }
}
