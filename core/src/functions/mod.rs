//! The registry of functions: the one choke point of Coronet.
//!
//! Everything Coronet can do is a [`Function`]: defined once, and then there for Lua, HTTP, the CLI, plugins, the
//! webmin and the documentation. [`Registry::call`] is the way of every call, whoever makes it: look-up,
//! authorization, rate limit, validation against the schema, deadline, tracing, the function itself, audit.

mod access;
mod actor;
mod caller;
mod change;
mod examples;
mod function;
pub(crate) mod limits;
pub mod luau;
mod metrics;
pub mod openapi;
mod registry;
mod schema;

pub use access::{Access, Effect, Role, grants_allow};
pub use actor::Actor;
pub use caller::{AppCaller, Caller, OperatorCaller, Via};
pub use change::{Change, Changed, Reversal, Told, Undo};
pub use examples::example;
pub use function::{Call, Function, Handler, Spec};
pub(crate) use limits::network;
pub use metrics::CallMetrics;
pub use registry::{AuditSink, CallRecord, Registry};
pub use schema::masked;
pub use schema::nearest;
pub(crate) use schema::{decisive, of as schema_of, path_of, rule, settle};

#[cfg(test)]
mod tests;
