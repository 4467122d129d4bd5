//! The Templates service: layered resources with revisions, two rendering engines and the page runtime.

pub mod engine;
