//! The Templates service: layered resources with revisions, two rendering engines and the page runtime.
//!
//! - [`engine`] compiles and renders: legacy tags, strictness, escaping, limits. It knows no files and no database.
//! - [`resources`] finds texts in three layers and keeps the history of the edited one.
//! - [`Templates`] puts them together, registers `resources.*` and `template.*`, and is what pages render with.
//! - [`pages`] runs page code and serves what belongs to pages, without knowing the HTTP server.

mod blocking;
mod compiled;
pub mod engine;
mod failing;
mod functions;
pub mod pages;
pub mod resources;
mod samples;
mod send;
mod service;
mod shipped;
mod warnings;

pub use service::Templates;

#[cfg(test)]
mod tests;
