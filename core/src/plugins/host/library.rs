//! Loads a library and calls its C functions.
#![expect(unsafe_code, reason = "foreign code is loaded and called here")]

use super::connection;
use coronet_plugin_abi::shape::STATUS_OK;
use coronet_plugin_abi::{
    ABI_VERSION, Buffer, Bytes, CallContext, Descriptor, ENTRY_SYMBOL, Entry, Failure, HostTable, MAGIC,
    Status, slices,
};
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::fs::File;
use std::os::fd::AsRawFd;

/// A loaded plugin. It is never unloaded: threads and thread-locals of it may live on (P06).
pub(super) struct Plugin {
    manifest: unsafe extern "C" fn() -> Buffer,
    start: unsafe extern "C" fn(*const HostTable, Bytes, *mut Buffer) -> Status,
    call: unsafe extern "C" fn(*const CallContext, Bytes, Bytes, *mut Buffer) -> Status,
    stop: unsafe extern "C" fn(),
    free: unsafe extern "C" fn(Buffer),
}

/// What a call of the plugin gave: its answer, still in the plugin's memory.
pub(super) struct Answer<'a> {
    plugin: &'a Plugin,
    buffer: Buffer,
    pub(super) ok: bool,
}

impl Plugin {
    /// Loads the library behind an open file. All its symbols are resolved now, and none becomes visible to others.
    pub(super) fn load(file: File) -> Result<Self, String> {
        // An absolute path to exactly the bytes that the server hashed; no search path takes part.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: constructors of the library run here. That is what this process is for.
        let library = unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_LOCAL) }
            .map_err(|error| format!("it cannot be loaded: {}", reason(&error, &path)))?;
        // SAFETY: the contract says what type this symbol has; a library that lies ends this process only.
        let entry = unsafe { library.get::<Entry>(ENTRY_SYMBOL.as_bytes()) }
            .map_err(|_| format!("it is no Coronet plugin: it has no symbol {ENTRY_SYMBOL}"))?;
        // SAFETY: as above.
        let descriptor = unsafe { entry() };
        let plugin = Self::check(descriptor)?;
        std::mem::forget(library);
        Ok(plugin)
    }

    /// The manifest as JSON.
    pub(super) fn manifest(&self) -> Result<Vec<u8>, String> {
        // SAFETY: the contract lets `manifest` be called at any time.
        let buffer = unsafe { (self.manifest)() };
        let answer = Answer {
            plugin: self,
            buffer,
            ok: true,
        };
        if answer.bytes().is_empty() {
            return Err("it gave no manifest; its log may say why".into());
        }
        Ok(answer.bytes().to_vec())
    }

    /// Starts the plugin with its settings.
    pub(super) fn start(&self, settings: &[u8]) -> Result<(), String> {
        let mut buffer = Buffer::empty();
        // SAFETY: the table is static, the settings outlive the call, and the buffer is ours to fill.
        let status = unsafe { (self.start)(&connection::TABLE, Bytes::of(settings), &mut buffer) };
        let answer = Answer {
            plugin: self,
            buffer,
            ok: status == STATUS_OK,
        };
        if answer.ok {
            Ok(())
        } else {
            Err(Failure::from_json(answer.bytes()).message)
        }
    }

    /// Answers one call.
    pub(super) fn call(&self, context: &CallContext, function: &str, parameters: &[u8]) -> Answer<'_> {
        let mut buffer = Buffer::empty();
        // SAFETY: all arguments outlive the call, and the buffer is ours to fill.
        let status = unsafe {
            (self.call)(
                context,
                Bytes::of(function.as_bytes()),
                Bytes::of(parameters),
                &mut buffer,
            )
        };
        Answer {
            plugin: self,
            buffer,
            ok: status == STATUS_OK,
        }
    }

    /// Ends the plugin's work.
    pub(super) fn stop(&self) {
        // SAFETY: the contract lets `stop` be called when no call is running.
        unsafe { (self.stop)() }
    }

    /// Reads the descriptor field by field: nothing after the version is touched before the version is known.
    fn check(descriptor: *const Descriptor) -> Result<Self, String> {
        if descriptor.is_null() || !descriptor.is_aligned() {
            return Err(format!("{ENTRY_SYMBOL} gave no descriptor"));
        }
        // SAFETY: not null and aligned; the contract makes it point to a static descriptor, of which every version
        // has these three fields.
        let (magic, abi_version, size) =
            unsafe { ((*descriptor).magic, (*descriptor).abi_version, (*descriptor).size) };
        if magic != MAGIC {
            return Err("its descriptor does not start with the magic number of a Coronet plugin".into());
        }
        if abi_version != ABI_VERSION {
            return Err(format!(
                "it was built for version {abi_version} of the plugin contract, and this Coronet speaks {ABI_VERSION}"
            ));
        }
        if (size as usize) < size_of::<Descriptor>() {
            return Err(format!(
                "its descriptor has {size} bytes instead of {}",
                size_of::<Descriptor>()
            ));
        }
        // SAFETY: version and size say that the whole struct is there, for ever.
        let descriptor: &'static Descriptor = unsafe { &*descriptor };
        let Descriptor {
            manifest: Some(manifest),
            start: Some(start),
            call: Some(call),
            stop: Some(stop),
            free: Some(free),
            ..
        } = *descriptor
        else {
            return Err("its descriptor lacks a function".into());
        };
        Ok(Self {
            manifest,
            start,
            call,
            stop,
            free,
        })
    }
}

impl Answer<'_> {
    /// The answer as JSON.
    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: the plugin gave this buffer, and it goes back only when `self` is dropped.
        unsafe { slices::peek(&self.buffer) }
    }
}

impl Drop for Answer<'_> {
    fn drop(&mut self) {
        let buffer = std::mem::replace(&mut self.buffer, Buffer::empty());
        // SAFETY: the buffer came from this plugin, and goes back once.
        unsafe { (self.plugin.free)(buffer) }
    }
}

/// The loader's own words, without the path of the descriptor, which tells an operator nothing.
fn reason(error: &libloading::Error, path: &str) -> String {
    let text = match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    };
    text.replace(&format!("{path}: "), "")
}
