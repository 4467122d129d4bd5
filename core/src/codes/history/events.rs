//! A history as a list of steps, each with its time and a plain reason.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Actor, History, State};
use crate::mail::{self, Mail};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Asked,
    Queued,
    /// An attempt to deliver the mail failed.
    NotTaken,
    Sent,
    Captured,
    GivenUp,
    Cancelled,
    Opened,
    Used,
    Expired,
    Replaced,
    Revoked,
    Changed,
    Deleted,
}

/// A step of a code's history.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Event {
    /// Unix milliseconds.
    pub at: i64,
    pub what: What,
    /// Why, or what it means.
    pub reason: String,
}

pub(super) fn of(history: &History, mail: &Mail) -> Vec<Event> {
    let mut events = vec![
        event(
            history.asked_at,
            What::Asked,
            format!("{} asked for a link.", who(&history.asked_by)),
        ),
        event(
            mail.summary.created_at,
            What::Queued,
            format!("The mail to {} was put into the outbox.", mail.summary.to),
        ),
    ];
    events.extend(mail.failed_attempts.iter().map(|attempt| {
        let next = match attempt.retry_at {
            Some(_) => "It is tried again.",
            None => "It is not tried again.",
        };
        let reason = format!(
            "{} did not take it: {} {next}",
            attempt.transport, attempt.message
        );
        event(attempt.at, What::NotTaken, reason)
    }));
    events.extend(delivery(mail));
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
    Event { at, what, reason }
}

fn delivery(mail: &Mail) -> Option<Event> {
    let at = mail.summary.finished_at?;
    let transport = mail.summary.transport.as_deref().unwrap_or("The transport");
    let detail = mail.summary.detail.as_deref().unwrap_or_default();
    let (what, reason) = match mail.summary.state {
        mail::State::Sent if detail.is_empty() => (What::Sent, format!("{transport} took the mail.")),
        mail::State::Sent => (What::Sent, format!("{transport} took the mail: {detail}")),
        mail::State::Captured => (
            What::Captured,
            "The mail is kept in the server for reading; it was sent to nobody.".to_owned(),
        ),
        mail::State::Failed => (What::GivenUp, format!("The mail was given up. {detail}")),
        mail::State::Cancelled => (
            What::Cancelled,
            "An operator took the mail back before it was sent.".to_owned(),
        ),
        mail::State::Queued | mail::State::Sending => return None,
    };
    Some(event(at, what, reason.trim_end().to_owned()))
}

fn end(history: &History) -> Option<Event> {
    let at = history.ended_at?;
    let by = match &history.ended_by {
        Some(actor) => who(actor),
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
    };
    Some(event(at, what, reason))
}

fn through(history: &History) -> String {
    match &history.ended_by {
        Some(actor) => who(actor).replacen("The ", "the ", 1),
        None => "somebody".to_owned(),
    }
}

fn who(actor: &Actor) -> String {
    let name = &actor.name;
    match actor.kind.as_str() {
        "operator" => format!("The operator {name}"),
        "app" => format!("The app with the token {name}"),
        "job" => format!("The job {name}"),
        "page" => format!("The page {name}"),
        "plugin" => format!("The plugin {name}"),
        _ => "Coronet itself".to_owned(),
    }
}
