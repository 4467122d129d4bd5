//! Half a century of changing clocks, beside a walk through its minutes that looks nothing up.
//!
//! The rule, as docs/jobs.md has it: a time that clocks went forward over runs once, at the moment they did; one that
//! clocks show twice runs the first time only.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::*;

/// Zones that do what others do not: by half an hour, at midnight or just after, by two hours or a whole day, around Ramadan,
/// backwards in winter, on short notice, twice a year and then never again.
const ODD: [Tz; 14] = [
    Tz::Australia__Lord_Howe,
    Tz::Pacific__Apia,
    Tz::Pacific__Chatham,
    Tz::Antarctica__Troll,
    Tz::Africa__Casablanca,
    Tz::Africa__Cairo,
    Tz::Asia__Beirut,
    Tz::Asia__Gaza,
    Tz::America__St_Johns,
    Tz::America__Sao_Paulo,
    Tz::America__Asuncion,
    Tz::America__Havana,
    Tz::Europe__Dublin,
    Tz::Europe__Lisbon,
];

/// Expressions, and what they mean as hours and minutes.
const TIMES: [(&str, &[u32], &[u32]); 4] = [
    ("*/30 * * * *", &[], &[0, 30]),
    ("30 2 * * *", &[2], &[30]),
    ("0 0 * * *", &[0], &[0]),
    ("1,59 0,1,2,3,23 * * *", &[0, 1, 2, 3, 23], &[1, 59]),
];

fn is_meant(wall: NaiveDateTime, hours: &[u32], minutes: &[u32]) -> bool {
    (hours.is_empty() || hours.contains(&wall.hour())) && minutes.contains(&wall.minute())
}

fn shown(zone: Tz, utc: DateTime<Utc>) -> NaiveDateTime {
    utc.naive_utc() + zone.offset_from_utc_datetime(&utc.naive_utc()).fix()
}

/// A day before and after each change of the clocks; changes close to each other share a stretch.
fn stretches(zone: Tz) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
    let year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).unwrap();
    let mut found: Vec<(DateTime<Utc>, DateTime<Utc>)> = Vec::new();
    let mut at = year(1990);
    while at < year(2038) {
        let next = at + TimeDelta::hours(6);
        if shown(zone, next) - shown(zone, at) != next - at {
            let end = next + TimeDelta::days(1);
            match found.last_mut() {
                Some(last) if last.1 > at - TimeDelta::days(1) => last.1 = end,
                _ => found.push((at - TimeDelta::days(1), end)),
            }
        }
        at = next;
    }
    found
}

/// What the rule says, minute by minute, for each of the times.
fn walked(zone: Tz, (from, to): (DateTime<Utc>, DateTime<Utc>)) -> [Vec<i64>; TIMES.len()] {
    let minute = TimeDelta::minutes(1);
    let mut ticks = [const { Vec::new() }; TIMES.len()];
    let mut latest = shown(zone, from - minute);
    let mut at = from;
    while at < to {
        let wall = shown(zone, at);
        // More than one minute when clocks went forward, none when they show again what they have shown.
        let new: Vec<NaiveDateTime> =
            std::iter::successors(Some(latest + minute), |time| Some(*time + minute))
                .take_while(|time| *time <= wall)
                .collect();
        for ((_, hours, minutes), ticks) in TIMES.iter().zip(&mut ticks) {
            if new.iter().any(|wall| is_meant(*wall, hours, minutes)) {
                ticks.push(at.timestamp_millis());
            }
        }
        latest = latest.max(wall);
        at += minute;
    }
    ticks
}

#[test]
fn f03_half_a_century_of_odd_zones_is_as_a_walk_through_its_minutes() {
    let mut compared = 0;
    for zone in ODD {
        for stretch in stretches(zone) {
            let (from, to) = (stretch.0.timestamp_millis(), stretch.1.timestamp_millis());
            for ((expression, ..), expected) in TIMES.iter().zip(walked(zone, stretch)) {
                let crontab = Crontab::parse(expression).unwrap();
                let schedule = Schedule::Cron { crontab, zone };
                let found: Vec<i64> = schedule.ticks(from - 1).take_while(|tick| *tick < to).collect();
                assert_eq!(found, expected, "{zone} {expression} from {}", stretch.0);
                compared += expected.len();
            }
        }
    }
    assert!(compared > 50_000, "{compared}");
}
