//! What `jobs.*` returns, as far as the webmin shows it.

use serde::{Deserialize, Serialize};

use crate::kit::parts::Badge;

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
    pub(crate) started_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) duration_ms: Option<i64>,
    pub(crate) outcome: Option<String>,
    pub(crate) error: Option<Problem>,
    pub(crate) server: String,
    pub(crate) log_dropped_lines: i64,
    pub(crate) log: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct RunPage {
    pub(crate) runs: Vec<Run>,
    pub(crate) page: i64,
    pub(crate) pages: i64,
}

impl Job {
    /// The original's words for a job's state; the colour says whether someone should look.
    pub(crate) fn badge(&self) -> Badge {
        if self.running.is_some() {
            return Badge::new("info busy", "running");
        }
        let tone = match self.state.as_str() {
            "recurring" | "once_done" => "good",
            "sleeping" | "once_waiting" => "info",
            "stopped" | "retrying" => "warn",
            "failed" => "bad",
            _ => "",
        };
        // The time of "sleeping until …" stands in a column of its own, in the viewer's zone.
        let words = self.status.split(" until ").next().unwrap_or_default();
        Badge::new(tone, words.split(" at ").next().unwrap_or_default())
    }

    /// When it runs, in words.
    pub(crate) fn schedule(&self) -> String {
        match (&self.cron, self.interval) {
            (Some(cron), _) => match &self.timezone {
                Some(zone) => format!("{cron} ({zone})"),
                None => format!("{cron} (UTC)"),
            },
            (None, Some(seconds)) => format!("every {}", duration(seconds)),
            (None, None) => String::new(),
        }
    }
}

impl Run {
    pub(crate) fn badge(&self) -> Badge {
        match self.outcome.as_deref() {
            None => Badge::new("info busy", "running"),
            Some("ok") => Badge::new("good", "ok"),
            Some(calm @ ("sleep" | "stop" | "exit")) => Badge::new("info", calm),
            Some(cut @ ("cancelled" | "lost")) => Badge::new("warn", cut),
            Some(bad) => Badge::new("bad", bad),
        }
    }

    pub(crate) fn took(&self) -> String {
        match self.duration_ms {
            None => String::new(),
            Some(ms) if ms < 1000 => format!("{ms} ms"),
            Some(ms) => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        }
    }
}

/// Seconds as people say them: `hour`, `5 minutes`, `90 seconds`.
pub(crate) fn duration(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (size, unit) = units
        .into_iter()
        .find(|(size, _)| seconds >= *size && seconds % size == 0)
        .unwrap_or((1, "second"));
    match seconds / size {
        1 => unit.to_owned(),
        count => format!("{count} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn intervals_read_naturally() {
        let cases = [
            (1, "second"),
            (60, "minute"),
            (90, "90 seconds"),
            (3600, "hour"),
            (7200, "2 hours"),
            (86_400, "day"),
        ];
        for (seconds, words) in cases {
            assert_eq!(duration(seconds), words);
        }
    }
}
