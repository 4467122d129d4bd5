//! Jobs and runs as callers see them.

use chrono::{DateTime, Utc};
use coronet_core::Result;
use coronet_core::text::counted;
use schemars::JsonSchema;
use serde::Serialize;

use crate::job::{
    Deactivated, Job, Misfire, OncePer, Outcome, Overlap, Phase, Priority, Problem, Reason, Trigger,
};
use crate::store::RunRow;

/// A job with how it is doing. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct JobView {
    pub name: String,
    /// The code's path below `jobs/`.
    pub path: String,
    /// Seconds between runs; null when it has a cron expression.
    pub interval: Option<i64>,
    pub cron: Option<String>,
    /// The one date and time of a one-off job, as clocks in its zone show it.
    pub at: Option<String>,
    /// Zone of the cron expression, and of local time in the code.
    pub timezone: Option<String>,
    pub run_once: bool,
    /// Whose start a run-once job runs for, where several servers share a database.
    pub once_per: OncePer,
    pub active: bool,
    /// Seconds a run may take.
    pub timeout: i64,
    /// How often a failed run is tried again before the job is set inactive.
    pub retries: i64,
    pub misfire: Misfire,
    /// With `misfire` `all`: the most missed ticks that are made up for.
    pub catch_up: i64,
    pub overlap: Overlap,
    /// With `overlap` `allow`: runs at once.
    pub max_running: i64,
    pub priority: Priority,
    /// Failures in a row before operators are told; null when only setting it inactive is told.
    pub notify_after: Option<i64>,
    /// Ticks without a success before it is overdue; null when that is not watched.
    pub overdue_after: Option<i64>,
    pub ping_url: Option<String>,
    /// Since when it is overdue.
    pub overdue_since: Option<i64>,
    pub state: State,
    /// The state in words, such as "active, sleeping until 2026-11-24 07:30 UTC".
    pub status: String,
    /// Id of the run in progress, the latest where there are several.
    pub running: Option<String>,
    /// Runs in progress.
    pub open_runs: i64,
    pub last_run: Option<String>,
    pub last_run_at: Option<i64>,
    pub last_outcome: Option<Outcome>,
    pub next_run_at: Option<i64>,
    /// What went wrong last; kept until a run succeeds or the job is activated again. Of a job that was deactivated by
    /// its failures only the latter counts.
    pub error: Option<Problem>,
    /// When its failures deactivated it; null once an operator has activated it.
    pub deactivated: Option<Deactivated>,
    /// What may not work as it is set, such as a ping to an address that requests may not go to.
    pub warnings: Vec<String>,
    /// Comes with Coronet: it keeps its name and its path, and cannot be deleted.
    pub builtin: bool,
    pub created_at: i64,
    pub updated_at: i64,
}

/// What a job is doing between its runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Active, runs again at its next tick.
    Recurring,
    /// Active, its last run failed and is tried again.
    Retrying,
    /// Active, returned `job.SLEEP`.
    Sleeping,
    /// Active, returned `job.STOP`.
    Stopped,
    /// Active, run once, not run yet since the server started.
    OnceWaiting,
    /// Active, run once, has run.
    OnceDone,
    /// Active, has one date and time, which is to come.
    Planned,
    /// Active, had one date and time, which is over.
    Done,
    Inactive,
    /// Inactive because of an error.
    Failed,
}

/// A run, without its log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunView {
    pub id: String,
    /// The job's name.
    pub job: String,
    pub trigger: Trigger,
    /// 1, and one more for each failure in a row before it. A run by hand is no retry: always 1.
    pub attempt: i64,
    /// The tick it is for; the first of those that were skipped.
    pub due_at: i64,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub duration_ms: Option<i64>,
    /// Null while it runs.
    pub outcome: Option<Outcome>,
    pub error: Option<Problem>,
    /// The id of the server that ran it.
    pub server: String,
    /// The name of that server's machine; null for runs from before it was kept.
    pub host: Option<String>,
    /// Lines of the log that were not kept because it was too long.
    pub log_dropped_lines: i64,
    /// What the row stands for, when its outcome is `skipped`: ticks that were not run.
    pub skipped: Option<SkippedTicks>,
    /// How far the code says it is.
    pub progress: Option<Progress>,
    /// The revision of the code that ran; 0 for a file, null when that is not known.
    pub revision: Option<i64>,
}

/// Ticks that were not run.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SkippedTicks {
    /// How many; at least so many when `last_due_at` is null.
    pub ticks: i64,
    pub last_due_at: Option<i64>,
    pub reason: Reason,
}

/// A run that succeeded.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GoodRun {
    pub id: String,
    /// The revision of the code that ran; 0 for a file, null when that is not known.
    pub revision: Option<i64>,
    pub started_at: i64,
}

/// How much of its work a run has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Progress {
    pub done: i64,
    pub total: i64,
}

/// A run with its log.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunLog {
    #[serde(flatten)]
    pub run: RunView,
    /// The latest run of the job before this one that succeeded.
    pub last_good: Option<GoodRun>,
    /// What the code wrote with `core.log`, so far.
    pub log: String,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let state = state(&job);
        Self {
            state,
            status: status(&job, state),
            next_run_at: job.due_at().filter(|_| job.active),
            builtin: job.is_builtin(),
            name: job.name,
            path: job.path,
            interval: job.interval,
            cron: job.cron,
            at: job.at,
            timezone: job.timezone,
            run_once: job.run_once,
            once_per: job.once_per,
            active: job.active,
            timeout: job.timeout,
            retries: job.retries,
            misfire: job.misfire,
            catch_up: job.catch_up,
            overlap: job.overlap,
            max_running: job.max_running,
            priority: job.priority,
            notify_after: job.watch.notify_after,
            overdue_after: job.watch.overdue_after,
            ping_url: job.watch.ping_url,
            overdue_since: job.watch.overdue_since,
            running: job.running,
            open_runs: job.open_runs,
            last_run: job.last_run,
            last_run_at: job.last_run_at,
            last_outcome: job.last_outcome,
            error: job.problem,
            deactivated: job.deactivated,
            warnings: Vec::new(),
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

fn state(job: &Job) -> State {
    match (job.active, job.plan.phase, job.run_once) {
        (false, _, _) if job.problem.is_some() => State::Failed,
        (false, _, _) => State::Inactive,
        _ if job.plan.retry_at.is_some() => State::Retrying,
        (true, Phase::Sleeping, _) => State::Sleeping,
        (true, Phase::Stopped, _) => State::Stopped,
        (true, Phase::Done, _) if job.at.is_some() => State::Done,
        (true, Phase::Armed, _) if job.at.is_some() => State::Planned,
        (true, Phase::Done, _) => State::OnceDone,
        (true, Phase::Armed, true) => State::OnceWaiting,
        (true, Phase::Armed, false) => State::Recurring,
    }
}

fn status(job: &Job, state: State) -> String {
    let until = || job.due_at().map_or_else(|| "ever".to_owned(), in_utc);
    match state {
        State::Recurring => "active, recurring".to_owned(),
        State::Retrying => {
            let (next, all) = (job.plan.attempt + 1, job.retries + 1);
            format!("active, error: attempt {next} of {all} at {}", until())
        }
        State::Sleeping => format!("active, sleeping until {}", until()),
        State::Stopped => "active, waiting for a reload".to_owned(),
        State::OnceWaiting => "active, run once: not run yet".to_owned(),
        State::OnceDone => "active, run once: has run".to_owned(),
        State::Planned => format!("active, planned for {}", until()),
        State::Done if job.last_run.is_none() => "active, one time: that time has passed".to_owned(),
        State::Done => "active, one time: has run".to_owned(),
        State::Inactive => "inactive".to_owned(),
        State::Failed => "inactive, error".to_owned(),
    }
}

/// "Deactivated after 3 failures".
pub(crate) fn after_failures(failures: i64) -> String {
    match failures {
        0 => "Deactivated".to_owned(),
        many => format!("Deactivated after {}", counted(many, "failure", "failures")),
    }
}

pub(crate) fn in_utc(ms: i64) -> String {
    let time: Option<DateTime<Utc>> = DateTime::from_timestamp_millis(ms);
    time.map_or_else(String::new, |time| time.format("%Y-%m-%d %H:%M UTC").to_string())
}

impl RunView {
    pub(crate) fn new(row: &RunRow) -> Result<Self> {
        Ok(Self {
            id: row.id.clone(),
            job: row.job.clone(),
            trigger: row.trigger()?,
            attempt: row.attempt,
            due_at: row.due_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            duration_ms: row.ended_at.map(|ended| (ended - row.started_at).max(0)),
            outcome: row.outcome()?,
            error: row.problem(),
            server: row.server.clone(),
            host: row.host.clone(),
            log_dropped_lines: row.log_dropped_lines,
            skipped: row.skipped()?,
            progress: row.progress(),
            revision: row.revision,
        })
    }
}
