//! Events as Mailgun posts them, and as others would like to.

use crate::plugin;
use coronet_plugin::prelude::*;
use coronet_plugin::testing::{Kit, Started};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const KEY: &str = "key-webhook";
const NOON: i64 = 1_767_614_400;

fn started() -> Started {
    Kit::new(plugin())
        .settings(json!({"webhook_signing_key": KEY}))
        .on("mail.report", |_| Ok(json!({"known": 1})))
        .started()
        .unwrap()
}

fn signed(key: &str, timestamp: i64, token: &str, event: Value) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{timestamp}{token}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    json!({"signature": {"timestamp": timestamp.to_string(), "token": token, "signature": signature},
        "event-data": event})
}

fn delivered() -> Value {
    json!({"event": "delivered", "id": "E1", "timestamp": 1_767_614_400.5, "recipient": "carol@home.com",
        "message": {"headers": {"message-id": "mail_1@mg.home.com"}}})
}

fn post(kit: &Started, body: &str) -> i64 {
    let request = json!({"method": "POST", "headers": {}, "body": body});
    let answer = kit.call_as(Caller::System, "mailgun.webhook", request).unwrap();
    answer["status"].as_i64().unwrap()
}

#[test]
fn a_signed_event_is_reported() {
    let kit = started();
    assert_eq!(post(&kit, &signed(KEY, NOON, "t", delivered()).to_string()), 200);
    let reported = &kit.calls("mail.report")[0]["events"][0];
    assert_eq!(
        (&reported["mail"], &reported["what"]),
        (&json!("mail_1@mg.home.com"), &json!("delivered"))
    );
}

#[test]
fn m11_a_bad_missing_short_or_foreign_signature_is_refused() {
    let kit = started();
    let right = signed(KEY, NOON, "t", delivered());
    let mut all = vec![signed("another key", NOON, "t", delivered())];
    for signature in [
        json!(""),
        json!("ab"),
        json!("zz"),
        json!(null),
        json!("0".repeat(64)),
    ] {
        let mut bad = right.clone();
        bad["signature"]["signature"] = signature;
        all.push(bad);
    }
    let whole = right["signature"]["signature"].as_str().unwrap();
    for cut in [&whole[..62], &format!("{whole}00")] {
        let mut bad = right.clone();
        bad["signature"]["signature"] = json!(cut);
        all.push(bad);
    }
    let mut moved = right.clone();
    moved["signature"]["token"] = json!("u");
    all.push(moved);
    let mut missing = right.clone();
    missing.as_object_mut().unwrap().remove("signature");
    all.push(missing);
    for body in all {
        assert_eq!(post(&kit, &body.to_string()), 406, "{body}");
    }
    for garbled in [
        "",
        "{",
        "[]",
        "null",
        "\u{0}",
        "signature=1&token=2",
        &"[".repeat(100_000),
    ] {
        assert_eq!(post(&kit, garbled), 406, "{garbled:.40}");
    }
    assert!(kit.calls("mail.report").is_empty());
}

#[test]
fn m12_an_old_or_future_signature_is_refused() {
    let kit = started();
    for (shift, status) in [
        (-86_400, 406),
        (86_400, 406),
        (-43_201, 406),
        (901, 406),
        // Mailgun's last attempt comes 8 hours later.
        (-8 * 3600, 200),
        (600, 200),
    ] {
        let body = signed(KEY, NOON + shift, &format!("t{shift}"), delivered());
        assert_eq!(post(&kit, &body.to_string()), status, "{shift}");
    }
    for timestamp in [
        "",
        "soon",
        "99999999999999999999",
        "-9223372036854775808",
        "1767614400.5",
    ] {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(format!("{timestamp}t").as_bytes());
        let signature = hex::encode(mac.finalize().into_bytes());
        let body = json!({"signature": {"timestamp": timestamp, "token": "t", "signature": signature},
            "event-data": delivered()});
        assert_eq!(post(&kit, &body.to_string()), 406, "{timestamp}");
    }
}

#[test]
fn m12_m13_a_signature_is_good_for_one_event() {
    let kit = started();
    let first = signed(KEY, NOON, "t", delivered()).to_string();
    assert_eq!(post(&kit, &first), 200);
    let mut altered = delivered();
    altered["event"] = json!("permanent_fail");
    altered["id"] = json!("E2");
    assert_eq!(post(&kit, &signed(KEY, NOON, "t", altered).to_string()), 406);
    // Mailgun did not hear our answer.
    assert_eq!(post(&kit, &first), 200);
    let ids: Vec<_> = kit
        .calls("mail.report")
        .iter()
        .map(|call| call["events"][0]["id"].clone())
        .collect();
    assert_eq!(ids, ["E1", "E1"], "told twice, it counts once in the outbox");
}

#[test]
fn without_a_key_mailgun_is_asked_to_come_again() {
    let kit = Kit::new(plugin()).started().unwrap();
    assert_eq!(post(&kit, &signed("", NOON, "t", delivered()).to_string()), 503);
}

#[test]
fn what_cannot_be_kept_now_is_not_lost() {
    let away = |_: &Value| Err(Error::new(codes::UNAVAILABLE, "away").with_retry());
    let kit = Kit::new(plugin())
        .settings(json!({"webhook_signing_key": KEY}))
        .on("mail.report", away)
        .started()
        .unwrap();
    let request =
        json!({"method": "POST", "headers": {}, "body": signed(KEY, NOON, "t", delivered()).to_string()});
    let again = || kit.call_as(Caller::System, "mailgun.webhook", request.clone());
    assert!(again().unwrap_err().is_retryable());
    assert!(
        again().unwrap_err().is_retryable(),
        "the token is no obstacle to the next attempt"
    );
}
