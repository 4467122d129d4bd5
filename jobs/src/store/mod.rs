//! The tables `jobs` and `job_runs`.

mod claim;
mod overview;
mod record;
mod rows;
mod runs;

use coronet_core::{Code, Db, Error, Result};

use crate::job::Job;
use rows::{JOB_COLUMNS, JobRow};

pub(crate) use claim::{Claim, HandClaim};
pub(crate) use runs::RunRow;

/// What the Jobs Service keeps in the administration database.
#[derive(Clone)]
pub(crate) struct Store {
    db: Db,
    /// The server that runs are claimed for.
    server: String,
}

impl Store {
    pub fn new(db: Db, server: String) -> Self {
        Self { db, server }
    }

    pub async fn insert(&self, job: Job) -> Result<()> {
        self.db
            .write(move |tx| Box::pin(async move { rows::insert(tx, &job).await }))
            .await
    }

    pub async fn get(&self, name: &str) -> Result<Job> {
        let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE name = $1");
        let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(name)
            .fetch_optional(self.db.reader())
            .await?;
        row.ok_or_else(|| no_job(name))?.into_job()
    }

    pub async fn list(&self) -> Result<Vec<Job>> {
        let sql = format!("SELECT {JOB_COLUMNS} FROM jobs ORDER BY name");
        let rows: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(self.db.reader())
            .await?;
        rows.into_iter().map(JobRow::into_job).collect()
    }

    /// Changes a job in one transaction with reading it.
    pub async fn change<F>(&self, name: &str, change: F) -> Result<Job>
    where
        F: FnOnce(&mut Job) -> Result<()> + Send + 'static,
    {
        let name = name.to_owned();
        let lock = claim::lock(self.db.dialect());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut job = rows::by_name(tx, &name, lock)
                        .await?
                        .ok_or_else(|| no_job(&name))?;
                    change(&mut job)?;
                    rows::update(tx, &job).await?;
                    Ok(job)
                })
            })
            .await
    }

    /// Changes every job for which `change` says so. Returns how many were changed.
    pub async fn change_all<F>(&self, mut change: F) -> Result<u64>
    where
        F: FnMut(&mut Job) -> bool + Send + 'static,
    {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE active = 1 ORDER BY id{}",
            claim::lock(self.db.dialect())
        );
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let rows: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                        .fetch_all(&mut *tx)
                        .await?;
                    let mut changed = 0;
                    for row in rows {
                        let mut job = row.into_job()?;
                        if change(&mut job) {
                            rows::update(tx, &job).await?;
                            changed += 1;
                        }
                    }
                    Ok(changed)
                })
            })
            .await
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let done = sqlx::query("DELETE FROM jobs WHERE name = $1")
                        .bind(&name)
                        .execute(&mut *tx)
                        .await?;
                    if done.rows_affected() == 0 {
                        Err(no_job(&name))
                    } else {
                        Ok(())
                    }
                })
            })
            .await
    }

    /// When the next job is due.
    pub async fn next_due(&self) -> Result<Option<i64>> {
        let due = sqlx::query_scalar("SELECT MIN(due_at) FROM jobs WHERE due_at IS NOT NULL");
        Ok(due.fetch_one(self.db.reader()).await?)
    }

    /// Whether a plan was made when the clock showed a later time than now.
    pub async fn armed_after(&self, now: i64) -> Result<bool> {
        let count: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM jobs WHERE due_at IS NOT NULL AND armed_at > $1")
                .bind(now)
                .fetch_one(self.db.reader())
                .await?;
        Ok(count > 0)
    }
}

fn no_job(name: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no job named \"{name}\"."))
}
