//! Small settings that the server keeps in the database, each a JSON value under a name.

mod store;

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::remembered::Remembered;
use crate::{Clock, Db, Error, Result};

#[derive(Clone)]
pub struct Settings {
    db: Db,
    clock: Clock,
    known: Arc<Remembered<String, String>>,
}

impl Settings {
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self {
            db,
            clock,
            known: Arc::default(),
        }
    }

    /// The setting's value; `None` when it was never set.
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

    /// Forgets a setting. Returns whether it was there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        let removed = store::remove(&self.db, name).await;
        self.known.forget();
        removed
    }
}
