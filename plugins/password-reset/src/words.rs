//! Small texts: random ones, escaped ones, dates.

use coronet_plugin::prelude::*;

/// Length of a code: 256 bits in base64url without padding.
const CODE_LENGTH: usize = 43;

/// A text with the length and the letters of a code, so that it goes through a template just as a code would, and
/// can be told from everything else in it.
pub(crate) fn stand_in() -> Result<String> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345678";
    let mut bytes = [0; CODE_LENGTH];
    getrandom::fill(&mut bytes).map_err(Error::unexpected)?;
    Ok(bytes
        .iter()
        .map(|byte| char::from(LETTERS[usize::from(byte % 32)]))
        .collect())
}

/// A random number below `end`.
pub(crate) fn random_below(end: u64) -> Result<u64> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(Error::unexpected)?;
    // The bias of the remainder does not matter for a delay.
    Ok(u64::from_le_bytes(bytes) % end)
}

/// Everything but unreserved characters as `%XX` (RFC 3986, section 2.3).
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// A duration as people read it, such as `24 hours`. Rounded down, so that it promises no more than is kept.
pub(crate) fn duration(seconds: i64) -> String {
    let count = |number: i64, unit: &str| match number {
        1 => format!("one {unit}"),
        number => format!("{number} {unit}s"),
    };
    match seconds {
        seconds if seconds >= 3600 && seconds % 3600 == 0 => count(seconds / 3600, "hour"),
        seconds => count((seconds / 60).max(1), "minute"),
    }
}

/// A moment as people read it, such as `5 January 2026, 12:00 UTC`.
pub(crate) fn moment(unix_ms: i64) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let minutes = unix_ms.div_euclid(60_000);
    let (days, minute) = (minutes.div_euclid(1440), minutes.rem_euclid(1440));
    // Days from 1970-03-01 counted in eras of 400 years, which all have the same days (H. Hinnant, civil_from_days).
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    // March is 0.
    let month = (shifted_month + 2) % 12;
    let year = era * 400 + year_of_era + i64::from(month < 2);
    let name = usize::try_from(month)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or_default();
    format!("{day} {name} {year}, {:02}:{:02} UTC", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right_over_leap_days_and_ends_of_years() {
        for (unix_ms, text) in [
            (0, "1 January 1970, 00:00 UTC"),
            (951_782_399_000, "28 February 2000, 23:59 UTC"),
            (951_782_400_000, "29 February 2000, 00:00 UTC"),
            (1_767_614_400_000, "5 January 2026, 12:00 UTC"),
            (1_798_761_599_000, "31 December 2026, 23:59 UTC"),
        ] {
            assert_eq!(moment(unix_ms), text);
        }
    }

    #[test]
    fn ux15_durations_read_naturally() {
        for (seconds, text) in [
            (86_400, "24 hours"),
            (3600, "one hour"),
            (5400, "90 minutes"),
            (600, "10 minutes"),
            (119, "one minute"),
            (1, "one minute"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }

    #[test]
    fn a_scope_in_a_link_is_escaped() {
        assert_eq!(percent_encoded("Fun Run & \u{fc}"), "Fun%20Run%20%26%20%C3%BC");
    }

    #[test]
    fn stand_ins_look_like_codes_and_differ() {
        let (one, two) = (stand_in().unwrap(), stand_in().unwrap());
        assert_eq!(one.len(), 43);
        assert!(one.chars().all(|c| c.is_ascii_alphanumeric()));
        assert_ne!(one, two);
    }
}
