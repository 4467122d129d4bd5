//! How far the clocks of time zones are known.

use chrono::{Datelike, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;

/// The tables of `chrono-tz` list every change of clocks up to the end of this year. After it, they leave out daylight
/// saving time.
pub const LAST_ZONE_YEAR: i32 = 2099;

/// Whether what clocks of the zone show is known for this wall-clock time: up to [`LAST_ZONE_YEAR`], and later where
/// clocks are not changed.
pub(crate) fn is_known(zone: Tz, wall: NaiveDateTime) -> bool {
    wall.year() <= LAST_ZONE_YEAR || !changes_clocks(zone)
}

/// Whether clocks of the zone are changed in the last year that is known.
fn changes_clocks(zone: Tz) -> bool {
    let offset = |month| {
        let date = chrono::NaiveDate::from_ymd_opt(LAST_ZONE_YEAR, month, 15).unwrap_or_default();
        zone.offset_from_utc_datetime(&date.and_time(chrono::NaiveTime::MIN))
            .fix()
    };
    (2..=12).any(|month| offset(month) != offset(1))
}

/// The names of zones to choose from, by place, without those that stand for another by an older name.
pub fn time_zones() -> impl Iterator<Item = &'static str> {
    const REGIONS: [&str; 10] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    ];
    let zones = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
    let by_place = zones.filter(|name| {
        name.split_once('/')
            .is_some_and(|(region, _)| REGIONS.contains(&region))
    });
    std::iter::once("UTC").chain(by_place)
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, TimeDelta};

    use super::*;

    /// Clocks of a zone at the begin of a month.
    fn hours(zone: Tz, year: i32, month: u32) -> i32 {
        let noon = NaiveDate::from_ymd_opt(year, month, 15)
            .unwrap()
            .and_hms_opt(12, 0, 0)
            .unwrap();
        zone.offset_from_utc_datetime(&noon).fix().local_minus_utc() / 3600
    }

    #[test]
    fn d06_the_tables_hold_daylight_saving_time_up_to_the_last_year_and_no_longer() {
        let (berlin, sydney) = (Tz::Europe__Berlin, Tz::Australia__Sydney);
        for year in [2037, 2038, 2098, LAST_ZONE_YEAR] {
            assert_eq!((hours(berlin, year, 1), hours(berlin, year, 7)), (1, 2), "{year}");
            assert_eq!(
                (hours(sydney, year, 1), hours(sydney, year, 7)),
                (11, 10),
                "{year}"
            );
        }
        let after = LAST_ZONE_YEAR + 1;
        let wrong = hours(berlin, after, 7) != 2 || hours(sydney, after, 7) != 10;
        assert!(wrong, "the tables reach farther now: raise the last year");
    }

    #[test]
    fn d06_a_zone_that_never_changes_its_clocks_has_no_last_year() {
        let end = NaiveDate::from_ymd_opt(LAST_ZONE_YEAR, 12, 31)
            .unwrap()
            .and_hms_opt(23, 59, 59)
            .unwrap();
        let after = end + TimeDelta::seconds(1);
        for zone in [Tz::Europe__Berlin, Tz::Australia__Sydney, Tz::America__New_York] {
            assert!(is_known(zone, end) && !is_known(zone, after), "{zone}");
        }
        for zone in [Tz::UTC, Tz::Asia__Kolkata, Tz::Etc__GMTPlus5] {
            assert!(is_known(zone, after), "{zone}");
        }
    }
}
