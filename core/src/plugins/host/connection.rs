//! The socket to the server, and the threads that answer calls.
//!
//! Threads take turns: one of them reads. When a call comes, the reader lets the next thread read and answers the call
//! itself, so that a call changes threads nowhere. There is always a reader, also when all threads are busy: then the
//! last one reads on and puts calls aside, because the answers that the busy ones wait for come the same way.
#![expect(unsafe_code, reason = "the host table's functions are called from C")]

use super::{CONNECTION, confine, library::Plugin};
use coronet_plugin_abi::failure::codes;
use coronet_plugin_abi::shape::{STATUS_FAILED, STATUS_OK};
use coronet_plugin_abi::wire::{self, Frame};
use coronet_plugin_abi::{ABI_VERSION, Buffer, Bytes, CallContext, Failure, HostTable, Status, slices};
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::c_void;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};

/// The table that the plugin gets at its start.
pub(super) static TABLE: HostTable = HostTable {
    size: size_of::<HostTable>() as u32,
    abi_version: ABI_VERSION,
    context: std::ptr::null(),
    call: Some(table_call),
    log: Some(table_log),
    free: Some(table_free),
};

/// Both directions of the connection.
pub(super) struct Connection {
    reader: Mutex<FrameReader>,
    writer: Mutex<UnixStream>,
    /// Answers that threads of the plugin wait for, by the number of their call.
    waiting: Mutex<HashMap<u64, mpsc::SyncSender<Reply>>>,
    next_call: AtomicU64,
    work: Mutex<Work>,
    /// Rings when a call ends and when the server says `Stop`.
    changed: Condvar,
}

/// What the threads have to do.
#[derive(Default)]
struct Work {
    /// Threads that may still be started.
    spare: usize,
    /// Threads that wait for their turn to read, or are on the way there.
    idle: usize,
    /// Calls being answered.
    running: usize,
    /// Calls that came when every thread was busy.
    aside: VecDeque<Call>,
    stopping: bool,
}

/// An answer of the server.
struct Reply {
    ok: bool,
    payload: Vec<u8>,
}

/// A call of the server.
struct Call {
    context: CallContext,
    function: String,
    parameters: Vec<u8>,
}

impl Connection {
    pub(super) fn new(socket: UnixStream) -> Self {
        // Two handles of one socket: reading and writing never wait for each other.
        let writer = socket.try_clone().unwrap_or_else(|_| confine::leave(1));
        Self {
            reader: Mutex::new(FrameReader {
                socket,
                bytes: Vec::with_capacity(16 * 1024),
                used: 0,
            }),
            writer: Mutex::new(writer),
            waiting: Mutex::default(),
            next_call: AtomicU64::new(1),
            work: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Sends one frame.
    pub(super) fn send(&self, frame: &Frame<'_>) -> io::Result<()> {
        thread_local! {
            static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
        }
        SCRATCH.with_borrow_mut(|bytes| {
            bytes.clear();
            frame.encode(bytes).map_err(io::Error::other)?;
            let sent = lock(&self.writer).write_all(bytes);
            // One large answer must not stay in memory for ever.
            bytes.shrink_to(64 * 1024);
            sent
        })
    }

    /// Waits for the settings; `None` when the server only wanted the manifest.
    pub(super) fn wait_for_start(&self) -> io::Result<Option<Vec<u8>>> {
        let mut reader = lock(&self.reader);
        reader.next(|frame| match frame {
            Some(Frame::Start { settings }) => Ok(Some(settings.to_vec())),
            None | Some(Frame::Stop) => Ok(None),
            Some(_) => Err(io::Error::other("the server spoke out of turn")),
        })?
    }

    /// Lets threads read and answer calls from now on, up to `threads` calls at a time.
    pub(super) fn serve(self: &Arc<Self>, plugin: Arc<Plugin>, threads: usize) {
        {
            let mut work = lock(&self.work);
            // One more than there may be calls, of which the first is started here.
            work.spare = threads.max(1);
            work.idle = 1;
        }
        self.spawn(plugin);
    }

    /// Waits until the server says `Stop` and no call is running.
    pub(super) fn wait_for_stop(&self) {
        let work = lock(&self.work);
        let done = self.changed.wait_while(work, |work| {
            !work.stopping || work.running > 0 || !work.aside.is_empty()
        });
        drop(done);
    }

    /// Calls the server and waits for its answer.
    fn call(&self, parent: u64, function: &[u8], parameters: &[u8]) -> Reply {
        let Ok(function) = std::str::from_utf8(function) else {
            return Reply::failed(&Failure::new(
                codes::PARAMETER_TYPE,
                "the name of the function is not UTF-8",
            ));
        };
        let id = self.next_call.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::sync_channel(1);
        lock(&self.waiting).insert(id, sender);
        let frame = Frame::Call {
            id,
            parent,
            caller: 0,
            function,
            parameters,
        };
        if let Err(error) = self.send(&frame) {
            lock(&self.waiting).remove(&id);
            return Reply::failed(&Failure::new(
                codes::UNAVAILABLE,
                format!("the call cannot be sent: {error}"),
            ));
        }
        receiver.recv().unwrap_or_else(|_| {
            Reply::failed(&Failure::new(codes::UNAVAILABLE, "the server went away").retryable())
        })
    }

    fn spawn(self: &Arc<Self>, plugin: Arc<Plugin>) {
        let connection = self.clone();
        let spawned = std::thread::Builder::new()
            .name("plugin-call".into())
            .stack_size(2 * 1024 * 1024)
            .spawn(move || connection.take_turns(&plugin));
        if spawned.is_err() {
            // Without a reader nothing goes on; a new process may find the system in a better state.
            confine::leave(1);
        }
    }

    /// The life of a thread.
    fn take_turns(self: &Arc<Self>, plugin: &Arc<Plugin>) {
        loop {
            let mut next = Some(self.read_until_call(plugin));
            while let Some(call) = next {
                self.answer(plugin, &call);
                let mut work = lock(&self.work);
                next = work.aside.pop_front();
                if next.is_none() {
                    work.running -= 1;
                    work.idle += 1;
                    if work.stopping {
                        self.changed.notify_all();
                    }
                }
            }
        }
    }

    /// Reads until there is a call that this thread should answer, and leaves the reading to another one.
    fn read_until_call(self: &Arc<Self>, plugin: &Arc<Plugin>) -> Call {
        let mut reader = lock(&self.reader);
        lock(&self.work).idle -= 1;
        loop {
            let call = reader
                .next(|frame| self.see(frame))
                .unwrap_or_else(|_| confine::leave(1));
            let Some(call) = call else { continue };
            let mut work = lock(&self.work);
            if work.idle == 0 && work.spare == 0 {
                work.aside.push_back(call);
                continue;
            }
            work.running += 1;
            if work.idle == 0 {
                work.idle += 1;
                work.spare -= 1;
                drop(work);
                self.spawn(plugin.clone());
            }
            return call;
        }
    }

    /// Deals with what the reader can settle itself, and gives back a call.
    fn see(&self, frame: Option<Frame<'_>>) -> Option<Call> {
        match frame {
            Some(Frame::Call {
                id,
                caller,
                function,
                parameters,
                ..
            }) => {
                let context = CallContext {
                    size: size_of::<CallContext>() as u32,
                    caller: caller.into(),
                    call: id,
                };
                return Some(Call {
                    context,
                    function: function.to_owned(),
                    parameters: parameters.to_vec(),
                });
            }
            Some(Frame::Return { id, ok, payload }) => {
                if let Some(waiting) = lock(&self.waiting).remove(&id) {
                    // The place is empty and a thread waits for it, so this neither blocks nor fails.
                    let _ = waiting.send(Reply {
                        ok,
                        payload: payload.to_vec(),
                    });
                }
            }
            Some(Frame::Stop) => {
                lock(&self.work).stopping = true;
                self.changed.notify_all();
            }
            // The server hung up: whatever runs here has nobody to answer to.
            None => confine::leave(0),
            Some(_) => confine::leave(1),
        }
        None
    }

    fn answer(&self, plugin: &Plugin, call: &Call) {
        let answer = plugin.call(&call.context, &call.function, &call.parameters);
        let frame = Frame::Return {
            id: call.context.call,
            ok: answer.ok,
            payload: answer.bytes(),
        };
        if let Err(error) = self.send(&frame) {
            let failure = Failure::new(
                codes::RESULT_INVALID,
                format!("the answer cannot be sent: {error}"),
            );
            let frame = Frame::Return {
                id: call.context.call,
                ok: false,
                payload: &failure.to_json(),
            };
            if self.send(&frame).is_err() {
                confine::leave(1);
            }
        }
    }
}

impl Reply {
    fn failed(failure: &Failure) -> Self {
        Self {
            ok: false,
            payload: failure.to_json(),
        }
    }
}

/// Cuts the stream into frames, without copying their bodies.
struct FrameReader {
    socket: UnixStream,
    bytes: Vec<u8>,
    /// Bytes at the front that belong to frames already seen.
    used: usize,
}

impl FrameReader {
    /// Hands the next frame to `see`, or `None` at the end of the stream.
    fn next<T>(&mut self, see: impl FnOnce(Option<Frame<'_>>) -> T) -> io::Result<T> {
        loop {
            match wire::decode(&self.bytes[self.used..]).map_err(io::Error::other)? {
                Some((frame, length)) => {
                    self.used += length;
                    return Ok(see(Some(frame)));
                }
                None => {
                    if !self.fill()? {
                        return Ok(see(None));
                    }
                }
            }
        }
    }

    /// Reads more bytes; `false` at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.used);
        self.used = 0;
        if self.bytes.is_empty() {
            self.bytes.shrink_to(64 * 1024);
        }
        let have = self.bytes.len();
        let room = wire::missing(&self.bytes).max(16 * 1024);
        self.bytes.resize(have + room, 0);
        let read = loop {
            match self.socket.read(&mut self.bytes[have..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.bytes.truncate(have + read.as_ref().copied().unwrap_or(0));
        Ok(read? > 0)
    }
}

unsafe extern "C" fn table_call(
    _: *const c_void,
    parent: u64,
    function: Bytes,
    parameters: Bytes,
    answer: *mut Buffer,
) -> Status {
    // SAFETY: the plugin lends both for the time of this call.
    let (function, parameters) = unsafe { (slices::borrow(function), slices::borrow(parameters)) };
    let reply = match CONNECTION.get() {
        Some(connection) => connection.call(parent, function, parameters),
        None => Reply::failed(&Failure::new(
            codes::UNAVAILABLE,
            "there is no connection to the server",
        )),
    };
    if !answer.is_null() {
        // SAFETY: not null, and the contract makes it a place to write to.
        unsafe { answer.write(slices::give(reply.payload)) };
    }
    if reply.ok { STATUS_OK } else { STATUS_FAILED }
}

unsafe extern "C" fn table_log(_: *const c_void, level: u32, message: Bytes) {
    // SAFETY: the plugin lends the text for the time of this call.
    let message = unsafe { slices::borrow(message) };
    if let Some(connection) = CONNECTION.get() {
        let level = u8::try_from(level).unwrap_or(3);
        // A line that cannot be sent has no other place to go.
        let _ = connection.send(&Frame::Log { level, message });
    }
}

unsafe extern "C" fn table_free(buffer: Buffer) {
    // SAFETY: the plugin gives back what `table_call` gave, once.
    drop(unsafe { slices::reclaim(buffer) });
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
