//! The dashboard: is everything all right, and if not, where?

mod alarms;
mod answer;

mod lists;
mod live;
mod plots;
mod problems;
mod range;
mod records;
mod servers;
mod state;

use coronet_core::Error;
use rocket::{Route, get, routes};
use serde::Serialize;

use crate::first_steps::{Checklist, away};
use crate::kit::language::t;
use crate::kit::live::Sent;
use crate::kit::view::ViewBroken;
use crate::kit::{Answer, Area, Desk, Reply, View};
use live::Eyes;
pub(crate) use live::Hub;
use range::Range;
use state::Asker;

#[cfg(test)]
pub(crate) mod samples;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = routes![show, without_slash, live::live];
    routes.extend(servers::routes());
    routes.extend(alarms::routes());
    routes
}

/// The parts that go on by themselves are finished HTML: a stream sends the same again when they change.
#[derive(Serialize)]
pub(crate) struct DashboardView {
    /// The first steps, until all are done or nobody wants to see them.
    pub(crate) checklist: Option<Checklist>,
    pub(crate) answer: String,
    pub(crate) figures: String,
    pub(crate) lists: String,
    /// Where the page is told what changed.
    pub(crate) live: String,
    /// What it has already.
    pub(crate) live_id: String,
}

impl View for DashboardView {
    const TEMPLATE: &'static str = "dashboard/show";

    fn area(&self) -> Area {
        Area::Dashboard
    }

    fn title(&self) -> String {
        t!("Dashboard")
    }
}

#[get("/?<range>", rank = 1)]
async fn show(desk: Desk<'_>, range: Option<&str>) -> Answer {
    let now = desk.webmin.core.clock.now_ms();
    let asker = Asker {
        functions: &desk.webmin.core.functions,
        caller: desk.caller(),
    };
    let (state, (range, history), checklist) = tokio::join!(
        asker.state(),
        asker.shown_history(Range::named(range), now),
        first_steps(&desk)
    );
    let (views, eyes) = (&desk.webmin.views, Eyes::of(&desk));
    let broken = |cause: ViewBroken| Error::unexpected(cause);
    let mut view = DashboardView {
        checklist,
        answer: eyes.answer(views, &state).map_err(broken)?,
        figures: eyes.figures(views, (&history, &state), range).map_err(broken)?,
        lists: eyes.lists(views, &state).map_err(broken)?,
        live: format!("/dashboard/live?range={}", range.name()),
        live_id: String::new(),
    };
    let mut sent = Sent::default();
    for (part, html) in [
        ("answer", &view.answer),
        ("figures", &view.figures),
        ("lists", &view.lists),
    ] {
        sent.note(part, html);
    }
    view.live_id = sent.id();
    desk.page(&view)
}

/// The first steps, until they were all done once, or the operator hid them.
async fn first_steps(desk: &Desk<'_>) -> Option<Checklist> {
    let unknown = |error: &Error| tracing::warn!(%error, "the checklist is left out");
    if away::is_away(desk).await.inspect_err(unknown).unwrap_or(true) {
        return None;
    }
    let checklist = Checklist::gather(desk).await;
    if !checklist.is_done() {
        return Some(checklist);
    }
    // A viewer may not see all that the steps are about.
    if desk.can_edit()
        && let Err(error) = away::complete(desk).await
    {
        tracing::warn!(%error, "that the first steps are done could not be stored");
    }
    None
}

#[get("/dashboard")]
fn without_slash() -> Reply {
    Reply::go("/")
}
