//! When a job runs: pure functions of the schedule, the zone and the time.
//!
//! Times are Unix milliseconds, UTC. Nothing here reads a clock, so years can be gone through in a test.

mod crontab;
mod days;
mod field;
mod zone;

use chrono::{Datelike, NaiveDateTime};
use chrono_tz::Tz;

use coronet_core::{Code, Error, LAST_ZONE_YEAR, Result};

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
    /// One time.
    Once(i64),
}

/// A schedule as an operator enters it: one of the first three, and the zone of a wall-clock time.
#[derive(Debug, Clone, Copy, Default)]
pub struct Spec<'a> {
    /// Seconds.
    pub interval: Option<i64>,
    pub cron: Option<&'a str>,
    /// As clocks show it: `2027-03-28T07:30`.
    pub at: Option<&'a str>,
    pub timezone: Option<&'a str>,
}

/// Ticks that are looked up one by one; more are reckoned.
const FEW: usize = 8;

/// Ticks that have passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passed {
    pub ticks: i64,
    /// `None` without any.
    pub last: Option<i64>,
}

impl Schedule {
    /// Reads a schedule from what an operator entered.
    ///
    /// # Errors
    /// As [`Self::parse`]; and `ParameterInvalid` for a time that is no time, or a time beside another schedule.
    pub fn read(spec: Spec<'_>) -> Result<Self> {
        let Some(at) = spec.at else {
            return Self::parse(spec.interval, spec.cron, spec.timezone);
        };
        let invalid = |field: &str, text: String| {
            Error::new(Code::ParameterInvalid, text).with_details(serde_json::json!({ "parameter": field }))
        };
        if spec.interval.is_some() || spec.cron.is_some() {
            let text = "A job runs one time, or by an interval or a cron expression, not both.";
            return Err(invalid("at", text.to_owned()));
        }
        let zone = parse_zone(spec.timezone.unwrap_or("UTC")).map_err(|text| invalid("timezone", text))?;
        let wall = parse_wall(at).ok_or_else(|| {
            let text = format!("\"{at}\" is no date and time. Write it as 2027-03-28T07:30.");
            invalid("at", text)
        })?;
        let instant = zone::instant(zone, wall);
        let known = (1970..=LAST_ZONE_YEAR).contains(&wall.year());
        let instant = instant.filter(|_| known).ok_or_else(|| {
            let text = format!(
                "{at} is too far away: when clocks change is known up to the end of {LAST_ZONE_YEAR}. Choose a time from 1970 to {LAST_ZONE_YEAR}."
            );
            invalid("at", text)
        })?;
        Ok(Self::Once(instant.timestamp_millis()))
    }

    /// Reads a recurring schedule: seconds, or an expression with a zone (UTC when none is given).
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
            Self::Once(at) => Some(*at).filter(|at| *at > now),
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
            Self::Once(_) => None,
        }
    }

    /// The ticks after the one at `tick`, up to `now`.
    pub fn passed(&self, tick: i64, now: i64) -> Passed {
        let (crontab, zone) = match self {
            Self::Interval(length) => {
                let ticks = ((now - tick) / length).max(0);
                let last = (ticks > 0).then(|| tick + ticks * length);
                return Passed { ticks, last };
            }
            Self::Once(_) => return Passed { ticks: 0, last: None },
            Self::Cron { crontab, zone } => (crontab, *zone),
        };
        // Mostly there are none, and to look for them is quicker than to reckon.
        let found: Vec<i64> = self.after(tick, now).take(FEW).collect();
        if found.len() < FEW {
            return Passed {
                ticks: i64::try_from(found.len()).unwrap_or(i64::MAX),
                last: found.last().copied(),
            };
        }
        Passed {
            ticks: zone::count(crontab, zone, tick, now),
            last: self.latest(tick, now, 1).map(|(last, _)| last),
        }
    }

    /// The latest `most` of the ticks after the one at `tick`, up to `now`: the first of them, and how many they are.
    pub fn latest(&self, tick: i64, now: i64, most: i64) -> Option<(i64, i64)> {
        let (crontab, zone) = match self {
            Self::Interval(_) => {
                let passed = self.passed(tick, now);
                let kept = passed.ticks.min(most);
                return self.on_beat(passed.last?, kept - 1).map(|first| (first, kept));
            }
            Self::Once(_) => return None,
            Self::Cron { crontab, zone } => (crontab, *zone),
        };
        let kept = zone::count(crontab, zone, tick, now).min(most);
        // The last moment after which there are still so many. Ticks are whole seconds.
        let (mut low, mut high) = (tick, now);
        while high - low > 1000 {
            let middle = low + (high - low) / 2;
            if zone::count(crontab, zone, middle, now) >= kept {
                low = middle;
            } else {
                high = middle;
            }
        }
        let first = self.next(low, low).filter(|first| *first <= now)?;
        Some((first, kept))
    }

    /// The tick of an interval that many ticks before this one.
    fn on_beat(&self, tick: i64, before: i64) -> Option<i64> {
        match self {
            Self::Interval(length) => tick.checked_sub(length.checked_mul(before)?),
            Self::Cron { .. } | Self::Once(_) => None,
        }
    }

    /// The first tick after the one at `tick` that is not before `time`. An interval keeps its beat.
    pub fn next_from(&self, tick: i64, time: i64) -> Option<i64> {
        match self {
            Self::Interval(length) => {
                let beats = (time - tick).max(1).checked_add(length - 1)? / length;
                tick.checked_add(beats.checked_mul(*length)?)
            }
            Self::Cron { .. } => self.not_before(time.max(tick + 1)),
            Self::Once(_) => None,
        }
    }

    fn after(&self, tick: i64, now: i64) -> impl Iterator<Item = i64> + '_ {
        std::iter::successors(self.next(tick, tick), |tick| self.next(*tick, *tick))
            .take_while(move |tick| *tick <= now)
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
            Self::Once(at) => Some(*at).filter(|at| *at >= time),
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
            Self::Once(_) => Some(tick),
            Self::Cron { .. } => self.first(now),
        }
    }
}

/// A time as clocks show it, with or without seconds.
fn parse_wall(text: &str) -> Option<NaiveDateTime> {
    [
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M",
        "%Y-%m-%d %H:%M:%S",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text.trim(), form).ok())
}

pub(crate) fn parse_zone(name: &str) -> Result<Tz, String> {
    name.parse()
        .map_err(|_| format!("There is no time zone \"{name}\". Names are like Europe/Lisbon or UTC."))
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod years;
