//! What operators set while the server runs ([`groups`]), and small values that the server itself keeps in the
//! database, each as JSON under a name.
//!
//! [`Settings::now`] gives everything that is set, without asking the database: it is read when the server starts,
//! after every change here, and within a second of a change by another server on the same database.

mod change;
mod configuration;
pub mod description;
mod functions;
pub mod groups;
mod rules;
mod store;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::watch;

use crate::db::Dialect;
use crate::remembered::Remembered;
use crate::{Clock, Core, Db, Error, Result, Secrets};

pub use groups::All;
pub use rules::TimeOfDay;
use store::Row;

/// How often a change by another server is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Settings {
    db: Db,
    clock: Clock,
    secrets: Secrets,
    known: Arc<Remembered<String, String>>,
    live: Live,
}

/// What is set now, for those who may not wait for a database.
#[derive(Clone)]
pub struct Live(Arc<Inner>);

struct Inner {
    now: RwLock<Arc<All>>,
    /// What the groups' revisions were when `now` was read.
    read_at: Mutex<Vec<(String, i64)>>,
    /// One reads at a time: an older reading must not take the place of a newer one.
    reading: tokio::sync::Mutex<()>,
    changed: watch::Sender<()>,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner {
            now: RwLock::default(),
            read_at: Mutex::default(),
            reading: tokio::sync::Mutex::default(),
            changed: watch::Sender::new(()),
        }))
    }
}

impl Live {
    /// Everything that is set.
    pub fn now(&self) -> Arc<All> {
        Arc::clone(&self.0.now.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads what is set, and adds `settings.*`.
///
/// # Errors
/// When the database cannot be read, or a function's name is taken.
pub async fn start(core: &Core) -> Result<()> {
    core.settings.refresh().await?;
    core.functions.add("core", functions::all(core))
}

impl Settings {
    pub(crate) fn new(db: Db, clock: Clock, secrets: Secrets, live: Live) -> Self {
        Self {
            db,
            clock,
            secrets,
            known: Arc::default(),
            live,
        }
    }

    /// Everything that operators set.
    pub fn now(&self) -> Arc<All> {
        self.live.now()
    }

    /// What is set, for those who are made before anybody can wait.
    #[cfg(test)]
    pub(crate) fn live(&self) -> Live {
        self.live.clone()
    }

    /// Wakes whoever acts by the settings when they change.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.live.0.changed.subscribe()
    }

    /// Reads what is set anew, if it was changed since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn refresh(&self) -> Result<()> {
        let _turn = self.live.0.reading.lock().await;
        let revisions = store::revisions(&self.db).await?;
        let rows = store::all(&self.db).await?;
        let all = self.read(&rows);
        let inner = &self.live.0;
        *inner.read_at.lock().unwrap_or_else(PoisonError::into_inner) = revisions;
        let mut now = inner.now.write().unwrap_or_else(PoisonError::into_inner);
        if **now != all {
            *now = Arc::new(all);
            drop(now);
            inner.changed.send_replace(());
        }
        Ok(())
    }

    /// Sees what other servers change, until the server stops. SQLite has only one server.
    pub async fn follow(self, shutdown: crate::Shutdown) {
        if self.db.dialect() == Dialect::Sqlite {
            return;
        }
        loop {
            tokio::select! {
                () = shutdown.triggered() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            if let Err(error) = self.refresh_if_changed().await {
                tracing::debug!(%error, "it could not be seen whether the settings changed");
            }
        }
    }

    async fn refresh_if_changed(&self) -> Result<()> {
        let revisions = store::revisions(&self.db).await?;
        let known = self
            .live
            .0
            .read_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if revisions == known {
            Ok(())
        } else {
            self.refresh().await
        }
    }

    /// What the rows say, over the defaults. A value that this version does not allow is left out, and told of.
    fn read(&self, rows: &[Row]) -> All {
        let mut all = serde_json::to_value(All::default()).unwrap_or_default();
        for row in rows {
            let Some(value) = self.value(row) else { continue };
            let Some(place) = all
                .get_mut(&row.group_name)
                .and_then(|group| group.get_mut(&row.name))
            else {
                continue;
            };
            let before = std::mem::replace(place, value);
            if let Err(error) = description::fits(&all) {
                tracing::warn!(%error, group = row.group_name, setting = row.name, "a setting cannot be used; its default holds");
                all[&row.group_name][&row.name] = before;
            }
        }
        serde_json::from_value(all).unwrap_or_default()
    }

    /// The value of a row; `None` when it is at its default, or a secret that cannot be opened.
    fn value(&self, row: &Row) -> Option<Value> {
        if let Some(sealed) = &row.sealed {
            let plain = self.secrets.unseal(&context(row), sealed);
            let plain = plain.inspect_err(
                |error| tracing::warn!(%error, group = row.group_name, setting = row.name, "a secret is not used"),
            );
            return serde_json::from_slice(&plain.ok()?).ok();
        }
        serde_json::from_str(row.value.as_deref()?).ok()
    }

    /// The value kept under this name; `None` when there is none.
    ///
    /// # Errors
    /// When the database cannot be read, or the value is not of this shape.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let key = name.to_owned();
        let known = self.known.get(&key, store::get(&self.db, name));
        let Some(text) = known.await? else {
            return Ok(None);
        };
        serde_json::from_str(&text).map(Some).map_err(Error::unexpected)
    }

    /// Keeps a value under a name, in place of what was there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn put<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let text = serde_json::to_string(value).map_err(Error::unexpected)?;
        let kept = store::put(&self.db, name, text, self.clock.now_ms()).await;
        self.known.forget();
        kept
    }

    /// Forgets a value. Returns whether it was there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        let removed = store::remove(&self.db, name).await;
        self.known.forget();
        removed
    }
}

/// What a secret is sealed for: it opens in its own place only.
fn context(row: &Row) -> String {
    format!("setting {}.{}", row.group_name, row.name)
}

#[cfg(test)]
mod tests;
