//! The list of jobs, and the jobs that plugins recommend.

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::{Job, every};
use super::table::table;
use crate::accounts::records::Items;
use crate::kit::table::{Asked, Drawn, Format};
use crate::kit::{Answer, Area, Desk, Posted, Reply, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        export_csv,
        export_json,
        bulk,
        bulk_is_a_button,
        reload,
        reload_is_a_button
    ]
}

/// A job that a plugin recommends and that is not there yet.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Recommended {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) schedule: String,
    pub(crate) summary: String,
    pub(crate) provider: String,
}

#[derive(Serialize)]
pub(crate) struct JobsView {
    pub(crate) table: Drawn,
    pub(crate) recommended: Vec<Recommended>,
    pub(crate) can_edit: bool,
}

impl View for JobsView {
    const TEMPLATE: &'static str = "jobs/list";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        t!("Jobs Service")
    }
}

#[derive(Deserialize)]
struct Reloaded {
    jobs: usize,
    rearmed: u64,
}

#[get("/jobs")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let recommended = recommended(&desk).await?;
    let table = table(&desk, !recommended.is_empty()).read(&desk, &asked).await?;
    desk.page(&JobsView {
        table,
        recommended,
        can_edit: desk.can_edit(),
    })
}

#[get("/jobs/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk, false).export(&desk, &asked, Format::Csv).await
}

#[get("/jobs/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk, false).export(&desk, &asked, Format::Json).await
}

#[post("/jobs/bulk", data = "<posted>")]
async fn bulk(desk: Desk<'_>, posted: Posted) -> Answer {
    table(&desk, false).bulk(&desk, &posted).await
}

#[get("/jobs/bulk")]
fn bulk_is_a_button() -> Reply {
    Reply::go("/jobs")
}

#[post("/jobs/reload")]
async fn reload(desk: Desk<'_>) -> Answer {
    match desk.call::<Reloaded>("jobs.reload", json!({})).await {
        Ok(Reloaded { jobs, rearmed }) => {
            let jobs = count!(jobs, "{n} job", "{n} jobs");
            let rearmed = count!(
                rearmed,
                "{n} waits for its run again",
                "{n} wait for their runs again"
            );
            desk.go(
                "/jobs",
                t!("Reloaded: {jobs}, {rearmed}.", jobs = jobs, rearmed = rearmed),
            )
        }
        Err(error) => desk.back("/jobs", error),
    }
}

#[get("/jobs/reload")]
fn reload_is_a_button() -> Reply {
    Reply::go("/jobs")
}

/// What plugins recommend and nobody added yet.
async fn recommended(desk: &Desk<'_>) -> Result<Vec<Recommended>, Error> {
    let mut missing = Vec::new();
    for (provider, offer) in desk.webmin.core.contributions.jobs() {
        if is_there(desk, &offer.name, &offer.path).await? {
            continue;
        }
        missing.push(Recommended {
            schedule: every(offer.interval.into()),
            name: offer.name,
            path: offer.path,
            summary: offer.summary,
            provider,
        });
    }
    Ok(missing)
}

/// Whether a job has the name, or the code.
async fn is_there(desk: &Desk<'_>, name: &str, path: &str) -> Result<bool, Error> {
    let with_code = json!({ "filter": { "path": path }, "page": { "limit": 1 } });
    let found: Items<Job> = desk.call("jobs.list", with_code).await?;
    if !found.items.is_empty() {
        return Ok(true);
    }
    match desk.call::<Job>("jobs.get", json!({ "name": name })).await {
        Ok(_) => Ok(true),
        Err(error) if error.code() == Code::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The parameters that add a recommended job.
pub(crate) fn offer(desk: &Desk<'_>, name: &str) -> Option<Value> {
    let (_, offer) = desk
        .webmin
        .core
        .contributions
        .jobs()
        .into_iter()
        .find(|(_, offer)| offer.name == name)?;
    Some(json!({ "job": {
        "name": offer.name, "path": offer.path, "interval": offer.interval, "run_once": offer.run_once, "active": offer.active,
    } }))
}
