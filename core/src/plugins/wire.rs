//! The server's end of the socket to a host process: calls in both directions.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coronet_plugin_abi::Failure;
use coronet_plugin_abi::wire::{self, Frame};
use serde_json::Value;
use tokio::net::UnixStream;
use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, timeout_at};

use super::outgoing::Outgoing;
use crate::functions::{Call, Caller};
use crate::{Code, Error, Result};

/// Bytes that may wait for a process that does not read; past it the process is stuck.
const UNSENT: usize = 2 * wire::MAX_FRAME;

/// One connection. It outlives the process: then every call is answered with why it ended.
pub(super) struct Wire {
    stream: UnixStream,
    unsent: Mutex<Outgoing>,
    more_unsent: Notify,
    waiting: Mutex<Waiting>,
    next_call: AtomicU64,
    /// Why the process must be killed.
    sentence: Mutex<Option<String>>,
    sentenced: Notify,
}

#[derive(Default)]
struct Waiting {
    calls: HashMap<u64, InFlight>,
    closed: Option<Error>,
}

struct InFlight {
    call: Arc<Call>,
    answer: oneshot::Sender<Result<Vec<u8>>>,
}

/// Why a call has no answer.
pub(super) enum CallError {
    /// It never left; another process may take it.
    NotSent,
    Failed(Error),
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            unsent: Mutex::default(),
            more_unsent: Notify::new(),
            waiting: Mutex::default(),
            next_call: AtomicU64::new(1),
            sentence: Mutex::default(),
            sentenced: Notify::new(),
        }
    }

    /// Calls a function of the plugin. Past the deadline the process is killed, also when nobody waits any more.
    pub(super) async fn call(
        self: &Arc<Self>,
        call: &Arc<Call>,
        parameters: &Value,
        deadline: Instant,
    ) -> Result<Value, CallError> {
        let parameters =
            serde_json::to_vec(parameters).map_err(|cause| CallError::Failed(Error::unexpected(cause)))?;
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (answer, receiver) = oneshot::channel();
        {
            let mut waiting = lock(&self.waiting);
            if waiting.closed.is_some() {
                return Err(CallError::NotSent);
            }
            waiting.calls.insert(
                id,
                InFlight {
                    call: Arc::clone(call),
                    answer,
                },
            );
        }
        let caller = caller_number(&call.caller);
        let frame = Frame::Call {
            id,
            parent: 0,
            caller,
            function: &call.function,
            parameters: &parameters,
        };
        if let Err(error) = self.send(&frame) {
            lock(&self.waiting).calls.remove(&id);
            return Err(CallError::Failed(error));
        }
        let mut patience = Patience {
            wire: self,
            receiver: Some(receiver),
            deadline,
            function: &call.function,
        };
        let bytes = patience.answer().await.map_err(CallError::Failed)?;
        serde_json::from_slice(&bytes).map_err(|_| {
            let text = format!(
                "The plugin's {} answered something that is not JSON.",
                call.function
            );
            CallError::Failed(Error::new(Code::ResultInvalid, text))
        })
    }

    /// Sends a frame; what the socket does not take at once follows later, in order.
    pub(super) fn send(&self, frame: &Frame<'_>) -> Result<()> {
        let mut unsent = lock(&self.unsent);
        let is_first = unsent.is_empty();
        frame
            .encode(unsent.end())
            .map_err(|cause| Error::new(Code::TooLarge, format!("The call is too large: {cause}.")))?;
        if is_first {
            match unsent.send(|bytes| self.stream.try_write(bytes)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                // The reader notices the same, and ends the connection.
                Err(_) => unsent.clear(),
            }
        }
        if unsent.len() > UNSENT {
            self.condemn("it does not read what it is sent");
        }
        if !unsent.is_empty() {
            self.more_unsent.notify_one();
        }
        Ok(())
    }

    /// Sends what [`Self::send`] could not; runs as long as the connection.
    pub(super) async fn send_later(&self) {
        loop {
            self.more_unsent.notified().await;
            while !lock(&self.unsent).is_empty() {
                if self.stream.writable().await.is_err() {
                    return;
                }
                let mut unsent = lock(&self.unsent);
                match unsent.send(|bytes| self.stream.try_write(bytes)) {
                    Ok(()) => {}
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }
    }

    /// Hands every frame to `see`, until the process hangs up or speaks nonsense.
    pub(super) async fn read(&self, mut see: impl FnMut(Frame<'_>)) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(16 * 1024);
        loop {
            let mut used = 0;
            while let Some((frame, length)) = wire::decode(&bytes[used..]).map_err(io::Error::other)? {
                see(frame);
                used += length;
            }
            bytes.drain(..used);
            if bytes.is_empty() {
                bytes.shrink_to(64 * 1024);
            }
            bytes.reserve(wire::missing(&bytes).clamp(16 * 1024, 1024 * 1024));
            self.stream.readable().await?;
            match self.stream.try_read_buf(&mut bytes) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Settles the call that the plugin answered.
    pub(super) fn returned(&self, id: u64, ok: bool, payload: &[u8]) {
        let Some(in_flight) = lock(&self.waiting).calls.remove(&id) else {
            return;
        };
        let outcome = if ok {
            Ok(payload.to_vec())
        } else {
            Err(error_of(&in_flight.call.function, payload))
        };
        // Whoever asked may have gone away.
        let _ = in_flight.answer.send(outcome);
    }

    /// The call that the plugin is answering when it calls back with this number.
    pub(super) fn parent(&self, id: u64) -> Option<Arc<Call>> {
        lock(&self.waiting)
            .calls
            .get(&id)
            .map(|in_flight| Arc::clone(&in_flight.call))
    }

    pub(super) fn in_flight(&self) -> usize {
        lock(&self.waiting).calls.len()
    }

    /// Asks for the death of the process; the first reason counts.
    pub(super) fn condemn(&self, reason: &str) {
        lock(&self.sentence).get_or_insert_with(|| reason.to_owned());
        self.sentenced.notify_one();
    }

    /// Waits until the process is condemned.
    pub(super) async fn condemned(&self) {
        self.sentenced.notified().await;
    }

    pub(super) fn sentence(&self) -> Option<String> {
        lock(&self.sentence).clone()
    }

    /// Answers everything in flight, and all that comes later, with why the process ended.
    pub(super) fn close(&self, error: &Error) {
        let calls = {
            let mut waiting = lock(&self.waiting);
            waiting.closed = Some(error.clone());
            std::mem::take(&mut waiting.calls)
        };
        for (_, in_flight) in calls {
            let _ = in_flight.answer.send(Err(error.clone()));
        }
    }
}

/// A call's wait. When the one who waits goes away, the deadline still holds.
struct Patience<'a> {
    wire: &'a Arc<Wire>,
    receiver: Option<oneshot::Receiver<Result<Vec<u8>>>>,
    deadline: Instant,
    function: &'a str,
}

impl Patience<'_> {
    async fn answer(&mut self) -> Result<Vec<u8>> {
        let Some(receiver) = self.receiver.as_mut() else {
            return Err(gone());
        };
        let outcome = timeout_at(self.deadline, receiver).await;
        self.receiver = None;
        match outcome {
            Ok(answer) => answer.unwrap_or_else(|_| Err(gone())),
            Err(_) => {
                self.wire.condemn(&overdue(self.function));
                let text = format!(
                    "{} took too long; its plugin is being restarted. Try again shortly.",
                    self.function
                );
                Err(Error::new(Code::Deadline, text))
            }
        }
    }
}

impl Drop for Patience<'_> {
    fn drop(&mut self) {
        let Some(receiver) = self.receiver.take() else {
            return;
        };
        let (wire, deadline, reason) = (Arc::clone(self.wire), self.deadline, overdue(self.function));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if timeout_at(deadline, receiver).await.is_err() {
                    wire.condemn(&reason);
                }
            });
        }
    }
}

fn overdue(function: &str) -> String {
    format!("{function} did not answer in time")
}

fn gone() -> Error {
    Error::new(
        Code::Unavailable,
        "The plugin ended before it answered. Try again shortly.",
    )
}

/// A plugin's failure as an error of ours. What a plugin did not foresee is for the log, not for the caller.
fn error_of(function: &str, payload: &[u8]) -> Error {
    let failure = Failure::from_json(payload);
    let code = Code::from_number(failure.code).unwrap_or(Code::Other);
    let known = failure
        .details
        .as_ref()
        .is_some_and(|details| details.get("incident").is_some());
    if code == Code::Unexpected && !known {
        return Error::unexpected(format_args!("{function}: {}", failure.message));
    }
    let mut error = Error::new(code, failure.message);
    if let Some(details) = failure.details {
        error = error.with_details(details);
    }
    if failure.retryable {
        error.retryable()
    } else {
        error
    }
}

/// The numbers of `CallContext::caller`.
fn caller_number(caller: &Caller) -> u8 {
    match caller {
        Caller::System => 0,
        Caller::Operator(_) => 1,
        Caller::App(_) => 2,
        Caller::Job { .. } => 3,
        Caller::Page { .. } => 4,
        Caller::Plugin { .. } => 5,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
