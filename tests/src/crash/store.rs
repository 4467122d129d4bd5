//! What the servers have written, looked at past them.

use std::collections::HashMap;

use sqlx::AnyConnection;

/// A run; or, with the outcome `skipped`, ticks that had none.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(super) struct Run {
    pub id: String,
    pub trigger_kind: String,
    pub due_at: i64,
    pub last_due_at: Option<i64>,
    pub ticks: i64,
    pub reason: Option<String>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub outcome: Option<String>,
    pub error: Option<String>,
    pub server: String,
}

/// The database that the servers share.
pub(super) struct Database(AnyConnection);

impl Database {
    pub(super) async fn at(url: &str) -> Self {
        Self(crate::store::connect(url).await)
    }

    /// What the latest server calls itself that listens on this port.
    pub(super) async fn server_at(&mut self, port: u16) -> Option<String> {
        sqlx::query_scalar("SELECT id FROM servers WHERE address LIKE $1 ORDER BY started_at DESC LIMIT 1")
            .bind(format!("%:{port}"))
            .fetch_optional(&mut self.0)
            .await
            .expect("the servers")
    }

    /// The servers that runs in progress belong to.
    pub(super) async fn at_work(&mut self) -> Vec<String> {
        sqlx::query_scalar("SELECT server FROM job_runs WHERE outcome IS NULL")
            .fetch_all(&mut self.0)
            .await
            .expect("the runs")
    }

    /// Jobs that have not run since `time`, beside the hourly one that comes with Coronet.
    pub(super) async fn silent_since(&mut self, time: i64) -> Vec<String> {
        sqlx::query_scalar(
            "SELECT name FROM jobs WHERE id <> 'job_history_cleanup' AND NOT EXISTS
                 (SELECT 1 FROM job_runs WHERE job_id = jobs.id AND outcome = 'ok' AND started_at > $1)",
        )
        .bind(time)
        .fetch_all(&mut self.0)
        .await
        .expect("the jobs")
    }

    /// The history of a job, in the order in which it was written.
    pub(super) async fn runs_of(&mut self, job: &str) -> Vec<Run> {
        sqlx::query_as(
            "SELECT id, trigger_kind, due_at, last_due_at, ticks, reason, started_at, ended_at, outcome, error, server
             FROM job_runs
             WHERE job_id = (SELECT id FROM jobs WHERE name = $1) ORDER BY started_at, id",
        )
        .bind(job.to_owned())
        .fetch_all(&mut self.0)
        .await
        .expect("the runs")
    }

    /// How often each run did what it is there for, by the run's id.
    pub(super) async fn ledger(&mut self) -> HashMap<String, i64> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT caller_id, COUNT(*) FROM audit WHERE caller_kind = 'job' GROUP BY caller_id",
        )
        .fetch_all(&mut self.0)
        .await
        .expect("the audit log");
        rows.into_iter().collect()
    }
}
