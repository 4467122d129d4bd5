//! `core.time`: dates by the clocks of any zone. Times are Unix seconds, as Luau's own `os.time` has them.

use std::fmt::Write as _;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{
    DateTime, Days, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone,
    Utc,
};
use chrono_tz::Tz;
use mlua::{IntoLuaMulti, Lua, MultiValue, Table, Value as LuaValue};

use super::answered;
use crate::lua::value;
use crate::zone::{LAST_ZONE_YEAR, is_known};
use crate::{Clock, Code, Error, Result};

/// ISO 8601, with the zone's distance from UTC.
const PATTERN: &str = "%Y-%m-%dT%H:%M:%S%:z";
const LONGEST_TEXT: usize = 200;
/// From the year 0 to the end of 9999: what every pattern can write in four digits.
const EARLIEST: i64 = -62_167_219_200_000;
const LATEST: i64 = 253_402_300_799_999;

pub(super) fn table(lua: &Lua, clock: &Clock) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let own = clock.clone();
    table.raw_set(
        "now",
        lua.create_function(move |_, ()| Ok(seconds(own.now_ms())))?,
    )?;
    let own = clock.clone();
    table.raw_set("nowMs", lua.create_function(move |_, ()| Ok(own.now_ms()))?)?;
    let own = clock.clone();
    let format = lua.create_function(
        move |lua, (at, pattern, zone): (LuaValue, Option<String>, Option<String>)| {
            let at = if at.is_nil() {
                Ok(own.now_ms())
            } else {
                moment(&at)
            };
            let text =
                at.and_then(|at| formatted(at, pattern.as_deref().unwrap_or(PATTERN), zone.as_deref()));
            given_back(lua, text)
        },
    )?;
    table.raw_set("format", format)?;
    let parse = lua.create_function(
        |lua, (text, zone, pattern): (LuaValue, Option<String>, Option<String>)| {
            given_back(
                lua,
                parsed(&text, zone.as_deref(), pattern.as_deref()).map(seconds),
            )
        },
    )?;
    table.raw_set("parse", parse)?;
    let add = lua.create_function(|lua, (at, parts, zone): (LuaValue, LuaValue, Option<String>)| {
        given_back(lua, added(&at, &parts, zone.as_deref()).map(seconds))
    })?;
    table.raw_set("add", add)?;
    Ok(table)
}

fn given_back(lua: &Lua, outcome: Result<impl IntoLuaMulti>) -> mlua::Result<MultiValue> {
    match outcome {
        Ok(value) => value.into_lua_multi(lua),
        Err(error) => answered(lua, Err(error)),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times up to the year 9999 are below 2^53"
)]
fn seconds(ms: i64) -> f64 {
    ms as f64 / 1000.0
}

/// Unix milliseconds of a time that code gives.
fn moment(given: &LuaValue) -> Result<i64> {
    let number = match given {
        LuaValue::Integer(number) => *number as f64,
        LuaValue::Number(number) => *number,
        other => {
            let text = format!(
                "A time is a number of seconds, and not {}.",
                value::with_article(other)
            );
            return Err(Error::new(Code::ParameterType, text));
        }
    };
    #[expect(clippy::cast_possible_truncation, reason = "what does not fit is out of range, too")]
    within((number * 1000.0).round() as i64).filter(|_| !number.is_nan()).ok_or_else(|| {
        let text = format!("{number} is no time between the years 0 and 9999. Times are in seconds: divide milliseconds by 1000.");
        wrong(text)
    })
}

fn within(ms: i64) -> Option<i64> {
    (EARLIEST..=LATEST).contains(&ms).then_some(ms)
}

fn zone_of(name: Option<&str>) -> Result<Tz> {
    let Some(name) = name else { return Ok(Tz::UTC) };
    name.parse().map_err(|_| {
        let name: String = name.chars().take(60).collect();
        wrong(format!(
            "There is no time zone `{name}`. Zones have IANA names such as Europe/Lisbon."
        ))
    })
}

fn formatted(at: i64, pattern: &str, zone: Option<&str>) -> Result<String> {
    let zone = zone_of(zone)?;
    let items = items(pattern)?;
    let mut text = String::new();
    let time = utc(at).with_timezone(&zone);
    check_known(zone, time.naive_local())?;
    write!(text, "{}", time.format_with_items(items.iter())).map_err(|_| bad_pattern())?;
    Ok(text)
}

fn items(pattern: &str) -> Result<Vec<Item<'_>>> {
    // Before it is read: a pattern of megabytes takes long, and much memory.
    if pattern.len() > LONGEST_TEXT {
        return Err(bad_pattern());
    }
    let items: Vec<Item<'_>> = StrftimeItems::new(pattern).collect();
    if items.contains(&Item::Error) {
        return Err(bad_pattern());
    }
    Ok(items)
}

fn bad_pattern() -> Error {
    wrong("The pattern cannot be used. It is text with parts such as %Y-%m-%d %H:%M:%S.".to_owned())
}

/// Reads a date, with or without a time and a distance from UTC; also as mail and HTTP write it. With a pattern, reads what
/// [`formatted`] writes with it.
fn parsed(text: &LuaValue, zone: Option<&str>, pattern: Option<&str>) -> Result<i64> {
    let LuaValue::String(text) = text else {
        let text = format!(
            "core.time.parse takes text, and was given {}.",
            value::with_article(text)
        );
        return Err(Error::new(Code::ParameterType, text));
    };
    let text = text.to_string_lossy();
    let zone = zone_of(zone)?;
    let text = text.trim();
    let fits = text.len() <= LONGEST_TEXT;
    let shown: String = text.chars().take(60).collect();
    if let Some(pattern) = pattern {
        let items = items(pattern)?;
        let read = fits.then(|| by_pattern(text, items.iter(), zone)).flatten();
        return read.transpose()?.and_then(within).ok_or_else(|| {
            let pattern: String = pattern.chars().take(60).collect();
            wrong(format!("`{shown}` is no time written as `{pattern}`."))
        });
    }
    let read = fits.then(|| {
        let exact = DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_rfc2822(text));
        let exact = exact.map(|time| time.timestamp_millis()).ok();
        let exact = exact.or_else(|| with_distance(text));
        exact.map(Ok).or_else(|| by_the_clocks(local(text)?, zone))
    });
    read.flatten().transpose()?.and_then(within).ok_or_else(|| {
        wrong(format!(
            "`{shown}` is no time such as 2026-01-31, 2026-01-31 08:00 or 2026-01-31T08:00:00Z."
        ))
    })
}

/// A time by a pattern. What it does not say is taken as midnight, and as of the clocks of the zone.
fn by_pattern<'i>(text: &str, items: impl Iterator<Item = &'i Item<'i>>, zone: Tz) -> Option<Result<i64>> {
    let mut parts = Parsed::new();
    parse(&mut parts, text, items).ok()?;
    let offset = parts.offset();
    if let Some(seconds) = parts.timestamp() {
        let fraction = i64::from(parts.nanosecond().unwrap_or_default() / 1_000_000);
        return seconds.checked_mul(1000)?.checked_add(fraction).map(Ok);
    }
    let local = match parts.to_naive_datetime_with_offset(offset.unwrap_or_default()) {
        Ok(local) => local,
        Err(_) => {
            // An hour alone is a time, too.
            if parts.hour_mod_12().is_some() && parts.minute().is_none() {
                parts.set_minute(0).ok()?;
            }
            let time = match parts.hour_mod_12() {
                Some(_) => parts.to_naive_time().ok()?,
                None => NaiveTime::MIN,
            };
            parts.to_naive_date().ok()?.and_time(time)
        }
    };
    match offset {
        Some(seconds) => Some(Ok(local.and_utc().timestamp_millis() - i64::from(seconds) * 1000)),
        None => by_the_clocks(local, zone),
    }
}

/// A date and a time with a distance from UTC, as `%z`, `%:z` and `%#z` write it, or with the name of UTC.
fn with_distance(text: &str) -> Option<i64> {
    let names = ["Z", "z", "UTC", "GMT"];
    let (shown, seconds) = match names.iter().find_map(|name| text.strip_suffix(name)) {
        Some(shown) => (shown, 0),
        None => {
            let (shown, sign) = text.rsplit_once('+').map(|(shown, _)| (shown, 1)).or_else(|| {
                let (shown, _) = text.rsplit_once('-')?;
                Some((shown, -1))
            })?;
            (shown, sign * distance(&text[shown.len() + 1..])?)
        }
    };
    let local = local_time(shown.trim_end())?;
    Some(local.and_utc().timestamp_millis() - seconds * 1000)
}

/// The seconds of `05`, `0530` or `05:30`.
fn distance(text: &str) -> Option<i64> {
    let digits: String = match text.split_once(':') {
        Some((hours, minutes)) if hours.len() == 2 && minutes.len() == 2 => format!("{hours}{minutes}"),
        Some(_) => return None,
        None => text.to_owned(),
    };
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = digits.split_at(2);
    let hours: i64 = hours.parse().ok()?;
    let minutes: i64 = if minutes.is_empty() {
        0
    } else {
        minutes.parse().ok()?
    };
    (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * 60)
}

fn local(text: &str) -> Option<NaiveDateTime> {
    local_time(text).or_else(|| {
        NaiveDate::parse_from_str(text, "%Y-%m-%d")
            .ok()?
            .and_hms_opt(0, 0, 0)
    })
}

fn local_time(text: &str) -> Option<NaiveDateTime> {
    let patterns = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        // As C writes it, and `%c` here.
        "%a %b %e %H:%M:%S %Y",
    ];
    patterns
        .iter()
        .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok())
}

/// When the clocks of the zone show this time. Of two such moments it is the first; a time that the clocks leave out counts
/// as if they had not been changed yet. `None` for a time that is out of range.
fn by_the_clocks(local: NaiveDateTime, zone: Tz) -> Option<Result<i64>> {
    let shown = within(local.and_utc().timestamp_millis())?;
    if let Err(error) = check_known(zone, local) {
        return Some(Err(error));
    }
    let offset: FixedOffset = match zone.offset_from_local_datetime(&local).earliest() {
        Some(offset) => offset.fix(),
        None => zone.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix(),
    };
    Some(Ok(shown - i64::from(offset.local_minus_utc()) * 1000))
}

/// Checks that it is known what clocks of the zone show then, rather than to be an hour off in summer.
fn check_known(zone: Tz, local: NaiveDateTime) -> Result<()> {
    if is_known(zone, local) {
        return Ok(());
    }
    let text = format!(
        "When the clocks of {} change is known up to the end of {LAST_ZONE_YEAR}. Use UTC for later times.",
        zone.name()
    );
    Err(wrong(text))
}

/// The parts of a length of time. Years to days go by the calendar and keep the time of day, the others are exact.
const PARTS: [(&str, Part); 7] = [
    ("years", Part::Months(12)),
    ("months", Part::Months(1)),
    ("weeks", Part::Days(7)),
    ("days", Part::Days(1)),
    ("hours", Part::Milliseconds(3_600_000)),
    ("minutes", Part::Milliseconds(60_000)),
    ("seconds", Part::Milliseconds(1000)),
];

#[derive(Clone, Copy)]
enum Part {
    Months(i64),
    Days(i64),
    Milliseconds(i64),
}

fn added(at: &LuaValue, parts: &LuaValue, zone: Option<&str>) -> Result<i64> {
    let at = moment(at)?;
    let zone = zone_of(zone)?;
    let LuaValue::Table(parts) = parts else {
        let text = format!(
            "core.time.add takes a table such as {{ days = 1 }}, and was given {}.",
            value::with_article(parts)
        );
        return Err(Error::new(Code::ParameterType, text));
    };
    let (mut months, mut days, mut exact) = (0_i64, 0_i64, 0_i64);
    for pair in parts.pairs::<String, f64>() {
        let (name, number) = pair.map_err(|_| unknown_part())?;
        let (_, part) = PARTS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(unknown_part)?;
        let (sum, unit) = match part {
            Part::Months(unit) => (&mut months, unit),
            Part::Days(unit) => (&mut days, unit),
            Part::Milliseconds(unit) => (&mut exact, unit),
        };
        if number.fract() != 0.0 || number.abs() > 1e12 {
            return Err(wrong(format!("core.time.add: `{name}` must be a whole number.")));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole and small enough")]
        let number = number as i64;
        *sum += number * unit;
    }
    let moved = if months == 0 && days == 0 {
        Some(at)
    } else {
        let local = utc(at).with_timezone(&zone).naive_local();
        check_known(zone, local)?;
        let local = by_calendar(local, months, days);
        local.and_then(|local| by_the_clocks(local, zone)).transpose()?
    };
    moved
        .and_then(|moved| within(moved.checked_add(exact)?))
        .ok_or_else(|| wrong("core.time.add: the result is no time between the years 0 and 9999.".to_owned()))
}

fn by_calendar(local: NaiveDateTime, months: i64, days: i64) -> Option<NaiveDateTime> {
    let size = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
    let local = if months < 0 {
        local.checked_sub_months(size)
    } else {
        local.checked_add_months(size)
    }?;
    let size = Days::new(days.unsigned_abs());
    if days < 0 {
        local.checked_sub_days(size)
    } else {
        local.checked_add_days(size)
    }
}

fn unknown_part() -> Error {
    wrong(
        "core.time.add takes years, months, weeks, days, hours, minutes and seconds, each a whole number."
            .to_owned(),
    )
}

fn utc(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}

fn wrong(text: String) -> Error {
    Error::new(Code::ParameterInvalid, text)
}
