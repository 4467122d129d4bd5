//! The C functions of a plugin, and the panics that must not leave it.
#![expect(unsafe_code, reason = "the functions here are called from C, and call C")]

use crate::host::{Backend, Caller, Host, Level};
use crate::{Error, Plugin, Result, codes};
use coronet_plugin_abi::shape::{STATUS_FAILED, STATUS_OK};
use coronet_plugin_abi::{
    ABI_VERSION, Buffer, Bytes, CallContext, Descriptor, Failure, HostTable, MAGIC, Status, slices,
};
use std::any::Any;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};

/// Makes a [`Plugin`] the plugin of this library.
///
/// The expression is evaluated once, when the host first asks for the manifest. Use it once per library.
#[macro_export]
macro_rules! export {
    ($plugin:expr) => {
        /// The one symbol that Coronet looks for.
        #[unsafe(no_mangle)]
        pub extern "C" fn coronet_plugin_v1() -> *const $crate::private::Descriptor {
            $crate::private::install(|| {
                let plugin: $crate::Plugin = $plugin;
                plugin.package(
                    env!("CARGO_PKG_VERSION"),
                    env!("CARGO_PKG_DESCRIPTION"),
                    env!("CARGO_PKG_AUTHORS"),
                    env!("CARGO_PKG_LICENSE"),
                )
            })
        }
    };
}

/// Makes the plugin, on first use.
static BUILD: OnceLock<fn() -> Plugin> = OnceLock::new();
static PLUGIN: OnceLock<Plugin> = OnceLock::new();
/// Set by `start`.
static HOST: OnceLock<Host> = OnceLock::new();

static DESCRIPTOR: Descriptor = Descriptor {
    magic: MAGIC,
    abi_version: ABI_VERSION,
    size: size_of::<Descriptor>() as u32,
    manifest: Some(manifest),
    start: Some(start),
    call: Some(call),
    stop: Some(stop),
    free: Some(free),
};

/// Remembers how the plugin is made, and gives the table of its C functions.
pub fn install(build: fn() -> Plugin) -> *const Descriptor {
    BUILD.get_or_init(|| build);
    &DESCRIPTOR
}

unsafe extern "C" fn manifest() -> Buffer {
    let made = guarded(|| {
        let plugin = plugin()?;
        Ok(serde_json::to_vec(plugin.manifest())?)
    });
    // The host takes an empty manifest as a refusal; the panic's text is on standard error.
    slices::give(made.unwrap_or_default())
}

unsafe extern "C" fn start(host: *const HostTable, settings: Bytes, answer: *mut Buffer) -> Status {
    // SAFETY: the host lends both for the time of this call, and keeps the table until the process ends.
    let (settings, table) = unsafe { (slices::borrow(settings), host.as_ref()) };
    let started = guarded(|| {
        let table = table.ok_or_else(|| Error::unexpected("the host gave no table"))?;
        let backend = Arc::new(HostProcess::new(table)?);
        let host = plugin()?.run_start(Host::new(backend, serde_json::from_slice(settings)?))?;
        HOST.set(host)
            .map_err(|_| Error::unexpected("the plugin is started already"))?;
        Ok(Vec::new())
    });
    // SAFETY: the host passes a place for the answer.
    unsafe { reply(started, answer) }
}

unsafe extern "C" fn call(
    context: *const CallContext,
    function: Bytes,
    parameters: Bytes,
    answer: *mut Buffer,
) -> Status {
    // SAFETY: the host lends all three for the time of this call.
    let (context, function, parameters) = unsafe {
        (
            context.as_ref(),
            slices::borrow(function),
            slices::borrow(parameters),
        )
    };
    let result = guarded(|| {
        let host = HOST
            .get()
            .ok_or_else(|| Error::unexpected("the plugin is not started"))?;
        let (caller, call) = context.map_or((Caller::Page, 0), |c| (Caller::from_number(c.caller), c.call));
        plugin()?.call(
            &host.for_call(caller, call),
            std::str::from_utf8(function)?,
            parameters,
        )
    });
    // SAFETY: the host passes a place for the answer.
    unsafe { reply(result, answer) }
}

unsafe extern "C" fn stop() {
    let stopped = guarded(|| {
        if let Some(host) = HOST.get() {
            plugin()?.run_stop(host);
        }
        Ok(())
    });
    // Nobody is left to tell: the process ends after this.
    drop(stopped);
}

unsafe extern "C" fn free(buffer: Buffer) {
    // SAFETY: the host gives back only what `slices::give` of this library made, once.
    drop(unsafe { slices::reclaim(buffer) });
}

fn plugin() -> Result<&'static Plugin> {
    let build = BUILD
        .get()
        .ok_or_else(|| Error::unexpected("the entry symbol was never called"))?;
    Ok(PLUGIN.get_or_init(build))
}

/// Runs code of the plugin's author. A panic ends here as an error: unwinding into C would abort the process.
pub(crate) fn guarded<T>(code: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(code)).unwrap_or_else(|payload| {
        let message = panic_text(payload.as_ref()).to_owned();
        // A payload may panic again while it is dropped; leaking it is the lesser evil.
        std::mem::forget(payload);
        Err(Error::new(
            codes::UNEXPECTED,
            format!("the plugin panicked: {message}"),
        ))
    })
}

fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// # Safety
/// `answer` must be null or a place that may be written.
unsafe fn reply(result: Result<Vec<u8>>, answer: *mut Buffer) -> Status {
    let (status, bytes) = match result {
        Ok(bytes) => (STATUS_OK, bytes),
        Err(error) => (STATUS_FAILED, error.failure().to_json()),
    };
    if !answer.is_null() {
        // SAFETY: not null, and writable by the caller's promise.
        unsafe { answer.write(slices::give(bytes)) };
    }
    status
}

/// The host process this library is loaded into.
struct HostProcess {
    context: *const c_void,
    call: unsafe extern "C" fn(*const c_void, u64, Bytes, Bytes, *mut Buffer) -> Status,
    log: unsafe extern "C" fn(*const c_void, u32, Bytes),
    free: unsafe extern "C" fn(Buffer),
}

// SAFETY: the contract lets every function of the host be called from any thread, with the context it gave.
unsafe impl Send for HostProcess {}
// SAFETY: as above.
unsafe impl Sync for HostProcess {}

impl HostProcess {
    fn new(table: &HostTable) -> Result<Self> {
        let (Some(call), Some(log), Some(free)) = (table.call, table.log, table.free) else {
            return Err(Error::unexpected("the host's table has holes"));
        };
        Ok(Self {
            context: table.context,
            call,
            log,
            free,
        })
    }
}

impl Backend for HostProcess {
    fn call(&self, parent: u64, function: &str, parameters: &[u8]) -> Result<Vec<u8>, Failure> {
        let mut answer = Buffer::empty();
        // SAFETY: context and function belong together; the slices outlive the call; `answer` is ours to fill.
        let status = unsafe {
            (self.call)(
                self.context,
                parent,
                Bytes::of(function.as_bytes()),
                Bytes::of(parameters),
                &mut answer,
            )
        };
        // SAFETY: the host filled `answer`, and it is copied before it goes back.
        let bytes = unsafe { slices::peek(&answer) }.to_vec();
        // SAFETY: the buffer is the host's, and given back once.
        unsafe { (self.free)(answer) };
        if status == STATUS_OK {
            Ok(bytes)
        } else {
            Err(Failure::from_json(&bytes))
        }
    }

    fn log(&self, level: Level, message: &str) {
        // SAFETY: context and function belong together; the text outlives the call.
        unsafe { (self.log)(self.context, level as u32, Bytes::of(message.as_bytes())) }
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of a plugin that reads the clock"
    )]
    fn now_ms(&self) -> i64 {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}
