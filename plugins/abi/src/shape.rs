//! The C shape of a plugin. Every struct is `repr(C)`, and begins with or carries its size, so that later versions can
//! append fields without breaking what is built against this one.

use std::ffi::c_void;

/// The first eight bytes of a [`Descriptor`]: `CORONET1`, read as a little-endian number.
pub const MAGIC: u64 = 0x3154_454e_4f52_4f43;

/// The version of this contract.
pub const ABI_VERSION: u32 = 1;

/// The one symbol that a plugin exports, of type [`Entry`].
pub const ENTRY_SYMBOL: &str = "coronet_plugin_v1";

/// How a call went.
///
/// A plain number and not an enum: a wrong value from the other side must not be undefined behaviour.
pub type Status = i32;

/// The call succeeded; the buffer holds the result as JSON.
pub const STATUS_OK: Status = 0;

/// The call failed; the buffer holds `{code, message, details?, retryable}` as JSON.
pub const STATUS_FAILED: Status = 1;

/// Bytes lent for the time of a call. The receiver must not keep or free them.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Bytes {
    /// The first byte; may be null when `len` is 0.
    pub ptr: *const u8,
    /// How many bytes there are.
    pub len: usize,
}

/// Bytes given away. The receiver hands them back to the `free` of the side that made them, exactly once.
#[repr(C)]
pub struct Buffer {
    /// The first byte; may be null when `len` is 0.
    pub ptr: *mut u8,
    /// How many bytes there are.
    pub len: usize,
}

/// What a plugin knows about the call it is answering.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CallContext {
    /// Size of this struct in bytes, as the host knows it.
    pub size: u32,
    /// Who calls: 0 the server itself, 1 an operator, 2 an app, 3 a job, 4 a page, 5 another plugin.
    pub caller: u32,
    /// Number of the call, never 0; goes with every call back to the host, so that the two are seen as one.
    pub call: u64,
}

/// What the host offers to a plugin. Valid until the process ends; every function may be called from any thread.
#[repr(C)]
pub struct HostTable {
    /// Size of this struct in bytes, as the host knows it.
    pub size: u32,
    /// Version of the contract that the host speaks.
    pub abi_version: u32,
    /// Passed back as the first argument of every function here.
    pub context: *const c_void,
    /// Calls a function of Coronet and waits for its answer. `parent` is the number of the call being answered, or 0.
    /// The function `batch` makes several calls at once: it takes `[[function, parameters], …]` and answers
    /// `[{"ok": result} | {"error": failure}, …]` in the same order, for 256 calls at most.
    pub call: Option<
        unsafe extern "C" fn(
            context: *const c_void,
            parent: u64,
            function: Bytes,
            parameters: Bytes,
            answer: *mut Buffer,
        ) -> Status,
    >,
    /// Writes a line to the plugin's log. Levels: 1 error, 2 warning, 3 info, 4 debug.
    pub log: Option<unsafe extern "C" fn(context: *const c_void, level: u32, message: Bytes)>,
    /// Takes back a buffer that `call` filled.
    pub free: Option<unsafe extern "C" fn(buffer: Buffer)>,
}

// SAFETY: the contract lets every function here be called from any thread, and the context means nothing to the plugin.
#[expect(
    unsafe_code,
    reason = "a table of function pointers is shared between threads"
)]
unsafe impl Sync for HostTable {}

/// What the entry symbol returns a pointer to. It is static: the host keeps the pointer.
#[repr(C)]
pub struct Descriptor {
    /// Must be [`MAGIC`].
    pub magic: u64,
    /// Must be [`ABI_VERSION`].
    pub abi_version: u32,
    /// Size of this struct in bytes, as the plugin knows it.
    pub size: u32,
    /// Gives the manifest as JSON. Called before `start`, and perhaps without any `start` after it.
    pub manifest: Option<unsafe extern "C" fn() -> Buffer>,
    /// Called once, before the first `call`. `settings` is a JSON object that follows the manifest's schema.
    pub start:
        Option<unsafe extern "C" fn(host: *const HostTable, settings: Bytes, answer: *mut Buffer) -> Status>,
    /// Answers one call. Several run at the same time, on threads of the host.
    pub call: Option<
        unsafe extern "C" fn(
            context: *const CallContext,
            function: Bytes,
            parameters: Bytes,
            answer: *mut Buffer,
        ) -> Status,
    >,
    /// Called once when no call is running any more; the process ends after it.
    pub stop: Option<unsafe extern "C" fn()>,
    /// Takes back a buffer that this plugin made.
    pub free: Option<unsafe extern "C" fn(buffer: Buffer)>,
}

/// The type of the entry symbol.
pub type Entry = unsafe extern "C" fn() -> *const Descriptor;

impl Buffer {
    /// A buffer without bytes, as the place that a call fills.
    pub const fn empty() -> Self {
        Self {
            ptr: std::ptr::null_mut(),
            len: 0,
        }
    }
}

impl Bytes {
    /// Lends a slice. The result carries no lifetime: it must not be used after the slice is gone.
    pub const fn of(slice: &[u8]) -> Self {
        Self {
            ptr: slice.as_ptr(),
            len: slice.len(),
        }
    }
}
