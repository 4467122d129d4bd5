//! What the jobs are up to, in few rows: what failed, what is late, what comes next, what ran last.

use coronet_core::Result;

use super::rows::{JOB_COLUMNS, JobRow};
use super::runs::LATEST;
use super::{DUE_OR_NEVER, RunRow, Store};
use crate::builtin;
use crate::job::Job;

impl Store {
    /// How many jobs there are beside what comes with the service, and how many of them are active.
    pub async fn count(&self) -> Result<(i64, i64)> {
        let sql = "SELECT COUNT(*), COALESCE(CAST(SUM(active) AS BIGINT), 0) FROM jobs WHERE id <> $1";
        let counts = sqlx::query_as(sql).bind(builtin::ID);
        Ok(counts.fetch_one(self.db.reader()).await?)
    }

    /// Jobs whose last run went wrong, the latest first.
    pub async fn failing(&self, most: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE error IS NOT NULL ORDER BY last_run_at DESC, name LIMIT $1"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(most)
                .fetch_all(self.db.reader())
                .await?,
        )
    }

    /// Jobs that were due by `time` and were not started, the latest first.
    pub async fn late(&self, time: i64, most: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs
             WHERE {DUE_OR_NEVER} <= $1 AND active = 1 AND running IS NULL ORDER BY {DUE_OR_NEVER}, id LIMIT $2"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(time)
                .bind(most)
                .fetch_all(self.db.reader())
                .await?,
        )
    }

    /// Jobs that had no success for too long, the latest first.
    pub async fn overdue(&self, most: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE overdue_since IS NOT NULL ORDER BY overdue_since DESC, name LIMIT $1"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(most)
                .fetch_all(self.db.reader())
                .await?,
        )
    }

    /// Active jobs in the order in which they are due, without what comes with the service.
    pub async fn next(&self, most: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE due_at IS NOT NULL AND active = 1 AND id <> $2
             ORDER BY {DUE_OR_NEVER}, id LIMIT $1"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(most)
                .bind(builtin::ID)
                .fetch_all(self.db.reader())
                .await?,
        )
    }

    /// What the jobs did from `since` on, in slots of so many milliseconds: of those jobs that failed or skipped most, and
    /// then of the busiest. A number of each slot: its place, runs, failures, ticks that were skipped.
    pub async fn activity(&self, since: i64, slot_ms: i64, most: i64) -> Result<Vec<(String, [i64; 4])>> {
        let rows: Vec<(String, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT jobs.name, slots.slot, slots.runs, slots.failed, slots.skipped
             FROM (SELECT job_id, (started_at - $1) / $2 AS slot,
                       CAST(SUM(CASE WHEN outcome = 'skipped' THEN 0 ELSE 1 END) AS BIGINT) AS runs,
                       CAST(SUM(CASE WHEN outcome IN ('error', 'timeout', 'lost') THEN 1 ELSE 0 END) AS BIGINT) AS failed,
                       CAST(SUM(CASE WHEN outcome = 'skipped' THEN ticks ELSE 0 END) AS BIGINT) AS skipped
                   FROM job_runs WHERE started_at >= $1 GROUP BY job_id, slot) AS slots
             JOIN (SELECT job_id,
                       SUM(CASE WHEN outcome IN ('error', 'timeout', 'lost', 'skipped') THEN 1 ELSE 0 END) AS wrong,
                       COUNT(*) AS runs
                   FROM job_runs WHERE started_at >= $1 GROUP BY job_id
                   ORDER BY wrong DESC, runs DESC, job_id LIMIT $3) AS chosen ON chosen.job_id = slots.job_id
             JOIN jobs ON jobs.id = slots.job_id
             ORDER BY chosen.wrong DESC, chosen.runs DESC, slots.job_id, slots.slot",
        )
        .bind(since)
        .bind(slot_ms)
        .bind(most)
        .fetch_all(self.db.reader())
        .await?;
        let slots = rows
            .into_iter()
            .map(|(job, slot, runs, failed, skipped)| (job, [slot, runs, failed, skipped]));
        Ok(slots.collect())
    }

    /// The latest runs of all jobs, without their logs.
    pub async fn latest_runs(&self, most: i64) -> Result<Vec<RunRow>> {
        // Ids sort by time.
        let sql = format!("{LATEST} ORDER BY job_runs.id DESC");
        let rows = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(most)
            .fetch_all(self.db.reader())
            .await?;
        Ok(rows)
    }
}

fn jobs(rows: Vec<JobRow>) -> Result<Vec<Job>> {
    Ok(rows.into_iter().map(JobRow::into_job).collect())
}
