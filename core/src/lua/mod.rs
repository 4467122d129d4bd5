//! Lua for jobs and pages: Luau in a closed sandbox, with the registry's functions as `core`.
//!
//! A **session** is one run of code: a fresh VM on a thread of a bounded [`LuaPool`], with a deadline, a
//! memory limit and a bounded log. Nothing survives it, so no code can leave something behind for the next.
//! Jobs and pages add what is theirs (`core.job`, `core.pages`) to [`Sandbox::core`].
//!
//! What must stay true: code that is stopped stays stopped, whatever it catches (`control`); nothing in the
//! VM runs long without a step at which it can be stopped (`prelude.luau`, `builtins`, `safepoints`); only source is
//! ever compiled, and only our own bytecode loaded (`chunks`).

mod builtins;
mod chunks;
mod control;
mod email;
mod error;
mod library;
mod lint;
mod log;
mod namespace;
mod pattern;
mod pool;
mod rehearsal;
mod safepoints;
mod sandbox;
mod schema;
mod surface;
#[cfg(test)]
mod tests;
mod threads;
mod tokens;
mod value;

use std::time::Duration;

pub use control::Cancel;
pub use error::{LuaError, LuaErrorKind};
pub use lint::{Finding, lint};
pub use log::LogSink;
pub use pool::{LuaPool, Session};
pub use rehearsal::{Rehearsal, RehearsedCall};
pub use sandbox::{Sandbox, compile};
pub use schema::Hint;
pub use surface::{Word, is_own, words};
pub use threads::{LuaThreads, Stuck};
pub use value::{Unconvertible, from_json, to_json, with_article};

/// What a session may use.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From start to end, waiting for functions included.
    pub time: Duration,
    /// Bytes of the VM's heap.
    pub memory: usize,
    /// Bytes of source.
    pub source: usize,
}

impl Default for Limits {
    /// 30 seconds, 64 MB, and 256 KB of source.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30),
            memory: 64 << 20,
            source: 256 << 10,
        }
    }
}
