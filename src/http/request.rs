//! What RFC 9110 says of a request's headers, for all doors that are not pages: the API, webhooks, metrics, health.

use coronet_core::{Code, Error, Result};
use rocket::data::Data;
use rocket::http::{HeaderMap, Method, Status};
use rocket::request::Request;
use rocket::route::{Handler, Outcome, Route};
use rocket::serde::json::json;

use super::JsonError;

/// A fixed path comes before all routes with a name in their path, and those of a name after the routes that do something.
const FIXED: isize = -20;
const NAMED: isize = 110;
const METHODS: [Method; 8] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Patch,
    Method::Delete,
    Method::Options,
    Method::Trace,
];

/// The token of `Authorization: Bearer`. The scheme may be written in any case (RFC 9110, section 11.1). Two such headers
/// are as good as none: who would decide which counts?
pub fn bearer<'r>(headers: &'r HeaderMap<'_>) -> Option<&'r str> {
    let mut all = headers.get("Authorization");
    let (only, None) = (all.next()?, all.next()) else {
        return None;
    };
    let (scheme, token) = only.trim().split_once([' ', '\t'])?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Refuses a body that is packed: nothing here unpacks one (RFC 9110, section 8.4).
///
/// # Errors
/// `UnsupportedMedia`.
pub fn is_not_packed(headers: &HeaderMap<'_>) -> Result<()> {
    let codings = headers
        .get("Content-Encoding")
        .flat_map(|header| header.split(','));
    let mut codings = codings.map(str::trim).filter(|coding| !coding.is_empty());
    match codings.find(|coding| !coding.eq_ignore_ascii_case("identity")) {
        None => Ok(()),
        Some(coding) => {
            let text = format!(
                "The body is packed with `{}`. Send it as it is, without Content-Encoding.",
                shortened(coding)
            );
            Err(Error::new(Code::UnsupportedMedia, text)
                .with_details(json!({ "accept_encoding": "identity" })))
        }
    }
}

/// Refuses a body that is said to be something other than JSON. One that says nothing is read as JSON, since nothing else
/// is taken here (RFC 9110, section 8.3).
///
/// # Errors
/// `UnsupportedMedia`.
pub fn is_json(headers: &HeaderMap<'_>) -> Result<()> {
    let mut kinds = headers.get("Content-Type");
    let said = match (kinds.next(), kinds.next()) {
        (None, _) => return Ok(()),
        (Some(kind), None) if names_json(kind) => return Ok(()),
        (Some(kind), None) => format!("`{}`", shortened(kind)),
        (Some(_), Some(_)) => "two content types".to_owned(),
    };
    let text = format!(
        "The body must be JSON in UTF-8, sent with `Content-Type: application/json`, and not {said}."
    );
    Err(Error::new(Code::UnsupportedMedia, text).with_details(json!({ "accept": "application/json" })))
}

/// `application/json` and types that are JSON by their suffix, in UTF-8 if a charset is named.
fn names_json(kind: &str) -> bool {
    let mut parts = kind.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default().to_ascii_lowercase();
    let is_json = essence == "application/json"
        || essence == "text/json"
        || essence.starts_with("application/") && essence.ends_with("+json");
    let is_utf8 = parts.all(|parameter| match parameter.split_once('=') {
        Some((name, charset)) if name.trim().eq_ignore_ascii_case("charset") => {
            let charset = charset.trim().trim_matches('"');
            charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
        }
        _ => true,
    });
    is_json && is_utf8
}

fn shortened(value: &str) -> String {
    value.chars().take(80).collect()
}

/// Routes that answer 405 to every method but the allowed ones.
pub fn only(path: &str, allowed: &'static [Method]) -> Vec<Route> {
    others(path, allowed, Refuse(allowed))
}

/// Routes for every method but these.
pub fn others(path: &str, allowed: &[Method], handler: impl Handler + Clone) -> Vec<Route> {
    let rank = if path.contains('<') { NAMED } else { FIXED };
    METHODS
        .into_iter()
        .filter(|method| !allowed.contains(method))
        .map(|method| Route::ranked(rank, method, path, handler.clone()))
        .collect()
}

#[derive(Clone)]
struct Refuse(&'static [Method]);

#[rocket::async_trait]
impl Handler for Refuse {
    async fn handle<'r>(&self, request: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::from(request, refusal(request.method(), self.0))
    }
}

/// Says which methods an address takes (RFC 9110, section 15.5.6).
pub fn refusal(method: Method, allowed: &[Method]) -> JsonError {
    let allowed: Vec<&str> = allowed.iter().map(|method| method.as_str()).collect();
    let allowed = allowed.join(", ");
    let text = format!("{method} is not possible here, only {allowed}.");
    JsonError(Error::new(Code::MethodNotAllowed, text).with_details(json!({ "allow": allowed })))
}

/// What a handler forwards with, so that Rocket answers HEAD by the route for GET.
pub const FORWARD: Status = Status::NotFound;

#[cfg(test)]
mod tests {
    use rocket::http::Header;

    use super::*;

    fn headers(all: &[(&str, &str)]) -> HeaderMap<'static> {
        let mut headers = HeaderMap::new();
        for (name, value) in all {
            headers.add(Header::new((*name).to_owned(), (*value).to_owned()));
        }
        headers
    }

    #[test]
    fn d16_the_scheme_is_written_in_any_case_and_stands_alone() {
        for header in ["Bearer cor_x", "bearer cor_x", "BEARER  cor_x ", "bEaReR\tcor_x"] {
            assert_eq!(
                bearer(&headers(&[("authorization", header)])),
                Some("cor_x"),
                "{header}"
            );
        }
        for header in ["cor_x", "Basic cor_x", "Bearercor_x", "Bearer", ""] {
            assert_eq!(bearer(&headers(&[("Authorization", header)])), None, "{header}");
        }
        assert_eq!(
            bearer(&headers(&[
                ("Authorization", "Bearer a"),
                ("Authorization", "Bearer b")
            ])),
            None
        );
    }

    #[test]
    fn d16_only_json_that_is_not_packed_is_read() {
        for kind in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/merge-patch+json",
        ] {
            assert!(is_json(&headers(&[("Content-Type", kind)])).is_ok(), "{kind}");
        }
        assert!(is_json(&headers(&[])).is_ok(), "nothing was said");
        for kind in [
            "application/x-www-form-urlencoded",
            "text/plain",
            "application/json; charset=utf-16",
            "json",
            "",
            "application/jsonp",
        ] {
            let error = is_json(&headers(&[("Content-Type", kind)])).unwrap_err();
            assert_eq!(error.code(), Code::UnsupportedMedia, "{kind}");
        }
        for coding in ["gzip", "identity, br", "x-unknown"] {
            assert!(
                is_not_packed(&headers(&[("content-encoding", coding)])).is_err(),
                "{coding}"
            );
        }
        assert!(is_not_packed(&headers(&[("Content-Encoding", "Identity")])).is_ok());
    }
}
