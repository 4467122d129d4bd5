//! A bounded pool of threads that run Lua.
//!
//! Lua blocks its thread, also while it waits for a function of the registry, so it runs neither on the
//! runtime's workers nor on tokio's blocking pool, which grows to hundreds of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::chunks::Chunks;
use super::control::{Cancel, Control};
use super::error::{LuaError, LuaErrorKind};
use super::log::LogSink;
use super::namespace::{self, Host};
use super::rehearsal::Rehearsal;
use super::sandbox::Sandbox;
use super::threads::{GRACE, Seat, Threads};
use super::{Limits, email};
use crate::functions::{Caller, Registry};
use crate::memory;

/// A session that used more than this many bytes returns its memory to the system at once: that is worth the few milliseconds.
const MUCH_MEMORY: usize = 8 << 20;
/// Enough for endless loops in jobs not to be felt by those who wait for a page.
const BACKGROUND_NICENESS: i32 = 5;

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
    threads: Arc<Threads>,
    registry: Registry,
    chunks: Arc<Chunks>,
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
        let threads = Threads::new(name, threads, niceness);
        registry.lua_threads().watch(&threads);
        Self {
            threads,
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
        let (begin, begun) = oneshot::channel();
        let span = tracing::Span::current();
        let way = Way {
            registry: self.registry.clone(),
            runtime: Handle::current(),
            rehearsal,
        };
        let chunks = Arc::clone(&self.chunks);
        let (cancel, limit) = (session.cancel.clone(), session.limits.time);
        let _cancel_on_drop = CancelOnDrop(cancel.clone());
        self.threads.submit(Box::new(move |seat: &Arc<Seat>| {
            let _ = begin.send(Arc::clone(seat));
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                span.in_scope(|| run_session(session, way, chunks, work))
            }));
            // Ended before the answer is sent, so that whoever has the answer finds the thread free, and whoever gave the
            // session up has given it up for good.
            seat.leave();
            // The VM is gone before its end is told: whoever waits for that can count on its memory being free.
            let _ = answer.send(outcome.unwrap_or_else(|_| Err(panicked())));
        }))?;
        // By a task of its own: the session goes on when nobody waits for it any more.
        let threads = Arc::clone(&self.threads);
        let overdue = tokio::spawn(async move {
            let Ok(seat) = begun.await else {
                return None;
            };
            tokio::select! {
                () = tokio::time::sleep(limit + GRACE) => {}
                () = async { cancel.cancelled().await; tokio::time::sleep(GRACE).await } => {}
                () = seat.left() => return None,
            }
            threads.give_up(&seat).then(|| overdue(&cancel, limit))
        });
        tokio::select! {
            biased;
            answer = answered => answer.unwrap_or_else(|_| Err(panicked())),
            Ok(Some(error)) = overdue => Err(error),
        }
    }
}

/// The end of a session whose thread does not return.
fn overdue(cancel: &Cancel, limit: std::time::Duration) -> LuaError {
    let why = "the code is in a library function that does not return, and was left behind";
    if cancel.is_cancelled() {
        return LuaError::new(LuaErrorKind::Cancelled, format!("cancelled: {why}"));
    }
    let text = format!("stopped after its time limit of {} s: {why}", limit.as_secs_f64());
    LuaError::new(LuaErrorKind::Deadline, text)
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
    let used_much = sandbox.lua().used_memory() > MUCH_MEMORY;
    drop(sandbox);
    if used_much {
        memory::give_back();
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
