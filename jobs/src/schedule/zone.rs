//! From wall-clock times to instants: what happens when a zone changes its clocks.
//!
//! The decision (docs/jobs.md has it as a table): a wall-clock time that does not exist, because clocks went
//! forward over it, runs at the moment they did; one that comes twice, because clocks went back, runs the first
//! time only. Several times that fall on one instant are one tick.

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use super::crontab::Crontab;

/// Wall-clock times that are looked at for one tick. The most that can lie between two instants are those of the
/// longest gap or doubled stretch there ever was, a day of seconds; past that the expression is given up.
const MAX_LOOKED_AT: usize = 100_000;

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

/// When the clocks of the zone show `wall`.
pub(super) fn instant(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    match zone.from_local_datetime(&wall).earliest() {
        Some(instant) => Some(instant.to_utc()),
        None => end_of_gap(zone, wall),
    }
}

/// The instant at which the clocks went forward over `wall`.
fn end_of_gap(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    let shown = |utc: DateTime<Utc>| utc.naive_utc() + zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
    // Offsets lie between -16 and +16 hours, and the longest gap is a day (Samoa, 2011), so the change is in here.
    let mut before = wall.and_utc() - TimeDelta::hours(41);
    let mut at_or_after = wall.and_utc() + TimeDelta::hours(17);
    while at_or_after - before > TimeDelta::seconds(1) {
        let middle = before + TimeDelta::seconds((at_or_after - before).num_seconds() / 2);
        if shown(middle) < wall {
            before = middle;
        } else {
            at_or_after = middle;
        }
    }
    Some(at_or_after)
}
