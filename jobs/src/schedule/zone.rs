//! From wall-clock times to instants: what happens when a zone changes its clocks.
//!
//! The decision (docs/jobs.md has it as a table): a wall-clock time that does not exist, because clocks went
//! forward over it, runs at the moment they did; one that comes twice, because clocks went back, runs the first
//! time only. Several times that fall on one instant are one tick.

use chrono::{DateTime, LocalResult, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::crontab::Crontab;

/// Wall-clock times that are looked at for one tick. The most that can lie between two instants are those of the
/// longest gap or doubled stretch there ever was, a day of seconds; past that the expression is given up.
const MAX_LOOKED_AT: usize = 100_000;
/// No zone ever changed its clocks twice within this time.
const STEP: TimeDelta = TimeDelta::hours(6);

/// The first instant after `after` that the expression names in the zone.
pub(super) fn next_tick(crontab: &Crontab, zone: Tz, after: i64) -> Option<i64> {
    let after = DateTime::<Utc>::from_timestamp_millis(after)?;
    let local = zone.from_utc_datetime(&after.naive_utc()).naive_local();
    crontab
        .wall_times(local)
        .take(MAX_LOOKED_AT)
        .filter_map(|wall| instant(zone, wall))
        .find(|instant| *instant > after)
        .map(|instant| instant.timestamp_millis())
}

/// How many instants the expression names in the zone after `after`, up to `until`. Reckoned day by day, so that
/// years of seconds are counted in no time.
pub(super) fn count(crontab: &Crontab, zone: Tz, after: i64, until: i64) -> i64 {
    let instant = DateTime::<Utc>::from_timestamp_millis;
    let Some((after, until)) = instant(after).zip(instant(until)) else {
        return 0;
    };
    let times = crontab.count(latest_shown(zone, after), latest_shown(zone, until));
    // Times that clocks go forward over fall on one instant, together with the time that is shown then.
    let collapsed = forward_changes(zone, after, until).map(|change| {
        let first = shown(zone, change - TimeDelta::seconds(1));
        (crontab.count(first, shown(zone, change)) - 1).max(0)
    });
    times - collapsed.sum::<i64>()
}

/// When the clocks of the zone show `wall`.
pub(super) fn instant(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall).earliest() {
        Some(instant) => Some(instant.to_utc()),
        None => end_of_gap(zone, wall),
    }
}

fn shown(zone: Tz, utc: DateTime<Utc>) -> NaiveDateTime {
    utc.naive_utc() + zone.offset_from_utc_datetime(&utc.naive_utc()).fix()
}

/// The latest wall-clock time that was shown by then. It differs from what is shown where clocks show a time again.
fn latest_shown(zone: Tz, utc: DateTime<Utc>) -> NaiveDateTime {
    let now = shown(zone, utc);
    match zone.from_local_datetime(&now) {
        LocalResult::Ambiguous(first, second) if second.to_utc() == utc => {
            let change = change_between(zone, first.to_utc(), utc);
            shown(zone, change - TimeDelta::seconds(1))
        }
        _ => now,
    }
}

/// The instants after `after`, up to `until`, at which clocks go forward.
fn forward_changes(
    zone: Tz,
    after: DateTime<Utc>,
    until: DateTime<Utc>,
) -> impl Iterator<Item = DateTime<Utc>> {
    let steps = std::iter::successors(Some(after), move |at| Some((*at + STEP).min(until)));
    steps.take_while(move |at| *at < until).filter_map(move |at| {
        let next = (at + STEP).min(until);
        let forward = shown(zone, next) - shown(zone, at) > next - at;
        forward.then(|| change_between(zone, at, next))
    })
}

/// The instant at which the clocks were changed between the two.
fn change_between(zone: Tz, from: DateTime<Utc>, to: DateTime<Utc>) -> DateTime<Utc> {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let (before, whole) = (offset(from), |at: DateTime<Utc>| at.timestamp());
    let (mut low, mut high) = (whole(from), whole(to));
    let at = |second| DateTime::<Utc>::from_timestamp(second, 0).unwrap_or(to);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if offset(at(middle)) == before {
            low = middle;
        } else {
            high = middle;
        }
    }
    at(high)
}

/// The instant at which the clocks went forward over `wall`.
fn end_of_gap(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    // Offsets lie between -16 and +16 hours, and the longest gap is a day (Samoa, 2011), so the change is in here.
    let mut before = wall.and_utc() - TimeDelta::hours(41);
    let mut at_or_after = wall.and_utc() + TimeDelta::hours(17);
    while at_or_after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((at_or_after - before).num_seconds() / 2);
        if shown(zone, middle) < wall {
            before = middle;
        } else {
            at_or_after = middle;
        }
    }
    Some(at_or_after)
}
