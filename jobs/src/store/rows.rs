//! The row of a job, and the job in it.

use coronet_core::{Code, Error, Result};
use sqlx::AnyConnection;

use crate::job::{Job, Misfire, Outcome, Phase, Problem};
use crate::plan::Plan;

pub(super) const SELECT: &str = "SELECT id, name, path, interval_seconds, cron, timezone, run_once, active,
    timeout_seconds, retries, misfire, phase, tick_at, retry_at, armed_at, attempt, running,
    last_run, last_run_at, last_outcome, error, error_line, traceback, created_at, updated_at FROM jobs";

pub(super) const JOB_COLUMNS: &str = "id, name, path, interval_seconds, cron, timezone, run_once, active,
    timeout_seconds, retries, misfire, phase, tick_at, retry_at, armed_at, attempt, running,
    last_run, last_run_at, last_outcome, error, error_line, traceback, created_at, updated_at";

#[derive(sqlx::FromRow)]
pub(super) struct JobRow {
    pub(super) id: String,
    pub(super) name: String,
    path: String,
    interval_seconds: Option<i64>,
    cron: Option<String>,
    timezone: Option<String>,
    run_once: i64,
    active: i64,
    timeout_seconds: i64,
    retries: i64,
    misfire: String,
    phase: String,
    tick_at: Option<i64>,
    retry_at: Option<i64>,
    armed_at: i64,
    attempt: i64,
    running: Option<String>,
    last_run: Option<String>,
    pub(super) last_run_at: Option<i64>,
    last_outcome: Option<String>,
    error: Option<String>,
    error_line: Option<i64>,
    traceback: Option<String>,
    pub(super) created_at: i64,
    updated_at: i64,
}

impl JobRow {
    /// When it runs next. A job that waits for nothing comes after all others.
    pub(super) fn next_run(&self) -> i64 {
        self.retry_at.or(self.tick_at).unwrap_or(i64::MAX)
    }

    pub(super) fn into_job(self) -> Result<Job> {
        Ok(Job {
            id: self.id,
            name: self.name,
            path: self.path,
            interval: self.interval_seconds,
            cron: self.cron,
            timezone: self.timezone,
            run_once: self.run_once != 0,
            active: self.active != 0,
            timeout: self.timeout_seconds,
            retries: self.retries,
            misfire: Misfire::from_stored(&self.misfire)?,
            plan: Plan {
                phase: Phase::from_stored(&self.phase)?,
                tick_at: self.tick_at,
                retry_at: self.retry_at,
                armed_at: self.armed_at,
                attempt: self.attempt,
            },
            running: self.running,
            last_run: self.last_run,
            last_run_at: self.last_run_at,
            last_outcome: self
                .last_outcome
                .as_deref()
                .map(Outcome::from_stored)
                .transpose()?,
            problem: problem(self.error, self.error_line, self.traceback),
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
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
    })
}

pub(super) async fn by_name(tx: &mut AnyConnection, name: &str, lock: &str) -> Result<Option<Job>> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE name = $1{lock}");
    let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(name)
        .fetch_optional(tx)
        .await?;
    row.map(JobRow::into_job).transpose()
}

pub(super) async fn by_id(tx: &mut AnyConnection, id: &str, lock: &str) -> Result<Option<Job>> {
    let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id = $1{lock}");
    let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(id)
        .fetch_optional(tx)
        .await?;
    row.map(JobRow::into_job).transpose()
}

pub(super) async fn insert(tx: &mut AnyConnection, job: &Job) -> Result<()> {
    let done = sqlx::query(
        "INSERT INTO jobs (id, name, path, interval_seconds, cron, timezone, run_once, active,
             timeout_seconds, retries, misfire, phase, tick_at, retry_at, due_at, armed_at, attempt,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
         ON CONFLICT (name) DO NOTHING",
    )
    .bind(&job.id)
    .bind(&job.name)
    .bind(&job.path)
    .bind(job.interval)
    .bind(job.cron.clone())
    .bind(job.timezone.clone())
    .bind(i64::from(job.run_once))
    .bind(i64::from(job.active))
    .bind(job.timeout)
    .bind(job.retries)
    .bind(job.misfire.as_str())
    .bind(job.plan.phase.as_str())
    .bind(job.plan.tick_at)
    .bind(job.plan.retry_at)
    .bind(job.plan.due_at())
    .bind(job.plan.armed_at)
    .bind(job.plan.attempt)
    .bind(job.created_at)
    .bind(job.updated_at)
    .execute(tx)
    .await?;
    if done.rows_affected() == 0 {
        Err(name_taken(&job.name))
    } else {
        Ok(())
    }
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
    let problem = job.problem.as_ref();
    sqlx::query(
        "UPDATE jobs SET name = $2, path = $3, interval_seconds = $4, cron = $5, timezone = $6, run_once = $7,
             active = $8, timeout_seconds = $9, retries = $10, misfire = $11, phase = $12, tick_at = $13,
             retry_at = $14, due_at = $15, armed_at = $16, attempt = $17, running = $18, last_run = $19,
             last_run_at = $20, last_outcome = $21, error = $22, error_line = $23, traceback = $24, updated_at = $25
         WHERE id = $1",
    )
    .bind(&job.id)
    .bind(&job.name)
    .bind(&job.path)
    .bind(job.interval)
    .bind(job.cron.clone())
    .bind(job.timezone.clone())
    .bind(i64::from(job.run_once))
    .bind(i64::from(job.active))
    .bind(job.timeout)
    .bind(job.retries)
    .bind(job.misfire.as_str())
    .bind(job.plan.phase.as_str())
    .bind(job.plan.tick_at)
    .bind(job.plan.retry_at)
    .bind(job.plan.due_at())
    .bind(job.plan.armed_at)
    .bind(job.plan.attempt)
    .bind(job.running.clone())
    .bind(job.last_run.clone())
    .bind(job.last_run_at)
    .bind(job.last_outcome.map(Outcome::as_str))
    .bind(problem.map(|problem| problem.message.clone()))
    .bind(problem.and_then(|problem| problem.line).map(i64::from))
    .bind(problem.and_then(|problem| problem.traceback.clone()))
    .bind(job.updated_at)
    .execute(tx)
    .await?;
    Ok(())
}

fn name_taken(name: &str) -> Error {
    Error::new(
        Code::Conflict,
        format!("There is a job named \"{name}\" already. Choose another name."),
    )
    .with_details(serde_json::json!({ "parameter": "name" }))
}
