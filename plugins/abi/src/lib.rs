//! The contract between Coronet and a plugin, version 1.
//!
//! A plugin is a shared library with one exported symbol, [`ENTRY_SYMBOL`], that returns a static [`Descriptor`]:
//! a table of C functions. Nothing else crosses the border: no Rust type, no allocator, no symbol of the host. Data
//! is JSON in `{ptr, len}` buffers, and whoever made a buffer frees it. So a plugin may be built by another compiler
//! version, or written in another language; `include/coronet_plugin.h` is this crate as a C header.
//!
//! The server never loads a library into itself. It starts `coronet plugin-host`, a process that loads one library
//! and speaks the [frames of this crate](wire) over a private socket.
//!
//! | file | holds |
//! | --- | --- |
//! | [`shape`] | the C structs and function types |
//! | [`slices`] | the only place where a pointer and a length become a slice |
//! | [`manifest`] | what a plugin says about itself, readable without starting it |
//! | [`batch`] | several calls of the host in one |
//! | [`failure`] | the one shape of an error on every border |
//! | [`wire`] | frames between server and host process |

pub mod batch;
pub mod failure;
pub mod manifest;
pub mod shape;
pub mod slices;
pub mod wire;

pub use failure::Failure;
pub use manifest::Manifest;
pub use shape::{
    ABI_VERSION, Buffer, Bytes, CallContext, Descriptor, ENTRY_SYMBOL, Entry, HostTable, MAGIC, Status,
};
