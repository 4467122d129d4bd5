//! The service: what all its parts share, and its life from start to stop.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use coronet_core::lua::{Cancel, LogSink, LuaPool};
use coronet_core::{Core, Result};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::builtin;
use crate::functions;
use crate::job::{Claimed, Finished, Told};
use crate::store::Store;
use crate::test_run::{self, Tests};

/// The job that ships with Coronet, and the password-reset plugin recommends.
const CLEANUP: (&str, &str) = (
    "jobs/admin/pw_reset_cleanup.lua",
    include_str!("../admin/pw_reset_cleanup.lua"),
);

/// Job code mostly waits for functions, and a few jobs that never end must not keep the others waiting.
const RUNS_PER_THREAD: usize = 4;
/// What a run may print.
const LOG_BYTES: usize = 64 * 1024;

/// The Jobs Service.
pub struct Jobs {
    pub(crate) core: Core,
    pub(crate) store: Store,
    /// Runs at once.
    pub(crate) threads: usize,
    pub(crate) lua: LuaPool,
    /// The runs this server is working on, by id.
    pub(crate) in_flight: Mutex<HashMap<String, InFlight>>,
    /// Runs that have ended here and could not be recorded, not even without what they said.
    pub(crate) unrecorded: Mutex<Vec<Claimed>>,
    /// Told whenever a run has ended and is recorded.
    pub(crate) settled: Notify,
    /// Told whenever a plan may have changed.
    pub(crate) changed: Notify,
    /// Told whenever there may be something to deliver.
    pub(crate) noticed: Notify,
    /// Whether the scheduler waits for a thread.
    pub(crate) hungry: AtomicBool,
    pub(crate) finished: Mutex<Vec<Finished>>,
    pub(crate) recording: tokio::sync::Mutex<()>,
    /// Held by a write to the rows of several runs in progress. PostgreSQL locks rows in the order in which it comes upon
    /// them: a sign of life and a record at the same time would each wait for what the other has.
    pub(crate) writing_runs: tokio::sync::Mutex<()>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) rush: Rush,
    /// Whether more was due at the last claim than could be started.
    pub(crate) behind: AtomicBool,
    pub(crate) sweep: Mutex<Sweep>,
    pub(crate) tests: Tests,
    /// Whether this process works on schedules, or is a command that only looks or runs one job.
    pub(crate) in_background: AtomicBool,
    /// When this server started, until it is clear how it stands among the others; else 0.
    pub(crate) started_at: AtomicI64,
    /// The grace period is over: what still runs is given up, and run again by the next server.
    pub(crate) giving_up: AtomicBool,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// A run this server is working on.
#[derive(Debug, Clone)]
pub(crate) struct InFlight {
    pub job_id: String,
    pub cancel: Cancel,
    pub since: Instant,
    pub log: LogSink,
    pub progress: Progress,
    /// The revision of the code, once it was read.
    pub revision: Arc<OnceLock<i64>>,
}

impl InFlight {
    pub fn of(run: &Claimed) -> Self {
        Self {
            job_id: run.job_id.clone(),
            cancel: Cancel::default(),
            since: Instant::now(),
            log: LogSink::new(LOG_BYTES),
            progress: Progress::default(),
            revision: Arc::default(),
        }
    }

    /// What the run has said so far.
    pub fn told(&self) -> Told {
        Told {
            log: self.log.text(),
            log_dropped_lines: i64::try_from(self.log.dropped_lines()).unwrap_or(i64::MAX),
            revision: self.revision.get().copied(),
            progress: self.progress.get(),
        }
    }
}

/// How far a run says it is. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<Option<(i64, i64)>>>);

impl Progress {
    pub fn set(&self, done: i64, total: i64) {
        *lock(&self.0) = Some((done, total));
    }

    pub fn get(&self) -> Option<(i64, i64)> {
        *lock(&self.0)
    }
}

/// Which jobs have runs to sweep away.
#[derive(Debug, Default)]
pub(crate) struct Sweep {
    /// Runs recorded since the job's history was last cut.
    pub runs: HashMap<String, i64>,
    pub ripe: HashSet<String>,
}

/// How long runs take on their threads lately, for deciding how many to claim ahead.
#[derive(Debug, Default)]
pub(crate) struct Pace(std::sync::atomic::AtomicU64);

impl Pace {
    /// Moves the average an eighth of the way to the new figure.
    pub fn observe(&self, took: Duration) {
        let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX / 8);
        let average = self.0.load(Ordering::Relaxed);
        self.0.store(average - average / 8 + took / 8, Ordering::Relaxed);
    }

    pub fn average(&self) -> Duration {
        Duration::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// How many runs start lately, for deciding how long to wait for others to share a write with: each commit costs more
/// than the runs in it.
#[derive(Debug, Default)]
pub(crate) struct Rush(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    since: Option<Instant>,
    runs: usize,
    per_second: f64,
}

impl Rush {
    /// Counted over this time; twice as long without a run, and there is no rush any more.
    const SPAN: Duration = Duration::from_millis(500);
    /// At so many runs a second ...
    const FULL: f64 = 2000.0;
    /// ... this is waited. With less, less.
    const LONGEST: Duration = Duration::from_millis(10);
    /// Timers are no finer.
    const SHORTEST: Duration = Duration::from_millis(1);

    /// Notes that so many runs start.
    pub fn note(&self, runs: usize, now: Instant) {
        let mut counted = lock(&self.0);
        counted.runs += runs;
        let since = *counted.since.get_or_insert(now);
        let elapsed = now.duration_since(since);
        if elapsed >= Self::SPAN {
            let runs = u32::try_from(counted.runs).unwrap_or(u32::MAX);
            *counted = Counted {
                since: Some(now),
                runs: 0,
                per_second: f64::from(runs) / elapsed.as_secs_f64(),
            };
        }
    }

    /// How long a write may wait for others.
    pub fn patience(&self, now: Instant) -> Duration {
        let counted = lock(&self.0);
        let over = counted
            .since
            .is_none_or(|since| now.duration_since(since) > Self::SPAN * 2);
        let share = if over {
            0.0
        } else {
            counted.per_second / Self::FULL
        };
        let patience = Self::LONGEST.mul_f64(share.min(1.0));
        if patience < Self::SHORTEST {
            Duration::ZERO
        } else {
            patience
        }
    }
}

/// Starts the service: registers its functions and what ships with it. Schedules are worked on only after
/// [`Jobs::run`].
///
/// # Errors
/// When one of its functions is already provided by somebody else.
pub fn start(core: &Core) -> Result<Arc<Jobs>> {
    start_as(core, core.server.id())
}

/// As [`start`], with the name that runs are claimed by.
pub(crate) fn start_as(core: &Core, server: &str) -> Result<Arc<Jobs>> {
    for (path, text) in [CLEANUP, builtin::CODE] {
        core.contributions.add_resource("core", path, text);
    }
    let threads = core.config.lua_threads * RUNS_PER_THREAD;
    let jobs = Arc::new(Jobs {
        core: core.clone(),
        store: Store::new(core.db.clone(), server.to_owned()),
        threads,
        lua: LuaPool::in_background("jobs", threads, &core.functions),
        in_flight: Mutex::default(),
        unrecorded: Mutex::default(),
        settled: Notify::new(),
        changed: Notify::new(),
        noticed: Notify::new(),
        hungry: AtomicBool::new(false),
        finished: Mutex::default(),
        recording: tokio::sync::Mutex::default(),
        writing_runs: tokio::sync::Mutex::default(),
        pace: Arc::default(),
        rush: Rush::default(),
        behind: AtomicBool::new(false),
        sweep: Mutex::default(),
        tests: Tests::new(core),
        in_background: AtomicBool::new(false),
        started_at: AtomicI64::new(0),
        giving_up: AtomicBool::new(false),
        tasks: Mutex::default(),
    });
    core.functions.add("core", functions::all(&jobs))?;
    core.functions.add("core", test_run::all(&jobs))?;
    Ok(jobs)
}

impl Jobs {
    /// Begins to work on schedules, in the background, until the server stops.
    pub fn run(self: &Arc<Self>) {
        self.in_background.store(true, Ordering::Relaxed);
        let loops = [
            tokio::spawn(Arc::clone(self).work()),
            tokio::spawn(Arc::clone(self).keep_leases()),
            tokio::spawn(Arc::clone(self).keep_swept()),
            tokio::spawn(Arc::clone(self).deliver()),
            tokio::spawn(Arc::clone(self).hear()),
        ];
        lock(&self.tasks).extend(loops);
    }

    /// Lets runs finish within the grace period, after the server's shutdown was triggered. What still runs then
    /// is ended and marked lost, so that it is run again; nothing is forgotten.
    pub async fn stop(&self) {
        let grace = Duration::from_secs(self.core.config.grace_seconds);
        if tokio::time::timeout(grace, self.idle()).await.is_err() {
            self.giving_up.store(true, Ordering::Relaxed);
            lock(&self.in_flight).values().for_each(|run| run.cancel.cancel());
            // Lua stops at its next step; what is left is the database write.
            let _ = tokio::time::timeout(Duration::from_secs(5), self.idle()).await;
        }
        lock(&self.tasks).drain(..).for_each(|task| task.abort());
    }

    /// Returns once no run of this server is in progress.
    pub async fn idle(&self) {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            // Registered before the look, so that no end falls between the two.
            settled.as_mut().enable();
            if lock(&self.in_flight).is_empty() {
                return;
            }
            settled.await;
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every change under these locks is a single step, so a panic leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_waits_for_others_only_while_many_runs_start() {
        let (rush, begin) = (Rush::default(), Instant::now());
        let at = |ms| begin + Duration::from_millis(ms);
        assert_eq!(rush.patience(begin), Duration::ZERO);
        // A hundred a second: the next one is farther away than a timer is fine.
        (0..=10).for_each(|n| rush.note(10, at(n * 100)));
        assert_eq!(rush.patience(at(1000)), Duration::ZERO);
        // A thousand a second, and then more than can be waited for.
        (11..=30).for_each(|n| rush.note(100, at(n * 100)));
        let patience = rush.patience(at(3000));
        assert!(
            patience > Duration::from_millis(4) && patience < Duration::from_millis(7),
            "{patience:?}"
        );
        (31..=60).for_each(|n| rush.note(10_000, at(n * 100)));
        assert_eq!(rush.patience(at(6000)), Rush::LONGEST);
        assert_eq!(rush.patience(at(8000)), Duration::ZERO);
    }
}
