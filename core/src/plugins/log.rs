//! What a plugin says and prints: the last lines in memory, and some more in the database.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::news::News;
use super::store;
use crate::{Clock, Db, Result, random};

/// Lines shown for a plugin.
pub(super) const SHOWN: usize = 500;
/// Lines kept in one second; a plugin that floods its log loses the rest, and the log says so (F05).
const PER_SECOND: u32 = 100;
/// Characters of a line.
const LINE: usize = 4096;

/// How important a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    /// Printed on standard output or error.
    Output,
}

impl Level {
    /// The level of a number of the C shape; unknown ones are plain information.
    pub(super) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Error,
            2 => Self::Warn,
            4 => Self::Debug,
            _ => Self::Info,
        }
    }

    /// Whether a line of the level with this name is as important as this one, or more.
    pub(super) fn includes(self, name: &str) -> bool {
        let rank = |name: &str| match name {
            "error" => 0,
            "warn" => 1,
            "debug" => 3,
            _ => 2,
        };
        match self {
            Self::Output => name == self.name(),
            least => rank(name) <= rank(least.name()),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Output => "output",
        }
    }
}

/// One line of a plugin's log.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Line {
    /// Sorts by time.
    pub id: String,
    /// Unix milliseconds.
    pub at: i64,
    pub level: String,
    pub message: String,
}

/// The log of one plugin.
pub(super) struct Log {
    clock: Clock,
    news: News,
    lines: Mutex<Lines>,
}

#[derive(Default)]
struct Lines {
    plugin: String,
    recent: VecDeque<Line>,
    unsaved: Vec<Line>,
    second: i64,
    in_second: u32,
}

impl Log {
    pub(super) fn new(plugin: &str, clock: Clock, news: News) -> Self {
        let lines = Lines {
            plugin: plugin.to_owned(),
            ..Lines::default()
        };
        Self {
            clock,
            news,
            lines: Mutex::new(lines),
        }
    }

    /// Takes the name of the manifest, once it is known.
    pub(super) fn rename(&self, plugin: &str) {
        self.lock().plugin = plugin.to_owned();
    }

    /// Adds a line, cut to a sane length and without control characters (W05).
    pub(super) fn add(&self, level: Level, message: &str) {
        let now = self.clock.now_ms();
        let mut lines = self.lock();
        if now / 1000 != lines.second {
            lines.second = now / 1000;
            lines.in_second = 0;
        }
        lines.in_second += 1;
        let (level, message) = match lines.in_second {
            ..PER_SECOND => (level, clean(message)),
            PER_SECOND => (
                Level::Warn,
                "too many lines; the rest of this second is not kept".to_owned(),
            ),
            _ => return,
        };
        match level {
            Level::Error => tracing::error!(plugin = %lines.plugin, "{message}"),
            Level::Warn => tracing::warn!(plugin = %lines.plugin, "{message}"),
            _ => tracing::debug!(plugin = %lines.plugin, "{message}"),
        }
        let line = Line {
            id: random::id("log"),
            at: now,
            level: level.name().to_owned(),
            message,
        };
        lines.recent.push_back(line.clone());
        lines.unsaved.push(line);
        let surplus = lines.recent.len().saturating_sub(SHOWN);
        lines.recent.drain(..surplus);
        drop(lines);
        self.news.ring();
    }

    /// All lines that are kept, newest last: those of earlier server starts, and what is no longer in memory, come from
    /// the database.
    pub(super) async fn all(&self, db: &Db) -> Result<Vec<Line>> {
        let (plugin, mut recent) = {
            let lines = self.lock();
            (
                lines.plugin.clone(),
                lines.recent.iter().cloned().collect::<Vec<_>>(),
            )
        };
        let first = recent.first().map(|line| line.id.clone());
        let mut all = store::log(db, &plugin).await?;
        all.retain(|line| first.as_ref().is_none_or(|first| line.id < *first));
        all.append(&mut recent);
        Ok(all)
    }

    /// Saves what is not saved yet; of all lines the `kept` newest stay.
    pub(super) async fn save(&self, db: &Db, kept: i64) {
        let (plugin, unsaved) = {
            let mut lines = self.lock();
            (lines.plugin.clone(), std::mem::take(&mut lines.unsaved))
        };
        if unsaved.is_empty() {
            return;
        }
        if let Err(error) = store::append_log(db, plugin, unsaved, kept).await {
            tracing::warn!(%error, "lines of a plugin's log could not be saved");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn clean(message: &str) -> String {
    let shown = message.chars().take(LINE);
    shown
        .map(|c| if c.is_control() && c != '\t' { '\u{b7}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f05_a_flood_is_cut_and_said_so() {
        let clock = Clock::manual(1_000);
        let log = Log::new("echo", clock.clone(), News::default());
        for number in 0..1000 {
            log.add(Level::Info, &format!("line {number}"));
        }
        let lines = log.lock();
        assert_eq!(lines.recent.len(), PER_SECOND as usize);
        assert!(lines.recent.back().unwrap().message.contains("too many lines"));
        drop(lines);

        clock.advance(std::time::Duration::from_secs(1));
        log.add(Level::Info, "the next second");
        assert_eq!(log.lock().recent.back().unwrap().message, "the next second");
    }

    #[test]
    fn w05_a_line_stays_one_line() {
        let log = Log::new("echo", Clock::manual(0), News::default());
        log.add(Level::Info, "one\ntwo\x1b[31m");
        assert_eq!(log.lock().recent[0].message, "one·two·[31m");
    }
}
