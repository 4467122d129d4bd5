//! Templates that fail when they are used, until they succeed or are changed.
//!
//! A template that can be read may still fail for every real request, when it asks for a key that nobody fills in. Those
//! who then get no mail cannot say why, so operators must be able to see it.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use coronet_core::Error;
use schemars::JsonSchema;
use serde::Serialize;

use crate::resources::{Layers, ResourcePath, Stamp};

/// Most templates remembered; one more is told in the log like all, and not listed.
const MAX_KEPT: usize = 200;

/// A template that fails.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Failure {
    pub(crate) path: String,
    /// Why it failed last, with the line.
    pub(crate) message: String,
    /// When it failed first, Unix milliseconds.
    pub(crate) since: i64,
    /// When it failed last, Unix milliseconds.
    pub(crate) last_at: i64,
    /// How often it failed since then.
    pub(crate) times: u64,
}

#[derive(Debug)]
struct Kept {
    failure: Failure,
    /// The state of the text that failed.
    stamp: Stamp,
}

/// The failing templates of this server.
#[derive(Debug, Default)]
pub(crate) struct Failing(RwLock<BTreeMap<String, Kept>>);

impl Failing {
    /// Notes what became of using a template at `now`.
    pub(crate) fn note<T>(&self, layers: &Layers, path: &ResourcePath, result: &Result<T, Error>, now: i64) {
        match result {
            Ok(_) => self.succeeded(path),
            Err(error) => self.failed(layers, path, error.message(), now),
        }
    }

    fn succeeded(&self, path: &ResourcePath) {
        // Nearly always there is nothing to forget, and readers do not wait for each other.
        let known = |kept: &BTreeMap<String, Kept>| kept.contains_key(path.as_str());
        if known(&self.0.read().unwrap_or_else(PoisonError::into_inner)) {
            let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
            kept.remove(path.as_str());
            tracing::info!(%path, "a template that failed works again");
        }
    }

    fn failed(&self, layers: &Layers, path: &ResourcePath, message: &str, now: i64) {
        let stamp = layers.stamp(path);
        // A name that no text has is a mistake of the one who asked.
        if stamp == Stamp::Absent {
            return;
        }
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match all.get_mut(path.as_str()) {
            Some(kept) if kept.stamp == stamp => {
                message.clone_into(&mut kept.failure.message);
                kept.failure.last_at = now;
                kept.failure.times += 1;
            }
            known => {
                tracing::error!(%path, error = message, "a template fails when it is used");
                if known.is_none() && all.len() >= MAX_KEPT {
                    return;
                }
                let failure = Failure {
                    path: path.to_string(),
                    message: message.to_owned(),
                    since: now,
                    last_at: now,
                    times: 1,
                };
                all.insert(path.to_string(), Kept { failure, stamp });
            }
        }
    }

    /// What fails now. A text that was changed since is not known to fail.
    pub(crate) fn list(&self, layers: &Layers) -> Vec<Failure> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let unchanged = |(path, kept): &(&String, &Kept)| {
            ResourcePath::parse(path).is_some_and(|path| layers.stamp(&path) == kept.stamp)
        };
        kept.iter()
            .filter(unchanged)
            .map(|(_, kept)| kept.failure.clone())
            .collect()
    }
}
