//! The fields of a crontab expression: what each may hold, and the set of values that its text means.

use super::CronError;
use super::days::{self, Which};

/// Wider than every field: `*/60` for once around is a habit of many.
const WIDEST_STEP: usize = 60;

/// What one field may hold. The highest weekday is 7, which is Sunday again.
pub(super) struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

/// Letters of a name that are enough. More of them may follow: `job.day()` returns `Thur`, and `%A` is `Thursday`.
const SHORTEST_NAME: usize = 3;

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const FIELDS: [Field; 6] = [
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
    /// Reads a list of values; `L` among days, and `FRI#2` or `FRIL` among weekdays, are its special days.
    pub(super) fn parse_list(&self, field: &str) -> Result<List, CronError> {
        let (mut plain, mut special) = (Vec::new(), Vec::new());
        for part in field.split(',') {
            if self.name == "day" && part.eq_ignore_ascii_case("L") {
                special.push((Values::default(), Which::LastDay));
            } else if let Some((weekday, which)) = days::of_weekday(part).filter(|_| self.is_weekday()) {
                let which = which.map_err(|nth| {
                    self.wrong(format!(
                        "\"#{}\" is not #1 to #5, or #L for the last",
                        brief(&nth)
                    ))
                })?;
                special.push((self.parse(weekday)?, which));
            } else {
                plain.push(part);
            }
        }
        let values = if plain.is_empty() {
            let all = self.all();
            Values { bits: 0, all }
        } else {
            self.parse(&plain.join(","))?
        };
        if values.is_all() {
            special.clear();
        }
        Ok(List {
            values,
            special,
            starred: field.starts_with(['*', '?']),
        })
    }

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
        let named = self.names.iter().position(|name| abbreviates(text, name));
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
                    .and_then(|first| first.get(..SHORTEST_NAME))
                    .map(|first| format!(", or a name such as {}", first.to_ascii_uppercase()))
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

/// Whether the text is the beginning of the name, in any case.
fn abbreviates(text: &str, name: &str) -> bool {
    let beginning = name.get(..text.len());
    text.len() >= SHORTEST_NAME && beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(text))
}

/// One field of an expression.
#[derive(Debug, Default)]
pub(super) struct List {
    pub(super) values: Values,
    /// Empty when the values are all there are.
    pub(super) special: Vec<(Values, Which)>,
    /// Whether the field starts with a star.
    pub(super) starred: bool,
}

/// The values of a field, one bit each.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Values {
    bits: u64,
    all: u64,
}

impl Values {
    pub(super) fn is_all(self) -> bool {
        self.bits == self.all
    }

    pub(super) fn has(self, value: u32) -> bool {
        self.bits & (1 << value) != 0
    }

    /// How many there are.
    pub(super) fn count(self) -> i64 {
        i64::from(self.bits.count_ones())
    }

    /// How many are less than this one.
    pub(super) fn count_below(self, value: u32) -> i64 {
        i64::from((self.bits & ((1 << value) - 1)).count_ones())
    }

    /// The values, unless they are all there are.
    pub(super) fn restricted(self) -> Option<Vec<u32>> {
        (!self.is_all()).then(|| self.iter().collect())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u32> + Clone {
        (0..64).filter(move |value| self.bits & (1 << value) != 0)
    }
}
