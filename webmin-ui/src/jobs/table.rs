//! The list of jobs: its columns, its filters, and what can be done to many at once.

use coronet_core::Error;
use serde_json::{Value, json};

use super::records::Job;
use crate::kit::helpers::path_segment;
use crate::kit::table::{Act, Ask, Cell, Column, Done, Empty, Filter, Link, RowAct, Table};
use crate::kit::{Area, Desk, count, t};

pub(super) fn table(desk: &Desk<'_>, any_recommended: bool) -> Table<Job> {
    let text = if any_recommended {
        t!("Add the recommended one above, or write your own.")
    } else {
        t!("A job is a few lines of Lua and a time to run them.")
    };
    Table::<Job>::new(Area::Jobs, "/jobs", "jobs.list", "name")
        .names(|job| (job.name.clone(), job.name.clone()))
        .count(|n| count!(n, "{n} job", "{n} jobs"))
        .search(t!("Name or path contains"), |sent, text| {
            sent["filter"]["search"] = json!(text);
        })
        .filters([Filter::choice(
            "state",
            t!("State"),
            [
                ("", t!("all")),
                ("running", t!("running now")),
                ("failed", t!("with an error")),
                ("active", t!("active")),
                ("inactive", t!("inactive")),
                ("builtin", t!("coming with Coronet")),
            ],
            |sent, state| match state {
                "running" | "failed" | "builtin" => sent["filter"][state] = json!(true),
                _ => sent["filter"]["active"] = json!(state == "active"),
            },
        )])
        .columns(columns())
        .row_acts(row_acts)
        .acts(acts())
        .empty(Empty {
            icon: "calendar-event",
            title: t!("No job yet"),
            text,
            act: desk.can_edit().then(|| Link {
                path: "/jobs/new".to_owned(),
                icon: "plus",
                label: t!("New Job"),
                primary: true,
            }),
        })
}

fn columns() -> Vec<Column<Job>> {
    let column = Column::<Job>::new;
    vec![
        column("name", t!("Job"), |job| {
            let editor = format!("/templates/edit?path=jobs%2F{}", path_segment(&job.path));
            Cell::link(format!("/job/{}", path_segment(&job.name)), &job.name)
                .sub(&job.path)
                .sub_link(editor)
        })
        .sort("name")
        .fixed(),
        column("path", t!("Path"), |job| Cell::text(&job.path).mono()).extra(),
        column("state", t!("State"), |job| {
            let state = if job.running.is_some() {
                "running"
            } else {
                &job.state
            };
            let cell = Cell::badge(job.badge(), state);
            match (job.deactivated, &job.error) {
                (Some(deactivated), _) => cell.sub(deactivated.words()).sub_time(Some(deactivated.at)),
                (None, Some(error)) => cell.sub(&error.message),
                (None, None) => cell,
            }
        }),
        column("schedule", t!("Schedule"), |job| {
            let cell = Cell::text(job.schedule());
            if job.run_once {
                cell.sub(t!("run once"))
            } else {
                cell
            }
        }),
        column("last_run", t!("Last run"), |job| {
            let cell = Cell::ago(job.last_run_at, t!("never"));
            match &job.last_run {
                Some(run) => cell.to(format!("/run/{}", path_segment(run))),
                None => cell,
            }
        })
        .sort("-last_run"),
        column("next_run", t!("Next run"), |job| Cell::ago(job.next_run_at, "")).sort("next_run"),
        column("error", t!("Error"), |job| {
            Cell::maybe(job.error.as_ref().map(|error| error.message.as_str()))
        })
        .extra(),
        column("created", t!("Created"), |job| Cell::ago(job.created_at, ""))
            .sort("-created")
            .extra(),
    ]
}

fn row_acts(job: &Job) -> Vec<RowAct> {
    let activate = job.deactivated.map(|_| RowAct {
        kind: "post",
        path: format!("/job/{}/activate", path_segment(&job.name)),
        icon: "player-play",
        label: t!("Activate"),
        about: t!("Activate: {name}", name = job.name),
        danger: false,
    });
    let run = RowAct {
        kind: "post",
        path: format!("/job/{}/run", path_segment(&job.name)),
        icon: "player-play",
        label: t!("Run now"),
        about: t!("Run now: {name}", name = job.name),
        danger: false,
    };
    activate.into_iter().chain([run]).collect()
}

fn acts() -> [Act; 4] {
    [
        Act::new(
            "run",
            "player-play",
            t!("Run now"),
            "jobs.run",
            |desk, name| Box::pin(run(desk, name)),
            |n| count!(n, "{n} run was started.", "{n} runs were started."),
        ),
        Act::new(
            "activate",
            "player-play",
            t!("Activate"),
            "jobs.update",
            |desk, name| Box::pin(set_active(desk, name, true)),
            |n| count!(n, "{n} job is active now.", "{n} jobs are active now."),
        )
        .undo("deactivate"),
        Act::new(
            "deactivate",
            "player-pause",
            t!("Deactivate"),
            "jobs.update",
            |desk, name| Box::pin(set_active(desk, name, false)),
            |n| count!(n, "{n} job is inactive now.", "{n} jobs are inactive now."),
        )
        .undo("activate"),
        Act::new(
            "delete",
            "trash",
            t!("Delete"),
            "jobs.delete",
            |desk, name| Box::pin(delete(desk, name)),
            |n| {
                count!(
                    n,
                    "{n} job was deleted. Its code is still there.",
                    "{n} jobs were deleted. Their code is still there."
                )
            },
        )
        .ask(Ask {
            title: |n| count!(n, "Delete {n} job?", "Delete {n} jobs?"),
            line: t!("The jobs and their histories are gone for good. Their code stays, so that new jobs can use it."),
            submit: t!("Delete for good"),
            danger: true,
        }),
    ]
}

async fn run(desk: &Desk<'_>, name: &str) -> Result<Done, Error> {
    desk.call::<Value>("jobs.run", json!({ "name": name })).await?;
    Ok(Done::Changed)
}

async fn set_active(desk: &Desk<'_>, name: &str, active: bool) -> Result<Done, Error> {
    let job: Job = desk.call("jobs.get", json!({ "name": name })).await?;
    if job.active == active {
        return Ok(Done::Already);
    }
    let changes = json!({ "name": name, "changes": { "active": active } });
    desk.call::<Value>("jobs.update", changes).await?;
    Ok(Done::Changed)
}

async fn delete(desk: &Desk<'_>, name: &str) -> Result<Done, Error> {
    desk.call::<Value>("jobs.delete", json!({ "name": name })).await?;
    Ok(Done::Changed)
}
