//! Backups of the SQLite database: whole copies, made while the server works, every day or when somebody asks.
//!
//! A backup holds what the database holds: password hashes, and secrets sealed with `secret.key`, which is not in it. Each is
//! read back before it counts. What went wrong is kept until the next one succeeds, and shown where health is.

mod files;
mod functions;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use crate::db::{Dialect, check_copy};
use crate::settings::TimeOfDay;
use crate::{Code, Core, Error, Result};

pub use files::Backup;
use files::Folder;

const STATE: &str = "backups";
/// How often it is looked whether one is due.
const LOOK: Duration = Duration::from_secs(15);
/// One that failed is tried again after an hour.
const AGAIN_MS: i64 = 3_600_000;

/// Makes and keeps backups.
pub struct Backups {
    core: Core,
    folder: Folder,
    turn: tokio::sync::Mutex<()>,
    under_way: Mutex<Option<UnderWay>>,
}

/// A backup that is being made.
#[derive(Debug, Clone)]
struct UnderWay {
    started_at: i64,
    draft: std::path::PathBuf,
    of_bytes: u64,
}

/// What became of the latest backup.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Latest {
    /// Unix milliseconds.
    pub at: i64,
    /// Its name, when it succeeded.
    pub name: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What is remembered from one day to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct State {
    /// The latest daily backup that is done with, or was not to be made.
    daily_until: i64,
    latest: Option<Latest>,
}

/// Adds `backups.*`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Backups>> {
    let backups = Arc::new(Backups {
        folder: Folder::of(&core.config.home),
        core: core.clone(),
        turn: tokio::sync::Mutex::default(),
        under_way: Mutex::default(),
    });
    core.functions.add("core", functions::all(&backups))?;
    Ok(backups)
}

impl Backups {
    /// Makes the daily backups until the server stops.
    pub async fn run(self: Arc<Self>) {
        if !self.is_supported() {
            return;
        }
        self.forget_drafts().await;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.core.shutdown.triggered() => return,
                _ = look.tick() => {}
            }
            if let Err(error) = self.make_if_due().await {
                tracing::error!(%error, "the daily backup failed");
            }
        }
    }

    /// Makes the daily backup when its time has come, and gives whether it had.
    async fn make_if_due(self: &Arc<Self>) -> Result<bool> {
        let settings = self.core.settings.now();
        let Some(time) = TimeOfDay::parse(&settings.backups.time).filter(|_| settings.backups.daily) else {
            return Ok(false);
        };
        let now = self.core.clock.now_ms();
        let due = time.latest(now);
        let Some(state) = self.state().await? else {
            // A server's first day: there was nothing to copy before it.
            self.remember(State {
                daily_until: due,
                latest: None,
            })
            .await?;
            return Ok(false);
        };
        let again = |latest: &Latest| latest.error.is_some() && now - latest.at >= AGAIN_MS;
        if state.daily_until >= due && !state.latest.as_ref().is_some_and(again) {
            return Ok(false);
        }
        match self.make(Some(due)).await {
            Ok(_) => Ok(true),
            // Somebody's own is being made. This one is made after it.
            Err(error) if error.code() == Code::Conflict => Ok(false),
            Err(_) if self.core.shutdown.is_triggered() => {
                tracing::info!("the daily backup was interrupted; it is made after the next start");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// What a server that stopped left half done.
    async fn forget_drafts(&self) {
        let folder = self.folder.clone();
        if let Err(error) = blocking(move || folder.forget_drafts()).await {
            tracing::warn!(%error, "a backup that was not finished could not be removed");
        }
    }

    /// Makes a backup; `daily` is the time of a daily one, which is done with afterwards, and not before: one that a stop
    /// interrupts is made after the next start.
    ///
    /// # Errors
    /// `Conflict` while another is being made; `Unprocessable` on PostgreSQL; `Io` with what to do; `Unavailable` when the
    /// server stops.
    async fn make(&self, daily: Option<i64>) -> Result<Backup> {
        if !self.is_supported() {
            return Err(Error::new(Code::Unprocessable, functions::POSTGRES));
        }
        let Ok(_turn) = self.turn.try_lock() else {
            return Err(Error::new(
                Code::Conflict,
                "A backup is being made already. Wait until it is done.",
            ));
        };
        let at = self.core.clock.now_ms();
        let made = self.copy(at).await;
        *self.lock() = None;
        if made.is_err() && self.core.shutdown.is_triggered() {
            return made;
        }
        let latest = Latest {
            at,
            name: made.as_ref().ok().map(|backup| backup.name.clone()),
            error: made.as_ref().err().map(|error| error.message().to_owned()),
        };
        let mut state = self.state().await?.unwrap_or(State {
            daily_until: at,
            latest: None,
        });
        state.latest = Some(latest);
        state.daily_until = daily.unwrap_or(state.daily_until);
        self.remember(state).await?;
        made
    }

    async fn copy(&self, now: i64) -> Result<Backup> {
        let bytes = self.core.db.size().await?;
        let folder = self.folder.clone();
        let draft = blocking(move || folder.draft(now, bytes)).await?;
        *self.lock() = Some(UnderWay {
            started_at: now,
            draft: draft.clone(),
            of_bytes: bytes,
        });
        let copied = async {
            self.core.db.copy_into(&draft, &self.core.shutdown).await?;
            check_copy(&draft).await
        };
        let (folder, keep) = (self.folder.clone(), self.core.settings.now().backups.keep);
        if let Err(error) = copied.await {
            let _ = tokio::fs::remove_file(&draft).await;
            return Err(error);
        }
        blocking(move || {
            let backup = folder.keep(&draft)?;
            folder.thin_out(usize::try_from(keep).unwrap_or(1))?;
            Ok(backup)
        })
        .await
    }

    fn is_supported(&self) -> bool {
        self.core.db.dialect() == Dialect::Sqlite
    }

    async fn state(&self) -> Result<Option<State>> {
        self.core.settings.get(STATE).await
    }

    async fn remember(&self, state: State) -> Result<()> {
        self.core.settings.put(STATE, &state).await
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Work on files, off the threads that serve requests.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::unexpected)?
}

#[cfg(test)]
mod tests;
