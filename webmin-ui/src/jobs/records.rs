//! What `jobs.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};

use crate::kit::language::say;
use crate::kit::parts::Badge;
use crate::kit::{count, t};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) interval: Option<i64>,
    pub(crate) cron: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) run_once: bool,
    pub(crate) active: bool,
    pub(crate) timeout: i64,
    pub(crate) retries: i64,
    pub(crate) misfire: String,
    pub(crate) state: String,
    pub(crate) status: String,
    pub(crate) running: Option<String>,
    pub(crate) last_run: Option<String>,
    pub(crate) last_run_at: Option<i64>,
    pub(crate) last_outcome: Option<String>,
    pub(crate) next_run_at: Option<i64>,
    pub(crate) created_at: Option<i64>,
    pub(crate) error: Option<Problem>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) line: Option<u32>,
    pub(crate) traceback: Option<String>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Run {
    pub(crate) id: String,
    pub(crate) job: String,
    pub(crate) trigger: String,
    pub(crate) attempt: i64,
    /// The tick it is for.
    pub(crate) due_at: Option<i64>,
    pub(crate) started_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) error: Option<Problem>,
    pub(crate) server: String,
    pub(crate) log_dropped_lines: i64,
    pub(crate) log: String,
}

impl Job {
    /// The original's words for a job's state; the colour says whether someone should look.
    pub(crate) fn badge(&self) -> Badge {
        if self.running.is_some() {
            return Badge::new("info busy", t!("running"));
        }
        // The time of "sleeping until …" stands in a column of its own, in the viewer's zone.
        let (tone, words) = match self.state.as_str() {
            "recurring" => ("good", t!("active, recurring")),
            "retrying" => ("warn", t!("active, error: tried again")),
            "sleeping" => ("info", t!("active, sleeping")),
            "stopped" => ("warn", t!("active, waiting for a reload")),
            "once_waiting" => ("info", t!("active, run once: not run yet")),
            "once_done" => ("good", t!("active, run once: has run")),
            "failed" => ("bad", t!("inactive, error")),
            _ => ("", t!("inactive")),
        };
        Badge::new(tone, words)
    }

    /// When it runs, in words.
    pub(crate) fn schedule(&self) -> String {
        match (&self.cron, self.interval) {
            (Some(cron), _) => match &self.timezone {
                Some(zone) => format!("{cron} ({zone})"),
                None => format!("{cron} (UTC)"),
            },
            (None, Some(seconds)) => every(seconds),
            (None, None) => String::new(),
        }
    }
}

impl Run {
    pub(crate) fn badge(&self) -> Badge {
        let word = self.outcome.as_deref().unwrap_or("running");
        let tone = match word {
            "running" => "info busy",
            "ok" => "good",
            "sleep" | "stop" | "exit" => "info",
            "cancelled" | "lost" => "warn",
            _ => "bad",
        };
        Badge::new(tone, say(word, &[]))
    }

    pub(crate) fn took(&self) -> String {
        self.duration_ms.map(span).unwrap_or_default()
    }

    /// How long after its time it started.
    pub(super) fn late_ms(&self) -> Option<i64> {
        Some((self.started_at? - self.due_at?).max(0))
    }
}

/// Milliseconds as people read them: `40 ms`, `1.5 s`, `3 min 20 s`.
pub(crate) fn span(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// Seconds between runs as people say them: `every hour`, `every 5 minutes`.
pub(crate) fn every(seconds: i64) -> String {
    match seconds {
        _ if seconds % 86_400 == 0 => count!(seconds / 86_400, "every day", "every {n} days"),
        _ if seconds % 3_600 == 0 => count!(seconds / 3_600, "every hour", "every {n} hours"),
        _ if seconds % 60 == 0 => count!(seconds / 60, "every minute", "every {n} minutes"),
        _ => count!(seconds, "every second", "every {n} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_read_naturally() {
        let cases = [
            (1, "every second"),
            (60, "every minute"),
            (90, "every 90 seconds"),
            (3600, "every hour"),
            (7200, "every 2 hours"),
            (86_400, "every day"),
        ];
        for (seconds, words) in cases {
            assert_eq!(every(seconds), words);
        }
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let cases = [
            (0, "0 ms"),
            (1_500, "1.5 s"),
            (200_000, "3 min 20 s"),
            (7_260_000, "2 h 1 min"),
        ];
        for (ms, words) in cases {
            assert_eq!(span(ms), words);
        }
    }
}
