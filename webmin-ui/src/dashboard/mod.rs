//! The dashboard: is everything all right, and if not, where?

mod answer;
mod facts;
mod first_steps;

mod lists;
mod live;
mod plots;
mod problems;
mod range;
mod records;
mod servers;
mod state;

use coronet_core::Error;
use rocket::{Route, State as Managed, get, routes};
use serde::Serialize;

use crate::kit::language::t;
use crate::kit::live::Sent;
use crate::kit::view::ViewBroken;
use crate::kit::{Answer, Area, Desk, Reply, View};
pub(crate) use first_steps::Step;
use live::Eyes;
pub(crate) use live::Hub;
use range::Range;
use state::Asker;

#[cfg(test)]
pub(crate) mod samples;

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = routes![show, without_slash, live::live];
    routes.extend(servers::routes());
    routes
}

/// The parts that go on by themselves are finished HTML: a stream sends the same again when they change.
#[derive(Serialize)]
pub(crate) struct DashboardView {
    /// Empty when all steps are done.
    pub(crate) steps: Vec<Step>,
    pub(crate) steps_done: usize,
    /// Whether this operator may do them.
    pub(crate) can_edit: bool,
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
async fn show(desk: Desk<'_>, hub: &Managed<Hub>, range: Option<&str>) -> Answer {
    let (range, now) = (Range::named(range), desk.webmin.core.clock.now_ms());
    let asker = Asker {
        functions: &desk.webmin.core.functions,
        caller: desk.caller(),
    };
    let (state, history, steps) = tokio::join!(
        asker.state(),
        asker.history(range, now),
        first_steps(&desk, hub, now)
    );
    let history = history.unwrap_or_default();
    let (views, eyes) = (&desk.webmin.views, Eyes::of(&desk));
    let broken = |cause: ViewBroken| Error::unexpected(cause);
    let mut view = DashboardView {
        steps_done: steps.iter().filter(|step| step.done).count(),
        steps,
        can_edit: desk.can_edit(),
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

/// The first steps, as long as one is left. Once none is, that is believed for a minute.
async fn first_steps(desk: &Desk<'_>, hub: &Hub, now: i64) -> Vec<Step> {
    if hub.is_settled(now) {
        return Vec::new();
    }
    let steps = first_steps::of(&facts::Facts::gather(desk).await);
    if steps.iter().all(|step| step.done) {
        hub.settle(now);
        return Vec::new();
    }
    steps
}

#[get("/dashboard")]
fn without_slash() -> Reply {
    Reply::go("/")
}
