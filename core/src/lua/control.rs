//! What ends a session from outside its code: its deadline, or somebody's wish.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use mlua::Lua;
use tokio::sync::Notify;

use super::error::{LuaError, LuaErrorKind};

/// Ends a session early. Clones end the same session.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<CancelState>);

#[derive(Debug, Default)]
struct CancelState {
    cancelled: AtomicBool,
    wake: Notify,
}

impl Cancel {
    /// Asks the session to end; it does at its next loop step, call or host function.
    pub fn cancel(&self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
        self.0.wake.notify_waiters();
    }

    /// Whether the end was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Resolves once the end was asked for.
    pub async fn cancelled(&self) {
        let wake = self.0.wake.notified();
        tokio::pin!(wake);
        // Registered before the flag is read, so that no wake-up falls between the two.
        wake.as_mut().enable();
        if !self.is_cancelled() {
            wake.await;
        }
    }
}

const RUNNING: u8 = 0;
const TIMED_OUT: u8 = 1;
const CANCELLED: u8 = 2;

/// The state the interrupt looks at. Once tripped it stays tripped: `pcall` may catch one interrupt's
/// error, but the next loop step or call raises it again, so code cannot outlive its deadline (L01).
#[derive(Debug)]
pub(super) struct Control {
    limit: Duration,
    deadline: Instant,
    cancel: Cancel,
    tripped: AtomicU8,
    place: Mutex<Option<String>>,
}

impl Control {
    pub(super) fn new(limit: Duration, cancel: Cancel) -> Self {
        Self {
            limit,
            deadline: Instant::now() + limit,
            cancel,
            tripped: AtomicU8::new(RUNNING),
            place: Mutex::new(None),
        }
    }

    /// Called at every loop step and call of the code, and before and after every host function.
    pub(super) fn check(&self) -> Result<(), Tripped> {
        if self.tripped.load(Ordering::Relaxed) != RUNNING {
            return Err(Tripped);
        }
        let reason = if self.cancel.is_cancelled() {
            CANCELLED
        } else if Instant::now() >= self.deadline {
            TIMED_OUT
        } else {
            return Ok(());
        };
        self.tripped.store(reason, Ordering::Relaxed);
        Err(Tripped)
    }

    /// The error that ends the code, which is remembered to be where it is now; the first place counts.
    pub(super) fn stopped(&self, lua: &Lua) -> mlua::Error {
        let mut place = self.place.lock().unwrap_or_else(PoisonError::into_inner);
        if place.is_none() {
            *place = lua.traceback(None, 0).ok().map(|text| text.to_string_lossy());
        }
        mlua::Error::external(Tripped)
    }

    /// Resolves when the session has to end; the host call in flight is dropped then.
    pub(super) async fn tripped(&self) {
        tokio::select! {
            () = tokio::time::sleep_until(self.deadline.into()) => {}
            () = self.cancel.cancelled() => {}
        }
    }

    /// The error of a session that was stopped, whatever its code made of it.
    pub(super) fn verdict(&self) -> Option<LuaError> {
        let error = match self.tripped.load(Ordering::Relaxed) {
            TIMED_OUT => LuaError::new(
                LuaErrorKind::Deadline,
                format!("stopped after its time limit of {} s", self.limit.as_secs_f64()),
            ),
            CANCELLED => LuaError::new(LuaErrorKind::Cancelled, "cancelled"),
            _ => return None,
        };
        Some(error.at(self.place.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

/// The session has to end.
#[derive(Debug, thiserror::Error)]
#[error("the session was stopped")]
pub(super) struct Tripped;
