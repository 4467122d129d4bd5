//! One run: its outcome, its error with the line, its log, as it goes on.

use std::time::Duration;

use coronet_core::Error;
use rocket::response::stream::{Event, EventStream};
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Job, Run};
use crate::kit::helpers::path_segment;
use crate::kit::live::{Audience, HEARTBEAT, Sent, Streamed};
use crate::kit::parts::Badge;
use crate::kit::query::Query;
use crate::kit::view::Views;
use crate::kit::{Answer, Area, Desk, Reply, View, t};

/// How often a run that goes on is looked at, while somebody watches.
const LOOK: Duration = Duration::from_millis(500);
const PART: &str = "jobs/part_run";

pub(super) fn routes() -> Vec<Route> {
    routes![show, live, cancel, cancel_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct RunView {
    pub(crate) job: String,
    /// All of the page.
    pub(crate) shown: String,
    /// Where the rest of a run that goes on comes from.
    pub(crate) live: Option<String>,
    pub(crate) live_id: String,
}

impl View for RunView {
    const TEMPLATE: &'static str = "jobs/run";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        t!("Run of {job}", job = self.job)
    }
}

/// A run at one moment.
#[derive(Serialize)]
pub(crate) struct RunPart {
    pub(crate) run: Run,
    pub(crate) badge: Badge,
    pub(crate) took: String,
    pub(crate) host: String,
    pub(crate) retry: Option<i64>,
    /// The editor, at the line of the error.
    pub(crate) editor: Option<String>,
    /// The code of this run beside that of the last good one, when it was changed since.
    pub(crate) diff: Option<String>,
    pub(crate) same_code: bool,
    pub(crate) busy: bool,
    pub(crate) can_edit: bool,
    pub(crate) skipped: String,
}

#[get("/run/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let part = part(&desk, id).await?;
    let (job, busy) = (part.run.job.clone(), part.busy);
    let shown = draw(&desk.webmin.views, &part)?;
    let mut sent = Sent::default();
    sent.note("run", &shown);
    desk.page(&RunView {
        job,
        shown,
        live: busy.then(|| format!("/run/{}/live", path_segment(id))),
        live_id: sent.id(),
    })
}

/// What a run says, as it says it. A page that comes back after a break goes on where it was.
#[get("/run/<id>/live")]
async fn live<'r>(desk: Desk<'r>, id: &'r str, mut audience: Audience) -> Streamed<EventStream![Event + 'r]> {
    let mut sent = std::mem::take(&mut audience.sent);
    let stream = EventStream! {
        let over = audience.over();
        tokio::pin!(over);
        loop {
            let part = match part(&desk, id).await {
                Ok(part) => part,
                Err(error) => {
                    tracing::debug!(%error, "a run cannot be followed any more");
                    break;
                }
            };
            let html = audience.language.within(|| draw(&desk.webmin.views, &part));
            let Ok(html) = html else { break };
            if let Some(event) = sent.event("run", html) {
                yield event;
            }
            if !part.busy {
                yield Event::data("").event("over");
                break;
            }
            tokio::select! {
                end = &mut over => {
                    yield end.event();
                    break;
                }
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    };
    Streamed(stream.heartbeat(HEARTBEAT))
}

fn draw(views: &Views, part: &RunPart) -> Result<String, Error> {
    views.render(PART, part).map_err(Error::unexpected)
}

async fn part(desk: &Desk<'_>, id: &str) -> Result<RunPart, Error> {
    let run: Run = desk.call("jobs.log", json!({ "run_id": id })).await?;
    let job: Option<Job> = desk.call("jobs.get", json!({ "name": run.job })).await.ok();
    let code = job.map(|job| format!("jobs/{}", job.path));
    let failed = run.error.is_some();
    let good = run.last_good.as_ref().and_then(|good| good.revision);
    let same_code = failed && good.is_some() && good == run.revision;
    let diff = match (&code, good, run.revision) {
        (Some(code), Some(good), Some(revision))
            if failed && good > 0 && revision > 0 && good != revision =>
        {
            let compare = Query::new("/templates/compare")
                .with("path", code)
                .with("from", &good.to_string())
                .with("to", &revision.to_string());
            Some(compare.to_string())
        }
        _ => None,
    };
    Ok(RunPart {
        badge: run.badge(),
        took: run.took(),
        host: run.host().to_owned(),
        retry: run.retry(),
        editor: code.map(|code| at_the_error(&code, &run)),
        diff,
        same_code,
        busy: run.outcome.is_none(),
        can_edit: desk.can_edit(),
        skipped: run
            .skipped
            .as_ref()
            .map(|skipped| skipped.words())
            .unwrap_or_default(),
        run,
    })
}

fn at_the_error(code: &str, run: &Run) -> String {
    let error = run.error.as_ref().filter(|error| error.line.is_some());
    let line = error.and_then(|error| error.line).map(|line| line.to_string());
    Query::new("/templates/edit")
        .with("path", code)
        .with("line", &line.unwrap_or_default())
        .with(
            "problem",
            error.map(|error| error.message.as_str()).unwrap_or_default(),
        )
        .to_string()
}

#[post("/run/<id>/cancel")]
async fn cancel(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/run/{}", path_segment(id));
    match desk.call::<Value>("jobs.cancel", json!({ "run_id": id })).await {
        Ok(_) => desk.begun(page, t!("The run is being ended.")),
        Err(error) => desk.back(page, error),
    }
}

#[get("/run/<id>/cancel")]
fn cancel_is_a_button(id: &str) -> Reply {
    Reply::go(format!("/run/{}", path_segment(id)))
}
