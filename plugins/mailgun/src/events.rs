//! Mailgun's events, as Coronet is told of them, with the reason in plain words.

use coronet_plugin::prelude::*;

const LONGEST_ID: usize = 128;
const LONGEST_WORDS: usize = 300;

/// An event of `mail.report`.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct News {
    id: String,
    /// The mail's Message-Id, without angle brackets.
    mail: String,
    what: &'static str,
    /// Unix milliseconds.
    at: i64,
    recipient: Option<String>,
    reason: Option<String>,
}

/// `None` for events that say nothing about a mail's way, or of no mail.
pub(crate) fn read(event: &Value) -> Option<News> {
    let what = match event["event"].as_str()? {
        "delivered" => "delivered",
        "failed" if event["severity"] == "temporary" => "deferred",
        "failed" | "permanent_fail" | "rejected" => "bounced",
        "temporary_fail" => "deferred",
        "complained" => "complained",
        "opened" => "read",
        "clicked" => "clicked",
        "unsubscribed" => "unsubscribed",
        _ => return None,
    };
    let id = event["id"]
        .as_str()
        .filter(|id| (1..=LONGEST_ID).contains(&id.len()))?;
    let mail = event["message"]["headers"]["message-id"]
        .as_str()?
        .trim_matches(['<', '>', ' ']);
    if mail.is_empty() || mail.len() > 900 {
        return None;
    }
    Some(News {
        id: id.to_owned(),
        mail: mail.to_owned(),
        what,
        at: moment(&event["timestamp"])?,
        recipient: event["recipient"].as_str().map(shortened),
        reason: matches!(what, "bounced" | "deferred" | "delivered")
            .then(|| reason(event))
            .flatten(),
    })
}

/// Mailgun's are seconds with a fraction.
fn moment(seconds: &Value) -> Option<i64> {
    let milliseconds = seconds.as_f64()? * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "a float past the range saturates")]
    (milliseconds.is_finite() && milliseconds > 0.0).then_some(milliseconds.round() as i64)
}

/// What happened, for somebody who knows no SMTP; then what the server said.
fn reason(event: &Value) -> Option<String> {
    let status = &event["delivery-status"];
    let said = ["message", "description"].iter().find_map(|name| {
        let text = status[*name].as_str()?.trim();
        (!text.is_empty()).then(|| shortened(text))
    });
    let code = status["code"].as_i64().filter(|code| (200..1000).contains(code));
    if event["event"] == "delivered" {
        return said.map(|said| answer_of_server(code, &said));
    }
    let why = event["reason"].as_str().unwrap_or_default();
    let plain = suppression(why).or_else(|| meaning(code, said.as_deref().unwrap_or_default()));
    let rejected = event["reject"]["reason"].as_str().map(shortened);
    let said = said.map(|said| answer_of_server(code, &said)).or(rejected);
    let parts: Vec<_> = plain.map(str::to_owned).into_iter().chain(said).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn answer_of_server(code: Option<i64>, said: &str) -> String {
    match code {
        Some(code) if !said.starts_with(&code.to_string()) => format!("The server said: {code} {said}"),
        _ => format!("The server said: {said}"),
    }
}

/// Mailgun did not even try.
fn suppression(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "suppress-bounce" => {
            "Mailgun did not try, since earlier mail to this address bounced. Take it off the list of bounces at Mailgun to try again."
        }
        "suppress-complaint" => "Mailgun did not try, since the recipient called earlier mail spam.",
        "suppress-unsubscribe" => "Mailgun did not try, since the recipient unsubscribed.",
        "old" => "The recipient's server could not be reached for hours, and Mailgun gave up.",
        _ => return None,
    })
}

/// RFC 3463 for its details, RFC 5321 for the codes; Mailgun adds some of its own over 600.
fn meaning(code: Option<i64>, said: &str) -> Option<&'static str> {
    let has = |words: &[&str]| {
        let said = said.to_lowercase();
        words.iter().any(|word| said.contains(word))
    };
    Some(
        if has(&[
            "5.1.1",
            "5.1.0",
            "user unknown",
            "no such user",
            "mailbox unavailable",
            "does not exist",
        ]) {
            "There is no such mailbox."
        } else if has(&["5.2.2", "4.2.2", "quota", "mailbox full", "mailbox is full"]) {
            "The mailbox is full."
        } else if has(&["5.1.2", "no mx", "host not found", "domain not found"]) {
            "The address's domain takes no mail."
        } else if has(&["5.7.", "spam", "blocked", "blacklist", "policy", "dmarc", "spf"]) {
            "The recipient's server refuses mail like this, or from this sender."
        } else if has(&["4.7.", "greylist", "graylist", "try again later", "rate limit"]) {
            "The recipient's server asks to wait."
        } else {
            return match code? {
                552 => Some("The mailbox is full."),
                498 | 602 | 605 | 606 => Some("Mailgun could not reach the recipient's server."),
                550 | 553 => Some("The recipient's server does not take mail for this address."),
                _ => None,
            };
        },
    )
}

fn shortened(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut words: String = line.chars().take(LONGEST_WORDS).collect();
    if words.len() < line.len() {
        words.push('…');
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(change: Value) -> Value {
        let mut event = json!({
            "event": "delivered", "id": "E1", "timestamp": 1_767_614_400.25, "recipient": "carol@home.com",
            "message": {"headers": {"message-id": "mail_1@mg.home.com"}},
        });
        for (name, value) in change.as_object().unwrap() {
            event[name] = value.clone();
        }
        event
    }

    #[test]
    fn an_event_tells_what_happened_when_to_which_mail() {
        let news = read(&event(json!({"delivery-status": {"code": 250, "message": "OK"}}))).unwrap();
        let expected = News {
            id: "E1".to_owned(),
            mail: "mail_1@mg.home.com".to_owned(),
            what: "delivered",
            at: 1_767_614_400_250,
            recipient: Some("carol@home.com".to_owned()),
            reason: Some("The server said: 250 OK".to_owned()),
        };
        assert_eq!(news, expected);
    }

    #[test]
    fn a_failure_is_told_in_plain_words_and_in_the_servers() {
        let why = |change: Value| {
            let mut change = change;
            change["event"] = json!("failed");
            read(&event(change)).unwrap()
        };
        let gone = why(json!({"severity": "permanent",
            "delivery-status": {"code": 550, "message": "5.1.1 no such user here"}}));
        assert_eq!(
            (gone.what, gone.reason.unwrap().as_str()),
            (
                "bounced",
                "There is no such mailbox. The server said: 550 5.1.1 no such user here"
            )
        );
        let suppressed = why(json!({"severity": "permanent", "reason": "suppress-bounce"}));
        assert!(suppressed.reason.unwrap().starts_with("Mailgun did not try"));
        let later =
            why(json!({"severity": "temporary", "delivery-status": {"code": 452, "message": "4.2.2 full"}}));
        assert_eq!(later.what, "deferred");
        assert!(later.reason.unwrap().starts_with("The mailbox is full."));
    }

    #[test]
    fn c09_followed_links_are_not_told() {
        let clicked = read(&event(
            json!({"event": "clicked", "url": "https://x/?code=secret"}),
        ))
        .unwrap();
        assert_eq!((clicked.what, clicked.reason), ("clicked", None));
    }

    #[test]
    fn m13_what_is_no_event_of_a_mail_is_nothing() {
        for change in [
            json!({"event": "accepted"}),
            json!({"event": "__proto__"}),
            json!({"event": ["delivered"]}),
            json!({"id": ""}),
            json!({"id": "x".repeat(129)}),
            json!({"id": 7}),
            json!({"timestamp": "soon"}),
            json!({"timestamp": -1}),
            json!({"message": {"headers": {"message-id": {"$ne": 1}}}}),
            json!({"message": null}),
        ] {
            assert_eq!(read(&event(change.clone())), None, "{change}");
        }
        for no_object in [json!(null), json!([]), json!("delivered"), json!(7)] {
            assert_eq!(read(&no_object), None, "{no_object}");
        }
    }
}
