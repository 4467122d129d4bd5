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
    pub(crate) at: Option<String>,
    pub(crate) timezone: Option<String>,
    pub(crate) run_once: bool,
    pub(crate) once_per: String,
    pub(crate) active: bool,
    pub(crate) timeout: i64,
    pub(crate) retries: i64,
    pub(crate) misfire: String,
    pub(crate) catch_up: i64,
    pub(crate) overlap: String,
    pub(crate) max_running: i64,
    pub(crate) priority: String,
    pub(crate) notify_after: Option<i64>,
    pub(crate) overdue_after: Option<i64>,
    pub(crate) ping_url: Option<String>,
    pub(crate) overdue_since: Option<i64>,
    pub(crate) open_runs: i64,
    pub(crate) state: String,
    pub(crate) status: String,
    pub(crate) running: Option<String>,
    pub(crate) last_run: Option<String>,
    pub(crate) last_run_at: Option<i64>,
    pub(crate) last_outcome: Option<String>,
    pub(crate) next_run_at: Option<i64>,
    pub(crate) created_at: Option<i64>,
    pub(crate) error: Option<Problem>,
    /// Its failures set it inactive, and no operator has activated it since.
    pub(crate) deactivated: Option<Deactivated>,
    /// What may not work as it is set.
    pub(crate) warnings: Vec<String>,
    /// Comes with Coronet: it keeps its name and path, and stays.
    pub(crate) builtin: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) message: String,
    pub(crate) line: Option<u32>,
    pub(crate) traceback: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Deactivated {
    pub(crate) at: i64,
    pub(crate) failures: i64,
}

impl Deactivated {
    /// To be followed by the time: `Deactivated after 3 failures at`.
    pub(crate) fn words(self) -> String {
        after_failures(self.failures)
    }
}

/// To be followed by the time.
pub(crate) fn after_failures(failures: i64) -> String {
    match failures {
        0 => t!("Deactivated at"),
        _ => count!(
            failures,
            "Deactivated after {n} failure at",
            "Deactivated after {n} failures at"
        ),
    }
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
    /// The name of the server's machine, where it is known.
    pub(crate) host: Option<String>,
    pub(crate) log_dropped_lines: i64,
    pub(crate) log: String,
    pub(crate) skipped: Option<Skipped>,
    pub(crate) progress: Option<Progress>,
    pub(crate) revision: Option<i64>,
    pub(crate) last_good: Option<GoodRun>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct GoodRun {
    pub(crate) id: String,
    pub(crate) revision: Option<i64>,
    pub(crate) started_at: i64,
}

/// Ticks that were not run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Skipped {
    pub(crate) ticks: i64,
    pub(crate) last_due_at: Option<i64>,
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Progress {
    pub(crate) done: i64,
    pub(crate) total: i64,
}

impl Skipped {
    /// How many, and why.
    pub(crate) fn words(&self) -> String {
        let ticks = match self.last_due_at {
            Some(_) => count!(self.ticks, "{n} run", "{n} runs"),
            None => t!("at least {n} runs", n = self.ticks),
        };
        let why = match self.reason.as_str() {
            "running" => t!("the run before still went on"),
            "waiting" => t!("one was waiting already"),
            "retrying" => t!("a failed run was to be tried again first"),
            "missed" => t!("no server could run it in time"),
            "made_up" => t!("one late run stands for them"),
            _ => t!("more were missed than are made up for"),
        };
        format!("{ticks}: {why}")
    }
}

impl Job {
    /// The original's words for a job's state; the colour says whether someone should look.
    pub(crate) fn badge(&self) -> Badge {
        if self.open_runs > 1 {
            return Badge::new("info busy", t!("running {n} times", n = self.open_runs));
        }
        if self.running.is_some() {
            return Badge::new("info busy", t!("running"));
        }
        if self.overdue_since.is_some() {
            return Badge::new("bad", t!("active, overdue"));
        }
        // The time of "sleeping until …" stands in a column of its own, in the viewer's zone.
        let (tone, words) = match self.state.as_str() {
            "recurring" => ("good", t!("active, recurring")),
            "retrying" => ("warn", t!("active, error: tried again")),
            "sleeping" => ("info", t!("active, sleeping")),
            "stopped" => ("warn", t!("active, waiting for a reload")),
            "once_waiting" => ("info", t!("active, run once: not run yet")),
            "once_done" => ("good", t!("active, run once: has run")),
            "planned" => ("info", t!("active, planned")),
            "done" if self.last_run_at.is_none() => ("", t!("active, one time: that time has passed")),
            "done" => ("good", t!("active, one time: has run")),
            "failed" => ("bad", t!("inactive, error")),
            _ => ("", t!("inactive")),
        };
        Badge::new(tone, words)
    }

    /// When it runs, in words.
    pub(crate) fn schedule(&self) -> String {
        match (&self.cron, self.interval) {
            _ if self.at.is_some() => {
                let at = self.at.as_deref().unwrap_or_default().replace('T', " ");
                format!("{at} ({})", self.timezone.as_deref().unwrap_or("UTC"))
            }
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
            "cancelled" | "lost" | "skipped" => "warn",
            _ => "bad",
        };
        Badge::new(tone, say(word, &[]))
    }

    pub(crate) fn took(&self) -> String {
        let ran = self.duration_ms.filter(|_| self.skipped.is_none());
        ran.map(span).unwrap_or_default()
    }

    /// What is worth a line below the outcome: the error with its line, or what was skipped.
    pub(crate) fn about(&self) -> Option<String> {
        if let Some(skipped) = &self.skipped {
            return Some(skipped.words());
        }
        let error = self.error.as_ref()?;
        Some(match error.line {
            Some(line) => t!("line {line}: {error}", line = line, error = error.message),
            None => error.message.clone(),
        })
    }

    /// The machine it was on, as people call it.
    pub(crate) fn host(&self) -> &str {
        self.host.as_deref().unwrap_or(&self.server)
    }

    /// Which attempt it was, where that is worth a word: a run by hand retries nothing.
    pub(crate) fn retry(&self) -> Option<i64> {
        Some(self.attempt).filter(|attempt| *attempt > 1 && self.trigger != "hand")
    }

    /// How long after its time it started.
    pub(super) fn late_ms(&self) -> Option<i64> {
        let started = self.started_at.filter(|_| self.skipped.is_none())?;
        Some((started - self.due_at?).max(0))
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
