//! The row of a job, and the job in it.

use std::ops::Deref;

use coronet_core::db::{AnyQuery, search_key};
use coronet_core::{Code, Error, Result};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow, Row};

use crate::job::{Deactivated, Job, Misfire, OncePer, Outcome, Overlap, Phase, Priority, Problem, Watch};
use crate::plan::Plan;

macro_rules! columns {
    () => {
        "id, name, path, interval_seconds, cron, at, timezone, run_once, once_per, active,
    timeout_seconds, retries, misfire, catch_up, overlap, max_running, priority, notify_after, overdue_after, ping_url,
    overdue_at, overdue_since, told, phase, tick_at, retry_at, owed_at, owed, due_at, armed_at, attempt, running,
    open_runs, skipping, last_run, last_run_at, last_outcome, error, error_line, traceback, deactivated_at,
    deactivated_failures, created_at, updated_at"
    };
}

pub(super) const JOB_COLUMNS: &str = columns!();
pub(super) const SELECT: &str = concat!("SELECT ", columns!(), " FROM jobs");

/// A row as it is stored.
#[derive(Default, sqlx::FromRow)]
pub(super) struct Columns {
    pub(super) id: String,
    pub(super) name: String,
    path: String,
    interval_seconds: Option<i64>,
    cron: Option<String>,
    at: Option<String>,
    timezone: Option<String>,
    run_once: i64,
    once_per: String,
    active: i64,
    timeout_seconds: i64,
    retries: i64,
    misfire: String,
    catch_up: i64,
    overlap: String,
    max_running: i64,
    priority: i64,
    notify_after: Option<i64>,
    overdue_after: Option<i64>,
    ping_url: Option<String>,
    overdue_at: Option<i64>,
    overdue_since: Option<i64>,
    told: i64,
    phase: String,
    tick_at: Option<i64>,
    retry_at: Option<i64>,
    owed_at: Option<i64>,
    owed: i64,
    due_at: Option<i64>,
    armed_at: i64,
    attempt: i64,
    running: Option<String>,
    open_runs: i64,
    skipping: Option<String>,
    last_run: Option<String>,
    pub(super) last_run_at: Option<i64>,
    last_outcome: Option<String>,
    error: Option<String>,
    error_line: Option<i64>,
    traceback: Option<String>,
    deactivated_at: Option<i64>,
    deactivated_failures: i64,
    pub(super) created_at: i64,
    updated_at: i64,
}

/// The row of a job, or what can be read of it.
pub(super) struct JobRow {
    columns: Columns,
    /// Why the job cannot be run.
    unreadable: Option<String>,
}

impl FromRow<'_, AnyRow> for JobRow {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(match Columns::from_row(row) {
            Ok(columns) => Self {
                unreadable: columns.unknown_word(),
                columns,
            },
            Err(cause) => {
                let id: String = row.try_get("id")?;
                Self {
                    columns: Columns {
                        name: row.try_get("name").unwrap_or_else(|_| id.clone()),
                        id,
                        deactivated_at: row.try_get("deactivated_at").unwrap_or_default(),
                        ..Columns::default()
                    },
                    unreadable: Some(format!("the job's row in the database cannot be read: {cause}")),
                }
            }
        })
    }
}

impl Deref for JobRow {
    type Target = Columns;

    fn deref(&self) -> &Columns {
        &self.columns
    }
}

impl JobRow {
    /// When it runs next, as `due_at` has it. A job that waits for nothing comes after all others.
    pub(super) fn next_run(&self) -> i64 {
        self.due_at.unwrap_or(i64::MAX)
    }

    /// Its place among those that are due.
    pub(super) fn rank(&self) -> i64 {
        self.priority
    }

    /// The job. One that cannot be read is there all the same, with what is wrong as its problem, so that lists show it and
    /// an operator can save it again.
    pub(super) fn into_job(self) -> Job {
        let unreadable = self.unreadable.map(|problem| Problem::new(&problem));
        let row = self.columns;
        Job {
            id: row.id,
            name: row.name,
            path: row.path,
            interval: row.interval_seconds,
            cron: row.cron,
            at: row.at,
            timezone: row.timezone,
            run_once: row.run_once != 0,
            once_per: OncePer::from_stored(&row.once_per).unwrap_or(OncePer::Cluster),
            active: row.active != 0,
            timeout: row.timeout_seconds,
            retries: row.retries,
            misfire: Misfire::from_stored(&row.misfire).unwrap_or(Misfire::Skip),
            catch_up: row.catch_up,
            overlap: Overlap::from_stored(&row.overlap).unwrap_or(Overlap::Skip),
            max_running: row.max_running,
            priority: Priority::of_rank(row.priority),
            watch: Watch {
                notify_after: row.notify_after,
                overdue_after: row.overdue_after,
                ping_url: row.ping_url,
                overdue_at: row.overdue_at,
                overdue_since: row.overdue_since,
                told: row.told != 0,
            },
            plan: Plan {
                phase: Phase::from_stored(&row.phase).unwrap_or(Phase::Stopped),
                tick_at: row.tick_at,
                retry_at: row.retry_at,
                owed_at: row.owed_at,
                owed: row.owed,
                armed_at: row.armed_at,
                attempt: row.attempt,
            },
            running: row.running,
            open_runs: row.open_runs,
            skipping: row.skipping,
            last_run: row.last_run,
            last_run_at: row.last_run_at,
            last_outcome: row
                .last_outcome
                .as_deref()
                .and_then(|outcome| Outcome::from_stored(outcome).ok()),
            problem: unreadable.or_else(|| problem(row.error, row.error_line, row.traceback)),
            deactivated: row.deactivated_at.map(|at| Deactivated {
                at,
                failures: row.deactivated_failures,
            }),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    /// Why the job cannot be run, when its row cannot be read.
    pub(super) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }
}

impl Columns {
    /// What is wrong with a word that this version does not know.
    fn unknown_word(&self) -> Option<String> {
        let words = [
            (
                "once_per",
                &self.once_per,
                OncePer::from_stored(&self.once_per).is_ok(),
            ),
            (
                "misfire",
                &self.misfire,
                Misfire::from_stored(&self.misfire).is_ok(),
            ),
            (
                "overlap",
                &self.overlap,
                Overlap::from_stored(&self.overlap).is_ok(),
            ),
            ("phase", &self.phase, Phase::from_stored(&self.phase).is_ok()),
        ];
        let (column, word, _) = words.into_iter().find(|(_, _, is_known)| !is_known)?;
        Some(format!(
            "the database has \"{word}\" as `{column}` of the job, which is no known value. Save the job again to repair it"
        ))
    }
}

/// The problem in its three columns.
pub(super) fn problem(
    message: Option<String>,
    line: Option<i64>,
    traceback: Option<String>,
) -> Option<Problem> {
    let line = line.and_then(|line| u32::try_from(line).ok());
    message.map(|message| Problem {
        message,
        line,
        traceback,
        is_lasting: false,
    })
}

pub(super) async fn by_name(tx: &mut AnyConnection, name: &str, lock: &str) -> Result<Option<Job>> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE name = $1{lock}");
    let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(name)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(JobRow::into_job))
}

pub(super) async fn by_id(tx: &mut AnyConnection, id: &str, lock: &str) -> Result<Option<Job>> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id = $1{lock}");
    let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(tx)
        .await?;
    Ok(row.map(JobRow::into_job))
}

pub(super) async fn insert(tx: &mut AnyConnection, job: &Job) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO jobs (id, name, path, interval_seconds, cron, at, timezone, run_once, once_per, active,
             timeout_seconds, retries, misfire, phase, armed_at, attempt, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&job.id)
    .bind(&job.name)
    .bind(&job.path)
    .bind(job.interval)
    .bind(job.cron.clone())
    .bind(job.at.clone())
    .bind(job.timezone.clone())
    .bind(i64::from(job.run_once))
    .bind(job.once_per.as_str())
    .bind(i64::from(job.active))
    .bind(job.timeout)
    .bind(job.retries)
    .bind(job.misfire.as_str())
    .bind(job.plan.phase.as_str())
    .bind(job.plan.armed_at)
    .bind(job.plan.attempt)
    .bind(job.created_at)
    .bind(job.updated_at)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(name_taken(&job.name));
    }
    update(tx, job).await
}

/// Writes everything of a job but its id.
pub(super) async fn update(tx: &mut AnyConnection, job: &Job) -> Result<()> {
    let taken: Option<String> = sqlx::query_scalar("SELECT id FROM jobs WHERE name = $1 AND id <> $2")
        .bind(&job.name)
        .bind(&job.id)
        .fetch_optional(&mut *tx)
        .await?;
    if taken.is_some() {
        return Err(name_taken(&job.name));
    }
    write_settings(tx, job).await?;
    write_state(tx, job).await
}

/// What operators set.
async fn write_settings(tx: &mut AnyConnection, job: &Job) -> Result<()> {
    let watch = &job.watch;
    sqlx::query(
        "UPDATE jobs SET name = $2, path = $3, interval_seconds = $4, cron = $5, at = $6, timezone = $7, run_once = $8,
             once_per = $9, timeout_seconds = $10, retries = $11, misfire = $12, catch_up = $13, overlap = $14,
             max_running = $15, priority = $16, notify_after = $17, overdue_after = $18, ping_url = $19,
             updated_at = $20, search = $21
         WHERE id = $1",
    )
    .bind(&job.id)
    .bind(&job.name)
    .bind(&job.path)
    .bind(job.interval)
    .bind(job.cron.clone())
    .bind(job.at.clone())
    .bind(job.timezone.clone())
    .bind(i64::from(job.run_once))
    .bind(job.once_per.as_str())
    .bind(job.timeout)
    .bind(job.retries)
    .bind(job.misfire.as_str())
    .bind(job.catch_up)
    .bind(job.overlap.as_str())
    .bind(job.max_running)
    .bind(job.priority.rank())
    .bind(watch.notify_after)
    .bind(watch.overdue_after)
    .bind(watch.ping_url.clone())
    .bind(job.updated_at)
    .bind(search_key(&format!("{}\n{}", job.name, job.path)))
    .execute(tx)
    .await?;
    Ok(())
}

/// How the job is doing, and what comes next.
pub(super) async fn write_state(tx: &mut AnyConnection, job: &Job) -> Result<()> {
    let (watch, problem) = (&job.watch, job.problem.as_ref());
    let query = sqlx::query(
        "UPDATE jobs SET active = $2, phase = $3, tick_at = $4, retry_at = $5, owed_at = $6, owed = $7, due_at = $8,
             armed_at = $9, attempt = $10, running = $11, open_runs = $12, skipping = $13, overdue_at = $14,
             overdue_since = $15, told = $16, last_run = $17, last_run_at = $18, last_outcome = $19, error = $20,
             error_line = $21, traceback = $22, deactivated_at = $23, deactivated_failures = $24
         WHERE id = $1",
    );
    bind_plan(query, job)
        .bind(watch.overdue_at)
        .bind(watch.overdue_since)
        .bind(i64::from(watch.told))
        .bind(job.last_run.clone())
        .bind(job.last_run_at)
        .bind(job.last_outcome.map(Outcome::as_str))
        .bind(problem.map(|problem| problem.message.clone()))
        .bind(problem.and_then(|problem| problem.line).map(i64::from))
        .bind(problem.and_then(|problem| problem.traceback.clone()))
        .bind(job.deactivated.map(|deactivated| deactivated.at))
        .bind(job.deactivated.map_or(0, |deactivated| deactivated.failures))
        .execute(tx)
        .await?;
    Ok(())
}

/// The id, and what a claim may change: `active` to `skipping`, in the order of the statements that write them.
pub(super) fn bind_plan<'q>(query: AnyQuery<'q>, job: &Job) -> AnyQuery<'q> {
    let plan = &job.plan;
    query
        .bind(job.id.clone())
        .bind(i64::from(job.active))
        .bind(plan.phase.as_str())
        .bind(plan.tick_at)
        .bind(plan.retry_at)
        .bind(plan.owed_at)
        .bind(plan.owed)
        .bind(job.due_at())
        .bind(plan.armed_at)
        .bind(plan.attempt)
        .bind(job.running.clone())
        .bind(job.open_runs)
        .bind(job.skipping.clone())
}

fn name_taken(name: &str) -> Error {
    Error::new(
        Code::Conflict,
        format!("There is a job named \"{name}\" already. Choose another name."),
    )
    .with_details(serde_json::json!({ "parameter": "name" }))
}
