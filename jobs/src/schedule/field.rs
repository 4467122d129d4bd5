//! The fields of a crontab expression: what each may hold, and the set of values that its text means.

use std::fmt::Write as _;

use super::CronError;
use super::special::{self, Which};

/// Wider than every field: `*/60` for once around is a habit of many.
const WIDEST_STEP: usize = 60;

/// What one field may hold. The highest weekday is 7, which is Sunday again.
pub(super) struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    names: &'static [&'static str],
}

const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: [&str; 12] = [
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
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
    /// Reads a list; what it says beside numbers, `L` among days, and `FRI#2` or `FRIL` among weekdays, goes to `special`.
    pub(super) fn parse_list(
        &self,
        field: &str,
        special: &mut Vec<(Values, Which)>,
    ) -> Result<Values, CronError> {
        let mut plain = Vec::new();
        for part in field.split(',') {
            if self.name == "day" && part.eq_ignore_ascii_case("L") {
                special.push((Values::default(), Which::LastDay));
            } else if let Some((weekday, which)) = special::of_weekday(part).filter(|_| self.is_weekday()) {
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
        if plain.is_empty() {
            let all = self.all();
            return Ok(Values { bits: 0, all });
        }
        self.parse(&plain.join(","))
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

    pub(super) fn is_empty(self) -> bool {
        self.bits == 0
    }

    /// The values, unless they are all there are.
    pub(super) fn restricted(self) -> Option<Vec<u32>> {
        (!self.is_all()).then(|| self.iter().collect())
    }

    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |value| self.bits & (1 << value) != 0)
    }

    pub(super) fn numbers(self) -> String {
        if self.is_all() {
            "*".to_owned()
        } else {
            join(self.iter())
        }
    }

    pub(super) fn names(self) -> String {
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
