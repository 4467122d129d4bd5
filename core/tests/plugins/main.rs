//! Plugins as the server meets them: real libraries in real processes, the broken ones included.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: what cannot be unwrapped is a failed test"
)]

mod broken;
mod joining;
mod living;
mod support;
