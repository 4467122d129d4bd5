//! Guessing made slow: every wrong guess makes the next one wait longer.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Code, Error, Result};

/// Wrong guesses that cost nothing: people mistype.
const FREE: u32 = 5;
/// The longest wait between two guesses.
const LONGEST_MS: i64 = 60_000;
/// A key is forgotten after an hour without a guess.
const FORGOTTEN_MS: i64 = 3_600_000;
const REMEMBERED: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Guesses {
    wrong: u32,
    latest: i64,
}

/// Counts wrong guesses by key. A key names what is guessed and from where, so that someone who
/// guesses at an account does not lock out its owner, who comes from elsewhere.
#[derive(Debug)]
pub struct Throttle {
    free: u32,
    guesses: Mutex<HashMap<String, Guesses>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self::after(FREE)
    }
}

impl Throttle {
    /// A throttle that makes nobody wait before so many wrong guesses.
    pub fn after(free: u32) -> Self {
        Self {
            free,
            guesses: Mutex::default(),
        }
    }

    /// Refuses a guess that comes too early.
    ///
    /// # Errors
    /// `RateLimited`, with the seconds to wait.
    pub fn check(&self, key: &str, now_ms: i64) -> Result<()> {
        let all = self.lock();
        let Some(guesses) = all.get(key) else {
            return Ok(());
        };
        let wait = guesses.latest + self.delay(guesses.wrong) - now_ms;
        if wait <= 0 {
            return Ok(());
        }
        let seconds = (wait + 999) / 1000;
        let text = format!("Too many wrong attempts. Wait {seconds} seconds, then try again.");
        Err(Error::new(Code::RateLimited, text)
            .with_details(serde_json::json!({ "retry_after_seconds": seconds })))
    }

    pub fn wrong(&self, key: &str, now_ms: i64) {
        let mut all = self.lock();
        if all.len() > REMEMBERED {
            all.retain(|_, guesses| now_ms - guesses.latest < FORGOTTEN_MS);
        }
        let guesses = all.entry(key.to_owned()).or_insert(Guesses {
            wrong: 0,
            latest: now_ms,
        });
        guesses.wrong = guesses.wrong.saturating_add(1);
        guesses.latest = now_ms;
    }

    pub fn right(&self, key: &str) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Guesses>> {
        self.guesses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// 1, 2, 4 … seconds from the first guess on that is not free, a minute at most.
    fn delay(&self, wrong: u32) -> i64 {
        match wrong.checked_sub(self.free) {
            None => 0,
            // Past six doublings the longest wait is reached, and the shift must not run over.
            Some(over) => (1000_i64 << over.min(6)).min(LONGEST_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w03_guesses_wait_longer_and_longer_and_the_owner_elsewhere_does_not() {
        let throttle = Throttle::default();
        for _ in 0..FREE {
            assert!(throttle.check("carol 10.0.0.1", 0).is_ok());
            throttle.wrong("carol 10.0.0.1", 0);
        }
        assert_eq!(
            throttle.check("carol 10.0.0.1", 0).unwrap_err().code(),
            Code::RateLimited
        );
        assert!(throttle.check("carol 10.0.0.2", 0).is_ok());
        assert!(throttle.check("carol 10.0.0.1", 1000).is_ok());

        (0..60).for_each(|_| throttle.wrong("carol 10.0.0.1", 2000));
        assert!(throttle.check("carol 10.0.0.1", 61_999).is_err());
        assert!(throttle.check("carol 10.0.0.1", 62_000).is_ok());

        throttle.right("carol 10.0.0.1");
        assert!(throttle.check("carol 10.0.0.1", 2000).is_ok());
    }
}
