//! When a job runs: pure functions of the schedule, the zone and the time.
//!
//! Times are Unix milliseconds, UTC. Nothing here reads a clock, so years can be gone through in a test.

mod crontab;
mod zone;

use chrono_tz::Tz;

use coronet_core::{Code, Error, Result};

pub(crate) use crontab::Fields;
pub use crontab::{CronError, Crontab};

/// Shortest and longest interval: a second and ten years.
pub const INTERVAL_SECONDS: std::ops::RangeInclusive<i64> = 1..=315_360_000;

/// When a job's ticks are.
#[derive(Debug, Clone, PartialEq)]
pub enum Schedule {
    /// Every so many milliseconds.
    Interval(i64),
    /// At the wall-clock times of a crontab expression in a zone.
    Cron { crontab: Crontab, zone: Tz },
}

impl Schedule {
    /// Reads a schedule from what an operator entered: seconds, or an expression with a zone (UTC when none is given).
    ///
    /// # Errors
    /// `ParameterMissing` without either, `ParameterInvalid` for both, an interval out of bounds, an expression
    /// that is wrong or never comes true, and a zone that does not exist; the message says which.
    pub fn parse(interval: Option<i64>, cron: Option<&str>, timezone: Option<&str>) -> Result<Self> {
        let invalid = |field: &str, text: String| {
            Error::new(Code::ParameterInvalid, text).with_details(serde_json::json!({ "parameter": field }))
        };
        match (interval, cron) {
            (Some(seconds), None) if INTERVAL_SECONDS.contains(&seconds) => {
                Ok(Self::Interval(seconds * 1000))
            }
            (Some(seconds), None) => Err(invalid(
                "interval",
                format!(
                    "The interval is {seconds} seconds; it must be between 1 and {}.",
                    INTERVAL_SECONDS.end()
                ),
            )),
            (None, Some(expression)) => {
                let zone = parse_zone(timezone.unwrap_or("UTC")).map_err(|text| invalid("timezone", text))?;
                let crontab =
                    Crontab::parse(expression).map_err(|cause| invalid("cron", format!("{cause}.")))?;
                Ok(Self::Cron { crontab, zone })
            }
            (Some(_), Some(_)) => Err(invalid(
                "cron",
                "A job has an interval or a cron expression, not both.".to_owned(),
            )),
            (None, None) => {
                let text = "A job needs an interval in seconds or a cron expression.";
                let details = serde_json::json!({ "parameter": "interval" });
                Err(Error::new(Code::ParameterMissing, text).with_details(details))
            }
        }
    }

    /// The first tick of a job that is armed now: after one whole interval, or at the next wall-clock time.
    /// `None` when no tick will ever come.
    pub fn first(&self, now: i64) -> Option<i64> {
        match self {
            Self::Interval(length) => now.checked_add(*length),
            Self::Cron { crontab, zone } => zone::next_tick(crontab, *zone, now),
        }
    }

    /// The tick after the one at `tick`, which was taken at `now`. Ticks missed in between are not made up for.
    ///
    /// An interval keeps its beat (no drift when a run starts late) unless a whole interval or more was
    /// missed: then it starts anew from now, so that the late run and the next are never close together.
    pub fn next(&self, tick: i64, now: i64) -> Option<i64> {
        match self {
            Self::Interval(length) => {
                let on_beat = tick.checked_add(*length)?;
                if on_beat > now {
                    Some(on_beat)
                } else {
                    self.first(now)
                }
            }
            Self::Cron { crontab, zone } => zone::next_tick(crontab, *zone, now.max(tick)),
        }
    }

    /// All ticks of a job that is armed now, while none is missed.
    pub fn ticks(&self, now: i64) -> impl Iterator<Item = i64> + '_ {
        std::iter::successors(self.first(now), |tick| self.next(*tick, *tick))
    }

    /// The next tick that is not before `time`.
    pub fn not_before(&self, time: i64) -> Option<i64> {
        match self {
            Self::Interval(_) => Some(time),
            Self::Cron { crontab, zone } => zone::next_tick(crontab, *zone, time - 1),
        }
    }

    /// What becomes of `tick`, computed when the clock showed `armed`, now that the clock shows the
    /// earlier `now`: it was set back.
    ///
    /// An interval is a length of time, not a time of day: what is left of it is at most its length. A
    /// wall-clock tick stays, so that none is repeated, unless the clock was wrong by more than a day: then it is
    /// computed anew, because waiting for it could take years.
    pub fn after_set_back(&self, tick: i64, armed: i64, now: i64) -> Option<i64> {
        const DAY: i64 = 25 * 60 * 60 * 1000;
        match self {
            Self::Interval(length) => Some(tick.min(now.checked_add(*length)?)),
            Self::Cron { .. } if armed - now <= DAY => Some(tick),
            Self::Cron { .. } => self.first(now),
        }
    }
}

pub(crate) fn parse_zone(name: &str) -> Result<Tz, String> {
    name.parse()
        .map_err(|_| format!("There is no time zone \"{name}\". Names are like Europe/Lisbon or UTC."))
}

#[cfg(test)]
mod tests;
