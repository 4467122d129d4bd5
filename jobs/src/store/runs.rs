//! Runs as history: listing, the log, leases, and what is swept away.

use std::collections::HashMap;

use coronet_core::db::{Listing, SortKey, Value};
use coronet_core::{Code, Db, Error, Page, PartRequest, Result};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use sqlx::AnyConnection;

use super::rows::problem;
use super::{CANCEL, CHANNEL, Store};
use crate::job::{Outcome, Problem, Reason, Told, Trigger};
use crate::view::{GoodRun, Progress, SkippedTicks};

/// Deleted in one write: others wait for it.
const BATCH: i64 = 500;

/// Which runs are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunFilter {
    /// Only of the job with this name.
    #[serde(default)]
    pub job: Option<String>,
    /// How they ended: one of the outcomes; or `running`; `failed` for all of error, timeout and lost; or `late`
    /// for more than a minute.
    #[serde(default)]
    pub outcome: Option<String>,
    /// Only runs that started at this time or later, Unix milliseconds.
    #[serde(default)]
    pub since: Option<i64>,
    /// Only runs that started before this time.
    #[serde(default)]
    pub until: Option<i64>,
}

/// Started more than a minute after its tick.
const LATE: &str = "outcome <> 'skipped' AND started_at - job_runs.due_at > 60000";

fn no_outcome() -> Error {
    let text = "`outcome` must be ok, sleep, stop, exit, error, timeout, cancelled, lost, skipped, running, failed or late.";
    Error::new(Code::ParameterInvalid, text).with_details(json!({ "parameter": "filter.outcome" }))
}

/// A run as it is shown.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct RunRow {
    pub id: String,
    pub job: String,
    pub trigger_kind: String,
    pub attempt: i64,
    pub due_at: i64,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    outcome: Option<String>,
    pub server: String,
    pub host: Option<String>,
    error: Option<String>,
    error_line: Option<i64>,
    traceback: Option<String>,
    pub log: String,
    pub log_dropped_lines: i64,
    ticks: i64,
    last_due_at: Option<i64>,
    reason: Option<String>,
    pub revision: Option<i64>,
    progress_done: Option<i64>,
    progress_total: Option<i64>,
}

impl RunRow {
    pub fn trigger(&self) -> Result<Trigger> {
        Trigger::from_stored(&self.trigger_kind)
    }

    pub fn outcome(&self) -> Result<Option<Outcome>> {
        self.outcome.as_deref().map(Outcome::from_stored).transpose()
    }

    pub fn skipped(&self) -> Result<Option<SkippedTicks>> {
        let Some(reason) = self.reason.as_deref() else {
            return Ok(None);
        };
        Ok(Some(SkippedTicks {
            ticks: self.ticks,
            last_due_at: self.last_due_at,
            reason: Reason::from_stored(reason)?,
        }))
    }

    pub fn progress(&self) -> Option<Progress> {
        let (done, total) = self.progress_done.zip(self.progress_total)?;
        Some(Progress { done, total })
    }

    pub fn problem(&self) -> Option<Problem> {
        problem(self.error.clone(), self.error_line, self.traceback.clone())
    }
}

/// What is shown of runs, `$log` in place of the log.
macro_rules! select {
    ($log:literal, $from:literal) => {
        concat!(
            "SELECT job_runs.id AS id, jobs.name AS job, trigger_kind, job_runs.attempt AS attempt,
                 job_runs.due_at AS due_at, started_at, ended_at, outcome, server, host, job_runs.error AS error,
                 job_runs.error_line AS error_line, job_runs.traceback AS traceback, ",
            $log,
            " AS log, log_dropped_lines, ticks, last_due_at, reason, revision, progress_done, progress_total FROM ",
            $from,
            " JOIN jobs ON jobs.id = job_runs.job_id"
        )
    };
}

pub(super) const LATEST: &str = select!(
    "''",
    "(SELECT * FROM job_runs ORDER BY id DESC LIMIT $1) AS job_runs"
);

const LIST: Listing<RunRow> = Listing {
    rows: select!("''", "job_runs"),
    ids: "SELECT job_runs.id FROM job_runs",
    id: "job_runs.id",
    prefix: "run",
    id_of: |row| &row.id,
    sorts: &[
        SortKey {
            name: "started",
            sql: "started_at",
            of: Value::Number(|row| row.started_at),
        },
        SortKey {
            name: "duration",
            // A run that goes on has no duration yet, and comes first.
            sql: "COALESCE(ended_at - started_at, -1)",
            of: Value::Number(|row| row.ended_at.map_or(-1, |ended| ended - row.started_at)),
        },
        SortKey {
            name: "late",
            sql: "(started_at - job_runs.due_at)",
            of: Value::Number(|row| row.started_at - row.due_at),
        },
    ],
    default: "-started",
};

impl Store {
    /// The runs of all jobs that fit, without their logs.
    pub async fn list_runs(
        &self,
        filter: &RunFilter,
        sort: Option<&str>,
        part: &PartRequest,
    ) -> Result<Page<RunRow>> {
        let job = match &filter.job {
            Some(name) => Some(self.get(name).await?.id),
            None => None,
        };
        let (all, one) = match filter.outcome.as_deref() {
            None => ("", None),
            Some("running") => ("outcome IS NULL", None),
            Some("failed") => ("outcome IN ('error', 'timeout', 'lost')", None),
            Some("late") => (LATE, None),
            Some(outcome) => (
                "",
                Some(Outcome::from_stored(outcome).map_err(|_| no_outcome())?.as_str()),
            ),
        };
        let chosen = LIST
            .select()
            .filter_some("job_id = ?", job)
            .filter_if(!all.is_empty(), all)
            .filter_some("outcome = ?", one)
            .filter_some("started_at >= ?", filter.since)
            .filter_some("started_at < ?", filter.until);
        LIST.read(&self.db, chosen, sort, part).await
    }

    /// A job's runs, newest first, without their logs; and how many there are.
    pub async fn runs(&self, name: &str, limit: i64, offset: i64) -> Result<(Vec<RunRow>, i64)> {
        let job = self.get(name).await?;
        let rows = sqlx::query_as(concat!(
            select!("''", "job_runs"),
            " WHERE job_id = $1 ORDER BY job_runs.id DESC LIMIT $2 OFFSET $3"
        ))
        .bind(&job.id)
        .bind(limit)
        .bind(offset)
        .fetch_all(self.db.reader())
        .await?;
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM job_runs WHERE job_id = $1")
            .bind(&job.id)
            .fetch_one(self.db.reader())
            .await?;
        Ok((rows, count))
    }

    /// One run with its log.
    pub async fn run(&self, id: &str) -> Result<RunRow> {
        let row = sqlx::query_as(concat!(select!("log", "job_runs"), " WHERE job_runs.id = $1"))
            .bind(id)
            .fetch_optional(self.db.reader())
            .await?;
        row.ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("There is no run \"{id}\". Old runs are removed after a while."),
            )
        })
    }

    /// The latest run of the same job before this one that succeeded.
    pub async fn last_good(&self, id: &str) -> Result<Option<GoodRun>> {
        let good: Option<(String, Option<i64>, i64)> = sqlx::query_as(
            "SELECT id, revision, started_at FROM job_runs
             WHERE job_id = (SELECT job_id FROM job_runs WHERE id = $1) AND id < $1
                 AND outcome IN ('ok', 'sleep', 'stop', 'exit')
             ORDER BY id DESC LIMIT 1",
        )
        .bind(id)
        .fetch_optional(self.db.reader())
        .await?;
        Ok(good.map(|(id, revision, started_at)| GoodRun {
            id,
            revision,
            started_at,
        }))
    }

    /// Extends the leases of this server's runs. Returns those that are still its own, each with whether somebody asked
    /// to cancel it.
    pub async fn heartbeat(&self, lease_until: i64) -> Result<HashMap<String, bool>> {
        let server = self.server.clone();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let extended: Vec<(String, i64)> = sqlx::query_as(
                        "UPDATE job_runs SET lease_until = $1 WHERE server = $2 AND outcome IS NULL
                         RETURNING id, cancel_requested",
                    )
                    .bind(lease_until)
                    .bind(&server)
                    .fetch_all(tx)
                    .await?;
                    Ok(extended
                        .into_iter()
                        .map(|(id, cancel)| (id, cancel != 0))
                        .collect())
                })
            })
            .await
    }

    /// Keeps what runs in progress have said so far: it is not lost with the server, and others can read it.
    pub async fn keep_told(&self, runs: Vec<(String, Told)>) -> Result<()> {
        if runs.is_empty() {
            return Ok(());
        }
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    for (id, told) in runs {
                        let sql = "UPDATE job_runs SET log = $2, log_dropped_lines = $3, revision = $4,
                                 progress_done = $5, progress_total = $6 WHERE id = $1 AND outcome IS NULL";
                        sqlx::query(sql)
                            .bind(id)
                            .bind(told.log)
                            .bind(told.log_dropped_lines)
                            .bind(told.revision)
                            .bind(told.progress.map(|(done, _)| done))
                            .bind(told.progress.map(|(_, total)| total))
                            .execute(&mut *tx)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Leaves word for the server of a run to cancel it. Returns whether the run was still open.
    pub async fn request_cancel(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        let dialect = self.db.dialect();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE job_runs SET cancel_requested = 1 WHERE id = $1 AND outcome IS NULL";
                    let done = sqlx::query(sql).bind(&id).execute(&mut *tx).await?;
                    Db::signal(tx, dialect, CHANNEL, CANCEL).await?;
                    Ok(done.rows_affected() > 0)
                })
            })
            .await
    }

    /// Removes all but the newest `keep` runs of each job. Returns how many.
    pub async fn sweep_by_count(&self, keep: i64) -> Result<u64> {
        let sql = "SELECT job_id FROM job_runs GROUP BY job_id HAVING COUNT(*) > $1";
        let jobs = sqlx::query_scalar(sql).bind(keep).fetch_all(self.db.reader());
        self.sweep_jobs(jobs.await?, keep).await
    }

    /// Removes all but the newest `keep` runs of each of the jobs, a little at a time. Returns how many.
    pub async fn sweep_jobs(&self, job_ids: Vec<String>, keep: i64) -> Result<u64> {
        let (mut left, mut all) = (job_ids, 0);
        while !left.is_empty() {
            let jobs = left;
            let (rest, removed) = self
                .db
                .write(move |tx| Box::pin(sweep_some(tx, jobs, keep)))
                .await?;
            left = rest;
            all += removed;
        }
        Ok(all)
    }

    /// Removes the runs that ended before `time`, a little at a time.
    pub async fn sweep_by_age(&self, time: i64) -> Result<u64> {
        let mut all = 0;
        loop {
            let some = self.db.write(move |tx| Box::pin(sweep_old(tx, time))).await?;
            all += some;
            if some < BATCH.unsigned_abs() {
                return Ok(all);
            }
        }
    }
}

/// Removes runs beyond the newest `keep` of the jobs. Gives the jobs that may have more of them, and how many are gone.
async fn sweep_some(tx: &mut AnyConnection, mut jobs: Vec<String>, keep: i64) -> Result<(Vec<String>, u64)> {
    let (mut room, mut removed) = (BATCH, 0);
    while let Some(job) = jobs.last() {
        let done = sqlx::query(
            "DELETE FROM job_runs WHERE id IN
                 (SELECT id FROM job_runs WHERE job_id = $1 AND outcome IS NOT NULL AND id <=
                      (SELECT id FROM job_runs WHERE job_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)
                  ORDER BY id LIMIT $3)",
        )
        .bind(job)
        .bind(keep)
        .bind(room)
        .execute(&mut *tx)
        .await?;
        removed += done.rows_affected();
        room -= i64::try_from(done.rows_affected()).unwrap_or(BATCH);
        if room <= 0 {
            break;
        }
        jobs.pop();
    }
    Ok((jobs, removed))
}

/// Removes runs that ended before `time`. They started before it too, by which an index finds them.
async fn sweep_old(tx: &mut AnyConnection, time: i64) -> Result<u64> {
    let done = sqlx::query(
        "DELETE FROM job_runs WHERE id IN
             (SELECT id FROM job_runs WHERE started_at < $1 AND ended_at < $1 ORDER BY started_at, id LIMIT $2)",
    )
    .bind(time)
    .bind(BATCH)
    .execute(tx)
    .await?;
    Ok(done.rows_affected())
}
