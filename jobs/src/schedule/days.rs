//! The days of a crontab expression: by number, month and weekday, and what has no number: `L`, the last day of the
//! month; `FRI#2`, the second Friday; `FRIL`, the last one.

use chrono::{Datelike, NaiveDate};
use schemars::JsonSchema;
use serde::Serialize;

use super::field::{List, Values};

/// Days without a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The last day of the month.
    LastDay,
    /// Of the weekdays, the nth in the month, from 1 to 5.
    Nth(u32),
    /// Of the weekdays, the last in the month.
    Last,
}

/// What `#2` or `L` behind a weekday says, and the weekday; `None` without either.
pub(super) fn of_weekday(part: &str) -> Option<(&str, Result<Which, String>)> {
    if let Some((weekday, nth)) = part.split_once('#') {
        let which = match nth {
            "L" | "l" => Ok(Which::Last),
            _ => match nth.parse() {
                Ok(nth @ 1..=5) => Ok(Which::Nth(nth)),
                _ => Err(nth.to_owned()),
            },
        };
        return Some((weekday, which));
    }
    let weekday = part
        .strip_suffix(['L', 'l'])
        .filter(|weekday| !weekday.is_empty())?;
    Some((weekday, Ok(Which::Last)))
}

/// How the two day fields go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DayRule {
    /// A day of the month or a weekday is enough.
    Either,
    /// The day of the month and the weekday must both match.
    Both,
}

/// Which dates an expression allows.
#[derive(Debug, Clone)]
pub(super) struct Days {
    pub(super) days: Values,
    pub(super) months: Values,
    pub(super) weekdays: Values,
    /// What `L` and `#` say, with the weekdays that it is said of.
    pub(super) special: Vec<(Values, Which)>,
    /// As Vixie cron has it: a field that starts with a star restricts nothing by itself, so that both must match; else
    /// either is enough, also when one of them is a range of all days.
    pub(super) rule: DayRule,
}

impl Days {
    pub(super) fn new(days: List, months: Values, weekdays: List) -> Self {
        let rule = if days.starred || weekdays.starred {
            DayRule::Both
        } else {
            DayRule::Either
        };
        Self {
            days: days.values,
            months,
            weekdays: weekdays.values,
            special: [days.special, weekdays.special].concat(),
            rule,
        }
    }

    pub(super) fn has(&self, date: NaiveDate) -> bool {
        if !self.months.has(date.month()) {
            return false;
        }
        let of_month = self.days.has(date.day()) || self.has_special(date, true);
        let by_weekday = || self.weekdays.has(weekday(date)) || self.has_special(date, false);
        match self.rule {
            DayRule::Either => of_month || by_weekday(),
            DayRule::Both => of_month && by_weekday(),
        }
    }

    fn has_special(&self, date: NaiveDate, of_month: bool) -> bool {
        let length = u32::from(date.num_days_in_month());
        self.special.iter().any(|(weekdays, which)| match which {
            Which::LastDay => of_month && date.day() == length,
            Which::Nth(nth) => !of_month && weekdays.has(weekday(date)) && date.day().div_ceil(7) == *nth,
            Which::Last => !of_month && weekdays.has(weekday(date)) && date.day() + 7 > length,
        })
    }
}

/// 0 is Sunday.
fn weekday(date: NaiveDate) -> u32 {
    date.weekday().num_days_from_sunday()
}
