//! One run: its outcome, its error with the line, its log.

use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Job, Run};
use crate::kit::helpers::path_segment;
use crate::kit::parts::Badge;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Reply, View, t};

pub(super) fn routes() -> Vec<Route> {
    routes![show, cancel, cancel_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct RunView {
    pub(crate) run: Run,
    pub(crate) badge: Badge,
    pub(crate) took: String,
    /// The editor, at the line of the error.
    pub(crate) editor: Option<String>,
    pub(crate) busy: bool,
    pub(crate) can_edit: bool,
}

impl View for RunView {
    const TEMPLATE: &'static str = "jobs/run";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        t!("Run of {job}", job = self.run.job)
    }
}

#[get("/run/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let run: Run = desk.call("jobs.log", json!({ "run_id": id })).await?;
    let job: Option<Job> = desk.call("jobs.get", json!({ "name": run.job })).await.ok();
    let line = run
        .error
        .as_ref()
        .and_then(|error| error.line)
        .map(|line| line.to_string())
        .unwrap_or_default();
    let problem = run
        .error
        .as_ref()
        .map(|error| error.message.clone())
        .unwrap_or_default();
    let editor = job.map(|job| {
        let at_line = if line.is_empty() { "" } else { &problem };
        Query::new("/templates/edit")
            .with("path", &format!("jobs/{}", job.path))
            .with("line", &line)
            .with("problem", at_line)
            .to_string()
    });
    let busy = run.outcome.is_none();
    desk.page(&RunView {
        badge: run.badge(),
        took: run.took(),
        editor,
        busy,
        can_edit: desk.can_edit(),
        run,
    })
}

#[post("/run/<id>/cancel")]
async fn cancel(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/run/{}", path_segment(id));
    match desk.call::<Value>("jobs.cancel", json!({ "run_id": id })).await {
        Ok(_) => desk.go(page, t!("The run is being ended.")),
        Err(error) => desk.back(page, error),
    }
}

#[get("/run/<id>/cancel")]
fn cancel_is_a_button(id: &str) -> Reply {
    Reply::go(format!("/run/{}", path_segment(id)))
}
