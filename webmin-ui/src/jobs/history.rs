//! The runs of all jobs.

use coronet_core::Error;
use rocket::http::ContentType;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::charts;
use super::records::{Run, span};
use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::table::{Act, Ask, Asked, Cell, Column, Done, Drawn, Empty, Filter, Format, Link, Table};
use crate::kit::{Answer, Area, Desk, Posted, Reply, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![list, day, export_csv, export_json, bulk, bulk_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct RunsView {
    pub(crate) table: Drawn,
}

impl View for RunsView {
    const TEMPLATE: &'static str = "jobs/runs";

    fn area(&self) -> Area {
        Area::Jobs
    }

    fn title(&self) -> String {
        t!("Runs")
    }
}

#[get("/runs")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let table = table().read(&desk, &asked).await?;
    desk.page(&RunsView { table })
}

/// The chart of the last day: asked for by the page once it is there, since it counts many runs.
#[get("/runs/day")]
async fn day(desk: Desk<'_>) -> Answer {
    let body = desk.part("jobs/part_day", &charts::day(&desk).await?)?;
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body,
    })
}

#[get("/runs/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table().export(&desk, &asked, Format::Csv).await
}

#[get("/runs/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table().export(&desk, &asked, Format::Json).await
}

#[post("/runs/bulk", data = "<posted>")]
async fn bulk(desk: Desk<'_>, posted: Posted) -> Answer {
    table().bulk(&desk, &posted).await
}

#[get("/runs/bulk")]
fn bulk_is_a_button() -> Reply {
    Reply::go("/runs")
}

fn table() -> Table<Run> {
    let outcomes = [
        ("", t!("all")),
        ("running", t!("running now")),
        ("failed", t!("failed: error, timeout or lost")),
        ("late", t!("late by more than a minute")),
    ];
    let words = [
        "ok",
        "sleep",
        "stop",
        "exit",
        "error",
        "timeout",
        "cancelled",
        "lost",
        "skipped",
    ];
    let outcomes = outcomes
        .into_iter()
        .chain(words.map(|word| (word, say(word, &[]))));
    Table::<Run>::new(Area::Jobs, "/runs", "jobs.listRuns", "-started")
        .names(|run| (run.id.clone(), run.job.clone()))
        .count(|n| count!(n, "{n} run", "{n} runs"))
        .filters([
            Filter::choice("outcome", t!("Outcome"), outcomes, |sent, outcome| {
                sent["filter"]["outcome"] = json!(outcome);
            }),
            Filter::time(t!("Started"), |sent, bound, at| sent["filter"][bound] = json!(at)),
            Filter::text("job", t!("Job"), "", |sent, job| {
                sent["filter"]["job"] = json!(job)
            }),
        ])
        .columns(columns())
        .acts([cancelling()])
        .empty(Empty {
            icon: "history",
            title: t!("No run yet"),
            text: t!("Every run of every job is listed here, with how it ended."),
            act: Some(Link {
                path: "/jobs".to_owned(),
                icon: "calendar-event",
                label: t!("To the jobs"),
                primary: false,
            }),
        })
}

fn columns() -> Vec<Column<Run>> {
    let column = Column::<Run>::new;
    vec![
        column("started", t!("Started"), |run| {
            Cell::time(run.started_at).to(format!("/run/{}", path_segment(&run.id)))
        })
        .sort("-started")
        .fixed(),
        column("job", t!("Job"), |run| {
            Cell::text(&run.job).to(format!("/job/{}", path_segment(&run.job)))
        }),
        column("outcome", t!("Outcome"), |run| {
            let cell = Cell::badge(run.badge(), run.outcome.as_deref().unwrap_or("running"));
            match run.about() {
                Some(about) => cell.sub(about),
                None => cell,
            }
        }),
        column("duration", t!("Took"), |run| {
            Cell::text(run.took()).export(run.duration_ms.map(|ms| ms.to_string()).unwrap_or_default())
        })
        .sort("-duration")
        .right(),
        column("late", t!("Late by"), |run| {
            let late = run.late_ms();
            Cell::text(late.map(span).unwrap_or_default())
                .export(late.map(|ms| ms.to_string()).unwrap_or_default())
        })
        .sort("-late")
        .right(),
        column("trigger", t!("By"), |run| {
            let cell = Cell::text(say(&run.trigger, &[])).export(&run.trigger);
            match run.retry() {
                Some(attempt) => cell.sub(t!("attempt {n}", n = attempt)),
                None => cell,
            }
        }),
        column("attempt", t!("Attempt"), |run| Cell::number(run.attempt))
            .right()
            .extra(),
        column("due", t!("Due"), |run| Cell::time(run.due_at)).extra(),
        column("ended", t!("Ended"), |run| Cell::time(run.ended_at)).extra(),
        column("error", t!("Error"), |run| {
            Cell::maybe(run.error.as_ref().map(|error| error.message.as_str()))
        })
        .extra(),
        column("server", t!("Server"), |run| Cell::text(run.host())).extra(),
        column("id", t!("Id"), |run| Cell::text(&run.id).mono()).extra(),
    ]
}

fn cancelling() -> Act {
    Act::new(
        "cancel",
        "player-stop",
        t!("Cancel"),
        "jobs.cancel",
        |desk, id| Box::pin(cancel(desk, id)),
        |n| count!(n, "{n} run is being ended.", "{n} runs are being ended."),
    )
    .ask(Ask {
        title: |n| count!(n, "Cancel {n} run?", "Cancel {n} runs?"),
        line: t!("The code is ended where it is. What it did so far stays."),
        submit: t!("Cancel runs"),
        danger: false,
    })
}

async fn cancel(desk: &Desk<'_>, id: &str) -> Result<Done, Error> {
    desk.call::<Value>("jobs.cancel", json!({ "run_id": id })).await?;
    Ok(Done::Changed)
}
