//! Native plugins, each in a process of its own.

pub mod host;
