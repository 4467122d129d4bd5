//! A past as a list of steps: of a mail, and of the reset that it carries. One part of a page shows both.

use serde::{Deserialize, Serialize};

use super::language::t;

/// A step as `mail.get` and `codes.history` tell it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) at: i64,
    pub(crate) what: String,
    pub(crate) by: Option<Actor>,
    pub(crate) transport: Option<String>,
    pub(crate) provider_id: Option<String>,
    pub(crate) recipient: Option<String>,
    pub(crate) detail: Option<String>,
    pub(crate) retry_at: Option<i64>,
    pub(crate) reason: String,
}

/// A kind of caller and its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Actor {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// A step as it is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    /// `good`, `warn`, `bad` or nothing.
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) at: i64,
    /// What it means, in a sentence.
    pub(crate) text: String,
    /// In the provider's words.
    pub(crate) detail: Option<String>,
    pub(crate) provider_id: Option<String>,
}

/// What is still to come.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Next {
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) at: Option<i64>,
}

pub(crate) fn steps(events: Vec<Event>) -> Vec<Step> {
    events.into_iter().map(Step::from).collect()
}

impl From<Event> for Step {
    fn from(event: Event) -> Self {
        let (tone, title) = title(&event);
        Self {
            tone,
            title,
            at: event.at,
            text: text(&event),
            provider_id: event.provider_id.filter(|_| event.what == "sent"),
            detail: event.detail,
        }
    }
}

fn title(event: &Event) -> (&'static str, String) {
    match event.what.as_str() {
        "asked" => ("", t!("Asked for")),
        "queued" => ("", t!("Mail queued")),
        "not_taken" if event.retry_at.is_none() => ("bad", t!("Mail not taken")),
        "not_taken" => ("warn", t!("Mail not taken")),
        "sent" => ("good", t!("Mail sent")),
        "captured" => ("good", t!("Mail kept here")),
        "given_up" => ("bad", t!("Mail given up")),
        "cancelled" => ("warn", t!("Mail taken back")),
        "sent_again" => ("", t!("Sent again")),
        "deferred" => ("warn", t!("Delivery delayed")),
        "delivered" => ("good", t!("Delivered")),
        "bounced" => ("bad", t!("Bounced")),
        "complained" => ("bad", t!("Called spam")),
        "read" => ("good", t!("Mail looked at")),
        "clicked" => ("good", t!("Link followed")),
        "unsubscribed" => ("warn", t!("Unsubscribed")),
        "opened" => ("good", t!("Form opened")),
        "used" => ("good", t!("Used")),
        "expired" => ("warn", t!("Expired")),
        "replaced" => ("", t!("Replaced")),
        "revoked" => ("warn", t!("Revoked")),
        "changed" => ("warn", t!("Ended by a change")),
        "deleted" => ("warn", t!("Deleted")),
        "not_sent" => ("bad", t!("Not sent")),
        _ => ("", t!("Something else")),
    }
}

/// The plain reason. What a server says that is newer than these pages is shown as it came.
fn text(event: &Event) -> String {
    let who = event.by.as_ref().map_or_else(|| t!("Somebody"), Actor::told);
    let whom = event.recipient.clone().unwrap_or_else(|| t!("the recipient"));
    let transport = event.transport.clone().unwrap_or_else(|| t!("The transport"));
    match event.what.as_str() {
        "asked" => t!("{who} asked for a link.", who = who),
        "queued" => t!("The mail to {whom} was put into the outbox.", whom = whom),
        "not_taken" if event.retry_at.is_none() => t!(
            "{transport} did not take it. It is not tried again.",
            transport = transport
        ),
        "not_taken" => t!(
            "{transport} did not take it. It is tried again.",
            transport = transport
        ),
        "sent" => t!("{transport} took the mail.", transport = transport),
        "captured" => t!("The mail is kept in the server for reading; it was sent to nobody."),
        "given_up" => t!("No more attempts are made unless somebody asks for one."),
        "cancelled" => t!("{who} took the mail back before it was sent.", who = who),
        "sent_again" => t!("{who} put it into the outbox again.", who = who),
        "deferred" => t!("The mail server of {whom} asked to come back later.", whom = whom),
        "delivered" => t!("The mail server of {whom} took it.", whom = whom),
        "bounced" => t!("It did not reach {whom}.", whom = whom),
        "complained" => t!("{whom} called it spam.", whom = whom),
        "read" => t!(
            "{whom} looked at it, or a program that loads pictures did.",
            whom = whom
        ),
        "clicked" => t!(
            "{whom} followed a link in it, or a program that checks links did.",
            whom = whom
        ),
        "unsubscribed" => t!("{whom} wants no more mail of this kind.", whom = whom),
        "opened" => t!("The form was opened: by the user, or by a program that checks links in mail."),
        "used" => t!("A new password was set with the link. Through: {who}.", who = who),
        "expired" => t!("The link was not used in time, and is dead."),
        "replaced" => t!("A new password was set with another link of the user. That ends all others."),
        "revoked" => t!("{who} made the link useless.", who = who),
        "changed" => t!("The user's password, address or activity changed. That ends all links."),
        "deleted" => t!("{who} deleted old links, and this one with them.", who = who),
        "not_sent" => t!("The request was accepted, but no link could be sent."),
        _ => event.reason.clone(),
    }
}

impl Actor {
    pub(crate) fn told(&self) -> String {
        let name = &self.name;
        match self.kind.as_str() {
            "operator" => t!("The operator {name}", name = name),
            "app" => t!("The app with the token {name}", name = name),
            "job" => t!("The job {name}", name = name),
            "page" => t!("The page {name}", name = name),
            "plugin" => t!("The plugin {name}", name = name),
            _ => t!("Coronet itself"),
        }
    }
}
