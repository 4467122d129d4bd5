//! Resources: texts with a path, in three layers, with revisions.
//!
//! `path` says which paths are safe, `files` reads the middle layer, `store` keeps the edited one, `layers` puts the
//! three together, `check` says what may be saved, `functions` is what callers see.

pub(crate) mod check;
pub(crate) mod files;
pub(crate) mod functions;
mod history;
mod layers;
mod moving;
mod path;
mod presence;
mod records;
pub(crate) mod store;
mod together;

pub use layers::Layer;
pub(crate) use layers::{Layers, Stamp};
pub use path::{ROOTS, ResourcePath};
