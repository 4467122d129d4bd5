//! The dashboard: is everything all right, and if not, where?

mod first_steps;
mod health;

use rocket::{Route, get, routes};
use serde::Serialize;

use crate::kit::{Answer, Area, Desk, Reply, View};
use crate::server::audit::{self, Entry};
pub(crate) use first_steps::Step;
pub(crate) use health::Tile;

pub(crate) fn routes() -> Vec<Route> {
    routes![show, without_slash]
}

#[derive(Serialize)]
pub(crate) struct DashboardView {
    pub(crate) tiles: Vec<Tile>,
    /// Empty when all steps are done.
    pub(crate) steps: Vec<Step>,
    pub(crate) steps_done: usize,
    pub(crate) audit: Vec<Entry>,
    pub(crate) can_edit: bool,
}

impl View for DashboardView {
    const TEMPLATE: &'static str = "dashboard/show";

    fn area(&self) -> Area {
        Area::Dashboard
    }

    fn title(&self) -> String {
        "Dashboard".to_owned()
    }
}

#[get("/", rank = 1)]
async fn show(desk: Desk<'_>) -> Answer {
    let facts = health::Facts::gather(&desk).await;
    let steps = first_steps::of(&facts);
    let steps_done = steps.iter().filter(|step| step.done).count();
    let view = DashboardView {
        tiles: health::tiles(&facts),
        steps: if steps_done == steps.len() {
            Vec::new()
        } else {
            steps
        },
        steps_done,
        audit: audit::latest(&desk, 8).await?,
        can_edit: desk.can_edit(),
    };
    desk.page(&view)
}

#[get("/dashboard")]
fn without_slash() -> Reply {
    Reply::go("/")
}
