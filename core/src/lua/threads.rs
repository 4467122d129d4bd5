//! The threads of the pools that run Lua, and those of them that do not return.
//!
//! Code is stopped at its next step. Should a step ever take longer than it may, the session is given up: whoever waits for
//! it hears so, the thread is counted as stuck and another takes its place, so that a few such sessions do not stop all jobs
//! or pages. A stuck thread ends when its step does.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::error::{LuaError, LuaErrorKind};

/// How long after its deadline, or after it was cancelled, a session may take to end.
pub(super) const GRACE: Duration = Duration::from_secs(5);
/// How many sessions may wait for a thread, for each thread there is.
const QUEUE_PER_THREAD: usize = 64;
/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(30);
/// The parser and the VM recurse up to their own limits on this stack; it is only reserved, not used.
const STACK: usize = 8 * 1024 * 1024;
/// Most stuck threads of a pool that are replaced. Each may hold the memory of a session, and takes a processor when no one
/// else wants it.
const MOST_REPLACED: usize = 32;
/// What others do goes first.
const STUCK_NICENESS: i32 = 19;

pub(super) type Task = Box<dyn FnOnce(&Arc<Seat>) + Send>;

/// The threads of one pool.
pub(super) struct Threads {
    name: String,
    limit: usize,
    /// 0 is normal; more is nicer to others.
    niceness: i32,
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    tasks: VecDeque<Task>,
    threads: usize,
    idle: usize,
    /// Threads whose session was given up. They are not among `threads` unless too many are stuck.
    stuck: Vec<Arc<Seat>>,
}

/// One session's stay on a thread.
pub(super) struct Seat {
    /// The system's id of the thread, where there is one.
    thread: Option<rustix::process::Pid>,
    stay: watch::Sender<Stay>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stay {
    Running,
    Left,
    /// Given up at this time. Whether another thread took its place.
    GivenUp {
        at: Instant,
        replaced: bool,
    },
}

impl Seat {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            thread: this_thread(),
            stay: watch::Sender::new(Stay::Running),
        })
    }

    /// The session has ended.
    pub(super) fn leave(&self) {
        self.stay.send_if_modified(|stay| {
            let running = *stay == Stay::Running;
            if running {
                *stay = Stay::Left;
            }
            running
        });
    }

    /// Resolves when the session has ended.
    pub(super) async fn left(&self) {
        let mut stay = self.stay.subscribe();
        // The sender is this seat itself, so it cannot be gone.
        let _ = stay.wait_for(|stay| *stay == Stay::Left).await;
    }

    fn stay(&self) -> Stay {
        *self.stay.borrow()
    }
}

impl Threads {
    pub(super) fn new(name: &str, limit: usize, niceness: i32) -> Arc<Self> {
        Arc::new(Self {
            name: name.to_owned(),
            limit: limit.max(1),
            niceness,
            state: Mutex::default(),
            work: Condvar::new(),
        })
    }

    /// Runs a task on the next free thread.
    ///
    /// # Errors
    /// When the queue is full, or there is no thread and none can be started.
    pub(super) fn submit(self: &Arc<Self>, task: Task) -> Result<(), LuaError> {
        let mut state = self.lock();
        if state.tasks.len() >= self.limit * QUEUE_PER_THREAD {
            let text = format!(
                "all {} Lua threads for {} are busy; try again shortly",
                self.limit, self.name
            );
            return Err(LuaError::new(LuaErrorKind::Busy, text));
        }
        state.tasks.push_back(task);
        self.staff(&mut state).map_err(|cause| {
            LuaError::new(
                LuaErrorKind::Busy,
                format!("no Lua thread could be started: {cause}"),
            )
        })
    }

    /// Sees to it that somebody runs the tasks that wait.
    fn staff(self: &Arc<Self>, state: &mut State) -> std::io::Result<()> {
        if state.idle >= state.tasks.len() || state.threads == self.limit {
            self.work.notify_one();
            return Ok(());
        }
        let own = Arc::clone(self);
        let builder = std::thread::Builder::new()
            .name(format!("lua-{}", self.name))
            .stack_size(STACK);
        match builder.spawn(move || own.serve()) {
            Ok(_) => state.threads += 1,
            // Others will get to it; without any thread the task is dropped, and its caller told.
            Err(cause) if state.threads > 0 => {
                tracing::warn!(%cause, "no further Lua thread could be started")
            }
            Err(cause) => {
                state.tasks.pop_back();
                return Err(cause);
            }
        }
        Ok(())
    }

    /// Gives a session up that did not end when it had to. Returns false when it has ended meanwhile.
    pub(super) fn give_up(self: &Arc<Self>, seat: &Arc<Seat>) -> bool {
        let mut state = self.lock();
        let stuck = state.stuck.len();
        let replaced = stuck < MOST_REPLACED;
        let given_up = seat.stay.send_if_modified(|stay| {
            let running = *stay == Stay::Running;
            if running {
                let at = Instant::now();
                *stay = Stay::GivenUp { at, replaced };
            }
            running
        });
        if !given_up {
            return false;
        }
        state.stuck.push(Arc::clone(seat));
        tracing::error!(
            pool = self.name,
            stuck = stuck + 1,
            replaced,
            "a Lua thread does not return"
        );
        be_nice(seat.thread, STUCK_NICENESS);
        if replaced {
            state.threads -= 1;
            if !state.tasks.is_empty()
                && let Err(cause) = self.staff(&mut state)
            {
                tracing::error!(%cause, "the stuck Lua thread could not be replaced");
            }
        }
        true
    }

    /// The life of one thread.
    fn serve(self: &Arc<Self>) {
        be_nice(this_thread(), self.niceness);
        let mut state = self.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                drop(state);
                let seat = Seat::new();
                task(&seat);
                seat.leave();
                state = self.lock();
                if let Stay::GivenUp { replaced, .. } = seat.stay() {
                    state.stuck.retain(|stuck| !Arc::ptr_eq(stuck, &seat));
                    tracing::warn!(pool = self.name, "a Lua thread that was stuck has returned");
                    if !replaced {
                        state.threads -= 1;
                    }
                    // Its priority was lowered for good, so that another goes on in its place.
                    if !state.tasks.is_empty()
                        && let Err(cause) = self.staff(&mut state)
                    {
                        tracing::error!(%cause, "the stuck Lua thread could not be replaced");
                    }
                    return;
                }
                continue;
            }
            state.idle += 1;
            let waited = self
                .work
                .wait_timeout(state, IDLE)
                .unwrap_or_else(PoisonError::into_inner);
            state = waited.0;
            state.idle -= 1;
            if waited.1.timed_out() && state.tasks.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads of all pools, for health and metrics. Cheap to clone.
#[derive(Clone, Default)]
pub struct LuaThreads(Arc<Mutex<Vec<Weak<Threads>>>>);

/// Threads of a pool that do not return.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// What the pool is for, such as `jobs`.
    pub pool: String,
    pub threads: usize,
    /// For how long the first of them is stuck.
    pub longest: Duration,
}

impl LuaThreads {
    pub(super) fn watch(&self, threads: &Arc<Threads>) {
        let mut pools = self.lock();
        pools.retain(|pool| pool.strong_count() > 0);
        pools.push(Arc::downgrade(threads));
    }

    /// The pools with their stuck threads, also those without any.
    pub fn stuck(&self) -> Vec<Stuck> {
        let pools: Vec<Arc<Threads>> = self.lock().iter().filter_map(Weak::upgrade).collect();
        let stuck = pools.iter().map(|pool| {
            let state = pool.lock();
            let times = state.stuck.iter().filter_map(|seat| match seat.stay() {
                Stay::GivenUp { at, .. } => Some(at.elapsed()),
                Stay::Running | Stay::Left => None,
            });
            Stuck {
                pool: pool.name.clone(),
                threads: state.stuck.len(),
                longest: times.max().unwrap_or_default(),
            }
        });
        stuck.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Threads>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// On Linux a priority is that of a thread. Elsewhere, and without the right to it, the work is done all the same.
fn be_nice(thread: Option<rustix::process::Pid>, niceness: i32) {
    if niceness != 0
        && let Some(thread) = thread
        && let Err(cause) = rustix::process::setpriority_process(Some(thread), niceness)
    {
        tracing::debug!(%cause, "the priority of a Lua thread could not be lowered");
    }
}

#[cfg(target_os = "linux")]
fn this_thread() -> Option<rustix::process::Pid> {
    Some(rustix::thread::gettid())
}

#[cfg(not(target_os = "linux"))]
fn this_thread() -> Option<rustix::process::Pid> {
    None
}
