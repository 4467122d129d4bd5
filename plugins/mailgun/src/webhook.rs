//! What Mailgun tells of mails that it took: delivered, bounced and the like.
//!
//! The signature covers timestamp and token alone, so the event itself stays a stranger's word (M13): a token is good for
//! the body that came with it first, and for no other, and the mail's own rules decide what an event can change.
//!
//! Mailgun takes 200 for "done" and 406 for "do not come again"; after any other answer it comes again, within 8 hours.

use crate::events::{self, News};
use crate::settings::Settings;
use coronet_plugin::prelude::*;
use coronet_plugin::webhook::{Answer, Request};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::time::Duration;

/// The longest way of an event, with all of Mailgun's attempts; and how far its clock may be ahead.
const OLDEST: Duration = Duration::from_secs(12 * 3600);
const AHEAD: Duration = Duration::from_secs(15 * 60);
const LONGEST_TOKEN: usize = 128;

#[derive(Deserialize)]
struct Post {
    signature: Signature,
    #[serde(rename = "event-data")]
    event: Value,
}

#[derive(Deserialize)]
struct Signature {
    /// Unix seconds, as a text; a number is signed as it is written.
    timestamp: Value,
    token: String,
    signature: String,
}

pub(crate) fn receive(host: &Host, request: Request) -> Result<Answer> {
    let key = host.settings::<Settings>()?.webhook_signing_key;
    if key.is_empty() {
        // Not the sender's fault: it may come again when the key is there.
        return Ok(Answer::new(503, "The webhook signing key is not entered yet."));
    }
    let Ok(post) = serde_json::from_str::<Post>(&request.body) else {
        return Ok(refused("This is no event of Mailgun."));
    };
    if !is_signed(&post.signature, key.expose()) {
        // Not a line in the log: anybody could push the real ones out of it. The server counts what is refused.
        return Ok(refused("The signature is not right."));
    }
    if !is_fresh(&post.signature, host.now_ms()) {
        return Ok(refused("The signature is too old, or of the future."));
    }
    if !is_first(host, &post.signature.token, &request.body)? {
        host.warn("a signature came again with another event");
        return Ok(refused("The signature was used for another event."));
    }
    match events::read(&post.event) {
        Some(news) => report(host, news),
        None => Ok(Answer::new(200, "There is nothing to note in this event.")),
    }
}

fn refused(why: &str) -> Answer {
    Answer::new(406, why)
}

fn report(host: &Host, news: News) -> Result<Answer> {
    let reported: Result<Value> = host.call("mail.report", json!({ "events": [news] }));
    match reported {
        Ok(reported) if reported["known"] == 0 => Ok(Answer::new(200, "There is no such mail here.")),
        Ok(_) => Ok(Answer::new(200, "Noted.")),
        Err(error) if error.is_retryable() => Err(error),
        Err(error) => {
            host.warn(format!("an event could not be noted: {error}"));
            Ok(refused("The event cannot be noted."))
        }
    }
}

/// Compares in constant time (M11).
fn is_signed(signature: &Signature, key: &str) -> bool {
    let Ok(tag) = hex::decode(&signature.signature) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return false;
    };
    mac.update(written(&signature.timestamp).as_bytes());
    mac.update(signature.token.as_bytes());
    mac.verify_slice(&tag).is_ok()
}

fn is_fresh(signature: &Signature, now_ms: i64) -> bool {
    let Ok(seconds) = written(&signature.timestamp).parse::<i64>() else {
        return false;
    };
    let age_ms = now_ms.saturating_sub(seconds.saturating_mul(1000));
    let within = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    (-within(AHEAD)..=within(OLDEST)).contains(&age_ms)
}

/// Whether a token comes for the first time, or again with the same event: Mailgun did not hear our answer then, and what
/// is told twice counts once. Tokens are kept, over restarts too, for as long as their signature is taken (M12).
fn is_first(host: &Host, token: &str, body: &str) -> Result<bool> {
    if token.is_empty() || token.len() > LONGEST_TOKEN {
        return Ok(false);
    }
    let key = format!("webhook/{}", hex::encode(Sha256::digest(token.as_bytes())));
    let body = hex::encode(Sha256::digest(body.as_bytes()));
    if host.store().create(&key, &body, Some(OLDEST + AHEAD))? {
        return Ok(true);
    }
    let known = host.store().get::<String>(&key)?;
    Ok(known.is_none_or(|known| known.value == body))
}

fn written(timestamp: &Value) -> String {
    match timestamp {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
