//! The page runtime.

pub(crate) mod samples;
