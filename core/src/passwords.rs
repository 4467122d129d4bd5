//! Password hashes: Argon2id, on as many threads as the configuration allows and no more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{Semaphore, oneshot};

use crate::{Code, Error, Result, random};

/// OWASP's minimum for Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Callers that may wait for a hash; more are told to come again, so that a flood cannot pile up.
const WAITING: usize = 256;

/// Hashes and checks passwords off the async threads.
///
/// The threads are its own and few. On threads that come and go, the allocator would keep the memory of a hash for
/// each of them: fifty hashes took 700 MiB that way.
#[derive(Clone)]
pub struct Passwords {
    work: mpsc::Sender<Work>,
    waiting: Arc<Semaphore>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Passwords {
    pub fn new(threads: usize) -> Self {
        let (work, queue) = mpsc::channel();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads {
            let queue = Arc::clone(&queue);
            let started = thread::Builder::new()
                .name("password".to_owned())
                .spawn(move || hash_all(&queue));
            if let Err(cause) = started {
                tracing::error!(%cause, "a thread for passwords could not be started");
            }
        }
        Self {
            work,
            waiting: Arc::new(Semaphore::new(threads + WAITING)),
        }
    }

    /// The hash to store, in PHC form.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.off_thread(move || {
            let hashed = hasher().hash_password_with_salt(password.as_bytes(), &random::bytes::<16>());
            hashed.map(|hash| hash.to_string()).map_err(Error::unexpected)
        })
        .await?
    }

    /// Whether the password is the one that was hashed. Without a hash it takes as long and is false,
    /// so that nobody can tell an unknown account by the time.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        self.off_thread(move || match hash.as_deref().map(PasswordHash::new) {
            Some(Ok(hash)) => hasher().verify_password(password.as_bytes(), &hash).is_ok(),
            _ => {
                let _ = hasher().hash_password_with_salt(password.as_bytes(), &[0; 16]);
                false
            }
        })
        .await
    }

    /// Whether a stored hash was made with today's parameters; one that was not is replaced at the next login.
    pub fn is_current(hash: &str) -> bool {
        hash.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$"))
    }

    async fn off_thread<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self.waiting.try_acquire().map_err(|_| {
            Error::new(
                Code::Unavailable,
                "Too many passwords are being checked at once. Try again shortly.",
            )
        })?;
        let (answer, done) = oneshot::channel();
        let work = Box::new(move || {
            // Nobody is there for it when the caller has gone.
            let _ = answer.send(work());
        });
        self.work.send(work).map_err(Error::unexpected)?;
        done.await.map_err(Error::unexpected)
    }
}

/// What each thread does until every [`Passwords`] is gone.
fn hash_all(queue: &Mutex<mpsc::Receiver<Work>>) {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        // The caller hears of a panic by its answer that never comes; the thread stays for the others.
        let _ = catch_unwind(AssertUnwindSafe(work));
    }
}

#[expect(
    clippy::expect_used,
    reason = "the parameters are constants, and a test makes a hash with them"
)]
fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_fits_its_password_only() {
        let passwords = Passwords::new(1);
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(
            passwords
                .verify("correct horse".to_owned(), Some(hash.clone()))
                .await
                .unwrap()
        );
        assert!(
            !passwords
                .verify("wrong horse".to_owned(), Some(hash))
                .await
                .unwrap()
        );
        assert!(!passwords.verify("correct horse".to_owned(), None).await.unwrap());
        assert!(
            !passwords
                .verify("x".to_owned(), Some("not a hash".to_owned()))
                .await
                .unwrap()
        );
    }
}
