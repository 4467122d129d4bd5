//! Crontab expressions, as people know them, in the terms of the `cron` crate.
//!
//! The crate wants a seconds field, counts Sunday as 1, and joins day of month and day of week with *and*.
//! A crontab has five fields (or six, with seconds first), counts Sunday as 0 or 7, and when both days are
//! restricted either is enough. So each field is read into the set of its values here, and written out for the
//! crate as plain lists, days of the week by name; an expression with both days restricted becomes two. What `L` and
//! `#` mean (see [`special`]) becomes one more each.

use std::str::FromStr;

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use super::field::{FIELDS, Values};
use super::special::{LAST_DAYS, Part, Which};

/// Bytes of an expression; a list of all sixty minutes has 170.
const LONGEST: usize = 1000;

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
    /// Several when any of them is enough: day of month or day of week, and each special day.
    parts: Vec<Part>,
    /// Seconds, minutes, hours, days, months, weekdays.
    sets: [Values; 6],
    /// What is said of days with `L` and `#`, and the weekdays it is said of.
    special: Vec<(Values, Which)>,
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
        let mut special = Vec::new();
        let mut sets = [Values::default(); 6];
        for ((set, kind), field) in sets.iter_mut().zip(&FIELDS).zip(fields) {
            let found = special.len();
            *set = kind.parse_list(field, &mut special)?;
            if set.is_all() {
                special.truncate(found);
            }
        }
        let [seconds, minutes, hours, days, months, weekdays] = &sets;
        if special.is_empty() && weekdays.is_all() && !some_month_has(days, months) {
            return Err(CronError::Never);
        }
        let times = format!("{} {} {}", seconds.numbers(), minutes.numbers(), hours.numbers());
        let months = months.numbers();
        let mut translated = Vec::new();
        let any_day = days.is_all() && weekdays.is_all() && special.is_empty();
        if any_day || !(days.is_all() || days.is_empty()) {
            translated.push((format!("{times} {} {months} *", days.numbers()), Which::All));
        }
        if !(weekdays.is_all() || weekdays.is_empty()) {
            translated.push((format!("{times} * {months} {}", weekdays.names()), Which::All));
        }
        for (weekdays, which) in &special {
            translated.push(match which {
                Which::LastDay => (format!("{times} {LAST_DAYS} {months} *"), *which),
                _ => (format!("{times} * {months} {}", weekdays.names()), *which),
            });
        }
        let mut parts = Vec::with_capacity(translated.len());
        for (expression, which) in translated {
            let parsed = cron::Schedule::from_str(&expression);
            let schedule = parsed.map_err(|cause| CronError::Field {
                field: "whole",
                reason: cause.to_string(),
            })?;
            parts.push(Part { schedule, which });
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
            sets,
            special,
        })
    }

    /// What it allows, field by field.
    pub(crate) fn fields(&self) -> Fields {
        let [seconds, minutes, hours, days, months, weekdays] = self.sets.map(Values::restricted);
        let numbered = |days: Option<Vec<u32>>| days.filter(|days| !days.is_empty());
        Fields {
            seconds,
            minutes,
            hours,
            days: numbered(days),
            months,
            weekdays: numbered(weekdays),
            special_days: self.special.iter().map(special_day).collect(),
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
            .parts
            .iter()
            .map(|part| part.after(after).peekable())
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
    /// Days that `L` and `#` say; each is enough, beside `days` and `weekdays`.
    special_days: Vec<SpecialDay>,
}

/// The last day of the month; or with weekdays, the nth or last of them in the month.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct SpecialDay {
    /// 0 is Sunday.
    weekdays: Vec<u32>,
    /// 1 to 5; none is the last.
    nth: Option<u32>,
}

fn special_day((weekdays, which): &(Values, Which)) -> SpecialDay {
    let nth = match which {
        Which::Nth(nth) => Some(*nth),
        Which::All | Which::LastDay | Which::Last => None,
    };
    SpecialDay {
        weekdays: weekdays.iter().collect(),
        nth,
    }
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
