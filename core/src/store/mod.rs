//! The keys of plugins and jobs: each sees its own and no others, a value is JSON, a change may depend on what is there,
//! and a key may expire.

mod functions;
#[expect(
    clippy::module_inception,
    reason = "the SQL of every room is in its store.rs, and this room is named store"
)]
mod store;

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Core, Result};

/// How often expired keys are deleted; they are gone for everybody the moment they expire.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(300);

/// The keys of all plugins and jobs.
pub struct Store {
    core: Core,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    pub key: String,
    pub value: Value,
    /// Grows with each change of the key.
    pub version: i64,
    /// Unix milliseconds; absent when the key stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// Adds `store.*`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<Arc<Store>> {
    let store = Arc::new(Store { core: core.clone() });
    core.functions.add("core", functions::all(&store))?;
    Ok(store)
}

impl Store {
    /// Deletes expired keys, and those of jobs that are gone, now and then, until the server stops.
    pub async fn run(self: Arc<Self>) {
        loop {
            tokio::select! {
                () = self.core.shutdown.triggered() => return,
                () = tokio::time::sleep(SWEEP) => {}
            }
            if let Err(error) = self.sweep().await {
                tracing::warn!(%error, "expired keys could not be deleted");
            }
        }
    }

    /// Deletes expired keys, and those of jobs that are gone. Returns how many there were.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn sweep(&self) -> Result<u64> {
        store::sweep(&self.core.db, self.core.clock.now_ms()).await
    }
}

#[cfg(test)]
mod tests;
