//! What an attempt's outcome means: for the mail, and for its transport.

use serde::Deserialize;

use super::transports::Sign;
use crate::settings::groups as settings;
use crate::{Code, Error, random};

/// Waits before the second, third … attempt, within the bounds that are set.
const WAITS_SECONDS: [i64; 10] = [5, 15, 60, 180, 600, 1800, 3600, 7200, 10_800, 14_400];
/// The longest wait a provider may ask for.
const LONGEST_WAIT_SECONDS: i64 = 21_600;

/// A transport's word that it has the mail.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Receipt {
    pub(super) provider_id: Option<String>,
    pub(super) detail: Option<String>,
}

/// What to do with a mail that was not taken.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    /// Try again, after the milliseconds the provider asked for, if it did.
    Later(Option<i64>),
    /// No other attempt would end otherwise.
    Never,
}

/// Reads a transport's error; `shown` is what of it operators see.
pub(super) fn judge(error: &Error, shown: &str) -> (Verdict, Sign) {
    let status = detail(error, "status");
    let asked =
        detail(error, "retry_after_seconds").map(|seconds| seconds.clamp(0, LONGEST_WAIT_SECONDS) * 1000);
    let text = shown.to_owned();
    if status == Some(429) || error.code() == Code::RateLimited {
        let rest = asked.unwrap_or(30_000);
        return (Verdict::Later(Some(rest)), Sign::Limited(rest));
    }
    if matches!(status, Some(401..=404)) {
        return (Verdict::Never, Sign::Refused(text));
    }
    match error.code() {
        // Not set up: the mail waits until it is.
        Code::MailConfiguration => (Verdict::Later(asked), Sign::Refused(text)),
        // The plugin went away, or broke: that is no fault of the mail's.
        Code::NotFound | Code::Unexpected => (Verdict::Later(asked), Sign::Failed(text)),
        _ if error.is_retryable() => (Verdict::Later(asked), Sign::Failed(text)),
        _ => (Verdict::Never, Sign::Neutral),
    }
}

fn detail(error: &Error, name: &str) -> Option<i64> {
    let value = error.details()?.get(name)?;
    // A provider's seconds may be a fraction; a wait is rounded up.
    value.as_i64().or_else(|| {
        let seconds = value.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float past the range saturates, and is clamped"
        )]
        Some(seconds.ceil() as i64)
    })
}

/// How long a mail waits after its attempt of this number, in milliseconds. Spread by a fifth, so that mails that
/// failed together do not come back together.
pub(super) fn wait_ms(number: i64, asked_ms: Option<i64>, settings: &settings::Mail) -> i64 {
    let step = usize::try_from(number.max(1) - 1).unwrap_or(usize::MAX);
    let last = WAITS_SECONDS.len() - 1;
    // Where longer waits are allowed, they go on doubling; past a few doublings any bound is reached.
    let doubled = step.saturating_sub(last).min(8);
    let seconds = (WAITS_SECONDS[step.min(last)] << doubled)
        .min(settings.longest_wait_minutes * 60)
        .max(settings.shortest_wait_seconds);
    let spread = i64::from(random::bytes::<1>()[0]) - 128;
    let wait = seconds * 1000 + seconds * 1000 * spread / 640;
    wait.max(asked_ms.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn r12_r13_r14_errors_are_told_apart() {
        let with = |code, details| judge(&Error::new(code, "secret").with_details(details), "why");
        for status in [401, 402, 403, 404] {
            let (verdict, sign) = with(Code::MailNotSent, json!({"status": status}));
            assert_eq!((verdict, sign), (Verdict::Never, Sign::Refused("why".to_owned())));
        }
        let (verdict, sign) = with(Code::MailNotSent, json!({"status": 400}));
        assert_eq!((verdict, sign), (Verdict::Never, Sign::Neutral));
        let (verdict, sign) = with(
            Code::RateLimited,
            json!({"status": 429, "retry_after_seconds": 119.2}),
        );
        assert_eq!(
            (verdict, sign),
            (Verdict::Later(Some(120_000)), Sign::Limited(120_000))
        );
        let (verdict, _) = with(Code::RateLimited, json!({"retry_after_seconds": 1e300}));
        assert_eq!(verdict, Verdict::Later(Some(LONGEST_WAIT_SECONDS * 1000)));
        for code in [
            Code::Network,
            Code::Unavailable,
            Code::Deadline,
            Code::Unexpected,
            Code::NotFound,
        ] {
            assert_eq!(judge(&Error::new(code, "why"), "why").0, Verdict::Later(None));
        }
        assert_eq!(
            judge(&Error::new(Code::MailNotSent, "why").retryable(), "why").0,
            Verdict::Later(None)
        );
    }

    #[test]
    fn waits_grow_and_a_provider_can_ask_for_more() {
        for (number, seconds) in [(1, 5), (2, 15), (3, 60), (10, 14_400), (1000, 14_400)] {
            let wait = wait_ms(number, None, &settings::Mail::default());
            assert!(
                (seconds * 800..=seconds * 1200).contains(&wait),
                "{number}: {wait}"
            );
        }
        assert_eq!(wait_ms(1, Some(60_000), &settings::Mail::default()), 60_000);
    }

    #[test]
    fn waits_stay_within_what_is_set() {
        let bounds = |shortest_wait_seconds, longest_wait_minutes| settings::Mail {
            shortest_wait_seconds,
            longest_wait_minutes,
            ..settings::Mail::default()
        };
        for (number, bounds, seconds) in [
            (1, bounds(60, 240), 60),
            (4, bounds(60, 240), 180),
            (10, bounds(5, 30), 1800),
            (11, bounds(5, 1440), 28_800),
            (90, bounds(5, 1440), 86_400),
        ] {
            let wait = wait_ms(number, None, &bounds);
            assert!(
                (seconds * 800..=seconds * 1200).contains(&wait),
                "{number}: {wait}"
            );
        }
    }
}
