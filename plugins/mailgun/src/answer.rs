//! What Mailgun's answers mean.

use coronet_plugin::prelude::*;
use std::time::UNIX_EPOCH;

/// Characters of an answer that are kept for operators.
const SHOWN: usize = 300;
/// The longest wait that an answer may impose, in seconds.
const LONGEST_WAIT: i64 = 6 * 3600;

/// An answer, read as far as it is of use.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `X-RateLimit-Reset`, or `Retry-After`.
    pub(crate) reset: Option<String>,
    pub(crate) retry_after: Option<String>,
    /// At most as long as `deliver` reads.
    pub(crate) body: Vec<u8>,
    /// Whether there was more than that.
    pub(crate) cut: bool,
}

/// What the outbox learns of a mail that was taken.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Delivered {
    /// Mailgun's id of the mail.
    provider_id: String,
    /// What Mailgun said.
    detail: String,
}

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    id: String,
    #[serde(default)]
    message: String,
    #[serde(default, rename = "retry-seconds")]
    retry_seconds: Option<f64>,
}

impl Answer {
    /// Sent; or an error that says whether another attempt makes sense.
    pub(crate) fn outcome(&self, now_ms: i64) -> Result<Delivered> {
        let body: Option<Body> = if self.cut {
            None
        } else {
            serde_json::from_slice(&self.body).ok()
        };
        match self.status {
            200 => match body {
                Some(body) if !body.id.is_empty() => Ok(Delivered {
                    provider_id: body.id,
                    detail: shortened(&body.message),
                }),
                // Whether it was taken nobody knows; it is sent again with the same Message-Id (R15).
                _ => Err(self
                    .error(
                        codes::MAIL_NOT_SENT,
                        "answered 200 with something that is no answer of Mailgun",
                    )
                    .with_retry()),
            },
            400 => Err(self.error(codes::MAIL_NOT_SENT, "refused the mail")),
            401 => Err(self.error(
                codes::MAIL_CONFIGURATION,
                "does not accept the API key for this domain and region",
            )),
            402 => Err(self.error(
                codes::MAIL_CONFIGURATION,
                "did not send the mail: check the account's plan",
            )),
            403 => Err(self.error(
                codes::MAIL_CONFIGURATION,
                "does not allow this account to send the mail",
            )),
            404 => Err(self.error(
                codes::MAIL_CONFIGURATION,
                "does not know the sending domain in this region",
            )),
            413 => Err(self.error(codes::MAIL_NOT_SENT, "says the mail is too large")),
            429 => {
                let wait = self.wait(body.as_ref(), now_ms);
                let mut error = self.error(codes::RATE_LIMITED, "says that too much was sent");
                if let Some(wait) = wait {
                    let mut details = error.details().cloned().unwrap_or_default();
                    details["retry_after_seconds"] = wait.into();
                    error = error.with_details(details);
                }
                Err(error.with_retry())
            }
            405..=499 if self.status != 408 && self.status != 425 => {
                Err(self.error(codes::MAIL_NOT_SENT, "refused the request"))
            }
            // 5xx, and what nobody foresaw, such as a redirect of something in between.
            _ => Err(self
                .error(codes::MAIL_NOT_SENT, "cannot take the mail now")
                .with_retry()),
        }
    }

    fn error(&self, code: i64, what: &str) -> Error {
        let body = shortened(&String::from_utf8_lossy(&self.body));
        let text = match serde_json::from_slice::<Body>(&self.body) {
            Ok(body) if !body.message.is_empty() => format!(": {}", shortened(&body.message)),
            _ => String::new(),
        };
        Error::new(code, format!("Mailgun {what} (HTTP {}){text}.", self.status))
            .with_details(json!({"status": self.status, "body": body}))
    }

    /// Seconds until Mailgun takes mail again, as far as it says: in a header, in a field, or in words.
    fn wait(&self, body: Option<&Body>, now_ms: i64) -> Option<i64> {
        let until = |unix: f64| ((unix * 1000.0 - now_ms as f64) / 1000.0).ceil() as i64;
        let number = |text: &str| {
            text.trim()
                .parse::<f64>()
                .ok()
                .filter(|number| number.is_finite())
        };
        let header = self.reset.as_deref().and_then(number).map(until);
        let plain = || {
            self.retry_after
                .as_deref()
                .and_then(number)
                .map(|seconds| seconds.ceil() as i64)
        };
        let field = || body?.retry_seconds.map(|seconds| seconds.ceil() as i64);
        let words = || in_words(&body?.message, now_ms);
        let wait = header.or_else(plain).or_else(field).or_else(words)?;
        Some(wait.clamp(1, LONGEST_WAIT))
    }
}

/// The wait in "…, try again after 120 seconds" or "…, try again after Mon, 23 Nov 2026 04:00:00 UTC".
fn in_words(message: &str, now_ms: i64) -> Option<i64> {
    let (_, when) = message.rsplit_once("after ")?;
    let when = when.trim().trim_end_matches('.');
    if let Some(seconds) = when
        .strip_suffix("seconds")
        .or_else(|| when.strip_suffix("second"))
    {
        return seconds
            .trim()
            .parse::<f64>()
            .ok()
            .map(|seconds| seconds.ceil() as i64);
    }
    let zone = ["UTC", "+0000", "-0000", "Z"]
        .iter()
        .find_map(|zone| when.strip_suffix(zone));
    let date = zone.map_or_else(|| when.to_owned(), |date| format!("{} GMT", date.trim_end()));
    let date = httpdate::parse_http_date(&date).ok()?;
    let unix_ms = i64::try_from(date.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
    Some((unix_ms - now_ms + 999).div_euclid(1000))
}

/// One line that is short enough to show.
pub(crate) fn shortened(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    line.trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_767_614_400_000;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            reset: None,
            retry_after: None,
            body: body.as_bytes().to_vec(),
            cut: false,
        }
    }

    #[test]
    fn a_queued_mail_has_mailguns_id() {
        let sent = answer(200, r#"{"id": "<1@mg>", "message": "Queued. Thank you."}"#)
            .outcome(NOON)
            .unwrap();
        assert_eq!(
            sent,
            Delivered {
                provider_id: "<1@mg>".into(),
                detail: "Queued. Thank you".into()
            }
        );
    }

    #[test]
    fn r12_what_another_attempt_cannot_change_is_final() {
        for status in [400, 401, 402, 403, 404, 405, 413, 422] {
            let error = answer(status, r#"{"message": "because"}"#)
                .outcome(NOON)
                .unwrap_err();
            assert!(!error.is_retryable(), "{status}");
            assert_eq!(error.details().unwrap()["status"], status);
            assert!(error.message().contains("because"), "{error}");
        }
        // Its 401 is a bare word.
        assert!(
            answer(401, "Forbidden")
                .outcome(NOON)
                .unwrap_err()
                .message()
                .contains("API key")
        );
    }

    #[test]
    fn r14_what_may_pass_is_tried_again() {
        for (status, body) in [
            (500, r#"{"message": "Internal Server Error"}"#),
            (502, "<html>"),
            (503, ""),
            (504, ""),
            (302, ""),
            (408, ""),
            (200, "<html>Welcome to the hotel</html>"),
            (200, "{}"),
            (200, ""),
            (200, "[1]"),
        ] {
            assert!(
                answer(status, body).outcome(NOON).unwrap_err().is_retryable(),
                "{status} {body}"
            );
        }
        let mut giant = answer(200, r#"{"id": "<1@mg>"}"#);
        giant.cut = true;
        assert!(giant.outcome(NOON).unwrap_err().is_retryable());
    }

    #[test]
    fn r13_the_wait_is_read_wherever_it_stands() {
        let wait = |answer: Answer| {
            let error = answer.outcome(NOON).unwrap_err();
            assert!(error.is_retryable());
            error.details().unwrap()["retry_after_seconds"].as_i64()
        };
        let header = |reset: &str| Answer {
            reset: Some(reset.to_owned()),
            ..answer(429, "{}")
        };
        let said = |words: &str| {
            answer(
                429,
                &json!({"message": format!("limit exceeded, try again after {words}")}).to_string(),
            )
        };
        assert_eq!(wait(header("1767614460")), Some(60));
        assert_eq!(wait(header("1767614460.5")), Some(61));
        assert_eq!(wait(header("1")), Some(1), "a moment that is over");
        assert_eq!(wait(header("99999999999")), Some(LONGEST_WAIT));
        assert_eq!(wait(header("NaN")), None);
        assert_eq!(
            wait(Answer {
                retry_after: Some("7".into()),
                ..answer(429, "{}")
            }),
            Some(7)
        );
        assert_eq!(wait(answer(429, r#"{"retry-seconds": 9}"#)), Some(9));
        assert_eq!(wait(said("120 seconds")), Some(120));
        assert_eq!(wait(said("Mon, 05 Jan 2026 12:02:00 GMT")), Some(120));
        assert_eq!(wait(said("Mon, 05 Jan 2026 12:02:00 UTC.")), Some(120));
        assert_eq!(wait(said("a good night's sleep")), None);
        assert_eq!(wait(answer(429, "")), None);
    }

    #[test]
    fn what_is_shown_of_an_answer_is_one_short_line() {
        let error = answer(500, &"x\n".repeat(10_000)).outcome(NOON).unwrap_err();
        assert!(error.details().unwrap()["body"].as_str().unwrap().len() <= SHOWN);
    }
}
