//! The servers that run on one database. Each keeps a row with its signs of life; one that is silent is told as gone.

mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::Dialect;
use crate::{Code, Core, Error, Result, random};

/// A server that gave no sign of life for this long is gone.
const GONE_AFTER_MS: i64 = 15_000;
/// A scheduler looks for jobs every three seconds; one that did not for this long hangs.
const STUCK_AFTER_MS: i64 = 30_000;
/// A server that is gone is told for a day: somebody may want to know, and not for ever.
const FORGOTTEN_AFTER_MS: i64 = 24 * 3_600_000;

/// This process among the servers on the database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Identity(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: String,
    runs: AtomicBool,
    /// When the scheduler last looked for jobs; 0 for never.
    scheduler_at: AtomicI64,
    /// Runs of jobs in progress.
    jobs: AtomicI64,
}

impl Default for Identity {
    fn default() -> Self {
        Self(Arc::new(Inner {
            id: random::id("srv"),
            runs: AtomicBool::new(false),
            scheduler_at: AtomicI64::new(0),
            jobs: AtomicI64::new(0),
        }))
    }
}

impl Identity {
    /// What this process claims runs of jobs by.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Notes that the scheduler has looked for jobs, and could.
    pub fn scheduler_looked(&self, now: i64) {
        self.0.scheduler_at.store(now, Ordering::Relaxed);
    }

    /// Notes how many runs of jobs are in progress.
    pub fn runs_in_progress(&self, runs: usize) {
        let runs = i64::try_from(runs).unwrap_or(i64::MAX);
        self.0.jobs.store(runs, Ordering::Relaxed);
    }

    /// Whether this process is a server, and not a command.
    pub(super) fn runs(&self) -> bool {
        self.0.runs.load(Ordering::Relaxed)
    }

    fn scheduler_at(&self) -> Option<i64> {
        Some(self.0.scheduler_at.load(Ordering::Relaxed)).filter(|at| *at > 0)
    }
}

/// How a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It works on jobs.
    Running,
    /// It is there, but its scheduler does not look for jobs.
    Stuck,
    /// It gave no sign of life for 15 seconds.
    Gone,
}

/// A server on this database. Times are Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Server {
    pub id: String,
    /// The name of its machine.
    pub name: String,
    /// Where it listens.
    pub address: String,
    pub version: String,
    pub started_at: i64,
    /// Its latest sign of life.
    pub seen_at: i64,
    /// When its scheduler last looked for jobs.
    pub scheduler_at: Option<i64>,
    /// Resident memory of its own process.
    pub memory_bytes: i64,
    /// Runs of jobs in progress.
    pub runs: i64,
    /// Load average of its machine over a minute.
    pub load: f64,
    pub state: State,
    /// Whether it is the one that answers.
    pub this: bool,
}

/// How often a server gives a sign of life. On SQLite it is alone, and whoever asks it sees that it lives: there the row
/// only tells when a server last ran.
pub(super) fn beat_every(dialect: Dialect) -> Duration {
    match dialect {
        Dialect::Sqlite => Duration::from_secs(60),
        Dialect::Postgres => Duration::from_secs(5),
    }
}

/// A sign of life of this process.
pub(super) async fn beat(core: &Core, started_at: i64) -> Result<()> {
    let first = !core.server.0.runs.swap(true, Ordering::Relaxed);
    let server = store::Row {
        id: core.server.id().to_owned(),
        name: host_name(),
        address: address(core),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at,
        seen_at: core.clock.now_ms(),
        scheduler_at: core.server.scheduler_at(),
        memory_bytes: i64::try_from(crate::memory::resident()).unwrap_or(i64::MAX),
        runs: core.server.0.jobs.load(Ordering::Relaxed),
        load: super::machine::load(),
    };
    let before = match (first, core.db.dialect()) {
        (false, _) => store::Before::Nobody,
        // It ran at this address, so it is gone for good.
        (true, Dialect::Postgres) => store::Before::SameAddress,
        // Only one at a time runs on a SQLite file.
        (true, Dialect::Sqlite) => store::Before::Everybody,
    };
    let written = store::beat(&core.db, server, before, FORGOTTEN_AFTER_MS).await;
    if written.is_err() && first {
        core.server.0.runs.store(false, Ordering::Relaxed);
    }
    written
}

/// Takes this process's row away: it stops as it was told to, and nobody is to miss it.
pub(super) async fn leave(core: &Core) -> Result<()> {
    core.server.0.runs.store(false, Ordering::Relaxed);
    store::delete(&core.db, core.server.id().to_owned()).await?;
    Ok(())
}

/// All servers that are known, those that run longest first.
pub(super) async fn list(core: &Core) -> Result<Vec<Server>> {
    let now = core.clock.now_ms();
    let rows = store::list(&core.db).await?;
    Ok(rows.into_iter().map(|row| read(core, row, now)).collect())
}

/// How a server stands among the others when it has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No other ran: the whole has started.
    First,
    /// Others ran on.
    Joined,
    /// Others were there moments ago; whether they live shows when they give a sign of life, or do not.
    Unclear,
}

/// How this server stands, which started at `since`.
///
/// # Errors
/// Those of the database.
pub async fn standing(core: &Core, since: i64) -> Result<Standing> {
    if core.db.dialect() == Dialect::Sqlite {
        return Ok(Standing::First);
    }
    let here = address(core);
    // One that ran at this address is gone: two cannot listen there.
    let mut older = list(core).await?.into_iter().filter(|server| {
        !server.this && server.address != here && server.started_at <= since && server.state != State::Gone
    });
    Ok(match older.next() {
        None => Standing::First,
        Some(one) if one.seen_at > since || older.any(|one| one.seen_at > since) => Standing::Joined,
        Some(_) => Standing::Unclear,
    })
}

fn address(core: &Core) -> String {
    core.config.local_url().replacen("http://", "", 1)
}

/// Forgets a server that is gone.
pub(super) async fn forget(core: &Core, id: &str) -> Result<()> {
    let known = list(core).await?.into_iter().find(|server| server.id == id);
    match known {
        None => Err(Error::new(Code::NotFound, "There is no server of this id.")),
        Some(server) if server.state != State::Gone => {
            let text = format!(
                "The server {} runs. Only one that is gone can be forgotten.",
                server.name
            );
            Err(Error::new(Code::Conflict, text))
        }
        Some(server) => store::delete(&core.db, server.id).await.map(|_| ()),
    }
}

fn read(core: &Core, row: store::Row, now: i64) -> Server {
    let this = row.id == core.server.id() && core.server.runs();
    let seen_at = if this { now } else { row.seen_at };
    let scheduler_at = if this {
        core.server.scheduler_at()
    } else {
        row.scheduler_at
    };
    // Compared with its own latest sign of life, and not with ours: clocks of machines differ.
    let looked = scheduler_at.unwrap_or(row.started_at);
    let state = if now - seen_at > GONE_AFTER_MS {
        State::Gone
    } else if seen_at - looked > STUCK_AFTER_MS {
        State::Stuck
    } else {
        State::Running
    };
    Server {
        id: row.id,
        name: row.name,
        address: row.address,
        version: row.version,
        started_at: row.started_at,
        seen_at,
        scheduler_at,
        memory_bytes: row.memory_bytes,
        runs: if this {
            core.server.0.jobs.load(Ordering::Relaxed)
        } else {
            row.runs
        },
        load: if this { super::machine::load() } else { row.load },
        state,
        this,
    }
}

/// The name of this machine.
pub fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "server".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests;
