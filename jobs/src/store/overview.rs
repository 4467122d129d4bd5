//! What the jobs are up to, in few rows: what failed, what is late, what comes next, what ran last.

use coronet_core::Result;

use super::rows::{JOB_COLUMNS, JobRow};
use super::runs::LATEST;
use super::{RunRow, Store};
use crate::job::Job;

impl Store {
    /// How many jobs there are, and how many of them are active.
    pub async fn count(&self) -> Result<(i64, i64)> {
        let counts = sqlx::query_as("SELECT COUNT(*), COALESCE(CAST(SUM(active) AS BIGINT), 0) FROM jobs");
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
             WHERE COALESCE(due_at, 9223372036854775807) <= $1 AND active = 1 AND running IS NULL
             ORDER BY COALESCE(due_at, 9223372036854775807), id LIMIT $2"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(time)
                .bind(most)
                .fetch_all(self.db.reader())
                .await?,
        )
    }

    /// Active jobs in the order in which they are due.
    pub async fn next(&self, most: i64) -> Result<Vec<Job>> {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE due_at IS NOT NULL AND active = 1
             ORDER BY COALESCE(due_at, 9223372036854775807), id LIMIT $1"
        );
        jobs(
            sqlx::query_as(sqlx::AssertSqlSafe(sql))
                .bind(most)
                .fetch_all(self.db.reader())
                .await?,
        )
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
    rows.into_iter().map(JobRow::into_job).collect()
}
