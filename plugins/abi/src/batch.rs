//! Several calls in one: what a plugin does for many at once need not cross to the server for each.
//!
//! A call of the host's `batch` takes `[[function, parameters], …]` and answers `[{"ok": result} | {"error": failure}, …]`
//! in the same order. Each is checked, run and answered as if it came alone, at the same time as the others.

use crate::Failure;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name; a dot is missing in it, so no function has it.
pub const BATCH: &str = "batch";
/// Calls that one batch may have.
pub const LARGEST: usize = 256;

/// How one of the calls went.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    Ok(Value),
    Error(Failure),
}

impl From<Result<Value, Failure>> for Answer {
    fn from(outcome: Result<Value, Failure>) -> Self {
        match outcome {
            Ok(value) => Self::Ok(value),
            Err(failure) => Self::Error(failure),
        }
    }
}

impl From<Answer> for Result<Value, Failure> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Ok(value) => Ok(value),
            Answer::Error(failure) => Err(failure),
        }
    }
}
