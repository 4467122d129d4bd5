//! What crontabs can say of days beside numbers: `L`, the last day of the month; `FRI#2`, the second Friday; `FRIL`, the
//! last one. The `cron` crate has none of them, so it is asked for all days that may be meant, and what does not fit is
//! passed over.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use cron::OwnedScheduleIterator;

/// Days of the month that can be the last.
pub(super) const LAST_DAYS: &str = "28-31";

/// Which of the days that the crate finds are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    /// The last day of the month.
    LastDay,
    /// Of the weekday, the nth in the month, from 1 to 5.
    Nth(u32),
    /// Of the weekday, the last in the month.
    Last,
}

impl Which {
    fn has(self, date: NaiveDate) -> bool {
        let days = u32::from(date.num_days_in_month());
        match self {
            Self::All => true,
            Self::LastDay => date.day() == days,
            Self::Nth(nth) => date.day().div_ceil(7) == nth,
            Self::Last => date.day() + 7 > days,
        }
    }
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

/// The times of one expression of the crate, of which only some days are meant.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) schedule: cron::Schedule,
    pub(super) which: Which,
}

impl Part {
    pub(super) fn after(&self, after: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
        let (schedule, which) = (self.schedule.clone(), self.which);
        let mut times: OwnedScheduleIterator<Utc> = self.schedule.after_owned(after);
        std::iter::from_fn(move || {
            loop {
                let time = times.next()?;
                let date = time.date_naive();
                if which.has(date) {
                    return Some(time);
                }
                // A day may have 86,400 times; none of this one fits.
                let last = NaiveTime::from_hms_opt(23, 59, 59)?;
                let end = date.and_time(last).and_utc();
                times = schedule.after_owned(end);
            }
        })
    }
}
