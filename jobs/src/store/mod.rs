//! The tables `jobs` and `job_runs`.

mod claim;
mod ledger;
mod notices;
mod overview;
mod record;
mod rows;
mod runs;

use coronet_core::db::{Listing, Signals, SortKey, Value, containing};
use coronet_core::{Code, Db, Error, Page, PartRequest, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::builtin;
use crate::job::Job;
use crate::names::canonical;
use rows::{JOB_COLUMNS, JobRow};

pub(crate) use claim::{Claim, HandClaim};
pub(crate) use notices::Waiting;
pub(crate) use record::Rescued;
pub(crate) use runs::{RunFilter, RunRow};

/// Where servers tell each other of jobs: that a plan has changed, or that a run is to be ended.
const CHANNEL: &str = "coronet_jobs";
const PLAN: &str = "plan";
pub(crate) const CANCEL: &str = "cancel";

/// As an index has it, which wants a number of every job.
const DUE_OR_NEVER: &str = "COALESCE(due_at, 9223372036854775807)";
const NEXT_DUE: &str = "SELECT due_at FROM jobs WHERE due_at IS NOT NULL
    ORDER BY COALESCE(due_at, 9223372036854775807), id LIMIT 1";

/// Which jobs are wanted.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobFilter {
    /// Only jobs with this text in their name or path.
    #[serde(default)]
    pub search: Option<String>,
    /// Only jobs with this code.
    #[serde(default)]
    pub path: Option<String>,
    #[serde(default)]
    pub active: Option<bool>,
    /// Only jobs that something went wrong with last.
    #[serde(default)]
    pub failed: Option<bool>,
    /// Only jobs that run now.
    #[serde(default)]
    pub running: Option<bool>,
    /// Only what comes with Coronet. Else that is left out, unless jobs that run, that failed or with a code are asked for.
    #[serde(default)]
    pub builtin: Option<bool>,
}

const LIST: Listing<JobRow> = Listing {
    rows: rows::SELECT,
    ids: "SELECT id FROM jobs",
    id: "id",
    prefix: "job",
    id_of: |row| &row.id,
    sorts: &[
        SortKey {
            name: "name",
            sql: "name",
            of: Value::Text(|row| row.name.clone()),
        },
        SortKey {
            name: "last_run",
            sql: "COALESCE(last_run_at, 0)",
            of: Value::Number(|row| row.last_run_at.unwrap_or(0)),
        },
        SortKey {
            name: "next_run",
            sql: DUE_OR_NEVER,
            of: Value::Number(JobRow::next_run),
        },
        SortKey {
            name: "created",
            sql: "created_at",
            of: Value::Number(|row| row.created_at),
        },
    ],
    default: "name",
};

/// What the Jobs Service keeps in the administration database.
#[derive(Clone)]
pub(crate) struct Store {
    db: Db,
    /// The server that runs are claimed for.
    server: String,
    /// The name of its machine.
    host: Option<String>,
}

impl Store {
    pub fn new(db: Db, server: String) -> Self {
        let host = Some(coronet_core::server::host_name()).filter(|name| !name.is_empty());
        Self { db, server, host }
    }

    pub async fn insert(&self, job: Job) -> Result<()> {
        let dialect = self.db.dialect();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    rows::insert(tx, &job).await?;
                    Db::signal(tx, dialect, CHANNEL, PLAN).await
                })
            })
            .await
    }

    /// Runs a statement as it is: a test makes rows with it that no version of ours writes.
    #[cfg(test)]
    pub async fn alter(&self, statement: &'static str) -> Result<()> {
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(statement).execute(tx).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Words of other servers about jobs. `None` where there are none.
    pub async fn listen(&self) -> Result<Option<Signals>> {
        self.db.listen(CHANNEL).await
    }

    pub async fn get(&self, name: &str) -> Result<Job> {
        let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE name = $1");
        let row: Option<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(canonical(name))
            .fetch_optional(self.db.reader())
            .await?;
        Ok(row.ok_or_else(|| no_job(name))?.into_job())
    }

    pub async fn has(&self, id: &str) -> Result<bool> {
        let found: Option<i64> = sqlx::query_scalar("SELECT created_at FROM jobs WHERE id = $1")
            .bind(id)
            .fetch_optional(self.db.reader())
            .await?;
        Ok(found.is_some())
    }

    /// All jobs but the one that comes with the service.
    pub async fn list(&self) -> Result<Vec<Job>> {
        let sql = format!("SELECT {JOB_COLUMNS} FROM jobs WHERE id <> $1 ORDER BY name");
        let rows: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(builtin::ID)
            .fetch_all(self.db.reader())
            .await?;
        Ok(rows.into_iter().map(JobRow::into_job).collect())
    }

    /// A page of the jobs that fit.
    pub async fn list_some(
        &self,
        filter: &JobFilter,
        sort: Option<&str>,
        part: &PartRequest,
    ) -> Result<Page<Job>> {
        let pattern = filter
            .search
            .as_deref()
            .filter(|text| !text.is_empty())
            .map(containing)
            .transpose()?;
        // What is wrong, going on or run by a code is shown, whoever's job it is.
        let whoever = filter.failed == Some(true) || filter.running == Some(true) || filter.path.is_some();
        let (ours, theirs) = match filter.builtin {
            Some(true) => (Some(builtin::ID), None),
            _ => (None, Some(builtin::ID).filter(|_| !whoever)),
        };
        let chosen = LIST
            .select()
            .filter_some("id = ?", ours)
            .filter_some("id <> ?", theirs)
            .filter_some("search LIKE ? ESCAPE '!'", pattern)
            .filter_some("path = ?", filter.path.clone())
            .filter_some("active = ?", filter.active)
            .filter_if(filter.failed == Some(true), "error IS NOT NULL")
            .filter_if(filter.running == Some(true), "running IS NOT NULL");
        let rows = LIST.read(&self.db, chosen, sort, part).await?;
        rows.try_map(|row: JobRow| Ok(row.into_job()))
    }

    /// Changes a job in one transaction with reading it. Returns it before and after.
    pub async fn change<F>(&self, name: &str, change: F) -> Result<(Job, Job)>
    where
        F: FnOnce(&mut Job) -> Result<()> + Send + 'static,
    {
        let name = canonical(name);
        let dialect = self.db.dialect();
        let lock = claim::lock(dialect);
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let mut job = rows::by_name(tx, &name, lock)
                        .await?
                        .ok_or_else(|| no_job(&name))?;
                    let before = job.clone();
                    change(&mut job)?;
                    rows::update(tx, &job).await?;
                    Db::signal(tx, dialect, CHANNEL, PLAN).await?;
                    Ok((before, job))
                })
            })
            .await
    }

    /// Changes every active job that fits and for which `change` says so. `fits` is SQL, so that a hundred thousand jobs need
    /// not be read for the few that are meant. Returns how many were changed.
    pub async fn change_all<F>(&self, fits: &'static str, mut change: F) -> Result<u64>
    where
        F: FnMut(&mut Job) -> bool + Send + 'static,
    {
        let sql = format!(
            "SELECT {JOB_COLUMNS} FROM jobs WHERE active = 1 AND ({fits}) ORDER BY id{}",
            claim::lock(self.db.dialect())
        );
        let dialect = self.db.dialect();
        self.db
            .write(move |tx| {
                Box::pin(async move {
                    let rows: Vec<JobRow> = sqlx::query_as(sqlx::AssertSqlSafe(sql))
                        .fetch_all(&mut *tx)
                        .await?;
                    let mut changed = 0;
                    for row in rows {
                        let mut job = row.into_job();
                        if change(&mut job) {
                            rows::write_state(tx, &job).await?;
                            changed += 1;
                        }
                    }
                    if changed > 0 {
                        Db::signal(tx, dialect, CHANNEL, PLAN).await?;
                    }
                    Ok(changed)
                })
            })
            .await
    }

    /// Gives jobs from before names had one form that form, with a number where the name is taken. Returns the new names.
    pub async fn canonicalize_names(&self) -> Result<Vec<String>> {
        self.db
            .write(|tx| {
                Box::pin(async move {
                    // Names of ASCII alone have one form.
                    let sql =
                        "SELECT id, name FROM jobs WHERE octet_length(name) <> length(name) ORDER BY id";
                    let names: Vec<(String, String)> = sqlx::query_as(sql).fetch_all(&mut *tx).await?;
                    let mut renamed = Vec::new();
                    for (id, name) in names.into_iter().filter(|(_, name)| canonical(name) != *name) {
                        let name = free_name(tx, &canonical(&name)).await?;
                        sqlx::query("UPDATE jobs SET name = $2 WHERE id = $1")
                            .bind(id)
                            .bind(&name)
                            .execute(&mut *tx)
                            .await?;
                        renamed.push(name);
                    }
                    Ok(renamed)
                })
            })
            .await
    }

    pub async fn delete(&self, name: &str) -> Result<()> {
        let name = canonical(name);
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
        let due = sqlx::query_scalar(NEXT_DUE);
        Ok(due.fetch_optional(self.db.reader()).await?)
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

/// The name, with a number behind it when there is a job of that name.
async fn free_name(tx: &mut sqlx::AnyConnection, name: &str) -> Result<String> {
    let mut free = name.to_owned();
    for number in 2.. {
        if rows::by_name(tx, &free, "").await?.is_none() {
            break;
        }
        free = format!("{name} {number}");
    }
    Ok(free)
}

fn no_job(name: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no job named \"{name}\"."))
}
