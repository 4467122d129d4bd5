//! Guessing made slow: every wrong guess makes the next one wait longer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::{Code, Error, Result};

/// A key is forgotten after an hour without a guess.
const FORGOTTEN_MS: i64 = 3_600_000;
const REMEMBERED: usize = 10_000;

/// What wrong guesses cost.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// Wrong guesses that cost nothing: people mistype.
    pub free: u32,
    /// The longest wait between two guesses.
    pub longest_ms: i64,
}

impl Waits {
    /// 1, 2, 4 … seconds from the first guess on that is not free.
    fn after(self, wrong: u32) -> i64 {
        match wrong.checked_sub(self.free) {
            None => 0,
            // Past ten doublings the longest wait is reached, and the shift must not run over.
            Some(over) => (1000_i64 << over.min(10)).min(self.longest_ms),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Guesses {
    wrong: u32,
    latest: i64,
}

/// Guesses by key, for whoever holds a lock of their own.
#[derive(Debug, Default)]
pub(crate) struct Delays(HashMap<String, Guesses>);

impl Delays {
    /// Refuses a guess that comes too early; counts nothing.
    pub(crate) fn check(&self, key: &str, now_ms: i64, waits: Waits) -> Result<()> {
        let Some(guesses) = self.0.get(key) else {
            return Ok(());
        };
        // A clock set back makes nobody wait longer than the rule says.
        let wait = waits.after(guesses.wrong) - (now_ms - guesses.latest).max(0);
        if wait > 0 { Err(too_early(wait)) } else { Ok(()) }
    }

    /// Counts a guess as wrong, until it turns out not to be.
    pub(crate) fn count(&mut self, key: &str, now_ms: i64) {
        if self.0.len() > REMEMBERED {
            self.0.retain(|_, guesses| now_ms - guesses.latest < FORGOTTEN_MS);
        }
        let guesses = self.0.entry(key.to_owned()).or_insert(Guesses {
            wrong: 0,
            latest: now_ms,
        });
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.latest = now_ms;
    }

    /// Takes one counted guess back: nobody looked at it.
    pub(crate) fn uncount(&mut self, key: &str) {
        if let Some(guesses) = self.0.get_mut(key) {
            guesses.wrong = guesses.wrong.saturating_sub(1);
        }
    }

    pub(crate) fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }
}

/// Counts wrong guesses by key. A guess is counted when it is taken, before anybody looks whether it is right: of
/// many that come at once, only as many are looked at as would have been one after the other.
#[derive(Debug, Default)]
pub struct Throttle(Mutex<Delays>);

impl Throttle {
    /// Takes a guess, which counts as wrong until [`Self::right`].
    ///
    /// # Errors
    /// `RateLimited`, with the seconds to wait, for a guess that comes too early.
    pub fn take(&self, key: &str, now_ms: i64, waits: Waits) -> Result<()> {
        let mut delays = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        delays.check(key, now_ms, waits)?;
        delays.count(key, now_ms);
        Ok(())
    }

    pub fn right(&self, key: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).forget(key);
    }
}

pub(crate) fn too_early(wait_ms: i64) -> Error {
    let seconds = (wait_ms + 999) / 1000;
    let unit = if seconds == 1 { "second" } else { "seconds" };
    let text = format!("Too many wrong attempts. Wait {seconds} {unit}, then try again.");
    Error::new(Code::RateLimited, text).with_details(serde_json::json!({ "retry_after_seconds": seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w03_guesses_wait_longer_and_longer_and_other_keys_do_not() {
        let waits = Waits {
            free: 5,
            longest_ms: 60_000,
        };
        let throttle = Throttle::default();
        (0..waits.free).for_each(|_| throttle.take("carol", 0, waits).unwrap());
        let refused = throttle.take("carol", 0, waits).unwrap_err();
        assert_eq!(refused.code(), Code::RateLimited);
        assert!(refused.message().contains("Wait 1 second,"), "{refused}");
        assert!(throttle.take("dave", 0, waits).is_ok());
        assert!(throttle.take("carol", 999, waits).is_err());
        assert!(throttle.take("carol", 1000, waits).is_ok());
        assert!(
            throttle.take("carol", 2999, waits).is_err(),
            "the second wait is longer"
        );

        let mut now = 3000;
        for _ in 0..60 {
            throttle.take("carol", now, waits).unwrap();
            now += waits.longest_ms;
        }
        assert!(throttle.take("carol", now - 1, waits).is_err());
        assert!(throttle.take("carol", now - 3_600_000, waits).is_err());
        assert!(throttle.take("carol", now, waits).is_ok());

        throttle.right("carol");
        assert!(throttle.take("carol", now, waits).is_ok());
    }
}
