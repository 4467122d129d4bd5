//! Recording how runs ended, and what follows for their jobs.

use coronet_core::Result;
use sqlx::AnyConnection;

use super::claim::lock;
use super::{Store, rows};
use crate::job::{Finished, Outcome, Problem, Trigger};
use crate::plan::Ran;
use coronet_core::db::{execute, placeholders};

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
    /// Records runs of this server. A run that was taken for lost in the meantime stays lost.
    pub async fn record(&self, finished: Vec<Finished>) -> Result<()> {
        let lock = lock(self.db.dialect());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let (plain, special): (Vec<&Finished>, Vec<&Finished>) = finished
                        .iter()
                        .partition(|done| done.outcome == Outcome::Ok && !done.run.run_once);
                    close_runs(tx, &finished).await?;
                    conclude_plain(tx, &plain).await?;
                    for done in special {
                        conclude(tx, lock, done).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Marks the open runs whose server went away as lost; their jobs are due again at once.
    ///
    /// A lease that ran out by `now` says so; with `all_others`, so does a run being another server's.
    pub async fn rescue(&self, now: i64, all_others: bool) -> Result<u64> {
        let lapsed_before = if all_others { i64::MAX } else { now };
        let open: Vec<Abandoned> = sqlx::query_as(
            "SELECT id, job_id, trigger_kind, due_at, started_at FROM job_runs
             WHERE outcome IS NULL AND lease_until < $1 AND server <> $2 ORDER BY id",
        )
        .bind(lapsed_before)
        .bind(&self.server)
        .fetch_all(self.db.reader())
        .await?;
        if open.is_empty() {
            return Ok(0);
        }
        let lock = lock(self.db.dialect());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut lost = 0;
                    for run in open {
                        lost += u64::from(mark_lost(tx, lock, &run, lapsed_before, now).await?);
                    }
                    Ok(lost)
                })
            })
            .await
    }
}

/// Ends the rows of the runs in one statement.
async fn close_runs(tx: &mut AnyConnection, finished: &[Finished]) -> Result<()> {
    let sql = format!(
        "WITH done (id, ended_at, outcome, error, error_line, traceback, log, dropped) AS (VALUES {})
         UPDATE job_runs SET ended_at = done.ended_at, outcome = done.outcome, error = done.error,
             error_line = done.error_line, traceback = done.traceback, log = done.log,
             log_dropped_lines = done.dropped
         FROM done WHERE job_runs.id = done.id AND job_runs.outcome IS NULL",
        placeholders(finished.len(), 8)
    );
    execute(tx, sql, |mut query| {
        for done in finished {
            let problem = done.problem.as_ref();
            query = query
                .bind(done.run.id.clone())
                .bind(done.ended_at)
                .bind(done.outcome.as_str())
                .bind(problem.map(|problem| problem.message.clone()))
                .bind(problem.and_then(|problem| problem.line).map(i64::from))
                .bind(problem.and_then(|problem| problem.traceback.clone()))
                .bind(done.log.clone())
                .bind(done.log_dropped_lines);
        }
        query
    })
    .await?;
    Ok(())
}

/// What nearly every run comes to: it is done, and its job's plan stays as it was made at the claim.
async fn conclude_plain(tx: &mut AnyConnection, finished: &[&Finished]) -> Result<()> {
    if finished.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "WITH done (id, job_id, started_at) AS (VALUES {})
         UPDATE jobs SET running = NULL, attempt = 0, retry_at = NULL, due_at = tick_at, error = NULL,
             error_line = NULL, traceback = NULL, last_run = done.id, last_run_at = done.started_at,
             last_outcome = 'ok'
         FROM done WHERE jobs.id = done.job_id AND jobs.running = done.id",
        placeholders(finished.len(), 3)
    );
    execute(tx, sql, |mut query| {
        for done in finished {
            query = query
                .bind(done.run.id.clone())
                .bind(done.run.job_id.clone())
                .bind(done.run.started_at);
        }
        query
    })
    .await?;
    Ok(())
}

async fn conclude(tx: &mut AnyConnection, lock: &str, done: &Finished) -> Result<()> {
    let Some(mut job) = rows::by_id(tx, &done.run.job_id, lock).await? else {
        return Ok(());
    };
    // Another run, started after this one was taken for lost, decides about the job now.
    if job.running.as_ref() != Some(&done.run.id) {
        return Ok(());
    }
    job.running = None;
    job.last_run = Some(done.run.id.clone());
    job.last_run_at = Some(done.run.started_at);
    job.last_outcome = Some(done.outcome);
    let ran = Ran {
        trigger: done.run.trigger,
        due_at: done.run.due_at,
        started_at: done.run.started_at,
    };
    job.conclude(ran, done.outcome, done.problem.clone(), done.ended_at);
    rows::update(tx, &job).await
}

/// Returns whether it was this server that marked it.
async fn mark_lost(
    tx: &mut AnyConnection,
    lock: &str,
    run: &Abandoned,
    lapsed_before: i64,
    now: i64,
) -> Result<bool> {
    let problem = Problem::new("the server went away while the job ran");
    let done = sqlx::query(
        "UPDATE job_runs SET outcome = 'lost', ended_at = $2, error = $3
         WHERE id = $1 AND outcome IS NULL AND lease_until < $4",
    )
    .bind(&run.id)
    .bind(now)
    .bind(&problem.message)
    .bind(lapsed_before)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    let Some(mut job) = rows::by_id(tx, &run.job_id, lock).await? else {
        return Ok(true);
    };
    if job.running.as_ref() == Some(&run.id) {
        job.running = None;
        job.last_run = Some(run.id.clone());
        job.last_run_at = Some(run.started_at);
        job.last_outcome = Some(Outcome::Lost);
        let trigger = Trigger::from_stored(&run.trigger_kind)?;
        let ran = Ran {
            trigger,
            due_at: run.due_at,
            started_at: run.started_at,
        };
        job.conclude(ran, Outcome::Lost, Some(problem), now);
        rows::update(tx, &job).await?;
    }
    Ok(true)
}
