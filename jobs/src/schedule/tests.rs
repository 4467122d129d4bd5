//! Years of virtual time, beside an independent crate.

use chrono::{DateTime, NaiveDateTime, TimeZone, Utc};
use chrono_tz::Tz;
use coronet_core::random;

use super::*;

const SECOND: i64 = 1000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

fn at(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
}

fn cron(expression: &str, zone: &str) -> Schedule {
    Schedule::parse(None, Some(expression), Some(zone)).unwrap()
}

/// The ticks from one time to another, as local wall-clock times with their offset.
fn ticks(schedule: &Schedule, from: &str, to: &str) -> Vec<String> {
    let Schedule::Cron { zone, .. } = schedule else {
        panic!("a cron schedule")
    };
    let mut now = at(from) - 1;
    let mut found = Vec::new();
    while let Some(tick) = schedule.first(now).filter(|tick| *tick < at(to)) {
        let local = zone.timestamp_millis_opt(tick).unwrap();
        found.push(local.format("%m-%d %H:%M %z").to_string());
        now = tick;
    }
    found
}

#[test]
fn an_interval_keeps_its_beat_and_starts_anew_after_missing_a_whole_one() {
    let hourly = Schedule::parse(Some(3600), None, None).unwrap();
    assert_eq!(hourly.first(0), Some(HOUR));
    assert_eq!(hourly.next(HOUR, HOUR + 5 * SECOND), Some(2 * HOUR));
    assert_eq!(hourly.next(HOUR, 2 * HOUR - 1), Some(2 * HOUR));
    assert_eq!(hourly.next(HOUR, 2 * HOUR), Some(3 * HOUR));
    assert_eq!(hourly.next(HOUR, 7 * HOUR + 5), Some(8 * HOUR + 5));
}

#[test]
fn f03_the_gap_hour_runs_once_at_its_end() {
    // Berlin, 29 March 2026: 02:00 becomes 03:00.
    let daily = cron("30 2 * * *", "Europe/Berlin");
    let nights = ticks(&daily, "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z");
    assert_eq!(
        nights,
        ["03-28 02:30 +0100", "03-29 03:00 +0200", "03-30 02:30 +0200"]
    );
    let often = cron("*/20 * * * *", "Europe/Berlin");
    let around = ticks(&often, "2026-03-29T00:40:00Z", "2026-03-29T01:30:00Z");
    assert_eq!(
        around,
        ["03-29 01:40 +0100", "03-29 03:00 +0200", "03-29 03:20 +0200"]
    );
}

#[test]
fn f03_the_doubled_hour_runs_once_the_first_time() {
    // Berlin, 25 October 2026: 03:00 becomes 02:00.
    let daily = cron("30 2 * * *", "Europe/Berlin");
    let nights = ticks(&daily, "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z");
    assert_eq!(
        nights,
        ["10-24 02:30 +0200", "10-25 02:30 +0200", "10-26 02:30 +0100"]
    );
    let hourly = cron("@hourly", "Europe/Berlin");
    let around = ticks(&hourly, "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z");
    assert_eq!(
        around,
        ["10-25 01:00 +0200", "10-25 02:00 +0200", "10-25 03:00 +0100"]
    );
    // Armed in the second pass, nothing of that hour comes again.
    assert_eq!(
        daily.first(at("2026-10-25T01:10:00Z")),
        Some(at("2026-10-26T01:30:00Z"))
    );
}

#[test]
fn f03_odd_zones_follow_the_same_rule() {
    // Lord Howe moves by half an hour; a whole day was left out in Samoa; Beirut starts its day at 01:00.
    let howe = cron("15 2 * * *", "Australia/Lord_Howe");
    assert_eq!(
        ticks(&howe, "2026-10-02T12:00:00Z", "2026-10-04T20:00:00Z"),
        ["10-03 02:15 +1030", "10-04 02:30 +1100", "10-05 02:15 +1100"]
    );
    let samoa = cron("0 12 * * *", "Pacific/Apia");
    assert_eq!(
        ticks(&samoa, "2011-12-29T11:00:00Z", "2011-12-31T20:00:00Z"),
        ["12-29 12:00 -1000", "12-31 00:00 +1400", "12-31 12:00 +1400"]
    );
    let beirut = cron("0 0 * * *", "Asia/Beirut");
    assert_eq!(
        ticks(&beirut, "2024-03-30T12:00:00Z", "2024-04-01T12:00:00Z"),
        ["03-31 01:00 +0300", "04-01 00:00 +0300"]
    );
}

#[test]
fn f03_ticks_only_go_forward_in_every_zone() {
    for zone in chrono_tz::TZ_VARIANTS {
        for expression in ["*/15 * * * *", "30 1,2 * * *", "0 0 * * *"] {
            let schedule = Schedule::Cron {
                crontab: Crontab::parse(expression).unwrap(),
                zone,
            };
            let mut now = at("2025-10-24T00:00:00Z");
            for _ in 0..40 {
                let tick = schedule.first(now).unwrap();
                assert!(
                    tick > now && tick - now <= 2 * DAY,
                    "{zone} {expression} after {now}: {tick}"
                );
                now = tick;
            }
        }
    }
}

#[test]
fn f03_a_clock_set_back_repeats_no_tick_and_stalls_nothing() {
    let daily = cron("0 7 * * *", "UTC");
    let tick = at("2026-05-02T07:00:00Z");
    let armed = at("2026-05-01T07:00:00Z");
    // An hour back: the tick of 1 May, already run, does not come again.
    assert_eq!(daily.after_set_back(tick, armed, armed - HOUR), Some(tick));
    // The server was started with a clock four years ahead: nobody waits for 2030.
    let (wrong, right) = (at("2030-05-01T07:00:00Z"), at("2026-05-01T06:00:00Z"));
    assert_eq!(
        daily.after_set_back(wrong + DAY, wrong, right),
        Some(at("2026-05-01T07:00:00Z"))
    );
    // Of an interval at most its length is left.
    let minutely = Schedule::Interval(60 * SECOND);
    assert_eq!(
        minutely.after_set_back(armed + 60 * SECOND, armed, armed - HOUR),
        Some(armed - HOUR + 60 * SECOND)
    );
    assert_eq!(
        minutely.after_set_back(armed + 10, armed, armed - 5),
        Some(armed + 10)
    );
}

#[test]
fn sunday_is_0_and_7_and_either_day_is_enough() {
    for expression in [
        "0 12 * * 0",
        "0 12 * * 7",
        "0 12 * * sun",
        "0 12 * * SUN",
        "0 0 12 * * 7",
    ] {
        assert_eq!(
            cron(expression, "UTC").first(at("2026-11-23T00:00:00Z")),
            Some(at("2026-11-29T12:00:00Z")),
            "{expression}"
        );
    }
    let weekend = cron("0 0 * * 6-7", "UTC");
    assert_eq!(
        weekend.first(at("2026-11-28T00:00:00Z")),
        Some(at("2026-11-29T00:00:00Z"))
    );
    // The 13th, and every Friday.
    let either = cron("0 0 13 * FRI", "UTC");
    let mut now = at("2026-12-09T00:00:00Z");
    for expected in [
        "2026-12-11T00:00:00Z",
        "2026-12-13T00:00:00Z",
        "2026-12-18T00:00:00Z",
    ] {
        now = either.first(now).unwrap();
        assert_eq!(now, at(expected));
    }
}

#[test]
fn the_last_day_and_the_nth_weekday_of_a_month() {
    let dates = |expression: &str| {
        let days = ticks(
            &cron(expression, "UTC"),
            "2028-01-01T00:00:00Z",
            "2028-04-01T00:00:00Z",
        );
        days.iter().map(|tick| tick[..5].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(dates("0 0 L * *"), ["01-31", "02-29", "03-31"]);
    assert_eq!(
        dates("0 0 1,l * *"),
        ["01-01", "01-31", "02-01", "02-29", "03-01", "03-31"]
    );
    assert_eq!(dates("0 0 * * FRI#2"), ["01-14", "02-11", "03-10"]);
    assert_eq!(
        dates("0 0 * * 7#5"),
        ["01-30"],
        "not every month has a fifth Sunday"
    );
    for last_friday in ["0 0 * * FRIL", "0 0 * * 5L", "0 0 * * fri#L"] {
        assert_eq!(dates(last_friday), ["01-28", "02-25", "03-31"], "{last_friday}");
    }
    assert_eq!(dates("0 0 L FEB MON#1"), ["02-07", "02-29"], "either is enough");
    // A list that has every day has the last one too.
    assert_eq!(dates("0 0 */1,L * *").len(), 91);
    // A fifth Friday of February is rare, and looked for without going through its seconds.
    let rare = cron("* * * * 2 FRI#5", "UTC").first(at("2008-03-01T00:00:00Z"));
    assert_eq!(rare, Some(at("2036-02-29T00:00:00Z")));
}

#[test]
fn what_cannot_be_used_is_refused_with_the_place() {
    let long = format!("0{} * * * *", ",0".repeat(500));
    for (expression, expected) in [
        ("", "this has 0"),
        ("* * * *", "this has 4"),
        ("* * * * * * *", "this has 7"),
        ("@reboot", "there is no macro @reboot"),
        (
            "60 * * * *",
            "the minute field of the cron expression is wrong: \"60\" is not a number from 0 to 59",
        ),
        ("* 24 * * *", "the hour field"),
        ("* * 0 * *", "the day field"),
        (
            "* * * 13 *",
            "\"13\" is not a number from 1 to 12, or a name such as JAN",
        ),
        ("* * * * 8", "the weekday field"),
        ("* * * * MONTAG", "the weekday field"),
        ("* * * * MO", "the weekday field"),
        ("* * * JANX *", "the month field"),
        ("*/0 * * * *", "the step \"0\" must be a number from 1 to 60"),
        ("0-59/999999999999 * * * *", "the step \"999999999999\" must be"),
        (&long, "1000 characters at most"),
        ("5-1 * * * *", "the range 5-1 runs backwards"),
        ("1,,2 * * * *", "\"\" is not a number"),
        ("+5 * * * *", "\"+5\" is not a number"),
        ("* L * * *", "the hour field"),
        ("* * LW * *", "the day field"),
        ("* * L-2 * *", "the day field"),
        ("* * L, * *", "the day field"),
        ("* * * * L", "the weekday field"),
        ("* * * * FRI#6", "\"#6\" is not #1 to #5, or #L for the last"),
        ("* * * * #2", "the weekday field"),
        ("0 0 31 2 *", "never comes true"),
        ("0 0 31 4,6,9,11 *", "never comes true"),
        ("0 0 */31 * MON#2", "never comes true"),
    ] {
        let error = Schedule::parse(None, Some(expression), None).unwrap_err();
        assert_eq!(error.code(), Code::ParameterInvalid);
        assert!(error.message().contains(expected), "{expression}: {error}");
    }
    assert!(cron("0 0 29 2 *", "UTC").first(at("2026-01-01T00:00:00Z")) == Some(at("2028-02-29T00:00:00Z")));
    let zone = Schedule::parse(None, Some("@daily"), Some("Europe/Lisboa")).unwrap_err();
    assert!(
        zone.message().contains("There is no time zone \"Europe/Lisboa\""),
        "{zone}"
    );
    for seconds in [0, -5, 315_360_001] {
        assert!(
            Schedule::parse(Some(seconds), None, None)
                .unwrap_err()
                .message()
                .contains("between 1 and")
        );
    }
    assert_eq!(
        Schedule::parse(None, None, None).unwrap_err().code(),
        Code::ParameterMissing
    );
    assert_eq!(
        Schedule::parse(Some(5), Some("@daily"), None).unwrap_err().code(),
        Code::ParameterInvalid
    );
}

#[test]
fn d05_a_range_that_is_written_out_restricts_and_a_star_does_not() {
    let days = |expression: &str| {
        let found = ticks(
            &cron(expression, "UTC"),
            "2026-06-01T00:00:00Z",
            "2026-07-01T00:00:00Z",
        );
        found
            .iter()
            .map(|tick| tick[3..5].parse::<u32>().unwrap())
            .collect::<Vec<_>>()
    };
    let all: Vec<u32> = (1..=30).collect();
    // June 2026 begins on a Monday.
    let mondays = [1, 8, 15, 22, 29];
    for every_day in [
        "0 0 1 * 0-6",
        "0 0 1 * 1-7",
        "0 0 1 * SUN-SAT",
        "0 0 13 * 0,1,2,3,4,5,6",
        "0 0 1-31 * MON",
        "0 0 1-15,16-31 * MON",
        "0 0 1-31/1 * MON",
        "0 0 1,* * MON",
        "0 0 L * 0-6",
    ] {
        assert_eq!(days(every_day), all, "{every_day}");
    }
    for every_monday in ["0 0 * * MON", "0 0 */1 * MON", "0 0 ? * MON", "0 0 *,15 * MON"] {
        assert_eq!(days(every_monday), mondays, "{every_monday}");
    }
    assert_eq!(
        days("0 0 */5 * MON"),
        [1],
        "1, 6, 11, 16, 21, 26 and 31 that are Mondays"
    );
    assert_eq!(days("0 0 */7 * MON"), mondays);
    assert_eq!(
        days("0 0 15 * */2"),
        [] as [u32; 0],
        "a Monday, and */2 is 0, 2, 4, 6"
    );
    assert_eq!(days("0 0 16 * */2"), [16], "a Tuesday");
    assert_eq!(days("0 0 */7 * MON#2"), [8]);
    assert_eq!(days("0 0 */5,L * TUE"), [16, 30]);
    assert_eq!(days("0 0 15 * TUE"), [2, 9, 15, 16, 23, 30]);
}

#[test]
fn every_name_that_our_own_functions_return_is_read() {
    let names = crate::lua::WEEKDAYS.iter().zip([1, 2, 3, 4, 5, 6, 0]);
    for (name, number) in names {
        for name in [(*name).to_owned(), name.to_lowercase(), name.to_uppercase()] {
            let named = Crontab::parse(&format!("0 0 * * {name}")).unwrap();
            let numbered = Crontab::parse(&format!("0 0 * * {number}")).unwrap();
            assert_eq!(named.fields(), numbered.fields(), "{name}");
        }
    }
    for (name, number) in crate::lua::MONTHS.iter().zip(1..) {
        let named = Crontab::parse(&format!("0 0 1 {name} *")).unwrap();
        let numbered = Crontab::parse(&format!("0 0 1 {number} *")).unwrap();
        assert_eq!(named.fields(), numbered.fields(), "{name}");
    }
    // As `core.time.format` writes them with %A and %B, and what lies in between.
    for (written, means) in [
        ("0 0 * September Thursday", "0 0 * 9 4"),
        ("0 0 * sept thurs", "0 0 * 9 4"),
        ("0 0 * * Thur-saturday", "0 0 * * 4-6"),
        ("0 0 * * Thur#2", "0 0 * * 4#2"),
        ("0 0 * * fridayL", "0 0 * * 5L"),
        ("0 0 * APRIL tues", "0 0 * 4 2"),
    ] {
        let (written, means) = (Crontab::parse(written).unwrap(), Crontab::parse(means).unwrap());
        assert_eq!(written.fields(), means.fields());
    }
}

#[test]
fn d06_a_time_that_clocks_are_not_known_for_is_refused_with_the_last_year() {
    let once = |at, zone| {
        Schedule::read(Spec {
            at: Some(at),
            timezone: Some(zone),
            ..Spec::default()
        })
    };
    for (at, zone, expected) in [
        ("2099-07-01T12:00", "Europe/Berlin", "2099-07-01T10:00:00Z"),
        ("2099-12-31T23:59", "Europe/Berlin", "2099-12-31T22:59:00Z"),
        ("2098-07-01T12:00", "America/New_York", "2098-07-01T16:00:00Z"),
        ("2099-01-15T12:00", "Australia/Sydney", "2099-01-15T01:00:00Z"),
        ("2099-12-31T12:00", "Australia/Sydney", "2099-12-31T01:00:00Z"),
        ("2099-12-31T12:00", "America/Santiago", "2099-12-31T15:00:00Z"),
    ] {
        assert_eq!(
            once(at, zone).unwrap(),
            Schedule::Once(super::tests::at(expected)),
            "{at} {zone}"
        );
    }
    for (at, zone) in [
        ("2100-07-01T12:00", "Europe/Berlin"),
        ("2100-01-01T00:00", "Europe/Berlin"),
        ("2100-01-15T12:00", "Australia/Sydney"),
        ("2150-07-01T12:00", "America/New_York"),
    ] {
        let error = once(at, zone).unwrap_err();
        assert!(error.message().contains("up to the end of 2099"), "{error}");
    }
    // No tick of an expression is an hour off either: there is none after that.
    let summer = cron("0 12 1 1,7 *", "Europe/Berlin");
    let last = at("2099-07-01T10:00:00Z");
    assert_eq!(summer.first(last - 1), Some(last));
    assert_eq!(summer.first(last), None);
    let south = cron("0 12 1 1,7 *", "Australia/Sydney");
    let last = at("2099-07-01T02:00:00Z");
    assert_eq!((south.first(last - 1), south.first(last)), (Some(last), None));
}

/// Counting by days must agree with going through tick by tick, where clocks change, too.
#[test]
fn x10_ticks_are_counted_as_if_one_by_one() {
    let mut dice = Dice(u64::from_le_bytes(random::bytes()));
    let seed = dice.0;
    let zones = [
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::Australia__Lord_Howe,
        Tz::America__Havana,
        Tz::Pacific__Apia,
        Tz::Africa__Cairo,
    ];
    let hour = |dice: &mut Dice, most: u64| HOUR * dice.below(most).cast_signed();
    for round in 0..300 {
        let expression = if round % 3 == 0 {
            "*/7 * * * *".to_owned()
        } else {
            dice.expression()
        };
        let Ok(crontab) = Crontab::parse(&expression) else {
            continue;
        };
        let zone = zones[round % zones.len()];
        // Around Samoa's missing day, and the changes of the clocks in 2025 and 2026.
        let from = [
            at("2011-12-28T00:00:00Z"),
            at("2025-03-01T00:00:00Z"),
            at("2026-10-01T00:00:00Z"),
        ][round % 3];
        let from = from + hour(&mut dice, 24 * 35) + dice.below(7_200_000).cast_signed();
        let until = from + hour(&mut dice, 24 * 3) + dice.below(7_200_000).cast_signed();
        let schedule = Schedule::Cron { crontab, zone };
        let one_by_one: Vec<i64> = schedule.after(from, until).collect();
        let passed = schedule.passed(from, until);
        let context = format!("{expression} in {zone} from {from} to {until} (seed {seed})");
        assert_eq!(
            passed.ticks,
            i64::try_from(one_by_one.len()).unwrap(),
            "{context}"
        );
        assert_eq!(passed.last, one_by_one.last().copied(), "{context}");
        if let Some(first) = one_by_one.len().checked_sub(3) {
            assert_eq!(
                schedule.latest(from, until, 3),
                Some((one_by_one[first], 3)),
                "{context}"
            );
        }
    }
}

/// Random expressions over random years, against the `croner` crate, which knows nothing of ours.
/// In UTC: what zones do is decided differently by everybody, and tested above.
#[test]
fn random_expressions_agree_with_an_independent_crate() {
    let mut dice = Dice(u64::from_le_bytes(random::bytes()));
    let seed = dice.0;
    for _ in 0..400 {
        let expression = dice.expression();
        let ours = Crontab::parse(&expression);
        // It does not look for stars itself, as Vixie cron does.
        let fields: Vec<&str> = expression.split(' ').collect();
        let starred = [fields.len() - 3, fields.len() - 1].map(|field| fields[field].starts_with('*'));
        let parser = croner::parser::CronParser::builder().dom_and_dow(starred != [false, false]);
        let theirs = parser.build().parse(&expression).unwrap();
        let mut now = DateTime::<Utc>::from_timestamp(dice.below(2_000_000_000).cast_signed(), 0).unwrap();
        let Ok(crontab) = ours else {
            assert_eq!(ours, Err(CronError::Never), "{expression} (seed {seed})");
            continue;
        };
        let schedule = Schedule::Cron {
            crontab,
            zone: Tz::UTC,
        };
        for _ in 0..8 {
            let Ok(expected) = theirs.find_next_occurrence(&now, false) else {
                break;
            };
            let found = schedule.first(now.timestamp_millis()).map(naive);
            assert_eq!(
                found.filter(|found| found.year() < 2099),
                Some(expected.naive_utc()).filter(|expected| expected.year() < 2099),
                "{expression} after {now} (seed {seed})"
            );
            now = expected;
        }
    }
}

fn naive(ms: i64) -> NaiveDateTime {
    DateTime::<Utc>::from_timestamp_millis(ms).unwrap().naive_utc()
}

/// A small generator, so that a failure can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn expression(&mut self) -> String {
        let second = if self.below(3) == 0 {
            format!("{} ", self.field(0, 59, &[]))
        } else {
            String::new()
        };
        let weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
        let months = [
            "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
        ];
        format!(
            "{second}{} {} {} {} {}",
            self.field(0, 59, &[]),
            self.field(0, 23, &[]),
            self.day(),
            self.field(1, 12, &months),
            self.weekday(&weekdays),
        )
    }

    fn day(&mut self) -> String {
        match self.below(8) {
            0 => "L".to_owned(),
            1 => format!("{},L", 1 + self.below(31)),
            _ => self.field(1, 31, &[]),
        }
    }

    fn weekday(&mut self, names: &[&str]) -> String {
        let name = names[usize::try_from(self.below(7)).unwrap()];
        match self.below(8) {
            0 => format!("{name}#{}", 1 + self.below(5)),
            1 => format!("{}#L", self.below(8)),
            _ => self.field(0, 7, names),
        }
    }

    fn field(&mut self, low: u64, high: u64, names: &[&str]) -> String {
        let value = low + self.below(high - low + 1);
        match self.below(8) {
            0..=2 => "*".to_owned(),
            3 => format!("*/{}", 2 + self.below(high)),
            4 => self.range(low, high),
            5 => format!("{}/{}", self.range(low, high), 1 + self.below(9)),
            6 if !names.is_empty() => {
                let name = names[usize::try_from(self.below(names.len() as u64)).unwrap()];
                format!("{name},{value}")
            }
            _ => value.to_string(),
        }
    }

    /// Never all values: whether `1-31` restricts the day, so that a weekday would be enough, crates disagree.
    fn range(&mut self, low: u64, high: u64) -> String {
        let first = low + 2 + self.below(high - low - 1);
        format!("{first}-{}", first + self.below(high - first + 1))
    }
}
