//! One password reset, step by step: who asked, how the mail went, how it ended.

use rocket::{Route, get, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::resets::Reset;
use crate::kit::parts::Badge;
use crate::kit::timeline::{self, Event, Next, Step};
use crate::kit::{Answer, Area, Desk, View, t};

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

#[derive(Serialize)]
pub(crate) struct ResetView {
    pub(crate) history: History,
    pub(crate) badge: Badge,
    pub(crate) steps: Vec<Step>,
    pub(crate) next: Option<Next>,
    pub(crate) pending: bool,
    /// The mail with the link did not arrive.
    pub(crate) lost: bool,
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
        t!("Password reset of {name}", name = self.history.reset.username)
    }
}

#[get("/reset/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let history: History = desk.call("codes.history", json!({ "id": id })).await?;
    desk.page(&view(history, desk.can_edit()))
}

pub(crate) fn view(mut history: History, can_edit: bool) -> ResetView {
    let steps = timeline::steps(std::mem::take(&mut history.events));
    let pending = history.reset.state == "pending";
    let mail = history.reset.mail_state.as_str();
    let lost = matches!(mail, "failed" | "bounced" | "cancelled");
    ResetView {
        badge: history.reset.badge(),
        steps,
        next: pending.then(|| Next {
            title: if lost {
                t!("Nobody has the link")
            } else {
                t!("Waits for the user")
            },
            text: t!("The link works until"),
            at: history.reset.expires_at,
        }),
        busy: pending && matches!(mail, "queued" | "sending" | "sent"),
        lost: pending && lost,
        pending,
        history,
        can_edit,
    }
}
