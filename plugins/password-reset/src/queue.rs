//! Requests of apps and pages: kept in the store, answered, and then worked off.
//!
//! What the caller waits for is the same for every address: one write, shared with whoever asks at the same moment.
//! The account is looked up afterwards, a random moment later, so that the work for one request slows down no
//! particular other one. What is kept survives this process and this server: whoever finds a batch that nobody has
//! touched for [`LEASE_MS`] takes it over. So a mail may be sent twice after a crash, and is never lost; every link
//! works.

use crate::request::Request;
use crate::send::{Mailer, Outcome};
use crate::{PURPOSE, Settings, words};
use coronet_plugin::prelude::*;
use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A request waits a random number of steps before it is worked off; those of one step are worked off together.
const STEP: Duration = Duration::from_millis(20);
const MOST_STEPS: u64 = 10;
/// Requests that go to the server in one call.
const AT_ONCE: usize = 64;
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
    mails_per_hour: i64,
    mailer: Arc<Mailer>,
    /// Where the steps are counted from.
    started: Instant,
    inner: Mutex<Inner>,
    /// Rings for the keeper when a request came.
    arrived: Condvar,
    /// Rings for the worker when something else may be due first.
    sooner: Condvar,
    /// Rings for callers when requests were worked off.
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
    pub(crate) fn start(host: &Host, settings: &Settings, mailer: &Arc<Mailer>) -> Result<Self> {
        let shared = Shared {
            host: host.clone(),
            mails_per_hour: settings.mails_per_account_and_hour,
            mailer: Arc::clone(mailer),
            started: Instant::now(),
            inner: Mutex::default(),
            arrived: Condvar::new(),
            sooner: Condvar::new(),
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
        spawn("reset-worker", Shared::work)?;
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
                return Err(Error::new(codes::UNAVAILABLE, text).with_retry());
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
        self.shared.sooner.notify_all();
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
                self.sooner.notify_all();
            }
        }
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

    /// The moment so many steps after the one that is going on.
    fn step_after(&self, now: Instant, steps: u64) -> Instant {
        let over = (now - self.started).as_nanos() % STEP.as_nanos();
        let over = Duration::from_nanos(u64::try_from(over).unwrap_or_default());
        now - over + STEP * u32::try_from(steps + 1).unwrap_or(1)
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
            let steps = words::random_below(MOST_STEPS).unwrap_or(MOST_STEPS);
            let place = (self.step_after(now, steps), inner.next);
            inner.next += 1;
            inner.due.insert(
                place,
                Work {
                    request,
                    batch: Arc::clone(&batch),
                },
            );
        }
        self.sooner.notify_one();
    }

    /// The worker: everything that is due goes to the server in one call.
    fn work(&self) {
        while let Some(works) = self.next_works() {
            let requests = works.iter().map(|work| &work.request);
            let outcomes = self.mailer.send_all(&self.host, requests, self.mails_per_hour);
            let mut finished = Vec::new();
            for (work, outcome) in works.into_iter().zip(outcomes) {
                let open = self.is_open(&work.request, outcome, work.batch.first_at);
                let again = open.then_some(work.request);
                finished.extend(work.batch.count_off(again).map(|again| (work.batch, again)));
            }
            self.settle(finished);
        }
    }

    /// Whether a request must be tried again. One that will never succeed is given up where operators see it: its caller
    /// has had the answer.
    fn is_open(&self, request: &Request, outcome: Result<Outcome>, first_at: i64) -> bool {
        match outcome {
            Ok(Outcome::Sent | Outcome::NoAccount) => false,
            Ok(Outcome::TooMany) => {
                self.host
                    .log("an account had all its reset mails for this hour; nothing was sent");
                false
            }
            Err(error) if error.is_retryable() && self.host.now_ms() - first_at <= TOO_OLD_MS => {
                self.host
                    .warn(format_args!("a reset mail could not be sent yet: {error}"));
                true
            }
            Err(error) => {
                self.host
                    .error(format_args!("a reset mail could not be sent: {error}"));
                let too_old = self.host.now_ms() - first_at > 2 * TOO_OLD_MS;
                match self.give_up(request, &error) {
                    Err(error) if error.is_retryable() && !too_old => {
                        self.host.warn(format_args!(
                            "that a reset mail failed could not be noted yet: {error}"
                        ));
                        true
                    }
                    Err(error) => {
                        self.host.error(format_args!(
                            "that a reset mail failed could not be noted: {error}"
                        ));
                        false
                    }
                    Ok(_) => false,
                }
            }
        }
    }

    fn give_up(&self, request: &Request, why: &Error) -> Result<bool> {
        let mut parameters = json!({
            "purpose": PURPOSE,
            "email": request.email,
            "scope": request.scope,
            "reason": why.message(),
        });
        if let Some(asked) = &request.asked {
            parameters["asked"] = asked.clone();
        }
        self.host.call("codes.giveUp", parameters)
    }

    /// The requests whose moments have come; all moments have come when the plugin stops. `None` when it is over.
    fn next_works(&self) -> Option<Vec<Work>> {
        let mut inner = self.lock();
        loop {
            let now = Instant::now();
            let first = inner.due.keys().next().map(|(moment, _)| *moment);
            inner = match first {
                Some(moment) if moment <= now || inner.closing => {
                    self.room.notify_all();
                    return Some(inner.take_due(now));
                }
                Some(moment) => {
                    let waited = self.sooner.wait_timeout(inner, moment - now);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None if inner.closing && inner.incoming.is_empty() && !inner.keeping => return None,
                None => self.sooner.wait(inner).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Forgets batches that are worked off, or keeps of each what must be tried again.
    fn settle(&self, finished: Vec<(Arc<Batch>, Vec<Request>)>) {
        let calls: Vec<_> = finished
            .iter()
            .map(|(batch, again)| match again.as_slice() {
                [] => ("store.delete", json!({"key": batch.key})),
                again => {
                    let (first_at, at) = (batch.first_at, self.host.now_ms());
                    let kept = json!({"first_at": first_at, "at": at, "requests": again});
                    ("store.put", json!({"key": batch.key, "value": kept}))
                }
            })
            .collect();
        let settled: Result<Vec<Value>> = self
            .host
            .call_many(&calls)
            .and_then(|answers| answers.into_iter().collect());
        if let Err(error) = settled {
            self.host.warn(format_args!(
                "a batch of reset mails may be worked off twice: {error}"
            ));
        }
        let mut inner = self.lock();
        for (batch, _) in finished {
            inner.mine.remove(&batch.key);
        }
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
        for entry in store.list::<Value>(PREFIX)? {
            // One that cannot be read must not keep the others waiting.
            let Ok(kept) = serde_json::from_value::<Kept>(entry.value) else {
                self.host.error(format_args!(
                    "the reset mails kept under {} cannot be read, and are left there",
                    entry.key
                ));
                continue;
            };
            let now = self.host.now_ms();
            if kept.at + LEASE_MS > now || self.lock().mine.contains(&entry.key) {
                continue;
            }
            let kept = Kept { at: now, ..kept };
            // Of several servers that see it, one takes it.
            if store.replace(&entry.key, &kept, None, entry.version)? {
                self.schedule(entry.key, kept);
            }
        }
        Ok(())
    }
}

impl Inner {
    /// Takes what is due, the first first, as much as goes into one call.
    fn take_due(&mut self, now: Instant) -> Vec<Work> {
        let mut due = Vec::new();
        while due.len() < AT_ONCE
            && let Some(first) = self.due.first_entry()
            && (self.closing || first.key().0 <= now)
        {
            due.push(first.remove());
        }
        due
    }
}

impl Batch {
    /// Counts a request as worked off. With the last one, gives those that must be tried again.
    fn count_off(&self, again: Option<Request>) -> Option<Vec<Request>> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.open -= 1;
        progress.again.extend(again);
        (progress.open == 0).then(|| std::mem::take(&mut progress.again))
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
