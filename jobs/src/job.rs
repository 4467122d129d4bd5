//! What a job and a run are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use coronet_core::{Error, Result};

use crate::plan::Plan;
use crate::schedule::Schedule;

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub id: String,
    pub name: String,
    /// Path of the code below `jobs/`.
    pub path: String,
    pub interval: Option<i64>,
    pub cron: Option<String>,
    pub timezone: Option<String>,
    pub run_once: bool,
    pub active: bool,
    /// Seconds.
    pub timeout: i64,
    pub retries: i64,
    pub misfire: Misfire,
    pub plan: Plan,
    /// The run in progress.
    pub running: Option<String>,
    pub last_run: Option<String>,
    pub last_run_at: Option<i64>,
    pub last_outcome: Option<Outcome>,
    pub problem: Option<Problem>,
    pub created_at: i64,
    pub updated_at: i64,
}

impl Job {
    /// The schedule. It was checked when it was stored; a newer zone database may know fewer zones.
    pub fn schedule(&self) -> Result<Schedule> {
        Schedule::parse(self.interval, self.cron.as_deref(), self.timezone.as_deref())
    }
}

/// What went wrong in a run, and where in the code.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    pub message: String,
    /// Line of the code, counted from 1.
    pub line: Option<u32>,
    /// The Lua call stack, innermost first.
    pub traceback: Option<String>,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: None,
            traceback: None,
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// The word it is stored and shown as.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            pub(crate) fn from_stored(word: &str) -> Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(Error::unexpected(format!("\"{word}\" is stored where one of a {} should be", stringify!($name)))),
                }
            }
        }
    };
}

words! {
    /// How a run ended.
    Outcome {
        /// It returned `job.OK`.
        Ok = "ok",
        /// It returned `job.SLEEP`: not again for 24 hours.
        Sleep = "sleep",
        /// It returned `job.STOP`: not again until a reload.
        Stop = "stop",
        /// It returned `job.EXIT`: the job was set inactive.
        Exit = "exit",
        /// It raised an error, returned something else, or its code is missing.
        Error = "error",
        /// It did not end within its time.
        Timeout = "timeout",
        /// An operator ended it.
        Cancelled = "cancelled",
        /// Its server went away while it ran.
        Lost = "lost",
    }
}

words! {
    /// Why a run was started.
    Trigger {
        /// Its time had come.
        Schedule = "schedule",
        /// The run before it failed.
        Retry = "retry",
        /// Somebody asked for it.
        Hand = "hand",
    }
}

words! {
    /// What to do with a tick that was missed because no server ran.
    Misfire {
        /// Run once, late; however many were missed.
        Run = "run",
        /// Wait for the next tick.
        Skip = "skip",
    }
}

words! {
    /// What an active job is doing between its runs.
    Phase {
        /// Waiting for its next tick.
        Armed = "armed",
        /// It returned `job.SLEEP`.
        Sleeping = "sleeping",
        /// It returned `job.STOP`.
        Stopped = "stopped",
        /// Run once, and has run.
        Done = "done",
    }
}

/// A run that was claimed and is to be started by this server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Claimed {
    pub id: String,
    pub job_id: String,
    pub name: String,
    pub path: String,
    pub run_once: bool,
    pub trigger: Trigger,
    pub attempt: i64,
    pub due_at: i64,
    pub started_at: i64,
    /// Seconds.
    pub timeout: i64,
    pub timezone: Option<String>,
}

/// A run that has ended here and is to be recorded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    pub run: Claimed,
    pub ended_at: i64,
    pub outcome: Outcome,
    pub problem: Option<Problem>,
    pub log: String,
    pub log_dropped_lines: i64,
}
