//! The table `job_notices`: words that wait for delivery. They are written with what they tell of, in one transaction.

use coronet_core::db::{execute, placeholders};
use coronet_core::{Result, random};
use sqlx::AnyConnection;

use super::Store;
use super::claim::lock_free_ones;
use crate::notice::{Notice, Targets};
use crate::watch::Event;

/// A word that is being delivered.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct Waiting {
    pub id: String,
    pub job: String,
    pub channel: String,
    pub target: String,
    pub payload: String,
    pub attempts: i64,
    pub created_at: i64,
}

impl Store {
    /// Takes what is due for delivery; it is due again at `again_at`, unless it was delivered.
    pub async fn take_notices(&self, now: i64, again_at: i64, most: i64) -> Result<Vec<Waiting>> {
        let due: Option<i64> = sqlx::query_scalar("SELECT MIN(due_at) FROM job_notices")
            .fetch_one(self.db.reader())
            .await?;
        if due.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        let sql = format!(
            "UPDATE job_notices SET due_at = $1, attempts = attempts + 1 WHERE id IN
                 (SELECT id FROM job_notices WHERE due_at <= $2 ORDER BY due_at LIMIT $3{})
             RETURNING id, job, channel, target, payload, attempts, created_at",
            lock_free_ones(self.db.dialect())
        );
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let taken = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                        .bind(again_at)
                        .bind(now)
                        .bind(most);
                    Ok(taken.fetch_all(tx).await?)
                })
            })
            .await
    }

    /// Delivered, or given up.
    pub async fn remove_notice(&self, id: String) -> Result<()> {
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "DELETE FROM job_notices WHERE id = $1";
                    sqlx::query(sql).bind(id).execute(tx).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Not delivered yet.
    pub async fn put_off_notice(&self, id: String, due_at: i64) -> Result<()> {
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let sql = "UPDATE job_notices SET due_at = $2 WHERE id = $1";
                    sqlx::query(sql).bind(id).bind(due_at).execute(tx).await?;
                    Ok(())
                })
            })
            .await
    }

    /// The jobs that had no success in time and for which no alarm was raised yet.
    pub async fn alarms_due(&self, now: i64) -> Result<Vec<String>> {
        let ids =
            sqlx::query_scalar("SELECT id FROM jobs WHERE overdue_at <= $1 ORDER BY overdue_at LIMIT 100")
                .bind(now)
                .fetch_all(self.db.reader())
                .await?;
        Ok(ids)
    }

    /// Raises the alarm for a job, in a transaction of its own: a job whose alarm cannot be stored keeps no other from being
    /// raised. Returns its name; `None` when another server was quicker, or the job has succeeded.
    pub async fn raise_overdue(&self, id: String, now: i64, targets: Targets) -> Result<Option<String>> {
        let lock = super::claim::lock(self.db.dialect());
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let Some(mut job) = super::rows::by_id(tx, &id, lock).await? else {
                        return Ok(None);
                    };
                    if job.watch.overdue_at.is_none_or(|at| at > now) {
                        return Ok(None);
                    }
                    job.raise_overdue(now);
                    super::rows::write_state(tx, &job).await?;
                    insert(tx, &targets.tell(&job, Event::Overdue, now), now).await?;
                    Ok(Some(job.name))
                })
            })
            .await
    }
}

/// Puts words among those to deliver.
pub(super) async fn insert(tx: &mut AnyConnection, notices: &[Notice], now: i64) -> Result<()> {
    if notices.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO job_notices (id, job, channel, target, payload, attempts, due_at, created_at) VALUES {}",
        placeholders(notices.len(), 8)
    );
    execute(tx, sql, |mut query| {
        for notice in notices {
            query = query
                .bind(random::id("ntc"))
                .bind(notice.job.clone())
                .bind(notice.channel.as_str())
                .bind(notice.target.clone())
                .bind(notice.payload.to_string())
                .bind(0_i64)
                .bind(now)
                .bind(now);
        }
        query
    })
    .await?;
    Ok(())
}
