//! The dashboard: is everything all right, and if not, where?

mod first_steps;
mod health;

use rocket::{Route, get, routes};
use serde::Serialize;

use crate::jobs::records::Job;
use crate::kit::parts::Badge;
use crate::kit::{Answer, Area, Desk, Reply, View};
use crate::mail::records::Summary as Mail;
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
    /// Whether this operator may do them.
    pub(crate) can_edit: bool,
    /// Jobs that ran last, latest first.
    pub(crate) runs: Vec<JobLine>,
    /// Active jobs by when they run next.
    pub(crate) next: Vec<JobLine>,
    pub(crate) mails: Vec<MailLine>,
    pub(crate) audit: Vec<Entry>,
}

#[derive(Serialize)]
pub(crate) struct JobLine {
    pub(crate) badge: Badge,
    #[serde(flatten)]
    pub(crate) job: Job,
}

#[derive(Serialize)]
pub(crate) struct MailLine {
    pub(crate) badge: Badge,
    #[serde(flatten)]
    pub(crate) mail: Mail,
}

/// Lines in each of the lists.
const LINES: usize = 6;

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
        can_edit: desk.can_edit(),
        runs: jobs(&facts, |job| job.last_run_at.map(|at| -at)),
        next: jobs(&facts, |job| job.next_run_at),
        mails: facts
            .latest_mail
            .into_iter()
            .map(|mail| MailLine {
                badge: mail.badge(),
                mail,
            })
            .collect(),
        audit: audit::latest(&desk, 8).await?,
    };
    desk.page(&view)
}

/// The first jobs in the order of a key; those without one are left out.
fn jobs(facts: &health::Facts, key: impl Fn(&Job) -> Option<i64>) -> Vec<JobLine> {
    let mut jobs: Vec<(i64, &Job)> = facts
        .jobs
        .iter()
        .flatten()
        .filter_map(|job| Some((key(job)?, job)))
        .collect();
    jobs.sort_by_key(|(key, _)| *key);
    let line = |(_, job): (i64, &Job)| JobLine {
        badge: job.badge(),
        job: job.clone(),
    };
    jobs.into_iter().take(LINES).map(line).collect()
}

#[get("/dashboard")]
fn without_slash() -> Reply {
    Reply::go("/")
}
