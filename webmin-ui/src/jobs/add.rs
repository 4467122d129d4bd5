//! New Job; *Create* leads to the code editor. A recommended job is added with one click.

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde_json::json;

use super::form::{blank, form, typed};
use super::list::offer;
use super::records::Job;
use crate::kit::helpers::path_segment;
use crate::kit::parts::FormPage;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![new, create, add, add_is_a_button]
}

#[get("/jobs/new")]
async fn new(desk: Desk<'_>) -> Answer {
    desk.needs("jobs.create").await?;
    desk.page(&page(new_form()))
}

#[post("/jobs/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let start = Some(posted.text("template")).filter(|start| !start.is_empty());
    let parameters = json!({ "job": typed(&posted), "template": start.unwrap_or("empty") });
    match desk
        .submit::<Job>("jobs.create", parameters, new_form(), &posted)
        .await
    {
        Ok(job) => {
            let editor = Query::new("/templates/edit").with("path", &format!("jobs/{}", job.path));
            desk.go(
                editor.below_base(),
                t!("{name} was created. This is its code.", name = job.name),
            )
        }
        Err(refused) => desk.refused(&refused.error, &page(refused.form)),
    }
}

#[post("/jobs/recommended/<name>")]
async fn add(desk: Desk<'_>, name: &str) -> Answer {
    let Some(parameters) = offer(&desk, name) else {
        return desk.back(
            "/jobs",
            Error::new(Code::NotFound, t!("This job is not recommended any more.")),
        );
    };
    match desk.call::<Job>("jobs.create", parameters).await {
        Ok(job) => desk.go(
            format!("/job/{}", path_segment(&job.name)),
            t!("{name} was added.", name = job.name),
        ),
        Err(error) => desk.back("/jobs", error),
    }
}

#[get("/jobs/recommended/<_>")]
fn add_is_a_button() -> Reply {
    Reply::go("/jobs")
}

fn new_form() -> Form {
    let mut form = form("/jobs/new".to_owned(), &t!("Create"), &blank()).cancel("/jobs");
    if let Some(name) = form.fields.first_mut() {
        name.autofocus = true;
    }
    form.fields.insert(2, starting_point());
    form
}

/// Beside the path of the code: what the code starts with.
fn starting_point() -> Field {
    Field::select(
        "template",
        &t!("Start with"),
        [
            ("empty", t!("an empty job").as_str()),
            ("reset-cleanup", t!("deleting old reset links").as_str()),
            ("weekly-report", t!("a weekly report by mail").as_str()),
            ("web-service", t!("calling a web service").as_str()),
            ("not-on-sundays", t!("a job that sleeps on Sundays").as_str()),
            ("only-in-january", t!("a job that stops outside January").as_str()),
            ("set-up-once", t!("setting something up, once").as_str()),
        ],
    )
    .help("jobs#starting-points")
    .hint(&t!(
        "Working code to change. When there is code at the path already, that code stays."
    ))
}

fn page(form: Form) -> FormPage {
    FormPage {
        area: Area::Jobs,
        title: t!("New Job"),
        lead: t!("Create it, then write its code in the editor that opens."),
        back: "/jobs",
        back_label: text!("Jobs Service"),
        form,
    }
}
