//! A cron expression in words.

use serde::Deserialize;

use crate::kit::{count, t};

/// What an expression allows, field by field; nothing where it allows everything.
#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    seconds: Option<Vec<u32>>,
    minutes: Option<Vec<u32>>,
    hours: Option<Vec<u32>>,
    days: Option<Vec<u32>>,
    months: Option<Vec<u32>>,
    weekdays: Option<Vec<u32>>,
    special_days: Vec<SpecialDay>,
    /// When both day fields restrict: whether one of them is enough, or both must match.
    #[serde(default)]
    day_rule: Option<DayRule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DayRule {
    Either,
    Both,
}

/// The last day of the month; or with weekdays, the nth or last of them in the month.
#[derive(Debug, Deserialize)]
struct SpecialDay {
    weekdays: Vec<u32>,
    nth: Option<u32>,
}

/// Times of day that are still read as a list.
const LISTED: usize = 4;

/// Nothing when words would be longer than the expression is hard.
pub(super) fn words(cron: &Fields) -> Option<String> {
    let (times, daily) = times(cron)?;
    let mut parts = vec![times];
    parts.extend(days(cron, daily));
    if let Some(months) = &cron.months {
        let months = months.iter().map(|number| month(*number));
        parts.push(t!("in {months}", months = list(months)));
    }
    Some(parts.join(", "))
}

/// When on a day, and whether that is so often only that the days need no mention.
fn times(cron: &Fields) -> Option<(String, bool)> {
    let one = |values: &Option<Vec<u32>>| match values.as_deref() {
        Some([value]) => Some(*value),
        _ => None,
    };
    let second = one(&cron.seconds);
    if let (Some(second), Some(minute), Some(hours)) = (second, one(&cron.minutes), &cron.hours) {
        let time = |hour: &u32| match second {
            0 => format!("{hour:02}:{minute:02}"),
            _ => format!("{hour:02}:{minute:02}:{second:02}"),
        };
        let few = hours.len() <= LISTED;
        return few.then(|| (t!("at {times}", times = list(hours.iter().map(time))), true));
    }
    let often = match (&cron.seconds, &cron.minutes, &cron.hours) {
        (Some(seconds), None, None) if *seconds == [0] => count!(1, "every minute", "every {n} minutes"),
        (None, None, None) => count!(1, "every second", "every {n} seconds"),
        (Some(seconds), None, None) => count!(step(seconds, 60)?, "every second", "every {n} seconds"),
        (Some(seconds), Some(minutes), None) if *seconds == [0] => match minutes.as_slice() {
            [0] => count!(1, "every hour", "every {n} hours"),
            [minute] => t!("every hour at minute {minute}", minute = minute),
            minutes => count!(step(minutes, 60)?, "every minute", "every {n} minutes"),
        },
        _ => return None,
    };
    Some((often, false))
}

/// How far apart values are that start at 0 and go round without a rest.
fn step(values: &[u32], round: u32) -> Option<u32> {
    let step = values.get(1)?.checked_sub(*values.first()?)?;
    let even = step > 0 && round.is_multiple_of(step);
    (even && values.iter().copied().eq((0..round).step_by(step as usize))).then_some(step)
}

fn days(cron: &Fields, daily: bool) -> Option<String> {
    let (of_month, weekdays) = (days_of_month(cron), cron.weekdays.as_deref());
    let names_all = |days: &Option<Vec<u32>>, most| days.as_ref().is_some_and(|days| days.len() == most);
    match cron.day_rule {
        Some(DayRule::Both) => Some(t!(
            "{weekdays}, only when it is also {days} (both must match)",
            weekdays = weekday_words(cron),
            days = list(of_month.into_iter())
        )),
        Some(DayRule::Either) if names_all(&cron.days, 31) || names_all(&cron.weekdays, 7) => Some(t!(
            "every day (one of the two day fields names all days, and either is enough)"
        )),
        Some(DayRule::Either) | None => either(cron, of_month, weekdays, daily),
    }
}

fn either(cron: &Fields, days: Vec<String>, weekdays: Option<&[u32]>, daily: bool) -> Option<String> {
    let nth = cron.special_days.iter().filter(|day| !day.weekdays.is_empty());
    let days: Vec<String> = days.into_iter().chain(nth.map(special_day)).collect();
    Some(match (days.is_empty(), weekdays) {
        (true, None) if daily => count!(1, "every day", "every {n} days"),
        (true, None) => return None,
        (true, Some([1, 2, 3, 4, 5])) => t!("Monday to Friday"),
        (true, Some(days)) => t!("on {weekdays}", weekdays = names(days)),
        (false, None) => list(days.into_iter()),
        (false, Some(weekdays)) => t!(
            "{days}, and every {weekdays}",
            days = list(days.into_iter()),
            weekdays = names(weekdays)
        ),
    })
}

/// What the weekday field says.
fn weekday_words(cron: &Fields) -> String {
    let plain = cron
        .weekdays
        .iter()
        .map(|days| t!("on {weekdays}", weekdays = names(days)));
    let nth = cron.special_days.iter().filter(|day| !day.weekdays.is_empty());
    list(plain.chain(nth.map(special_day)))
}

/// What the field of the days of the month says.
fn days_of_month(cron: &Fields) -> Vec<String> {
    let mut days = Vec::new();
    if let Some(numbers) = &cron.days {
        days.push(t!(
            "on day {days} of the month",
            days = list(numbers.iter().map(u32::to_string))
        ));
    }
    let last = cron.special_days.iter().filter(|day| day.weekdays.is_empty());
    days.extend(last.map(special_day));
    days
}

fn special_day(day: &SpecialDay) -> String {
    let weekdays = names(&day.weekdays);
    match day.nth {
        None if day.weekdays.is_empty() => t!("on the last day of the month"),
        Some(1) => t!("on the first {weekdays} of the month", weekdays = weekdays),
        Some(2) => t!("on the second {weekdays} of the month", weekdays = weekdays),
        Some(3) => t!("on the third {weekdays} of the month", weekdays = weekdays),
        Some(4) => t!("on the fourth {weekdays} of the month", weekdays = weekdays),
        Some(_) => t!("on the fifth {weekdays} of the month", weekdays = weekdays),
        None => t!("on the last {weekdays} of the month", weekdays = weekdays),
    }
}

fn names(weekdays: &[u32]) -> String {
    list(weekdays.iter().map(|day| weekday(*day)))
}

fn list(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            t!("{list} and {last}", list = rest.join(", "), last = last)
        }
        _ => words.join(""),
    }
}

/// 0 is Sunday.
pub(super) fn weekday(number: u32) -> String {
    match number {
        1 => t!("Monday"),
        2 => t!("Tuesday"),
        3 => t!("Wednesday"),
        4 => t!("Thursday"),
        5 => t!("Friday"),
        6 => t!("Saturday"),
        _ => t!("Sunday"),
    }
}

/// 1 is January.
pub(super) fn month(number: u32) -> String {
    match number {
        1 => t!("January"),
        2 => t!("February"),
        3 => t!("March"),
        4 => t!("April"),
        5 => t!("May"),
        6 => t!("June"),
        7 => t!("July"),
        8 => t!("August"),
        9 => t!("September"),
        10 => t!("October"),
        11 => t!("November"),
        _ => t!("December"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn said(mut fields: Value) -> Option<String> {
        let special = fields["special_days"].take();
        fields["special_days"] = if special.is_null() { json!([]) } else { special };
        words(&serde_json::from_value(fields).unwrap())
    }

    #[test]
    fn what_people_set_is_read_as_people_say_it() {
        let cases = [
            (
                json!({"seconds": [0], "minutes": [30], "hours": [7], "weekdays": [1, 2, 3, 4, 5]}),
                "at 07:30, Monday to Friday",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [0]}),
                "at 00:00, every day",
            ),
            (
                json!({"seconds": [5], "minutes": [0], "hours": [6, 18]}),
                "at 06:00:05 and 18:00:05, every day",
            ),
            (
                json!({"seconds": [0], "minutes": [0, 15, 30, 45]}),
                "every 15 minutes",
            ),
            (json!({"seconds": [0]}), "every minute"),
            (
                json!({"seconds": [0], "minutes": [0], "weekdays": [0, 6]}),
                "every hour, on Sunday and Saturday",
            ),
            (json!({"seconds": [0], "minutes": [7]}), "every hour at minute 7"),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [0], "days": [13], "weekdays": [5]}),
                "at 00:00, on day 13 of the month, and every Friday",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [0], "days": [1], "weekdays": [0, 1, 2, 3, 4, 5, 6],
                       "day_rule": "either"}),
                "at 00:00, every day (one of the two day fields names all days, and either is enough)",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [0], "days": [1, 16, 31], "weekdays": [1],
                       "day_rule": "both"}),
                "at 00:00, on Monday, only when it is also on day 1, 16 and 31 of the month (both must match)",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [0], "days": [1, 16, 31], "day_rule": "both",
                       "special_days": [{"weekdays": [5], "nth": 2}]}),
                "at 00:00, on the second Friday of the month, only when it is also on day 1, 16 and 31 of the month (both must match)",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [9], "days": [1], "months": [1, 4, 7]}),
                "at 09:00, on day 1 of the month, in January, April and July",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [9], "days": [15],
                       "special_days": [{"weekdays": [], "nth": null}]}),
                "at 09:00, on day 15 of the month and on the last day of the month",
            ),
            (
                json!({"seconds": [0], "minutes": [0], "hours": [9], "weekdays": [1],
                       "special_days": [{"weekdays": [5], "nth": 2}, {"weekdays": [5], "nth": null}]}),
                "at 09:00, on the second Friday of the month and on the last Friday of the month, and every Monday",
            ),
        ];
        for (fields, words) in cases {
            assert_eq!(said(fields.clone()).as_deref(), Some(words), "{fields}");
        }
    }

    #[test]
    fn what_words_would_not_make_clearer_is_left_to_the_dates() {
        for fields in [
            json!({"seconds": [0], "minutes": [0, 7, 14, 21, 28, 35, 42, 49, 56]}),
            json!({"seconds": [0], "minutes": [1, 2], "hours": [3, 4]}),
            json!({"seconds": [0], "minutes": [0], "hours": [1, 2, 3, 4, 5]}),
            json!({"minutes": [0], "hours": [0]}),
        ] {
            assert_eq!(said(fields.clone()), None, "{fields}");
        }
    }
}
