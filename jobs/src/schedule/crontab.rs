//! Crontab expressions, as people know them: five fields, or six with seconds first.
//!
//! Each field is the set of its values (see [`field`](super::field)), and [`Days`] says how the two day fields go
//! together. No crate has all of it: either day being enough, `L` and `#`, and counting the times of years at once.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use coronet_core::LAST_ZONE_YEAR;
use schemars::JsonSchema;
use serde::Serialize;

use super::days::{DayRule, Days, Which};
use super::field::{FIELDS, List, Values};

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
    #[error(
        "the cron expression never comes true: no date up to {LAST_ZONE_YEAR} has the day, month and weekday it wants"
    )]
    Never,
}

/// A checked expression. Equal when the text is.
#[derive(Debug, Clone)]
pub struct Crontab {
    text: String,
    seconds: Values,
    minutes: Values,
    hours: Values,
    days: Days,
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
        let mut lists: [List; 6] = Default::default();
        for ((list, kind), field) in lists.iter_mut().zip(&FIELDS).zip(fields) {
            *list = kind.parse_list(field)?;
        }
        let [seconds, minutes, hours, days, months, weekdays] = lists;
        let days = Days::new(days, months.values, weekdays);
        if !dates_from(NaiveDate::default()).any(|date| days.has(date)) {
            return Err(CronError::Never);
        }
        Ok(Self {
            text: text.to_owned(),
            seconds: seconds.values,
            minutes: minutes.values,
            hours: hours.values,
            days,
        })
    }

    /// What it allows, field by field.
    pub(crate) fn fields(&self) -> Fields {
        let Days {
            days,
            months,
            weekdays,
            special,
            rule,
        } = &self.days;
        let restricts = |values: &Values, of_month: bool| {
            let special = special
                .iter()
                .any(|(_, which)| (*which == Which::LastDay) == of_month);
            special || !values.is_all() || *rule == DayRule::Either
        };
        let numbered = |values: &Values, restricts: bool| {
            let numbers: Vec<u32> = values.iter().filter(|_| restricts).collect();
            Some(numbers).filter(|numbers| !numbers.is_empty())
        };
        let (of_month, by_weekday) = (restricts(days, true), restricts(weekdays, false));
        Fields {
            seconds: self.seconds.restricted(),
            minutes: self.minutes.restricted(),
            hours: self.hours.restricted(),
            days: numbered(days, of_month),
            months: months.restricted(),
            weekdays: numbered(weekdays, by_weekday),
            special_days: special.iter().map(special_day).collect(),
            day_rule: (of_month && by_weekday).then_some(*rule),
        }
    }

    /// The expression as it was entered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The wall-clock times after `local`, in order, without regard to any zone.
    pub(super) fn wall_times(&self, local: NaiveDateTime) -> impl Iterator<Item = NaiveDateTime> + '_ {
        dates_from(local.date())
            .filter(|date| self.days.has(*date))
            .flat_map(move |date| {
                let hours = self.hours.iter();
                // What passed on the first day is not gone through second by second.
                let hours = hours.filter(move |hour| (date, *hour) >= (local.date(), local.hour()));
                hours.flat_map(move |hour| {
                    let from = if (date, hour) == (local.date(), local.hour()) {
                        local.minute()
                    } else {
                        0
                    };
                    self.times_in(date, hour, from)
                })
            })
            .skip_while(move |time| *time <= local)
    }

    /// The times of an hour from a minute on.
    fn times_in(&self, date: NaiveDate, hour: u32, from: u32) -> impl Iterator<Item = NaiveDateTime> + '_ {
        let minutes = self.minutes.iter().filter(move |minute| *minute >= from);
        minutes.flat_map(move |minute| {
            let seconds = self.seconds.iter();
            seconds.filter_map(move |second| date.and_hms_opt(hour, minute, second))
        })
    }

    /// How many wall-clock times there are after one and up to another.
    pub(super) fn count(&self, after: NaiveDateTime, until: NaiveDateTime) -> i64 {
        let whole = |date| {
            if self.days.has(date) {
                self.times_a_day()
            } else {
                0
            }
        };
        let up_to = |time: NaiveDateTime| {
            if self.days.has(time.date()) {
                self.times_up_to(time.time())
            } else {
                0
            }
        };
        let days = dates_from(after.date()).take_while(|date| *date < until.date());
        (days.map(whole).sum::<i64>() + up_to(until) - up_to(after)).max(0)
    }

    fn times_a_day(&self) -> i64 {
        self.hours.count() * self.minutes.count() * self.seconds.count()
    }

    /// How many times of a day there are up to this one.
    fn times_up_to(&self, time: NaiveTime) -> i64 {
        let (minutes, seconds) = (self.minutes.count(), self.seconds.count());
        let mut count = self.hours.count_below(time.hour()) * minutes * seconds;
        if self.hours.has(time.hour()) {
            count += self.minutes.count_below(time.minute()) * seconds;
            if self.minutes.has(time.minute()) {
                count += self.seconds.count_below(time.second() + 1);
            }
        }
        count
    }
}

/// The dates from one on, as far as the clocks of all zones are known.
fn dates_from(date: NaiveDate) -> impl Iterator<Item = NaiveDate> {
    date.iter_days().take_while(|date| date.year() <= LAST_ZONE_YEAR)
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
    /// Days of the month.
    days: Option<Vec<u32>>,
    /// 1 is January.
    months: Option<Vec<u32>>,
    /// 0 is Sunday.
    weekdays: Option<Vec<u32>>,
    /// Days that `L` and `#` say; each is enough in its field, next to `days` or `weekdays`.
    special_days: Vec<SpecialDay>,
    /// When both day fields restrict: whether one of them is enough, or both must match.
    day_rule: Option<DayRule>,
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
        Which::LastDay | Which::Last => None,
    };
    SpecialDay {
        weekdays: weekdays.iter().collect(),
        nth,
    }
}
