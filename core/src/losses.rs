//! Records that could not be stored and never will be: counted here, so that health can show them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Error;

/// Health shows a loss for this long after the last one of its kind.
const SHOWN_FOR_MS: i64 = 24 * 3_600_000;

/// What could not be stored, by its kind. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Losses(Arc<Mutex<BTreeMap<&'static str, Loss>>>);

/// Records of one kind that could not be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loss {
    /// Such as `The end of a run`.
    pub(crate) what: &'static str,
    pub(crate) count: u64,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    /// What the last one was about, such as the name of a job.
    pub(crate) subject: String,
    pub(crate) why: String,
}

impl Losses {
    /// Logs that a record was lost, and counts it. `what` is the kind of record as the start of a sentence.
    pub fn note(&self, what: &'static str, subject: &str, error: &Error, now: i64) {
        tracing::error!(%error, subject, "{what} could not be stored");
        let mut losses = self.lock();
        let loss = losses.entry(what).or_insert_with(|| Loss {
            what,
            count: 0,
            first_at: now,
            last_at: now,
            subject: String::new(),
            why: String::new(),
        });
        if now - loss.last_at > SHOWN_FOR_MS {
            loss.count = 0;
            loss.first_at = now;
        }
        loss.count += 1;
        loss.last_at = now;
        loss.subject = subject.to_owned();
        loss.why = error.message().to_owned();
    }

    /// The losses that health still shows.
    pub(crate) fn recent(&self, now: i64) -> Vec<Loss> {
        let losses = self.lock();
        let recent = losses.values().filter(|loss| now - loss.last_at <= SHOWN_FOR_MS);
        recent.cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Loss>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
