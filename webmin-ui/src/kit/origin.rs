//! Whether a request that changes something was made by our own pages (W01).

use rocket::Request;
use rocket::http::Method;
use rocket::request::{FromRequest, Outcome};
use rocket::{async_trait, http::Status};

/// Whether this request may change anything: sent by one of our own pages, as the browser itself testifies.
///
/// `Sec-Fetch-Site` cannot be set by script; browsers without it send `Origin` with every POST. A request with
/// neither is no browser's form, and is refused.
pub(crate) fn is_ours(request: &Request<'_>) -> bool {
    if matches!(request.method(), Method::Get | Method::Head) {
        return true;
    }
    let header = |name| {
        let mut values = request.headers().get(name);
        // Two values are nobody's honest request.
        values.next().filter(|_| values.next().is_none())
    };
    match header("Sec-Fetch-Site") {
        Some(site) => site == "same-origin",
        None => header("Origin")
            .zip(header("Host"))
            .is_some_and(|(origin, host)| origin_names(origin, host)),
    }
}

fn origin_names(origin: &str, host: &str) -> bool {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return false;
    };
    matches!(scheme, "http" | "https") && !host.is_empty() && rest.eq_ignore_ascii_case(host)
}

/// Guards the writes that need no session: set-up and login.
pub(crate) struct OurPage;

#[async_trait]
impl<'r> FromRequest<'r> for OurPage {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        if is_ours(request) {
            Outcome::Success(Self)
        } else {
            Outcome::Error((Status::Forbidden, ()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w01_an_origin_must_be_exactly_the_host() {
        assert!(origin_names("https://admin.example.com", "admin.example.com"));
        assert!(origin_names("http://127.0.0.1:8000", "127.0.0.1:8000"));
        for origin in [
            "null",
            "https://evil.example",
            "https://admin.example.com.evil.example",
            "file://admin.example.com",
            "",
        ] {
            assert!(!origin_names(origin, "admin.example.com"), "{origin}");
        }
        assert!(!origin_names("https://", ""));
    }
}
