//! The only place that prints: one line for each step, and what it took.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is a program for a terminal"
)]

use std::time::Instant;

use crate::error::{Error, Result};

/// Announces a step, does it, and says how long it took.
pub(crate) fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("==> {what}");
    let started = Instant::now();
    let outcome = work();
    if outcome.is_ok() {
        println!("    {what}: {:.1} s", started.elapsed().as_secs_f32());
    }
    outcome
}

pub(crate) fn text(text: &str) {
    println!("{text}");
}

pub(crate) fn failure(error: &Error) {
    eprintln!("xtask: {error}");
}
