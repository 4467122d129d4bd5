//! The list of jobs, and the jobs that plugins recommend.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::{Job, duration};
use crate::kit::parts::Badge;
use crate::kit::{Answer, Area, Desk, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![list, reload, reload_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct JobRow {
    pub(crate) badge: Badge,
    pub(crate) schedule: String,
    #[serde(flatten)]
    pub(crate) job: Job,
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
    pub(crate) jobs: Vec<JobRow>,
    pub(crate) recommended: Vec<Recommended>,
    pub(crate) can_edit: bool,
    /// Whether a job runs now, so that the list looks again by itself.
    pub(crate) busy: bool,
}

impl View for JobsView {
    const TEMPLATE: &'static str = "jobs/list";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        "Jobs Service".to_owned()
    }
}

#[derive(Deserialize)]
struct Reloaded {
    jobs: usize,
    rearmed: u64,
}

#[get("/jobs")]
async fn list(desk: Desk<'_>) -> Answer {
    let jobs = all(&desk).await?;
    let recommended = recommended(&desk, &jobs);
    let busy = jobs.iter().any(|job| job.running.is_some());
    let jobs = jobs
        .into_iter()
        .map(|job| JobRow {
            badge: job.badge(),
            schedule: job.schedule(),
            job,
        })
        .collect();
    desk.page(&JobsView {
        jobs,
        recommended,
        can_edit: desk.can_edit(),
        busy,
    })
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
fn reload_is_a_button() -> crate::kit::Reply {
    crate::kit::Reply::go("/jobs")
}

pub(super) async fn all(desk: &Desk<'_>) -> Result<Vec<Job>, Error> {
    desk.call("jobs.list", json!({})).await
}

/// What plugins recommend and nobody added yet.
pub(super) fn recommended(desk: &Desk<'_>, jobs: &[Job]) -> Vec<Recommended> {
    let offers = desk.webmin.core.contributions.jobs();
    let missing = offers.into_iter().filter(|(_, offer)| {
        !jobs
            .iter()
            .any(|job| job.name == offer.name || job.path == offer.path)
    });
    missing
        .map(|(provider, offer)| Recommended {
            schedule: format!("every {}", duration(offer.interval.into())),
            name: offer.name,
            path: offer.path,
            summary: offer.summary,
            provider,
        })
        .collect()
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
