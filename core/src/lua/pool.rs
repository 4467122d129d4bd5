//! A bounded pool of threads that run Lua.
//!
//! Lua blocks its thread, also while it waits for a function of the registry, so it runs neither on the
//! runtime's workers nor on tokio's blocking pool, which grows to hundreds of threads.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::chunks::Chunks;
use super::control::{Cancel, Control};
use super::error::{LuaError, LuaErrorKind};
use super::log::LogSink;
use super::namespace::{self, Host};
use super::rehearsal::Rehearsal;
use super::sandbox::Sandbox;
use super::{Limits, email, heap};
use crate::functions::{Caller, Registry};

/// How many sessions may wait for a thread, for each thread there is.
const QUEUE_PER_THREAD: usize = 64;
/// A thread without work ends after this time.
const IDLE: Duration = Duration::from_secs(30);
/// The parser and the VM recurse up to their own limits on this stack; it is only reserved, not used.
const STACK: usize = 8 * 1024 * 1024;
/// Enough for endless loops in jobs not to be felt by those who wait for a page.
const BACKGROUND_NICENESS: i32 = 5;

type Task = Box<dyn FnOnce() + Send>;

/// What one run of Lua code is allowed, who it acts as, and where it prints.
pub struct Session {
    pub caller: Caller,
    pub limits: Limits,
    pub log: LogSink,
    pub cancel: Cancel,
}

/// Runs sessions on a bounded number of threads, each in a VM of its own. Cheap to clone.
#[derive(Clone)]
pub struct LuaPool {
    shared: Arc<Shared>,
    registry: Registry,
    chunks: Arc<Chunks>,
}

struct Shared {
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
}

impl LuaPool {
    /// A pool of at most `threads` threads, which start when they are needed.
    pub fn new(name: &str, threads: usize, registry: &Registry) -> Self {
        Self::with_niceness(name, threads, registry, 0)
    }

    /// A pool for work that nobody waits for: when processors are scarce, those who wait go first.
    pub fn in_background(name: &str, threads: usize, registry: &Registry) -> Self {
        Self::with_niceness(name, threads, registry, BACKGROUND_NICENESS)
    }

    fn with_niceness(name: &str, threads: usize, registry: &Registry, niceness: i32) -> Self {
        let shared = Shared {
            name: name.to_owned(),
            limit: threads.max(1),
            niceness,
            state: Mutex::default(),
            work: Condvar::new(),
        };
        Self {
            shared: Arc::new(shared),
            registry: registry.clone(),
            chunks: Arc::default(),
        }
    }

    /// Runs `work` in a fresh sandbox on a thread of the pool. Dropping the returned future cancels the session.
    ///
    /// # Errors
    /// What `work` returns; [`LuaErrorKind::Deadline`] and [`LuaErrorKind::Cancelled`] when the session was
    /// stopped, whatever its code made of that; [`LuaErrorKind::Busy`] when the queue is full.
    pub async fn run<T, F>(&self, session: Session, work: F) -> Result<T, LuaError>
    where
        T: Send + 'static,
        F: FnOnce(&Sandbox) -> Result<T, LuaError> + Send + 'static,
    {
        self.start(session, None, work).await
    }

    /// As [`Self::run`], for code that is only tried: `rehearsal` answers its calls, and nothing is changed.
    ///
    /// # Errors
    /// See [`Self::run`].
    pub async fn rehearse<T, F>(
        &self,
        session: Session,
        rehearsal: &Arc<Rehearsal>,
        work: F,
    ) -> Result<T, LuaError>
    where
        T: Send + 'static,
        F: FnOnce(&Sandbox) -> Result<T, LuaError> + Send + 'static,
    {
        self.start(session, Some(Arc::clone(rehearsal)), work).await
    }

    async fn start<T, F>(
        &self,
        session: Session,
        rehearsal: Option<Arc<Rehearsal>>,
        work: F,
    ) -> Result<T, LuaError>
    where
        T: Send + 'static,
        F: FnOnce(&Sandbox) -> Result<T, LuaError> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let span = tracing::Span::current();
        let way = Way {
            registry: self.registry.clone(),
            runtime: Handle::current(),
            rehearsal,
        };
        let chunks = Arc::clone(&self.chunks);
        let _cancel_on_drop = CancelOnDrop(session.cancel.clone());
        self.shared.submit(Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                span.in_scope(|| run_session(session, way, chunks, work))
            }));
            // The VM is gone before its end is told: whoever waits for that can count on its memory being free.
            let _ = answer.send(outcome.unwrap_or_else(|_| Err(panicked())));
        }))?;
        answered.await.unwrap_or_else(|_| Err(panicked()))
    }
}

/// A session whose result nobody waits for any more has no reason to go on.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// How a session's calls are answered.
struct Way {
    registry: Registry,
    runtime: Handle,
    rehearsal: Option<Arc<Rehearsal>>,
}

fn run_session<T>(
    session: Session,
    way: Way,
    chunks: Arc<Chunks>,
    work: impl FnOnce(&Sandbox) -> Result<T, LuaError>,
) -> Result<T, LuaError> {
    let control = Arc::new(Control::new(session.limits.time, session.cancel));
    let host = Host {
        registry: way.registry,
        caller: session.caller,
        runtime: way.runtime,
        rehearsal: way.rehearsal,
        control: Arc::clone(&control),
    };
    let sandbox = Sandbox::new(session.limits, chunks, &session.log, Arc::clone(&control))?;
    email::bind(sandbox.lua(), sandbox.core(), host.clone())?;
    namespace::bind(sandbox.lua(), sandbox.core(), host)?;
    let outcome = work(&sandbox);
    let used_much = sandbox.lua().used_memory() > heap::MUCH;
    drop(sandbox);
    if used_much {
        heap::give_back();
    }
    match control.verdict() {
        Some(stopped) => Err(stopped),
        None => outcome,
    }
}

fn panicked() -> LuaError {
    let error = crate::Error::unexpected("a Lua session panicked");
    LuaError::new(LuaErrorKind::Runtime, error.message())
}

impl Shared {
    fn submit(self: &Arc<Self>, task: Task) -> Result<(), LuaError> {
        let mut state = self.lock();
        if state.tasks.len() >= self.limit * QUEUE_PER_THREAD {
            let text = format!(
                "all {} Lua threads for {} are busy; try again shortly",
                self.limit, self.name
            );
            return Err(LuaError::new(LuaErrorKind::Busy, text));
        }
        state.tasks.push_back(task);
        if state.idle >= state.tasks.len() || state.threads == self.limit {
            self.work.notify_one();
            return Ok(());
        }
        let shared = Arc::clone(self);
        let builder = std::thread::Builder::new()
            .name(format!("lua-{}", self.name))
            .stack_size(STACK);
        match builder.spawn(move || shared.serve()) {
            Ok(_) => state.threads += 1,
            // Others will get to it; without any thread the task is dropped, and its caller told.
            Err(cause) if state.threads > 0 => {
                tracing::warn!(%cause, "no further Lua thread could be started")
            }
            Err(cause) => {
                state.tasks.pop_back();
                return Err(LuaError::new(
                    LuaErrorKind::Busy,
                    format!("no Lua thread could be started: {cause}"),
                ));
            }
        }
        Ok(())
    }

    /// The life of one thread.
    fn serve(&self) {
        // On Linux this is the priority of the calling thread alone. Without it the work is done all the same.
        if self.niceness != 0
            && let Err(cause) = rustix::process::setpriority_process(None, self.niceness)
        {
            tracing::debug!(%cause, "the priority of a Lua thread could not be lowered");
        }
        let mut state = self.lock();
        loop {
            if let Some(task) = state.tasks.pop_front() {
                drop(state);
                task();
                state = self.lock();
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
