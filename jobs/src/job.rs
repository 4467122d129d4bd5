//! What a job and a run are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use coronet_core::{Error, Result};

use crate::plan::Plan;
use crate::schedule::{Schedule, Spec};

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Job {
    pub id: String,
    pub name: String,
    /// Path of the code below `jobs/`.
    pub path: String,
    pub interval: Option<i64>,
    pub cron: Option<String>,
    /// The one time of a one-off job, as clocks in its zone show it.
    pub at: Option<String>,
    pub timezone: Option<String>,
    pub run_once: bool,
    pub once_per: OncePer,
    pub active: bool,
    /// Seconds.
    pub timeout: i64,
    pub retries: i64,
    pub misfire: Misfire,
    /// The most missed ticks that `Misfire::All` makes up for.
    pub catch_up: i64,
    pub overlap: Overlap,
    /// Runs at once, with `Overlap::Allow`.
    pub max_running: i64,
    pub priority: Priority,
    pub watch: Watch,
    pub plan: Plan,
    /// The latest run in progress.
    pub running: Option<String>,
    /// Runs in progress.
    pub open_runs: i64,
    /// The row of the history that further skipped ticks are added to.
    pub skipping: Option<String>,
    pub last_run: Option<String>,
    pub last_run_at: Option<i64>,
    pub last_outcome: Option<Outcome>,
    pub problem: Option<Problem>,
    /// It was set inactive by its failures. That stays, and `problem` with it, until an operator activates the job.
    pub deactivated: Option<Deactivated>,
    pub created_at: i64,
    pub updated_at: i64,
}

/// When a job was set inactive by its failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Deactivated {
    /// Unix milliseconds.
    pub at: i64,
    /// Failures in a row; 0 when it could not even be started.
    pub failures: i64,
}

impl Job {
    /// The schedule. It was checked when it was stored; a newer zone database may know fewer zones.
    pub fn schedule(&self) -> Result<Schedule> {
        Schedule::read(Spec {
            interval: self.interval,
            cron: self.cron.as_deref(),
            at: self.at.as_deref(),
            timezone: self.timezone.as_deref(),
        })
    }

    /// Runs of it that may be in progress at once.
    pub fn most_running(&self) -> i64 {
        match self.overlap {
            Overlap::Allow => self.max_running,
            Overlap::Skip | Overlap::Queue => 1,
        }
    }

    /// Whether another run may start.
    pub fn is_free(&self) -> bool {
        self.open_runs < self.most_running()
    }

    /// Whether it has one tick, or one for each start of a server.
    pub fn runs_one_time(&self) -> bool {
        self.run_once || self.at.is_some()
    }

    /// Whether a success has consequences beyond the usual: for the plan, for who is to hear of it, or for ticks that wait.
    pub fn minds_success(&self) -> bool {
        let waits = self.overlap != Overlap::Skip || self.misfire == Misfire::All;
        let watch = &self.watch;
        let watched = watch.told || watch.overdue_after.is_some() || watch.ping_url.is_some();
        self.runs_one_time() || waits || watched || self.deactivated.is_some()
    }

    /// When the job is to be looked at: ticks wait for a retry, and those owed for a run to end.
    pub fn due_at(&self) -> Option<i64> {
        let owed = self.plan.owed_at.filter(|_| self.is_free());
        self.plan.retry_at.or(owed).or(self.plan.tick_at)
    }
}

/// Who hears of a job, and when.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Watch {
    /// Failures in a row before operators are told; only when the job is set inactive, when left out.
    pub notify_after: Option<i64>,
    /// Ticks without a success before the job is overdue.
    pub overdue_after: Option<i64>,
    /// Asked after each success, and with `/fail` after each failure.
    pub ping_url: Option<String>,
    /// When it is overdue, if it has no success until then.
    pub overdue_at: Option<i64>,
    pub overdue_since: Option<i64>,
    /// Operators were told that something is wrong.
    pub told: bool,
}

/// What went wrong in a run, and where in the code.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    pub message: String,
    /// Line of the code, counted from 1.
    pub line: Option<u32>,
    /// The Lua call stack, innermost first.
    pub traceback: Option<String>,
    /// Whether another try would come to the same: the code is missing, is not Lua, or returned what no job may return.
    #[serde(skip)]
    pub(crate) is_lasting: bool,
}

impl Problem {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            line: None,
            traceback: None,
            is_lasting: false,
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
        /// Not run at all: its time passed.
        Skipped = "skipped",
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
        /// Run each of them, the latest `catch_up` at most.
        All = "all",
    }
}

words! {
    /// What to do with a tick that comes while the job runs.
    Overlap {
        /// Let it go.
        Skip = "skip",
        /// Keep one, and run it when the run has ended.
        Queue = "queue",
        /// Run beside it, `max_running` at most.
        Allow = "allow",
    }
}

/// Which jobs go first when not all that are due can start at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    High,
    Normal,
    Low,
}

impl Priority {
    pub(crate) const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// Its place in the order, as it is stored.
    pub(crate) fn rank(self) -> i64 {
        match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        }
    }

    pub(crate) fn of_rank(rank: i64) -> Self {
        match rank {
            ..=0 => Self::High,
            1 => Self::Normal,
            2.. => Self::Low,
        }
    }
}

words! {
    /// Whose start a run-once job runs for, where several servers share a database.
    OncePer {
        /// The start of the first server, while no other runs.
        Cluster = "cluster",
        /// The start of any server.
        Server = "server",
    }
}

words! {
    /// Why ticks were not run.
    Reason {
        /// The run before was still in progress.
        Running = "running",
        /// One was waiting for that already.
        Waiting = "waiting",
        /// A failed run was to be tried again first.
        Retrying = "retrying",
        /// No server could run it in time, and the job is to leave out what was missed.
        Missed = "missed",
        /// One late run stands for them.
        MadeUp = "made_up",
        /// More were missed than are made up for.
        TooMany = "too_many",
    }
}

/// Ticks that were not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub first: i64,
    pub last: i64,
    pub ticks: i64,
    pub reason: Reason,
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
    /// Whether a success may have consequences beyond the usual.
    pub special: bool,
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
    pub told: Told,
}

/// What a run has said of itself.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Told {
    pub log: String,
    pub log_dropped_lines: i64,
    /// The revision of the code; 0 for a file.
    pub revision: Option<i64>,
    /// How much is done, and of how much.
    pub progress: Option<(i64, i64)>,
}
