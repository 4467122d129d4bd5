//! What the dashboard is told by functions, as far as it shows it.

use serde::{Deserialize, Serialize};

use crate::jobs::records::{Job, Run};

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Health {
    pub(crate) checks: Vec<Check>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) servers: Vec<Server>,
    pub(crate) disk: Option<Room>,
    pub(crate) memory: Option<Room>,
}

/// What `server.info` tells.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Info {
    pub(crate) memory_bytes: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Check {
    pub(crate) name: String,
    pub(crate) ok: bool,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) part: String,
    pub(crate) kind: String,
    pub(crate) level: String,
    pub(crate) subject: String,
    pub(crate) why: String,
    pub(crate) since: Option<i64>,
    pub(crate) count: Option<i64>,
    pub(crate) id: Option<String>,
    pub(crate) muted: Option<Muted>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Muted {
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) until: i64,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) started_at: i64,
    #[serde(default)]
    pub(crate) seen_at: Option<i64>,
    /// Runs of jobs in progress.
    #[serde(default)]
    pub(crate) runs: i64,
    /// Load average of its machine.
    #[serde(default)]
    pub(crate) load: f64,
    pub(crate) state: String,
}

/// Bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Room {
    pub(crate) total: i64,
    pub(crate) free: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Jobs {
    pub(crate) count: i64,
    pub(crate) active: i64,
    pub(crate) next: Vec<Job>,
    pub(crate) latest: Vec<Run>,
}

/// What `mail.trouble` tells.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct MailTrouble {
    pub(crate) waiting: i64,
    pub(crate) transport: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct History {
    pub(crate) from: i64,
    pub(crate) until: i64,
    /// Seconds.
    pub(crate) step: i64,
    pub(crate) series: Vec<Series>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) values: Vec<Option<i64>>,
}

impl History {
    /// One value for each bucket.
    pub(crate) fn values(&self, name: &str) -> &[Option<i64>] {
        let found = self.series.iter().find(|series| series.name == name);
        found.map_or(&[], |series| &series.values)
    }

    /// Whether anything was counted or measured in a step that ended before this time.
    pub(crate) fn reaches_back(&self, before: i64) -> bool {
        let steps = (before - self.from).max(0) / (self.step * 1000).max(1);
        let steps = usize::try_from(steps).unwrap_or(0);
        let is_something = |value: &Option<i64>| value.is_some_and(|value| value != 0);
        self.series
            .iter()
            .any(|series| series.values.iter().take(steps).any(is_something))
    }

    pub(crate) fn total(&self, name: &str) -> i64 {
        self.values(name).iter().flatten().sum()
    }

    pub(crate) fn highest(&self, name: &str) -> Option<i64> {
        self.values(name).iter().flatten().max().copied()
    }

    pub(crate) fn latest(&self, name: &str) -> Option<i64> {
        self.values(name).iter().rev().flatten().next().copied()
    }
}
