//! Password hashes: Argon2id, on as many threads as the configuration allows and no more.
//!
//! | file | holds |
//! | --- | --- |
//! | `threads` | the threads that hash, their queue, and the memory they hash with |
//! | `phc` | a hash in the PHC string format, computed in memory that is there already |

mod phc;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};

use crate::{Code, Error, Result, random};
use phc::{MEMORY_KIB, PASSES};
use threads::{Memory, Threads};

/// Callers that may wait for a hash; more are rejected and retry, so that a flood cannot pile up.
const WAITING: usize = 256;
/// The memory of the hashes is released when no password came for this long.
const IDLE: Duration = Duration::from_secs(5);

/// Hashes and checks passwords off the async threads.
///
/// Each thread has one buffer of 19 MiB, which it uses for one hash after the other: mapping fresh memory for every hash
/// costs a quarter of its time, and on threads that come and go the allocator keeps one for each of them.
#[derive(Clone)]
pub struct Passwords {
    threads: Arc<Threads>,
    waiting: Arc<Semaphore>,
}

impl Passwords {
    pub fn new(threads: usize) -> Self {
        Self::with_idle(threads, IDLE)
    }

    fn with_idle(threads: usize, idle: Duration) -> Self {
        Self {
            threads: Arc::new(Threads::start(threads, idle)),
            waiting: Arc::new(Semaphore::new(threads + WAITING)),
        }
    }

    /// The hash to store, in PHC form.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.off_thread(move |memory| {
            phc::hash(memory, password.as_bytes(), &random::bytes::<16>()).map_err(Error::unexpected)
        })
        .await?
    }

    /// Whether the password is the one that was hashed. Without a hash it takes as long and is false, so that an unknown
    /// account cannot be told by the time.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.off_thread(move |memory| {
            let known = hash.and_then(|hash| phc::verify(memory, password.as_bytes(), &hash));
            known.unwrap_or_else(|| {
                let _ = phc::hash(memory, password.as_bytes(), &[0; 16]);
                false
            })
        })
        .await
    }

    /// Whether a stored hash was made with today's parameters; one that was not is replaced at the next login.
    pub fn is_current(hash: &str) -> bool {
        hash.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$"))
    }

    async fn off_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self.waiting.try_acquire().map_err(|_| {
            Error::new(
                Code::Unavailable,
                "Too many passwords are being checked at once. Try again shortly.",
            )
        })?;
        let (answer, done) = oneshot::channel();
        self.threads.submit(Box::new(move |memory| {
            // The caller may be gone; a password that no one waits for is not hashed.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        }));
        done.await.map_err(Error::unexpected)
    }
}

#[cfg(test)]
mod tests;
