//! When a job would run, below the form in which its schedule is typed: in words, and as dates.

use chrono::{DateTime, Datelike, FixedOffset};
use rocket::http::ContentType;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::typed;
use super::records::every;
use super::words::{Fields, month, weekday, words};
use crate::kit::answer::has_own_page;
use crate::kit::{Answer, Desk, Posted, Reply, t};

pub(super) const PATH: &str = "/jobs/preview";

pub(super) fn routes() -> Vec<Route> {
    routes![preview, is_a_part]
}

#[derive(Deserialize)]
struct Previewed {
    ticks: Vec<Tick>,
    timezone: String,
    cron: Option<Fields>,
}

#[derive(Deserialize)]
struct Tick {
    at: i64,
    local: String,
}

#[derive(Default, Serialize)]
pub(crate) struct PreviewPart {
    /// The job is not to run by its schedule.
    pub(crate) inactive: bool,
    /// The schedule in words; empty when the dates say it better.
    pub(crate) words: String,
    pub(crate) runs: Vec<Run>,
    pub(crate) problem: String,
}

#[derive(Serialize)]
pub(crate) struct Run {
    pub(crate) at: i64,
    /// The date and the time that clocks in the job's zone show.
    pub(crate) shown: String,
}

#[post("/jobs/preview", data = "<posted>")]
async fn preview(desk: Desk<'_>, posted: Posted) -> Answer {
    let body = desk.part("jobs/part_preview", &part(&desk, &posted).await?)?;
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body,
    })
}

#[get("/jobs/preview")]
fn is_a_part() -> Reply {
    Reply::go("/jobs/new")
}

async fn part(desk: &Desk<'_>, posted: &Posted) -> Result<PreviewPart, coronet_core::Error> {
    let job = typed(posted);
    let schedule = json!({
        "interval": job.get("interval"), "cron": job.get("cron"), "at": job.get("at"), "timezone": job.get("timezone"),
    });
    if ["interval", "cron", "at"]
        .iter()
        .all(|kind| schedule[kind].is_null())
    {
        return Ok(PreviewPart::default());
    }
    match desk
        .call::<Previewed>("jobs.preview", without_nulls(schedule))
        .await
    {
        Ok(previewed) if previewed.ticks.is_empty() => Ok(PreviewPart {
            problem: t!("That time has passed. Choose a later one."),
            ..PreviewPart::default()
        }),
        Ok(previewed) => Ok(PreviewPart {
            inactive: !posted.flag("active"),
            ..shown(&previewed, job["interval"].as_i64(), job["run_once"] == true)
        }),
        Err(error) if has_own_page(&error) => Err(error),
        Err(error) => Ok(PreviewPart {
            problem: error.message().to_owned(),
            ..PreviewPart::default()
        }),
    }
}

fn without_nulls(mut value: Value) -> Value {
    if let Some(fields) = value.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    value
}

fn shown(previewed: &Previewed, interval: Option<i64>, run_once: bool) -> PreviewPart {
    let zone = &previewed.timezone;
    let words = match (&previewed.cron, interval) {
        _ if run_once => t!("Once after each start of the server. If it started now:"),
        (Some(cron), _) => words(cron)
            .map(|words| t!("{when}, by the clocks of {zone}", when = words, zone = zone))
            .unwrap_or_default(),
        (None, Some(seconds)) => every(seconds),
        (None, None) => String::new(),
    };
    let runs = previewed.ticks.iter().take(if run_once { 1 } else { usize::MAX });
    let runs = runs.filter_map(|tick| {
        Some(Run {
            at: tick.at,
            shown: clock(&DateTime::parse_from_rfc3339(&tick.local).ok()?, zone),
        })
    });
    PreviewPart {
        words,
        runs: runs.collect(),
        ..PreviewPart::default()
    }
}

/// With the offset, which tells the two sides of a change of the clocks apart.
fn clock(at: &DateTime<FixedOffset>, zone: &str) -> String {
    let (month, weekday) = (month(at.month()), weekday(at.weekday().num_days_from_sunday()));
    let (day, year, time, offset) = (
        at.format("%-d"),
        at.format("%Y"),
        at.format("%H:%M:%S"),
        at.format("%:z"),
    );
    let time = time.to_string();
    let time = time.strip_suffix(":00").unwrap_or(&time);
    t!(
        "{weekday} {day} {month} {year}, {time} {zone} ({offset})",
        weekday = weekday,
        day = day,
        month = month,
        year = year,
        time = time,
        zone = zone,
        offset = offset
    )
}
