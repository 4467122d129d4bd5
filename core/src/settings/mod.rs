//! Small settings that the server keeps in the database, each a JSON value under a name.

mod store;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Clock, Db, Error, Result};

#[derive(Clone)]
pub struct Settings {
    db: Db,
    clock: Clock,
}

impl Settings {
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }

    /// The setting's value; `None` when it was never set.
    ///
    /// # Errors
    /// When the database cannot be read, or the value is not of this shape.
    pub async fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(text) = store::get(&self.db, name).await? else {
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
        store::put(&self.db, name, text, self.clock.now_ms()).await
    }

    /// Forgets a setting. Returns whether it was there.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn remove(&self, name: &str) -> Result<bool> {
        store::remove(&self.db, name).await
    }
}
