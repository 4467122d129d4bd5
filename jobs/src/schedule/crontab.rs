//! Crontab expressions, as people know them, in the terms of the `cron` crate.
//!
//! The crate wants a seconds field, counts Sunday as 1, and joins day of month and day of week with *and*.
//! A crontab has five fields (or six, with seconds first), counts Sunday as 0 or 7, and when both days are
//! restricted either is enough. So each field is read into the set of its values here, and written out for the
//! crate as plain lists, days of the week by name; an expression with both days restricted becomes two.

use std::fmt::Write as _;
use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

/// Bytes of an expression; a list of all sixty minutes has 170.
const LONGEST: usize = 1000;
/// Wider than every field: `*/60` for once around is a habit of many.
const WIDEST_STEP: usize = 60;

/// Why an expression cannot be used; the text names the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    #[error(
        "a cron expression has five fields (minute, hour, day, month, weekday), or six with seconds first, and this has {0}"
    )]
    Fields(usize),
    #[error("a cron expression has {LONGEST} characters at most")]
    TooLong,
    #[error("there is no macro {0}; there are @yearly, @monthly, @weekly, @daily and @hourly")]
    Macro(String),
    #[error("the {field} field of the cron expression is wrong: {reason}")]
    Field { field: &'static str, reason: String },
    #[error("the cron expression never comes true: no month it allows has the day it wants")]
    Never,
}

/// A checked expression. Equal when the text is.
#[derive(Debug, Clone)]
pub struct Crontab {
    text: String,
    /// One, or two when either the day of month or the day of week is enough.
    schedules: Vec<cron::Schedule>,
    /// Seconds, minutes, hours, days, months, weekdays.
    sets: [Values; 6],
}

impl PartialEq for Crontab {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Crontab {
    /// Reads five or six fields, or a macro such as `@daily`.
    ///
    /// # Errors
    /// When a field is wrong, or no time ever fits (31 February).
    pub fn parse(text: &str) -> Result<Self, CronError> {
        if text.len() > LONGEST {
            return Err(CronError::TooLong);
        }
        let text = text.trim();
        let expanded = if text.starts_with('@') {
            expand(text)?
        } else {
            text
        };
        let fields: Vec<&str> = expanded.split_ascii_whitespace().collect();
        let fields = match fields.len() {
            5 => [&["0"], fields.as_slice()].concat(),
            6 => fields,
            count => return Err(CronError::Fields(count)),
        };
        let mut sets = [Values::default(); 6];
        for ((set, kind), field) in sets.iter_mut().zip(&FIELDS).zip(fields) {
            *set = kind.parse(field)?;
        }
        let [seconds, minutes, hours, days, months, weekdays] = &sets;
        if weekdays.is_all() && !some_month_has(days, months) {
            return Err(CronError::Never);
        }
        let times = format!("{} {} {}", seconds.numbers(), minutes.numbers(), hours.numbers());
        let by_day = || format!("{times} {} {} *", days.numbers(), months.numbers());
        let by_weekday = || format!("{times} * {} {}", months.numbers(), weekdays.names());
        let translated = match (days.is_all(), weekdays.is_all()) {
            (_, true) => vec![by_day()],
            (true, false) => vec![by_weekday()],
            (false, false) => vec![by_day(), by_weekday()],
        };
        let mut schedules = Vec::with_capacity(translated.len());
        for expression in translated {
            let parsed = cron::Schedule::from_str(&expression);
            schedules.push(parsed.map_err(|cause| CronError::Field {
                field: "whole",
                reason: cause.to_string(),
            })?);
        }
        Ok(Self {
            text: text.to_owned(),
            schedules,
            sets,
        })
    }

    /// The values of each field.
    pub(crate) fn fields(&self) -> Fields {
        let [seconds, minutes, hours, days, months, weekdays] = self.sets.map(Values::restricted);
        Fields {
            seconds,
            minutes,
            hours,
            days,
            months,
            weekdays,
        }
    }

    /// The expression as it was entered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The wall-clock times after `local`, in order, without regard to any zone.
    pub(super) fn wall_times(&self, local: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
        // The crate is asked in UTC, which has a place for every wall-clock time; the zone's gaps and
        // doubled hours are then decided in one place, `zone`.
        let after: DateTime<Utc> = local.and_utc();
        let mut upcoming: Vec<_> = self
            .schedules
            .iter()
            .map(|schedule| schedule.after_owned(after).peekable())
            .collect();
        std::iter::from_fn(move || {
            let next = upcoming
                .iter_mut()
                .filter_map(|times| times.peek().copied())
                .min()?;
            for times in &mut upcoming {
                times.next_if_eq(&next);
            }
            Some(next.naive_utc())
        })
    }
}

fn expand(text: &str) -> Result<&'static str, CronError> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => return Err(CronError::Macro(text.chars().take(20).collect())),
    })
}

/// What one field may hold. The highest weekday is 7, which is Sunday again.
struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

const FIELDS: [Field; 6] = [
    Field {
        name: "second",
        low: 0,
        high: 59,
        names: &[],
    },
    Field {
        name: "minute",
        low: 0,
        high: 59,
        names: &[],
    },
    Field {
        name: "hour",
        low: 0,
        high: 23,
        names: &[],
    },
    Field {
        name: "day",
        low: 1,
        high: 31,
        names: &[],
    },
    Field {
        name: "month",
        low: 1,
        high: 12,
        names: &MONTHS,
    },
    Field {
        name: "weekday",
        low: 0,
        high: 7,
        names: &WEEKDAYS,
    },
];

impl Field {
    fn parse(&self, text: &str) -> Result<Values, CronError> {
        let mut bits = 0_u64;
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(self.step(step)?)),
                None => (part, None),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" || range == "?" => (self.low, self.high),
                Some((from, to)) => (self.value(from)?, self.value(to)?),
                None => {
                    let from = self.value(range)?;
                    // `5/15` counts from 5 to the end, as most crontabs read it.
                    (from, if step.is_some() { self.high } else { from })
                }
            };
            if from > to {
                return Err(self.wrong(format!("the range {range} runs backwards")));
            }
            for value in (from..=to).step_by(step.unwrap_or(1)) {
                bits |= 1 << value;
            }
        }
        // A star that is stepped by 1, or a list of everything, is still everything.
        if self.is_weekday() {
            bits = (bits | (bits >> 7)) & 0x7f;
        }
        Ok(Values {
            bits,
            all: self.all(),
        })
    }

    fn step(&self, text: &str) -> Result<usize, CronError> {
        match text.parse() {
            Ok(step) if (1..=WIDEST_STEP).contains(&step) => Ok(step),
            _ => Err(self.wrong(format!(
                "the step \"{}\" must be a number from 1 to {WIDEST_STEP}",
                brief(text)
            ))),
        }
    }

    fn value(&self, text: &str) -> Result<u32, CronError> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        if let Some(index) = named.and_then(|index| u32::try_from(index).ok()) {
            return Ok(index + self.low);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match text.parse() {
            Ok(value) if digits && (self.low..=self.high).contains(&value) => Ok(value),
            _ => {
                let names = self
                    .names
                    .first()
                    .map(|first| format!(", or a name such as {first}"))
                    .unwrap_or_default();
                let text = brief(text);
                Err(self.wrong(format!(
                    "\"{text}\" is not a number from {} to {}{names}",
                    self.low, self.high
                )))
            }
        }
    }

    fn is_weekday(&self) -> bool {
        self.high == 7
    }

    fn all(&self) -> u64 {
        let high = if self.is_weekday() { 6 } else { self.high };
        ((1 << (high + 1)) - 1) & !((1 << self.low) - 1)
    }

    fn wrong(&self, reason: String) -> CronError {
        CronError::Field {
            field: self.name,
            reason,
        }
    }
}

/// What the user typed, short enough to repeat to them.
fn brief(text: &str) -> String {
    text.chars().take(20).collect()
}

/// What a crontab expression allows, field by field; a field that allows everything is left out.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct Fields {
    seconds: Option<Vec<u32>>,
    minutes: Option<Vec<u32>>,
    hours: Option<Vec<u32>>,
    /// Days of the month. When weekdays are there too, either is enough.
    days: Option<Vec<u32>>,
    /// 1 is January.
    months: Option<Vec<u32>>,
    /// 0 is Sunday.
    weekdays: Option<Vec<u32>>,
}

/// The values of a field, one bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Values {
    bits: u64,
    all: u64,
}

impl Values {
    fn is_all(self) -> bool {
        self.bits == self.all
    }

    /// The values, unless they are all there are.
    fn restricted(self) -> Option<Vec<u32>> {
        (!self.is_all()).then(|| self.iter().collect())
    }

    fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |value| self.bits & (1 << value) != 0)
    }

    fn numbers(self) -> String {
        if self.is_all() {
            "*".to_owned()
        } else {
            join(self.iter())
        }
    }

    fn names(self) -> String {
        join(
            self.iter()
                .filter_map(|day| WEEKDAYS.get(usize::try_from(day).ok()?)),
        )
    }
}

fn join(values: impl Iterator<Item = impl std::fmt::Display>) -> String {
    values.fold(String::new(), |mut text, value| {
        let comma = if text.is_empty() { "" } else { "," };
        let _ = write!(text, "{comma}{value}");
        text
    })
}

/// Whether one of the months is ever long enough for one of the days.
fn some_month_has(days: &Values, months: &Values) -> bool {
    let first = days.iter().next().unwrap_or(32);
    months.iter().any(|month| {
        let longest = match month {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        first <= longest
    })
}
