//! Charts of runs, drawn as SVG by the server: they are there without script, and in print.

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::records::{Run, span};
use crate::kit::language::say;
use crate::kit::{Desk, count, t};

/// Height of a chart of runs, in its own units.
const HEIGHT: i64 = 100;
/// The least of a bar, so that a run of no time is seen.
const LEAST: i64 = 6;
const WIDTH: i64 = 10;
/// Runs that are drawn of a job.
pub(super) const PLACES: i64 = 60;
const SLOTS: i64 = 96;

/// How long each of a job's latest runs took, and how it ended.
#[derive(Serialize)]
pub(crate) struct RunChart {
    pub(crate) bars: Vec<Bar>,
    pub(crate) width: i64,
    /// What the chart says, in words.
    pub(crate) label: String,
    pub(crate) longest: String,
}

#[derive(Serialize)]
pub(crate) struct Bar {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) tone: &'static str,
    pub(crate) title: String,
}

/// The chart of runs that come latest first. Nothing to draw of fewer than two.
pub(super) fn runs(runs: &[Run]) -> Option<RunChart> {
    if runs.len() < 2 {
        return None;
    }
    let ran = |run: &Run| run.duration_ms.filter(|_| run.skipped.is_none());
    let longest = runs.iter().filter_map(ran).max().unwrap_or(0).max(1);
    // The latest stands at the right, and few bars are no wider than many.
    let all = i64::try_from(runs.len()).unwrap_or(0);
    let bars = runs.iter().rev().zip(PLACES - all..).map(|(run, place)| {
        let height = ran(run).map_or(LEAST, |ms| (ms * HEIGHT / longest).max(LEAST));
        let word = run.outcome.as_deref().unwrap_or("running");
        Bar {
            x: place * WIDTH,
            y: HEIGHT - height,
            width: WIDTH - 2,
            height,
            tone: tone(word),
            title: format!("{} · {} {}", moment(run.started_at), say(word, &[]), run.took()),
        }
    });
    let failed = runs
        .iter()
        .filter(|run| tone(run.outcome.as_deref().unwrap_or_default()) == "bad");
    let (failed, longest) = (failed.count(), span(longest));
    Some(RunChart {
        bars: bars.collect(),
        width: PLACES * WIDTH,
        label: t!(
            "The last {all} runs, oldest first: {failed} failed, the longest took {longest}.",
            all = all,
            failed = failed,
            longest = longest
        ),
        longest,
    })
}

fn tone(outcome: &str) -> &'static str {
    match outcome {
        "error" | "timeout" | "lost" => "bad",
        "skipped" | "cancelled" => "warn",
        "running" => "info",
        _ => "good",
    }
}

fn moment(at: Option<i64>) -> String {
    at.and_then(DateTime::from_timestamp_millis)
        .map(|at| at.format("%Y-%m-%d %H:%M:%S UTC").to_string())
        .unwrap_or_default()
}

/// What all jobs did in the last day, a line for each.
#[derive(Default, Serialize)]
pub(crate) struct DayPart {
    pub(crate) lines: Vec<Line>,
    pub(crate) width: i64,
    /// When the chart begins.
    pub(crate) since: i64,
}

#[derive(Serialize)]
pub(crate) struct Line {
    pub(crate) job: String,
    pub(crate) label: String,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Deserialize)]
struct Activity {
    since: i64,
    slot_ms: i64,
    jobs: Vec<JobActivity>,
}

#[derive(Deserialize)]
struct JobActivity {
    job: String,
    slots: Vec<Slot>,
}

#[derive(Deserialize)]
struct Slot {
    slot: i64,
    runs: i64,
    failed: i64,
    skipped: i64,
}

pub(super) async fn day(desk: &Desk<'_>) -> Result<DayPart, coronet_core::Error> {
    let activity: Activity = desk.call("jobs.activity", json!({})).await?;
    let lines = activity
        .jobs
        .into_iter()
        .map(|job| line(job, activity.since, activity.slot_ms));
    Ok(DayPart {
        lines: lines.collect(),
        width: SLOTS * WIDTH,
        since: activity.since,
    })
}

fn line(job: JobActivity, since: i64, slot_ms: i64) -> Line {
    let sum = |of: fn(&Slot) -> i64| job.slots.iter().map(of).sum::<i64>();
    let (runs, failed, skipped) = (
        sum(|slot| slot.runs),
        sum(|slot| slot.failed),
        sum(|slot| slot.skipped),
    );
    let bars = job.slots.iter().map(|slot| Bar {
        x: slot.slot * WIDTH,
        y: 0,
        width: WIDTH - 1,
        height: HEIGHT,
        tone: match slot {
            Slot { failed: 1.., .. } => "bad",
            Slot { skipped: 1.., .. } => "warn",
            _ => "good",
        },
        title: format!(
            "{} · {}",
            moment(Some(since + slot.slot * slot_ms)),
            told(slot.runs, slot.failed, slot.skipped)
        ),
    });
    Line {
        bars: bars.collect(),
        label: told(runs, failed, skipped),
        job: job.job,
    }
}

fn told(runs: i64, failed: i64, skipped: i64) -> String {
    let mut parts = vec![count!(runs, "{n} run", "{n} runs")];
    if failed > 0 {
        parts.push(t!("{n} failed", n = failed));
    }
    if skipped > 0 {
        parts.push(t!("{n} skipped", n = skipped));
    }
    parts.join(", ")
}
