//! One password reset, step by step: who asked, how the mail went, how it ended.

use rocket::{Route, get, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::resets::Reset;
use crate::kit::parts::Badge;
use crate::kit::{Answer, Area, Desk, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show]
}

/// What `codes.history` returns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct History {
    #[serde(flatten)]
    pub(crate) reset: Reset,
    pub(crate) provider_id: Option<String>,
    #[serde(skip_serializing)]
    pub(crate) events: Vec<Event>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) at: i64,
    pub(crate) what: String,
    pub(crate) reason: String,
}

/// An event with a name and a colour.
#[derive(Serialize)]
pub(crate) struct Step {
    pub(crate) tone: &'static str,
    pub(crate) title: &'static str,
    pub(crate) at: i64,
    pub(crate) reason: String,
}

#[derive(Serialize)]
pub(crate) struct ResetView {
    pub(crate) history: History,
    pub(crate) badge: Badge,
    pub(crate) steps: Vec<Step>,
    pub(crate) pending: bool,
    /// Something may happen any moment, so the page looks again by itself.
    pub(crate) busy: bool,
    pub(crate) can_edit: bool,
}

impl View for ResetView {
    const TEMPLATE: &'static str = "resets/show";

    fn area(&self) -> Area {
        Area::Resets
    }

    fn title(&self) -> String {
        format!("Password reset of {}", self.history.reset.username)
    }
}

#[get("/reset/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let history: History = desk.call("codes.history", json!({ "id": id })).await?;
    desk.page(&view(history, desk.can_edit()))
}

pub(crate) fn view(mut history: History, can_edit: bool) -> ResetView {
    let steps = std::mem::take(&mut history.events).into_iter().map(step);
    let pending = history.reset.state == "pending";
    ResetView {
        badge: history.reset.badge(),
        steps: steps.collect(),
        busy: pending && matches!(history.reset.mail_state.as_str(), "queued" | "sending"),
        pending,
        history,
        can_edit,
    }
}

fn step(event: Event) -> Step {
    let (tone, title) = match event.what.as_str() {
        "asked" => ("", "Asked for"),
        "queued" => ("", "Mail queued"),
        "not_taken" => ("warn", "Mail not taken"),
        "sent" => ("good", "Taken by the provider"),
        "sent_again" => ("", "Sent again"),
        "deferred" => ("warn", "Delivery delayed"),
        "delivered" => ("good", "Delivered"),
        "bounced" => ("bad", "Bounced"),
        "complained" => ("bad", "Called spam"),
        "read" => ("good", "Mail looked at"),
        "clicked" => ("good", "Link followed"),
        "unsubscribed" => ("warn", "Unsubscribed"),
        "captured" => ("good", "Mail kept here"),
        "given_up" => ("bad", "Mail given up"),
        "cancelled" => ("warn", "Mail taken back"),
        "opened" => ("good", "Form opened"),
        "used" => ("good", "Used"),
        "expired" => ("warn", "Expired"),
        "replaced" => ("", "Replaced"),
        "revoked" => ("warn", "Revoked"),
        "changed" => ("warn", "Ended by a change"),
        "deleted" => ("warn", "Deleted"),
        _ => ("", "Something else"),
    };
    Step {
        tone,
        title,
        at: event.at,
        reason: event.reason,
    }
}
