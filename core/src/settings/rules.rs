//! What holds between settings, and what a schema cannot say.

use serde_json::json;

use crate::address::{EmailAddress, Mailbox, has_control};
use crate::http_client::{self, AllowedHosts};
use crate::{Code, Error};

/// A rule that a setting breaks. The rule follows the setting's name: `must …`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broken {
    pub(super) group: String,
    pub(super) name: String,
    pub(super) rule: String,
}

impl From<Broken> for Error {
    fn from(broken: Broken) -> Self {
        let Broken { group, name, rule } = broken;
        Self::new(
            Code::ParameterInvalid,
            format!("The setting `{group}.{name}` {rule}."),
        )
        .with_details(json!({ "parameter": name, "rule": rule }))
    }
}

pub(super) fn broken(group: &str, name: &str, rule: &str) -> Result<(), Broken> {
    Err(Broken {
        group: group.to_owned(),
        name: name.to_owned(),
        rule: rule.to_owned(),
    })
}

pub(super) fn one_line(group: &str, name: &str, text: &str) -> Result<(), Broken> {
    if has_control(text) {
        return broken(group, name, "must be one line");
    }
    Ok(())
}

/// Nothing, a mail address, or a name and a mail address.
pub(super) fn sender(group: &str, name: &str, text: &str) -> Result<(), Broken> {
    one_line(group, name, text)?;
    if text.is_empty() {
        return Ok(());
    }
    Mailbox::parse(text).map(|_| ()).or_else(|mistake| {
        let rule = format!("must be a mail address such as a@b.example, or Name <a@b.example>. {mistake}");
        broken(group, name, rule.trim_end_matches('.'))
    })
}

/// Nothing, or mail addresses with commas between them.
pub(super) fn addresses(group: &str, name: &str, text: &str) -> Result<(), Broken> {
    let mut all = text.split(',').map(str::trim);
    if text.trim().is_empty() || all.all(|one| EmailAddress::parse(one).is_ok()) {
        return Ok(());
    }
    broken(group, name, "must be mail addresses with commas between them")
}

/// Nothing, or a URL that requests can go to.
pub(super) fn url(group: &str, name: &str, text: &str) -> Result<(), Broken> {
    if text.is_empty() {
        return Ok(());
    }
    http_client::parse(text)
        .map(|_| ())
        .or_else(|why| broken(group, name, &format!("must be a URL: {why}")))
}

/// Nothing, or hosts.
pub(super) fn hosts(group: &str, name: &str, text: &str) -> Result<(), Broken> {
    match AllowedHosts::parse(text) {
        Ok(_) => Ok(()),
        Err(wrong) => broken(
            group,
            name,
            &format!("must list hosts such as api.example.com or *.example.com, and has `{wrong}`"),
        ),
    }
}

/// A minute of the day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeOfDay {
    minutes: i64,
}

const DAY_MS: i64 = 86_400_000;

impl TimeOfDay {
    /// From `HH:MM`.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let number = |text: &str, below: i64| {
            let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse::<i64>()
                .ok()
                .filter(|number| digits && *number < below)
        };
        Some(Self {
            minutes: number(hours, 24)? * 60 + number(minutes, 60)?,
        })
    }

    /// The latest time that it was this time of day, at `now` or before; Unix milliseconds.
    pub fn latest(self, now: i64) -> i64 {
        let of_day = self.minutes * 60_000;
        (now - of_day).div_euclid(DAY_MS) * DAY_MS + of_day
    }

    /// The next time that it is this time of day, after `now`.
    pub fn next(self, now: i64) -> i64 {
        self.latest(now) + DAY_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::MONDAY_NOON;

    #[test]
    fn a_time_of_day_comes_once_a_day() {
        let three = TimeOfDay::parse("03:00").unwrap();
        assert_eq!(three.latest(MONDAY_NOON), MONDAY_NOON - 9 * 3_600_000);
        assert_eq!(three.next(MONDAY_NOON), MONDAY_NOON + 15 * 3_600_000);
        let noon = TimeOfDay::parse("12:00").unwrap();
        assert_eq!(noon.latest(MONDAY_NOON), MONDAY_NOON);
        assert_eq!(noon.latest(MONDAY_NOON - 1), MONDAY_NOON - DAY_MS);
        for wrong in ["", "3:00", "24:00", "12:60", "12", "ab:cd", "+1:00", "12:00:00"] {
            assert!(TimeOfDay::parse(wrong).is_none(), "{wrong}");
        }
    }
}
