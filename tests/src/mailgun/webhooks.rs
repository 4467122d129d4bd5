//! What Mailgun tells of mails that it took: JSON, signed with the account's webhook signing key.

use std::net::SocketAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use hyper::Method;
use hyper::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Mail;
use crate::client::{Client, Response};

/// The account's "HTTP webhook signing key".
pub const SIGNING_KEY: &str = "7a1e5c0de4b3f2a69788d5c4b3a2f1e0";

impl Mail {
    /// An event about this mail, as it stands in `event-data`; `more` is laid over it.
    pub fn event(&self, kind: &str, more: Value) -> Value {
        let message_id = self.field("h:Message-Id").unwrap_or(&self.id);
        let message_id = message_id.trim_matches(['<', '>']);
        let seed = Sha256::digest(format!("{}{kind}{more}", self.id).as_bytes());
        let mut event = json!({
            "event": kind,
            "id": hex::encode(&seed[..16]),
            "timestamp": now() + 0.25,
            "log-level": "info",
            "recipient": self.to.first().map(String::as_str).unwrap_or_default(),
            "flags": {"is-routed": false, "is-authenticated": true, "is-test-mode": false},
            "message": {"headers": {"message-id": message_id, "from": self.from, "subject": self.subject}},
            "user-variables": {},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            event[name.as_str()] = value.clone();
        }
        event
    }

    /// The recipient's server took the mail.
    pub fn delivered(&self) -> Value {
        self.event(
            "delivered",
            json!({"delivery-status": {"code": 250, "message": "OK", "attempt-no": 1}}),
        )
    }

    /// The recipient's server refused it for good.
    pub fn bounced(&self) -> Value {
        let status =
            json!({"code": 550, "message": "5.1.1 The email account that you tried to reach does not exist"});
        self.event(
            "failed",
            json!({"severity": "permanent", "reason": "bounce", "log-level": "error", "delivery-status": status}),
        )
    }
}

/// The body that carries an event, signed now with the right key.
pub fn signed(event: &Value) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "Unix seconds fit")]
    let seconds = now() as i64;
    signed_with(SIGNING_KEY, seconds, &token(event), event)
}

pub fn signed_with(key: &str, timestamp: i64, token: &str, event: &Value) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key of any length");
    mac.update(format!("{timestamp}{token}").as_bytes());
    let signature = hex::encode(mac.finalize().into_bytes());
    json!({
        "signature": {"timestamp": timestamp.to_string(), "token": token, "signature": signature},
        "event-data": event,
    })
}

/// Posts a body as Mailgun does.
pub async fn post(server: SocketAddr, body: impl Into<bytes::Bytes>) -> Response {
    let client = Client::new(server);
    let request = client.request(Method::POST, "/_hooks/mailgun");
    client
        .send(request.header(CONTENT_TYPE, "application/json"), body)
        .await
}

/// Fifty characters, another one for each event.
fn token(event: &Value) -> String {
    let mut token = hex::encode(Sha256::digest(event.to_string().as_bytes()));
    token.truncate(50);
    token
}

#[expect(
    clippy::disallowed_methods,
    reason = "a provider outside of Coronet has the machine's clock"
)]
fn now() -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("a clock after 1970").as_secs_f64()
}
