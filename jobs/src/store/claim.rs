//! Claiming: one transaction picks what is due, writes the run, and moves the plan to the next tick. So a
//! tick is started once, whatever the number of servers, and a server that dies a moment later has not lost it.

use coronet_core::db::Dialect;
use coronet_core::{Code, Error, Result, random};
use sqlx::AnyConnection;

use super::rows::{self, JOB_COLUMNS, JobRow};
use super::{DUE_OR_NEVER, NEXT_DUE, Store, ledger, no_job};
use crate::job::{Claimed, Job, Priority, Problem, Skipped, Trigger};
use crate::names::canonical;
use coronet_core::db::{execute, in_lists, placeholders};

/// Only PostgreSQL has row locks; SQLite has one writer.
pub(super) fn lock(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE",
    }
}

/// As [`lock`], and leaves out what another server is claiming at this moment.
pub(super) fn lock_free_ones(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "",
        Dialect::Postgres => " FOR UPDATE SKIP LOCKED",
    }
}

/// What to claim: at most `limit` jobs that are due `now`, those of a higher priority first, under a lease until
/// `lease_until`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Claim {
    pub now: i64,
    pub limit: i64,
    pub lease_until: i64,
    /// Whether more was due the last time than could be claimed. (A guess: it saves a look.)
    pub behind: bool,
}

/// What a claim found.
#[derive(Debug)]
pub(crate) struct Due {
    /// To be started.
    pub runs: Vec<Claimed>,
    /// Whether more may be due.
    pub more: bool,
    /// When the next job is due.
    pub next: Option<i64>,
}

/// A run by hand of the job with this name.
#[derive(Debug, Clone)]
pub(crate) struct HandClaim {
    pub name: String,
    pub now: i64,
    pub lease_until: i64,
}

impl Store {
    /// Claims what is due.
    pub async fn claim(&self, claim: Claim) -> Result<Due> {
        let dialect = self.db.dialect();
        let (server, host) = (self.server.clone(), self.host.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let (rows, unreadable) = due(tx, claim, dialect).await?;
                    let more = count(&rows) + count(&unreadable) >= claim.limit;
                    set_aside(tx, unreadable, claim.now).await?;
                    let mut jobs = Vec::with_capacity(rows.len());
                    let mut runs = Vec::with_capacity(rows.len());
                    let (mut skips, mut started) = (Vec::new(), Vec::new());
                    for row in rows {
                        let mut job = row.into_job();
                        let (run, skipped) = take(&mut job, claim.now);
                        skips.extend(skipped.into_iter().map(|skipped| (jobs.len(), skipped)));
                        started.push(run.is_some());
                        runs.extend(run);
                        jobs.push(job);
                    }
                    ledger::write(tx, &mut jobs, skips, (&server, host.as_deref()), claim.now).await?;
                    // A run that starts ends the stretch of what was skipped.
                    let starting = jobs.iter_mut().zip(started).filter(|(_, started)| *started);
                    starting.for_each(|(job, _)| job.skipping = None);
                    write_plans(tx, &jobs).await?;
                    insert_runs(tx, &runs, &server, host.as_deref(), claim.lease_until).await?;
                    let next = sqlx::query_scalar(NEXT_DUE).fetch_optional(&mut *tx).await?;
                    Ok(Due { runs, more, next })
                })
            })
            .await
    }

    /// Claims a run of one job, whatever its plan says; the plan stays as it is.
    pub async fn claim_by_hand(&self, claim: HandClaim) -> Result<Claimed> {
        let lock = lock(self.db.dialect());
        let (server, host) = (self.server.clone(), self.host.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut job = rows::by_name(tx, &canonical(&claim.name), lock)
                        .await?
                        .ok_or_else(|| no_job(&claim.name))?;
                    if !job.is_free() {
                        let text = format!(
                            "The job \"{}\" is running. Wait for it, or cancel that run.",
                            job.name
                        );
                        return Err(Error::new(Code::Conflict, text));
                    }
                    let run = start(&mut job, Trigger::Hand, claim.now, claim.now);
                    rows::update(tx, &job).await?;
                    let runs = std::slice::from_ref(&run);
                    insert_runs(tx, runs, &server, host.as_deref(), claim.lease_until).await?;
                    Ok(run)
                })
            })
            .await
    }
}

/// Moves the job's plan on: the run that is to be started now, if any, and the ticks that are not run.
fn take(job: &mut Job, now: i64) -> (Option<Claimed>, Vec<Skipped>) {
    let schedule = match job.schedule() {
        Ok(schedule) => schedule,
        Err(error) => {
            job.problem = Some(Problem::new(error.message()));
            job.give_up(now);
            return (None, Vec::new());
        }
    };
    let taken = job.take(&schedule, now);
    let run = taken.run.map(|due| start(job, due.trigger, due.due_at, now));
    (run, taken.skipped)
}

fn start(job: &mut Job, trigger: Trigger, due_at: i64, now: i64) -> Claimed {
    let id = random::id("run");
    job.running = Some(id.clone());
    job.open_runs += 1;
    Claimed {
        id,
        job_id: job.id.clone(),
        name: job.name.clone(),
        path: job.path.clone(),
        special: job.minds_success(),
        trigger,
        // Whoever starts a run by hand retries nothing.
        attempt: match trigger {
            Trigger::Hand => 1,
            Trigger::Schedule | Trigger::Retry => job.plan.attempt + 1,
        },
        due_at,
        started_at: now,
        timeout: job.timeout,
        timezone: job.timezone.clone(),
    }
}

/// The jobs to claim. Mostly all that are due are fewer than the limit, and one look finds them; only when they are not
/// does it matter which go first.
async fn due(tx: &mut AnyConnection, claim: Claim, dialect: Dialect) -> Result<(Vec<JobRow>, Vec<JobRow>)> {
    let found = due_rows(tx, claim, dialect).await?.into_iter();
    let (unreadable, mut rows): (Vec<_>, Vec<_>) = found.partition(|row| row.unreadable().is_some());
    rows.sort_by_key(JobRow::rank);
    Ok((rows, unreadable))
}

/// Deactivates jobs whose rows cannot be read, and says so in their error: the others are claimed all the same, and none
/// of these again until an operator has looked at it.
async fn set_aside(tx: &mut AnyConnection, unreadable: Vec<JobRow>, now: i64) -> Result<()> {
    for job in unreadable {
        let problem = job.unreadable().unwrap_or_default();
        tracing::error!(job = %job.id, problem, "a job was deactivated: its row cannot be read");
        sqlx::query(
            "UPDATE jobs SET active = 0, due_at = NULL, error = $2, error_line = NULL, traceback = NULL,
                 deactivated_at = $3, deactivated_failures = 0
             WHERE id = $1",
        )
        .bind(job.id.clone())
        .bind(problem.to_owned())
        .bind(now)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

async fn due_rows(tx: &mut AnyConnection, claim: Claim, dialect: Dialect) -> Result<Vec<JobRow>> {
    let free_ones = lock_free_ones(dialect);
    if !claim.behind {
        let all = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE due_at IS NOT NULL AND {DUE_OR_NEVER} <= $1
             ORDER BY {DUE_OR_NEVER}, id LIMIT $2{free_ones}"
        );
        let rows: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(all))
            .bind(claim.now)
            .bind(claim.limit)
            .fetch_all(&mut *tx)
            .await?;
        if count(&rows) < claim.limit {
            return Ok(rows);
        }
    }
    let of_priority = format!(
        "SELECT {JOB_COLUMNS} FROM jobs WHERE priority = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3{free_ones}"
    );
    let mut rows = Vec::new();
    for priority in Priority::ALL {
        let room = claim.limit - count(&rows);
        if room <= 0 {
            break;
        }
        let some: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(of_priority.clone()))
            .bind(priority.rank())
            .bind(claim.now)
            .bind(room)
            .fetch_all(&mut *tx)
            .await?;
        rows.extend(some);
    }
    Ok(rows)
}

fn count<T>(rows: &[T]) -> i64 {
    i64::try_from(rows.len()).unwrap_or(i64::MAX)
}

/// Writes the plans of all claimed jobs.
async fn write_plans(tx: &mut AnyConnection, jobs: &[Job]) -> Result<()> {
    for jobs in in_lists(jobs.iter().collect()) {
        let sql = format!(
            "WITH claimed (id, active, phase, tick_at, retry_at, owed_at, owed, due_at, armed_at, attempt, running,
                           open_runs, skipping, error, deactivated_at, failures) AS (VALUES {})
             UPDATE jobs SET active = claimed.active, phase = claimed.phase, tick_at = claimed.tick_at,
                 retry_at = claimed.retry_at, owed_at = claimed.owed_at, owed = claimed.owed, due_at = claimed.due_at,
                 armed_at = claimed.armed_at, attempt = claimed.attempt, running = claimed.running,
                 open_runs = claimed.open_runs, skipping = claimed.skipping, error = claimed.error,
                 deactivated_at = claimed.deactivated_at, deactivated_failures = claimed.failures
             FROM claimed WHERE jobs.id = claimed.id",
            placeholders(jobs.len(), 16)
        );
        execute(tx, sql, |query| {
            jobs.into_iter().fold(query, |query, job| {
                let problem = job.problem.as_ref();
                rows::bind_plan(query, job)
                    .bind(problem.map(|problem| problem.message.clone()))
                    .bind(job.deactivated.map(|deactivated| deactivated.at))
                    .bind(job.deactivated.map_or(0, |deactivated| deactivated.failures))
            })
        })
        .await?;
    }
    Ok(())
}

async fn insert_runs(
    tx: &mut AnyConnection,
    runs: &[Claimed],
    server: &str,
    host: Option<&str>,
    lease_until: i64,
) -> Result<()> {
    for runs in in_lists(runs.iter().collect()) {
        let sql = format!(
            "INSERT INTO job_runs (id, job_id, trigger_kind, attempt, due_at, started_at, server, host,
                 lease_until, cancel_requested, log, log_dropped_lines)
             VALUES {}",
            placeholders(runs.len(), 12)
        );
        execute(tx, sql, |query| {
            runs.into_iter().fold(query, |query, run| {
                query
                    .bind(run.id.clone())
                    .bind(run.job_id.clone())
                    .bind(run.trigger.as_str())
                    .bind(run.attempt)
                    .bind(run.due_at)
                    .bind(run.started_at)
                    .bind(server.to_owned())
                    .bind(host.map(str::to_owned))
                    .bind(lease_until)
                    .bind(0_i64)
                    .bind("")
                    .bind(0_i64)
            })
        })
        .await?;
    }
    Ok(())
}
