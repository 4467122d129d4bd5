//! Signatures of webhooks, as Standard Webhooks have them: who receives one can tell whose it is, and whether it is new.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Before a key in Base64; any other secret is the key itself.
const PREFIX: &str = "whsec_";

/// The headers of a request with this body, sent at `seconds` of Unix time. `id` is the same each time it is tried.
pub(crate) fn headers(secret: &str, id: &str, seconds: i64, body: &str) -> Vec<(String, String)> {
    let mut headers = vec![
        ("webhook-id".to_owned(), id.to_owned()),
        ("webhook-timestamp".to_owned(), seconds.to_string()),
    ];
    let encoded = secret.strip_prefix(PREFIX);
    let key = encoded
        .and_then(|key| STANDARD.decode(key).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec());
    if !secret.is_empty()
        && let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key)
    {
        mac.update(format!("{id}.{seconds}.{body}").as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        headers.push(("webhook-signature".to_owned(), format!("v1,{signature}")));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::headers;

    #[test]
    fn a_request_is_signed_as_the_standards_own_example() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let signed = headers(secret, id, 1_614_265_330, body);
        assert_eq!(signed[2].0, "webhook-signature");
        assert_eq!(signed[2].1, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers("", id, 1_614_265_330, body).len(), 2);
    }
}
