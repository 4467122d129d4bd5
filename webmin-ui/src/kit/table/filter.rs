//! The filters of a list.

use chrono::{NaiveDate, NaiveTime};
use coronet_core::{Code, Error};
use serde_json::Value;

use super::Asked;
use crate::kit::t;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// One filter: what can be chosen, and what it adds to the parameters of the list's function.
pub(crate) struct Filter {
    pub(super) label: String,
    pub(super) kind: Kind,
    /// Folded away until it is used.
    pub(super) folded: bool,
}

pub(super) enum Kind {
    Choice {
        name: &'static str,
        choices: Vec<(String, String)>,
        send: fn(&mut Value, &str),
    },
    Text {
        name: &'static str,
        placeholder: &'static str,
        send: fn(&mut Value, &str),
    },
    /// Set by links of other pages, and shown only as what can be taken away.
    Hidden {
        name: &'static str,
        send: fn(&mut Value, &str),
    },
    /// Sends `since` and `until`, in Unix milliseconds.
    Time { send: fn(&mut Value, &str, i64) },
}

impl Filter {
    /// A choice of values with their labels; the first is all.
    pub(crate) fn choice(
        name: &'static str,
        label: String,
        choices: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        send: fn(&mut Value, &str),
    ) -> Self {
        let choices = choices
            .into_iter()
            .map(|(value, label)| (value.into(), label.into()))
            .collect();
        Self::new(label, Kind::Choice { name, choices, send })
    }

    pub(crate) fn text(
        name: &'static str,
        label: String,
        placeholder: &'static str,
        send: fn(&mut Value, &str),
    ) -> Self {
        let kind = Kind::Text {
            name,
            placeholder,
            send,
        };
        Self {
            folded: true,
            ..Self::new(label, kind)
        }
    }

    pub(crate) fn hidden(name: &'static str, label: String, send: fn(&mut Value, &str)) -> Self {
        Self::new(label, Kind::Hidden { name, send })
    }

    /// From when until when: the last hours and days, or days of the calendar in UTC.
    pub(crate) fn time(label: String, send: fn(&mut Value, &str, i64)) -> Self {
        Self::new(label, Kind::Time { send })
    }

    fn new(label: String, kind: Kind) -> Self {
        Self {
            label,
            kind,
            folded: false,
        }
    }

    /// What it is called in addresses.
    pub(super) fn names(&self) -> Vec<&'static str> {
        match &self.kind {
            Kind::Choice { name, .. } | Kind::Text { name, .. } | Kind::Hidden { name, .. } => vec![name],
            Kind::Time { .. } => vec!["when", "from", "until"],
        }
    }

    pub(super) fn send(&self, asked: &Asked, now: i64, parameters: &mut Value) -> Result<(), Error> {
        match &self.kind {
            Kind::Choice { name, send, .. } | Kind::Text { name, send, .. } | Kind::Hidden { name, send } => {
                let value = asked.get(name);
                if !value.is_empty() {
                    send(parameters, value);
                }
            }
            Kind::Time { send } => {
                let last = last(asked.get("when")).map(|span| now - span);
                let from = day(asked.get("from"))?;
                if let Some(since) = last.max(from) {
                    send(parameters, "since", since);
                }
                // The day itself counts.
                if let Some(until) = day(asked.get("until"))? {
                    send(parameters, "until", until + DAY_MS);
                }
            }
        }
        Ok(())
    }
}

/// The spans that are offered, with their labels.
pub(super) fn spans() -> [(&'static str, String); 5] {
    [
        ("", t!("any time")),
        ("1h", t!("last hour")),
        ("24h", t!("last 24 hours")),
        ("7d", t!("last 7 days")),
        ("30d", t!("last 30 days")),
    ]
}

fn last(span: &str) -> Option<i64> {
    match span {
        "1h" => Some(HOUR_MS),
        "24h" => Some(DAY_MS),
        "7d" => Some(7 * DAY_MS),
        "30d" => Some(30 * DAY_MS),
        _ => None,
    }
}

/// The start of a day in UTC.
fn day(text: &str) -> Result<Option<i64>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let date: NaiveDate = text.parse().map_err(|_| {
        Error::new(
            Code::ParameterInvalid,
            t!("A day is written as year-month-day, such as 2026-01-31."),
        )
    })?;
    Ok(Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_and_days_become_bounds() {
        let filter = Filter::time(String::new(), |parameters, bound, at| {
            parameters[bound] = json!(at)
        });
        let sent = |query: &str| {
            let mut parameters = json!({});
            filter.send(&Asked::of(query), 100 * DAY_MS, &mut parameters)?;
            Ok::<_, Error>(parameters)
        };
        assert_eq!(sent("").unwrap(), json!({}));
        assert_eq!(sent("when=24h").unwrap(), json!({ "since": 99 * DAY_MS }));
        let days = sent("from=1970-01-02&until=1970-01-02").unwrap();
        assert_eq!(days, json!({ "since": DAY_MS, "until": 2 * DAY_MS }));
        assert!(sent("from=yesterday").is_err());
    }
}
