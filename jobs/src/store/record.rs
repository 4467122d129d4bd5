//! Recording how runs ended, and what follows for their jobs.

use std::collections::HashSet;

use coronet_core::db::{AnyQuery, execute, in_lists, placeholders, returning};
use coronet_core::{Error, Result};
use sqlx::AnyConnection;

use super::claim::lock;
use super::{Store, notices, rows};
use crate::job::{Claimed, Finished, Outcome, Problem, Trigger};
use crate::notice::{Notice, Targets, ping};
use crate::plan::Ran;

const LOST: &str = "the server went away while the job ran";

/// A run whose server went away.
#[derive(sqlx::FromRow)]
struct Abandoned {
    id: String,
    job_id: String,
    trigger_kind: String,
    due_at: i64,
    started_at: i64,
}

impl Store {
    /// Records runs of this server. A run that was taken for lost in the meantime stays lost. Returns for each run whether
    /// there are notifications to deliver.
    pub async fn record(&self, finished: Vec<Finished>, targets: Targets) -> Result<Vec<bool>> {
        let (lock, runs) = (lock(self.db.dialect()), finished.len());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let closed = close_runs(tx, &finished).await?;
                    let (plain, special): (Vec<&Finished>, Vec<&Finished>) = finished
                        .iter()
                        .filter(|done| closed.contains(&done.run.id))
                        .partition(|done| done.outcome == Outcome::Ok && !done.run.special);
                    conclude_plain(tx, plain).await?;
                    let mut notices = Vec::new();
                    for done in special {
                        let end = End::of(done);
                        notices.extend(conclude(tx, lock, &end, &targets).await?);
                    }
                    if let Some(done) = finished.first() {
                        notices::insert(tx, &notices, done.ended_at).await?;
                    }
                    Ok(vec![!notices.is_empty(); runs])
                })
            })
            .await
    }

    /// Ends a run of which nothing else can be recorded: it is lost, and its job is free for the next one.
    pub async fn close(&self, run: &Claimed, now: i64) -> Result<()> {
        let (run, job) = (run.id.clone(), run.job_id.clone());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let closed = sqlx::query(
                        "UPDATE job_runs SET outcome = 'lost', ended_at = $2 WHERE id = $1 AND outcome IS NULL",
                    )
                    .bind(&run)
                    .bind(now)
                    .execute(&mut *tx)
                    .await?;
                    if closed.rows_affected() > 0 {
                        sqlx::query(
                            "UPDATE jobs SET open_runs = CASE WHEN open_runs > 0 THEN open_runs - 1 ELSE 0 END,
                                 running = CASE WHEN running = $2 THEN NULL ELSE running END
                             WHERE id = $1",
                        )
                        .bind(job)
                        .bind(run)
                        .execute(tx)
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Marks the open runs whose server went away as lost; their jobs are due again at once.
    ///
    /// A lease that ran out by `now` says so; with `all_others`, so does a run being another server's. A run that the
    /// database rejects for good is left as it is, and named, so that it does not keep the others from being taken over.
    pub async fn rescue(&self, now: i64, all_others: bool, targets: Targets) -> Result<Rescued> {
        let lapsed_before = if all_others { i64::MAX } else { now };
        let open: Vec<Abandoned> = sqlx::query_as(
            "SELECT id, job_id, trigger_kind, due_at, started_at FROM job_runs
             WHERE outcome IS NULL AND lease_until < $1 AND server <> $2 ORDER BY id",
        )
        .bind(lapsed_before)
        .bind(&self.server)
        .fetch_all(self.db.reader())
        .await?;
        let mut rescued = Rescued::default();
        for run in open {
            let id = run.id.clone();
            match self.rescue_one(run, lapsed_before, now, targets.clone()).await {
                Ok(true) => rescued.lost += 1,
                Ok(false) => {}
                Err(error) if error.is_retryable() => return Err(error),
                Err(error) => rescued.rejected.push((id, error)),
            }
        }
        Ok(rescued)
    }

    async fn rescue_one(
        &self,
        run: Abandoned,
        lapsed_before: i64,
        now: i64,
        targets: Targets,
    ) -> Result<bool> {
        let lock = lock(self.db.dialect());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    if !mark_lost(tx, &run, lapsed_before, now).await? {
                        return Ok(false);
                    }
                    let end = End::lost(run, now)?;
                    let notices = conclude(tx, lock, &end, &targets).await?;
                    notices::insert(tx, &notices, now).await?;
                    Ok(true)
                })
            })
            .await
    }
}

/// What came of taking over the runs of servers that are gone.
#[derive(Debug, Default)]
pub(crate) struct Rescued {
    /// Runs that were marked lost; their jobs are due again.
    pub lost: u64,
    /// Runs that could not be marked, and why.
    pub rejected: Vec<(String, Error)>,
}

/// A run that has ended, as its job sees it.
struct End {
    run: String,
    job: String,
    ran: Ran,
    outcome: Outcome,
    problem: Option<Problem>,
    at: i64,
}

impl End {
    fn of(done: &Finished) -> Self {
        let run = &done.run;
        Self {
            run: run.id.clone(),
            job: run.job_id.clone(),
            ran: Ran {
                trigger: run.trigger,
                due_at: run.due_at,
                started_at: run.started_at,
            },
            outcome: done.outcome,
            problem: done.problem.clone(),
            at: done.ended_at,
        }
    }

    fn lost(run: Abandoned, now: i64) -> Result<Self> {
        Ok(Self {
            ran: Ran {
                trigger: Trigger::from_stored(&run.trigger_kind)?,
                due_at: run.due_at,
                started_at: run.started_at,
            },
            run: run.id,
            job: run.job_id,
            outcome: Outcome::Lost,
            problem: Some(Problem::new(LOST)),
            at: now,
        })
    }
}

/// Ends the rows of the runs. Returns those that were open.
async fn close_runs(tx: &mut AnyConnection, finished: &[Finished]) -> Result<HashSet<String>> {
    let mut closed = HashSet::with_capacity(finished.len());
    for finished in in_lists(finished.iter().collect()) {
        let sql = format!(
            "WITH done (id, ended_at, outcome, error, error_line, traceback, log, dropped, revision, progress_done,
                        progress_total) AS (VALUES {})
             UPDATE job_runs SET ended_at = done.ended_at, outcome = done.outcome, error = done.error,
                 error_line = done.error_line, traceback = done.traceback, log = done.log,
                 log_dropped_lines = done.dropped, revision = done.revision, progress_done = done.progress_done,
                 progress_total = done.progress_total
             FROM done WHERE job_runs.id = done.id AND job_runs.outcome IS NULL
             RETURNING job_runs.id",
            placeholders(finished.len(), 11)
        );
        closed.extend(returning(tx, sql, |query| finished.into_iter().fold(query, bind_end)).await?);
    }
    Ok(closed)
}

fn bind_end<'q>(query: AnyQuery<'q>, done: &Finished) -> AnyQuery<'q> {
    let (problem, told) = (done.problem.as_ref(), &done.told);
    query
        .bind(done.run.id.clone())
        .bind(done.ended_at)
        .bind(done.outcome.as_str())
        .bind(problem.map(|problem| problem.message.clone()))
        .bind(problem.and_then(|problem| problem.line).map(i64::from))
        .bind(problem.and_then(|problem| problem.traceback.clone()))
        .bind(told.log.clone())
        .bind(told.log_dropped_lines)
        .bind(told.revision)
        .bind(told.progress.map(|(done, _)| done))
        .bind(told.progress.map(|(_, total)| total))
}

/// What nearly every run comes to: it is done, and its job's plan stays as it was made at the claim. (A job has one of
/// these in a batch at most: those that may run beside themselves are concluded one by one.)
async fn conclude_plain(tx: &mut AnyConnection, finished: Vec<&Finished>) -> Result<()> {
    for finished in in_lists(finished) {
        let sql = format!(
            "WITH done (id, job_id, started_at) AS (VALUES {})
             UPDATE jobs SET running = CASE WHEN running = done.id THEN NULL ELSE running END,
                 open_runs = open_runs - 1, attempt = 0, retry_at = NULL, due_at = COALESCE(owed_at, tick_at),
                 error = NULL, error_line = NULL, traceback = NULL, last_run = done.id,
                 last_run_at = done.started_at, last_outcome = 'ok'
             FROM done WHERE jobs.id = done.job_id",
            placeholders(finished.len(), 3)
        );
        execute(tx, sql, |query| {
            finished.into_iter().fold(query, |query, done| {
                query
                    .bind(done.run.id.clone())
                    .bind(done.run.job_id.clone())
                    .bind(done.run.started_at)
            })
        })
        .await?;
    }
    Ok(())
}

/// Draws the consequences for the job of a run whose row was closed. Returns who is to hear of them.
async fn conclude(tx: &mut AnyConnection, lock: &str, end: &End, targets: &Targets) -> Result<Vec<Notice>> {
    let Some(mut job) = rows::by_id(tx, &end.job, lock).await? else {
        return Ok(Vec::new());
    };
    job.open_runs = (job.open_runs - 1).max(0);
    if job.running.as_ref() == Some(&end.run) {
        job.running = match job.open_runs {
            0 => None,
            _ => latest_open(tx, &job.id).await?,
        };
    }
    job.last_run = Some(end.run.clone());
    job.last_run_at = Some(end.ran.started_at);
    job.last_outcome = Some(end.outcome);
    let was_active = job.active;
    job.conclude(end.ran, end.outcome, end.problem.clone(), end.at);
    let event = job.event_after(end.outcome, was_active);
    rows::write_state(tx, &job).await?;
    let mut notices = event.map_or_else(Vec::new, |event| targets.tell(&job, event, end.at));
    notices.extend(ping(&job, end.outcome));
    Ok(notices)
}

async fn latest_open(tx: &mut AnyConnection, job: &str) -> Result<Option<String>> {
    let sql = "SELECT MAX(id) FROM job_runs WHERE job_id = $1 AND outcome IS NULL";
    Ok(sqlx::query_scalar(sql).bind(job).fetch_one(tx).await?)
}

/// Returns whether it was this server that marked it.
async fn mark_lost(tx: &mut AnyConnection, run: &Abandoned, lapsed_before: i64, now: i64) -> Result<bool> {
    let done = sqlx::query(
        "UPDATE job_runs SET outcome = 'lost', ended_at = $2, error = $3
         WHERE id = $1 AND outcome IS NULL AND lease_until < $4",
    )
    .bind(&run.id)
    .bind(now)
    .bind(LOST)
    .bind(lapsed_before)
    .execute(tx)
    .await?;
    Ok(done.rows_affected() > 0)
}
