//! Figures over time: what happened is counted, how the machine is is measured.
//!
//! Counting is an addition in memory. Once a minute all that came together goes to the database in one write, where
//! each figure stands in buckets of a minute, of five minutes and of an hour. Totals of several servers add up there,
//! and of measures the highest stays. A server that dies takes the counts of its last minute along.

mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::write_each;
use crate::{Clock, Code, Db, Error, Result};

/// What reset codes are issued for.
const RESET: &str = "password-reset";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// A size of buckets, and for how long they are kept.
struct Tier {
    seconds: i64,
    keep_ms: i64,
}

const TIERS: [Tier; 3] = [
    Tier {
        seconds: 60,
        keep_ms: 6 * HOUR_MS,
    },
    Tier {
        seconds: 300,
        keep_ms: 8 * 24 * HOUR_MS,
    },
    Tier {
        seconds: 3600,
        keep_ms: 90 * 24 * HOUR_MS,
    },
];

/// The most points of one answer.
const MOST_POINTS: i64 = 1500;
/// As many points are aimed at when the caller names no step.
const POINTS: i64 = 120;

/// One of the figures that are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub enum Figure {
    /// Reset links that were sent to a user.
    #[serde(rename = "resets.asked")]
    ResetsAsked,
    /// New passwords that were set with such a link.
    #[serde(rename = "resets.completed")]
    ResetsCompleted,
    /// Reset links whose time ended before they were used.
    #[serde(rename = "resets.expired")]
    ResetsExpired,
    /// Requests for a reset link that failed after they were answered.
    #[serde(rename = "resets.failed")]
    ResetsFailed,
    /// Mail that was put into the outbox.
    #[serde(rename = "mail.accepted")]
    MailAccepted,
    /// Mail that a provider took.
    #[serde(rename = "mail.sent")]
    MailSent,
    /// Mail that was kept for reading, and sent to nobody.
    #[serde(rename = "mail.captured")]
    MailCaptured,
    /// Mail that was given up.
    #[serde(rename = "mail.failed")]
    MailFailed,
    /// Mail of which the provider said that it arrived.
    #[serde(rename = "mail.delivered")]
    MailDelivered,
    /// Mail of which the provider said that it cannot arrive.
    #[serde(rename = "mail.bounced")]
    MailBounced,
    /// Runs of jobs that ended as they should.
    #[serde(rename = "runs.ok")]
    RunsOk,
    /// Runs of jobs that ended in an error, took too long or were lost.
    #[serde(rename = "runs.failed")]
    RunsFailed,
    /// By how many milliseconds the latest start of a run was later than planned.
    #[serde(rename = "runs.lateness")]
    RunsLateness,
    /// Resident memory of a server's own process, in bytes.
    #[serde(rename = "memory.used")]
    MemoryUsed,
    /// What is taken on the disk that the home is on, in bytes.
    #[serde(rename = "disk.used")]
    DiskUsed,
    /// Size of the administration database, in bytes.
    #[serde(rename = "database.size")]
    DatabaseSize,
}

/// How the values of a figure come together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A value is how often it happened in the bucket, on all servers.
    Total,
    /// A value is the highest that was measured in the bucket, on any server.
    Highest,
}

/// What a figure is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unit {
    Count,
    Milliseconds,
    Bytes,
}

impl Figure {
    pub const ALL: [Self; 16] = [
        Self::ResetsAsked,
        Self::ResetsCompleted,
        Self::ResetsExpired,
        Self::ResetsFailed,
        Self::MailAccepted,
        Self::MailSent,
        Self::MailCaptured,
        Self::MailFailed,
        Self::MailDelivered,
        Self::MailBounced,
        Self::RunsOk,
        Self::RunsFailed,
        Self::RunsLateness,
        Self::MemoryUsed,
        Self::DiskUsed,
        Self::DatabaseSize,
    ];

    /// The name it is stored and asked for by.
    pub fn name(self) -> &'static str {
        match self {
            Self::ResetsAsked => "resets.asked",
            Self::ResetsCompleted => "resets.completed",
            Self::ResetsExpired => "resets.expired",
            Self::ResetsFailed => "resets.failed",
            Self::MailAccepted => "mail.accepted",
            Self::MailSent => "mail.sent",
            Self::MailCaptured => "mail.captured",
            Self::MailFailed => "mail.failed",
            Self::MailDelivered => "mail.delivered",
            Self::MailBounced => "mail.bounced",
            Self::RunsOk => "runs.ok",
            Self::RunsFailed => "runs.failed",
            Self::RunsLateness => "runs.lateness",
            Self::MemoryUsed => "memory.used",
            Self::DiskUsed => "disk.used",
            Self::DatabaseSize => "database.size",
        }
    }

    pub fn kind(self) -> Kind {
        match self.unit() {
            Unit::Count => Kind::Total,
            Unit::Milliseconds | Unit::Bytes => Kind::Highest,
        }
    }

    pub fn unit(self) -> Unit {
        match self {
            Self::RunsLateness => Unit::Milliseconds,
            Self::MemoryUsed | Self::DiskUsed | Self::DatabaseSize => Unit::Bytes,
            _ => Unit::Count,
        }
    }

    /// Two values of one bucket as one.
    fn joined(self, one: i64, other: i64) -> i64 {
        match self.kind() {
            Kind::Total => one.saturating_add(other),
            Kind::Highest => one.max(other),
        }
    }
}

/// The time that is asked about, in Unix milliseconds, and the width of its buckets in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) step: i64,
}

/// Figures over a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct History {
    /// Where the first bucket begins, Unix milliseconds.
    pub from: i64,
    /// Where the last one ends.
    pub until: i64,
    /// Seconds in a bucket.
    pub step: i64,
    pub series: Vec<Series>,
}

/// One figure over a time.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Series {
    pub name: Figure,
    pub unit: Unit,
    pub kind: Kind,
    /// One for each bucket, in their order. `null` where nothing was measured; a total is then 0.
    pub values: Vec<Option<i64>>,
}

type Pending = BTreeMap<(i64, Figure), i64>;

/// The counters. Cheap to clone.
#[derive(Clone)]
pub struct Figures(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    /// What is not in the database yet, by minute.
    pending: Mutex<Pending>,
    /// How often each happened since the start of this server.
    totals: Mutex<BTreeMap<Figure, u64>>,
}

impl Figures {
    pub(crate) fn new(db: Db, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            db,
            clock,
            pending: Mutex::default(),
            totals: Mutex::default(),
        }))
    }

    /// Notes that it happened so many times, or what was measured just now.
    pub fn note(&self, figure: Figure, value: i64) {
        let minute = floor(self.0.clock.now_ms(), MINUTE_MS);
        add(&mut self.pending(), minute, figure, value);
        if figure.kind() == Kind::Total {
            let mut totals = self.0.totals.lock().unwrap_or_else(PoisonError::into_inner);
            *totals.entry(figure).or_default() += u64::try_from(value).unwrap_or(0);
        }
    }

    /// How often everything that is counted happened since the start of this server. Only what nobody brings about, such
    /// as the end of a link, is not in it.
    pub(super) fn totals(&self) -> Vec<(Figure, u64)> {
        let totals = self.0.totals.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = Figure::ALL
            .into_iter()
            .filter(|figure| figure.kind() == Kind::Total && *figure != Figure::ResetsExpired);
        counted
            .map(|figure| (figure, totals.get(&figure).copied().unwrap_or(0)))
            .collect()
    }

    /// Notes what became of codes of a purpose; only those of password resets are counted.
    pub(crate) fn note_code(&self, figure: Figure, purpose: &str) {
        if purpose == RESET {
            self.note(figure, 1);
        }
    }

    /// Brings what was noted to the database, and counts what happened by itself.
    ///
    /// # Errors
    /// When the database cannot be written; what was noted stays for the next time.
    pub(crate) async fn flush(&self) -> Result<()> {
        let noted = std::mem::take(&mut *self.pending());
        let rows = rows(&noted);
        let now = self.0.clock.now_ms();
        let flushed = self.write(rows, now).await;
        if flushed.is_err() {
            let mut pending = self.pending();
            for ((minute, figure), value) in noted {
                add(&mut pending, minute, figure, value);
            }
        }
        flushed
    }

    /// Writes rows. One that can never be stored is dropped: it would keep all figures from being stored, from then on.
    async fn write(&self, rows: Vec<store::Row>, now: i64) -> Result<()> {
        // Also without rows: the ends of codes are counted from their table.
        if rows.is_empty() {
            return store::flush(&self.0.db, rows, RESET, now).await.map(drop);
        }
        let count = rows.len();
        let flush = |rows| store::flush(&self.0.db, rows, RESET, now);
        let outcomes = write_each(rows, flush).await;
        let errors: Vec<Error> = outcomes.into_iter().filter_map(Result::err).collect();
        match errors.first() {
            // No row was stored, so that it is no matter of one of them: all are tried again.
            Some(error) if errors.len() == count => return Err(error.clone()),
            Some(error) => tracing::error!(%error, figures = errors.len(), "figures could not be stored"),
            None => {}
        }
        Ok(())
    }

    /// Deletes what was kept long enough.
    pub(crate) async fn sweep(&self) -> Result<()> {
        let now = self.0.clock.now_ms();
        store::sweep(&self.0.db, TIERS.map(|tier| (tier.seconds, now - tier.keep_ms))).await
    }

    /// What the figures were; what was not brought to the database yet is in it.
    ///
    /// # Errors
    /// `ParameterInvalid` for a window that is no window; those of the database.
    pub(super) async fn history(&self, names: &[Figure], window: Window) -> Result<History> {
        let step_ms = window.step * 1000;
        let from = floor(window.from, step_ms);
        let until = floor(window.until + step_ms - 1, step_ms);
        let count = usize::try_from((until - from) / step_ms).unwrap_or(0);
        let mut found: BTreeMap<(Figure, i64), i64> = BTreeMap::new();
        let mut join = |figure: Figure, at: i64, value: i64| {
            let held = found.entry((figure, at));
            held.and_modify(|held| *held = figure.joined(*held, value))
                .or_insert(value);
        };
        for row in store::history(&self.0.db, tier_of(window.step), from, until, step_ms).await? {
            let known = Figure::ALL.into_iter().find(|figure| figure.name() == row.name);
            if let Some(figure) = known {
                let value = match figure.kind() {
                    Kind::Total => row.total,
                    Kind::Highest => row.highest,
                };
                join(figure, row.start, value);
            }
        }
        for ((minute, figure), value) in &*self.pending() {
            if (from..until).contains(minute) {
                join(*figure, floor(*minute, step_ms), *value);
            }
        }
        let value = |figure: Figure, at: i64| match (found.get(&(figure, at)), figure.kind()) {
            (Some(value), _) => Some(*value),
            (None, Kind::Total) => Some(0),
            (None, Kind::Highest) => None,
        };
        let series = names.iter().map(|figure| Series {
            name: *figure,
            unit: figure.unit(),
            kind: figure.kind(),
            values: (from..until)
                .step_by(usize::try_from(step_ms).unwrap_or(usize::MAX))
                .take(count)
                .map(|at| value(*figure, at))
                .collect(),
        });
        Ok(History {
            series: series.collect(),
            from,
            until,
            step: window.step,
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.0.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Window {
    /// Checks what a caller asks for; without a step, one is chosen.
    ///
    /// # Errors
    /// `ParameterInvalid` with what is wrong.
    pub(super) fn new(from: i64, until: i64, step: Option<i64>) -> Result<Self> {
        let wrong = |parameter: &str, text: String| {
            let details = serde_json::json!({ "parameter": parameter });
            Err(Error::new(Code::ParameterInvalid, text).with_details(details))
        };
        if from < 0 || until <= from {
            return wrong("from", "`from` must be a time before `until`.".to_owned());
        }
        let finest = TIERS[0].seconds;
        let span = (until - from) / 1000;
        let step = step.unwrap_or_else(|| {
            let steps = [60, 300, 900, 3600, 2 * 3600, 6 * 3600, 24 * 3600];
            let fits = |step: &i64| span / step <= POINTS;
            steps.into_iter().find(fits).unwrap_or(24 * 3600)
        });
        if step < finest || step % finest != 0 {
            return wrong(
                "step",
                "`step` must be a number of whole minutes, in seconds.".to_owned(),
            );
        }
        if span / step > MOST_POINTS {
            let text = format!("That would be more than {MOST_POINTS} points. Choose a longer `step`.");
            return wrong("step", text);
        }
        Ok(Self { from, until, step })
    }
}

/// The widest buckets that fit into the step.
fn tier_of(step: i64) -> i64 {
    let fits = TIERS.iter().rev().find(|tier| step % tier.seconds == 0);
    fits.map_or(TIERS[0].seconds, |tier| tier.seconds)
}

fn floor(at: i64, width: i64) -> i64 {
    at - at.rem_euclid(width)
}

fn add(pending: &mut Pending, minute: i64, figure: Figure, value: i64) {
    let held = pending.entry((minute, figure));
    held.and_modify(|held| *held = figure.joined(*held, value))
        .or_insert(value);
}

/// What was noted as the rows of all tiers, in an order that is the same on every server, so that none waits for another
/// in a circle.
fn rows(noted: &Pending) -> Vec<store::Row> {
    let mut joined: BTreeMap<(i64, i64, Figure), i64> = BTreeMap::new();
    for ((minute, figure), value) in noted {
        for tier in &TIERS {
            let key = (tier.seconds, floor(*minute, tier.seconds * 1000), *figure);
            let held = joined.entry(key);
            held.and_modify(|held| *held = figure.joined(*held, *value))
                .or_insert(*value);
        }
    }
    let row = |((step, at, figure), value): ((i64, i64, Figure), i64)| store::Row {
        step,
        at,
        figure,
        value,
    };
    joined.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests;
