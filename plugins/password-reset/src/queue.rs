//! Requests of apps and pages: kept in the store, answered, and then worked off.
//!
//! What the caller waits for is the same for every address: one write, shared with whoever asks at the same moment.
//! The account is looked up afterwards, a random moment later, so that the work for one request slows down no
//! particular other one. What is kept survives this process and this server: whoever finds a batch that nobody has
//! touched for [`LEASE_MS`] takes it over. So a mail may be sent twice after a crash, and is never lost; every link
//! works.

use crate::request::Request;
use crate::send::{Outcome, send};
use crate::{Settings, words};
use coronet_plugin::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest a request waits before it is worked off.
const LONGEST_DELAY_MS: u64 = 200;
/// Requests worked off at a time; they mostly wait for the database.
const WORKERS: usize = 16;
/// Requests that may be waiting: whoever brings more waits until there is room, or is asked to come again.
const MOST_WAITING: usize = 1000;
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes and requests of one batch: a value of the store has 64 KiB at most.
const BATCH_BYTES: usize = 48 * 1024;
const BATCH: usize = 64;
/// After this time without a sign of life a batch has no owner any more.
const LEASE_MS: i64 = 10_000;
const SWEEP: Duration = Duration::from_secs(3);
/// A request this old is given up: whoever asked has asked again.
const TOO_OLD_MS: i64 = 3_600_000;

const PREFIX: &str = "requests/";

pub(crate) struct Queue {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

struct Shared {
    host: Host,
    settings: Settings,
    stand_in: String,
    inner: Mutex<Inner>,
    /// Rings for the keeper when a request came.
    arrived: Condvar,
    /// Rings for the one worker that watches the time, when something else may be due first.
    sooner: Condvar,
    /// Rings for one of the other workers, to take over the watch.
    relieved: Condvar,
    /// Rings for callers when a request was worked off.
    room: Condvar,
    /// Rings for the sweeper.
    closed: Condvar,
}

#[derive(Default)]
struct Inner {
    /// Not kept yet; their callers wait.
    incoming: Vec<Incoming>,
    /// Kept, by the moment at which they are worked off.
    due: BTreeMap<(Instant, u64), Work>,
    /// Numbers everything that is due, so that two moments never collide.
    next: u64,
    /// Keys of the batches that this process has in hand.
    mine: HashSet<String>,
    /// Whether a batch is being kept right now.
    keeping: bool,
    /// Whether a worker watches the time until the first request is due.
    watched: bool,
    closing: bool,
}

struct Incoming {
    request: Request,
    bytes: usize,
    kept: SyncSender<Result<()>>,
}

struct Work {
    request: Request,
    batch: Arc<Batch>,
}

/// Requests that are kept under one key.
struct Batch {
    key: String,
    first_at: i64,
    progress: Mutex<Progress>,
}

struct Progress {
    open: usize,
    again: Vec<Request>,
}

/// A batch in the store.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// When it was kept first, and when somebody last had it in hand; Unix milliseconds.
    first_at: i64,
    at: i64,
    requests: Vec<Request>,
}

impl Queue {
    /// Starts the threads that keep requests and work them off.
    pub(crate) fn start(host: &Host, settings: Settings, stand_in: String) -> Result<Self> {
        let shared = Shared {
            host: host.clone(),
            settings,
            stand_in,
            inner: Mutex::default(),
            arrived: Condvar::new(),
            sooner: Condvar::new(),
            relieved: Condvar::new(),
            room: Condvar::new(),
            closed: Condvar::new(),
        };
        let shared = Arc::new(shared);
        let mut threads = Vec::new();
        let mut spawn = |name: &str, life: fn(&Shared)| -> Result<()> {
            let shared = Arc::clone(&shared);
            threads.push(
                std::thread::Builder::new()
                    .name(name.to_owned())
                    .spawn(move || life(&shared))?,
            );
            Ok(())
        };
        spawn("reset-keeper", Shared::keep)?;
        spawn("reset-sweeper", Shared::sweep)?;
        for _ in 0..WORKERS {
            spawn("reset-worker", Shared::work)?;
        }
        Ok(Self {
            shared,
            threads: Mutex::new(threads),
        })
    }

    /// Keeps a request; returns once it cannot be lost any more.
    pub(crate) fn add(&self, request: Request) -> Result<()> {
        let bytes = serde_json::to_vec(&request)?.len();
        let (kept, outcome) = sync_channel(1);
        {
            let shared = &self.shared;
            let full =
                |inner: &mut Inner| !inner.closing && inner.due.len() + inner.incoming.len() >= MOST_WAITING;
            let waited = shared.room.wait_timeout_while(shared.lock(), PATIENCE, full);
            let (mut inner, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if inner.closing || waited.timed_out() {
                let text = "Too many reset mails are waiting. Try again shortly.";
                return Err(Error::new(codes::UNAVAILABLE, text).retryable());
            }
            inner.incoming.push(Incoming { request, bytes, kept });
            shared.arrived.notify_one();
        }
        outcome.recv()?
    }

    /// Works off everything that is waiting, and ends the threads.
    pub(crate) fn finish(&self) {
        self.shared.lock().closing = true;
        self.shared.arrived.notify_all();
        self.shared.closed.notify_all();
        self.shared.room.notify_all();
        self.shared.hurry();
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            // A thread that panicked has nothing left to wait for; its batch is taken over by the next process.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keeper: everything that came meanwhile is one write.
    fn keep(&self) {
        loop {
            let batch = {
                let nothing = |inner: &mut Inner| inner.incoming.is_empty() && !inner.closing;
                let waited = self.arrived.wait_while(self.lock(), nothing);
                let mut inner = waited.unwrap_or_else(PoisonError::into_inner);
                if inner.incoming.is_empty() {
                    return;
                }
                inner.keeping = true;
                take_batch(&mut inner.incoming)
            };
            self.keep_batch(batch);
            let closing = {
                let mut inner = self.lock();
                inner.keeping = false;
                inner.closing
            };
            if closing {
                self.hurry();
            }
        }
    }

    /// Wakes all workers: what waits is due now.
    fn hurry(&self) {
        self.sooner.notify_all();
        self.relieved.notify_all();
    }

    fn keep_batch(&self, batch: Vec<Incoming>) {
        let (requests, callers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|one| (one.request, one.kept)).unzip();
        let now = self.host.now_ms();
        let kept = Kept {
            first_at: now,
            at: now,
            requests,
        };
        let outcome = words::stand_in().and_then(|id| {
            let key = format!("{PREFIX}{now}-{}", &id[..20]);
            self.host.store().put(&key, &kept, None)?;
            Ok(key)
        });
        let outcome = outcome.map(|key| self.schedule(key, kept));
        for caller in callers {
            // A caller that went away has its request kept all the same.
            let _ = caller.send(outcome.clone());
        }
    }

    /// Plans the requests of a batch, each for a moment of its own.
    fn schedule(&self, key: String, kept: Kept) {
        let progress = Progress {
            open: kept.requests.len(),
            again: Vec::new(),
        };
        let batch = Arc::new(Batch {
            key: key.clone(),
            first_at: kept.first_at,
            progress: Mutex::new(progress),
        });
        let now = Instant::now();
        let mut inner = self.lock();
        inner.mine.insert(key);
        for request in kept.requests {
            let delay = words::random_below(LONGEST_DELAY_MS).unwrap_or(LONGEST_DELAY_MS);
            let place = (now + Duration::from_millis(delay), inner.next);
            inner.next += 1;
            inner.due.insert(
                place,
                Work {
                    request,
                    batch: Arc::clone(&batch),
                },
            );
        }
        if inner.watched {
            self.sooner.notify_one();
        } else {
            self.relieved.notify_one();
        }
    }

    /// A worker.
    fn work(&self) {
        while let Some(work) = self.next_work() {
            let limit = self.settings.mails_per_account_and_hour;
            let outcome = send(&self.host, &work.request, &self.stand_in, Some(limit));
            let again = match outcome {
                Ok(Outcome::Sent | Outcome::NoAccount) => None,
                Ok(Outcome::TooMany) => {
                    self.host
                        .log("an account had all its reset mails for this hour; nothing was sent");
                    None
                }
                Err(error) if error.is_retryable() && !self.is_too_old(work.batch.first_at) => {
                    self.host
                        .warn(format_args!("a reset mail could not be sent yet: {error}"));
                    Some(work.request)
                }
                Err(error) => {
                    self.host
                        .error(format_args!("a reset mail could not be sent: {error}"));
                    None
                }
            };
            self.done(&work.batch, again);
        }
    }

    fn is_too_old(&self, first_at: i64) -> bool {
        self.host.now_ms() - first_at > TOO_OLD_MS
    }

    /// The next request whose moment has come; all moments have come when the plugin stops. One worker watches the
    /// time, and the others sleep until it has something to do.
    fn next_work(&self) -> Option<Work> {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let first = inner.due.keys().next().copied();
            match first {
                Some(place) if place.0 <= now || inner.closing => {
                    if inner.due.len() > 1 && !inner.watched {
                        self.relieved.notify_one();
                    }
                    self.room.notify_one();
                    return inner.due.remove(&place);
                }
                Some((moment, _)) if !inner.watched => {
                    inner.watched = true;
                    let waited = self.sooner.wait_timeout(inner, moment - now);
                    inner = waited.unwrap_or_else(PoisonError::into_inner).0;
                    inner.watched = false;
                }
                None if inner.closing && inner.incoming.is_empty() && !inner.keeping => return None,
                _ => inner = self.relieved.wait(inner).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Counts a request of a batch as worked off. With the last one the batch goes, or keeps what must be tried again.
    fn done(&self, batch: &Batch, again: Option<Request>) {
        let again = {
            let mut progress = batch.progress.lock().unwrap_or_else(PoisonError::into_inner);
            progress.open -= 1;
            progress.again.extend(again);
            if progress.open > 0 {
                return;
            }
            std::mem::take(&mut progress.again)
        };
        let store = self.host.store();
        let settled = if again.is_empty() {
            store.delete(&batch.key)
        } else {
            let kept = Kept {
                first_at: batch.first_at,
                at: self.host.now_ms(),
                requests: again,
            };
            store.put(&batch.key, kept, None)
        };
        if let Err(error) = settled {
            self.host.warn(format_args!(
                "a batch of reset mails may be worked off twice: {error}"
            ));
        }
        self.lock().mine.remove(&batch.key);
    }

    /// The sweeper: takes over what a process that is gone left behind, and what is to be tried again. It waits
    /// first: at the start of the server it may not be known yet where links lead.
    fn sweep(&self) {
        loop {
            let waited = self
                .closed
                .wait_timeout_while(self.lock(), SWEEP, |inner| !inner.closing);
            if waited.unwrap_or_else(PoisonError::into_inner).0.closing {
                return;
            }
            if let Err(error) = self.sweep_once() {
                self.host.warn(format_args!(
                    "reset mails that may have been left behind cannot be seen: {error}"
                ));
            }
        }
    }

    fn sweep_once(&self) -> Result<()> {
        let store = self.host.store();
        for entry in store.list::<Kept>(PREFIX)? {
            let now = self.host.now_ms();
            let held = entry.value.at + LEASE_MS > now;
            if held || self.lock().mine.contains(&entry.key) {
                continue;
            }
            let kept = Kept {
                at: now,
                ..entry.value
            };
            // Of several servers that see it, one takes it.
            if store.replace(&entry.key, &kept, None, entry.version)? {
                self.schedule(entry.key, kept);
            }
        }
        Ok(())
    }
}

/// As many requests as fit into one value, at least one.
fn take_batch(incoming: &mut Vec<Incoming>) -> Vec<Incoming> {
    let mut bytes = 0;
    let fits = incoming.iter().take(BATCH).take_while(|one| {
        bytes += one.bytes;
        bytes <= BATCH_BYTES
    });
    let count = fits.count().max(1).min(incoming.len());
    incoming.drain(..count).collect()
}
