//! One job: its form, what it does now, its history.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::charts::{self, RunChart};
use super::form::{FIXED, form, typed};
use super::records::{Deactivated, Job, Run};
use crate::accounts::records::Items;
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Badge, Confirm};
use crate::kit::{Answer, Area, Desk, Form, Posted, Reply, View, t};

/// Runs that the job's own page lists.
const LATEST: usize = 20;

pub(super) fn routes() -> Vec<Route> {
    routes![
        show,
        update,
        run,
        run_is_a_button,
        activate,
        activate_is_a_button,
        ask_delete,
        delete
    ]
}

#[derive(Serialize)]
pub(crate) struct RunRow {
    pub(crate) badge: Badge,
    pub(crate) took: String,
    pub(crate) about: Option<String>,
    pub(crate) retry: Option<i64>,
    #[serde(flatten)]
    pub(crate) run: Run,
}

#[derive(Serialize)]
pub(crate) struct JobView {
    pub(crate) job: Job,
    pub(crate) badge: Badge,
    pub(crate) schedule: String,
    pub(crate) form: Form,
    pub(crate) chart: Option<RunChart>,
    pub(crate) runs: Vec<RunRow>,
    /// Whether there are more runs than these.
    pub(crate) more: bool,
    pub(crate) can_edit: bool,
    pub(crate) busy: bool,
    /// That its failures set it inactive, to be followed by the time; else empty.
    pub(crate) deactivated: String,
}

impl View for JobView {
    const TEMPLATE: &'static str = "jobs/show";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        self.job.name.clone()
    }
}

#[derive(Deserialize)]
struct Started {
    run_id: String,
}

#[get("/job/<name>")]
async fn show(desk: Desk<'_>, name: &str) -> Answer {
    let view = view(&desk, name).await?;
    desk.page(&view)
}

#[post("/job/<name>", data = "<posted>")]
async fn update(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let mut changes = typed(&posted);
    // No zone typed takes the zone away; all else that is empty stays.
    if posted.text("timezone").is_empty()
        && let Some(fields) = changes.as_object_mut()
    {
        fields.insert("timezone".to_owned(), json!("UTC"));
    }
    let mut view = view(&desk, name).await?;
    if view.job.builtin
        && let Some(fields) = changes.as_object_mut()
    {
        fields.retain(|field, _| !FIXED.contains(&field.as_str()));
    }
    let parameters = json!({ "name": name, "changes": changes });
    match desk
        .submit::<Job>("jobs.update", parameters, view.form.clone(), &posted)
        .await
    {
        Ok(job) => desk.go(format!("/job/{}", path_segment(&job.name)), t!("Job saved.")),
        Err(refused) => {
            view.form = refused.form;
            desk.refused(&refused.error, &view)
        }
    }
}

#[post("/job/<name>/run")]
async fn run(desk: Desk<'_>, name: &str) -> Answer {
    match desk.call::<Started>("jobs.run", json!({ "name": name })).await {
        Ok(started) => Ok(Reply::go(format!("/run/{}", path_segment(&started.run_id)))),
        Err(error) => desk.back(format!("/job/{}", path_segment(name)), error),
    }
}

#[get("/job/<name>/run")]
fn run_is_a_button(name: &str) -> Reply {
    Reply::go(format!("/job/{}", path_segment(name)))
}

/// Puts a job back to work, with one click.
#[post("/job/<name>/activate")]
async fn activate(desk: Desk<'_>, name: &str) -> Answer {
    let page = format!("/job/{}", path_segment(name));
    let parameters = json!({ "name": name, "changes": { "active": true } });
    match desk.call::<Job>("jobs.update", parameters).await {
        Ok(job) => desk.go(page, t!("{name} is active again.", name = job.name)),
        Err(error) => desk.back(page, error),
    }
}

#[get("/job/<name>/activate")]
fn activate_is_a_button(name: &str) -> Reply {
    Reply::go(format!("/job/{}", path_segment(name)))
}

#[get("/job/<name>/delete")]
async fn ask_delete(desk: Desk<'_>, name: &str) -> Answer {
    desk.needs("jobs.delete").await?;
    desk.page(&delete_page(name))
}

#[post("/job/<name>/delete")]
async fn delete(desk: Desk<'_>, name: &str) -> Answer {
    match desk.call::<Value>("jobs.delete", json!({ "name": name })).await {
        Ok(_) => desk.go(
            "/jobs",
            t!("{name} was deleted. Its code is still there.", name = name),
        ),
        Err(error) => {
            let mut page = delete_page(name);
            page.form = page.form.refused(&error);
            desk.refused(&error, &page)
        }
    }
}

fn delete_page(name: &str) -> Confirm {
    let path = format!("/job/{}", path_segment(name));
    Confirm::new(
        Area::Jobs,
        t!("Delete {name}?", name = name),
        format!("{path}/delete"),
        &t!("Delete job"),
        path,
    )
    .loss()
    .line(t!(
        "The job and its history are gone for good. Its code stays, so that a new job can use it."
    ))
}

async fn view(desk: &Desk<'_>, name: &str) -> Result<JobView, Error> {
    let job: Job = desk.call("jobs.get", json!({ "name": name })).await?;
    let latest = json!({ "filter": { "job": name }, "page": { "limit": charts::PLACES } });
    let runs: Items<Run> = desk.call("jobs.listRuns", latest).await?;
    let form = form(format!("/job/{}", path_segment(name)), &t!("Update"), &job);
    let more = runs.next.is_some() || runs.items.len() > LATEST;
    let chart = charts::runs(&runs.items);
    let runs = runs
        .items
        .into_iter()
        .take(LATEST)
        .map(|run| RunRow {
            badge: run.badge(),
            took: run.took(),
            about: run.about(),
            retry: run.retry(),
            run,
        })
        .collect();
    Ok(JobView {
        badge: job.badge(),
        schedule: job.schedule(),
        form: form.disabled_unless(desk.can_edit()),
        chart,
        runs,
        more,
        can_edit: desk.can_edit(),
        busy: job.running.is_some(),
        deactivated: job.deactivated.map(Deactivated::words).unwrap_or_default(),
        job,
    })
}
