//! Whether a request that changes something was made by our own pages (W01).

use coronet_core::config::WebminPlace;
use rocket::Request;
use rocket::http::Method;
use rocket::request::{FromRequest, Outcome};
use rocket::{async_trait, http::Status};

use super::Webmin;

/// What a request says of the page that made it. A header that is there twice says nothing.
struct Claims<'r> {
    host: Option<&'r str>,
    origin: Option<&'r str>,
    /// `Sec-Fetch-Site`, which script cannot set.
    site: Option<&'r str>,
}

/// Whether this request may be answered: a write must come from one of our own pages, as the browser itself testifies. What
/// only reads may also come from elsewhere when a person follows a link, but no foreign page may embed or fetch it.
///
/// Cookies do not distinguish ports, so the session comes along with requests of the pages' origin.
pub(crate) fn is_ours(request: &Request<'_>) -> bool {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return false;
    };
    if matches!(request.method(), Method::Get | Method::Head) {
        return !is_embedded(request);
    }
    let header = |name| {
        let mut values = request.headers().get(name);
        values.next().filter(|_| values.next().is_none())
    };
    let claims = Claims {
        host: header("Host"),
        origin: header("Origin"),
        site: header("Sec-Fetch-Site"),
    };
    let config = &webmin.core.config;
    let pages = match config.webmin_place() {
        WebminPlace::Shared => Vec::new(),
        _ => config.page_origins(),
    };
    let any_name = config.public_url.is_empty();
    claims.are_of(config.webmin_origin().as_deref(), &pages, any_name)
}

impl Claims<'_> {
    /// Whether a page of the webmin sent this. With a configured URL the origin must be exactly that, whatever host was asked
    /// (X10). Without one it must be the host that was asked, and not that of the pages. A name can be made to lead here (DNS
    /// rebinding), so on a server whose names are configured it must be an address.
    fn are_of(&self, webmin: Option<&str>, pages: &[String], any_name: bool) -> bool {
        if self.site.is_some_and(|site| site != "same-origin") {
            return false;
        }
        match (webmin, self.origin) {
            (Some(webmin), origin) => origin == Some(webmin),
            (None, Some(origin)) if pages.iter().any(|page| page == origin) => false,
            (None, Some(origin)) if !any_name && !is_address(origin) => false,
            (None, origin) => {
                self.site.is_some()
                    || origin
                        .zip(self.host)
                        .is_some_and(|(origin, host)| origin_names(origin, host))
            }
        }
    }
}

/// Whether a page of another origin reads this by fetch, in a frame, as a script, an image or the like.
fn is_embedded(request: &Request<'_>) -> bool {
    let header = |name| request.headers().get_one(name);
    match header("Sec-Fetch-Site") {
        None | Some("same-origin" | "none") => false,
        Some(_) => {
            header("Sec-Fetch-Mode") != Some("navigate") || header("Sec-Fetch-Dest") != Some("document")
        }
    }
}

/// Whether an origin names its host by an address, or as this machine.
fn is_address(origin: &str) -> bool {
    let host = coronet_core::http_client::parse(origin).ok();
    let host = host.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok()
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

    const PAGES: &str = "http://127.0.0.1:8000";

    fn claims<'a>(site: &'a str, origin: &'a str, host: &'a str) -> Claims<'a> {
        let some = |text: &'a str| Some(text).filter(|text| !text.is_empty());
        Claims {
            host: some(host),
            origin: some(origin),
            site: some(site),
        }
    }

    #[test]
    fn x01_a_page_of_another_port_cannot_write() {
        let pages = [PAGES.to_owned(), "https://accounts.example.com".to_owned()];
        let ours = "http://127.0.0.1:8001";
        for (site, origin, host, expected) in [
            ("same-origin", ours, "127.0.0.1:8001", true),
            ("", ours, "127.0.0.1:8001", true),
            // A proxy that does not hand the host on; the browser testifies.
            ("same-origin", "https://admin.example.com", "127.0.0.1:8001", true),
            ("same-site", PAGES, "127.0.0.1:8001", false),
            ("", PAGES, "127.0.0.1:8001", false),
            // Proxies that leave out the port, or hand the page's own host on.
            ("", "https://accounts.example.com", "accounts.example.com", false),
            ("same-origin", PAGES, "127.0.0.1:8000", false),
            ("cross-site", "null", "127.0.0.1:8001", false),
            ("none", ours, "127.0.0.1:8001", false),
            ("", "", "127.0.0.1:8001", false),
        ] {
            let claims = claims(site, origin, host);
            assert_eq!(
                claims.are_of(None, &pages, true),
                expected,
                "{site} {origin} {host}"
            );
        }
    }

    #[test]
    fn x10_a_configured_url_is_the_only_origin() {
        let webmin = Some("https://admin.example.com");
        for (site, origin, host, expected) in [
            (
                "same-origin",
                "https://admin.example.com",
                "admin.example.com",
                true,
            ),
            ("", "https://admin.example.com", "127.0.0.1:8001", true),
            // A name that was made to lead here (DNS rebinding): all three agree, and are wrong.
            (
                "same-origin",
                "http://evil.example:8001",
                "evil.example:8001",
                false,
            ),
            ("", "http://evil.example", "evil.example", false),
            (
                "same-origin",
                "http://admin.example.com",
                "admin.example.com",
                false,
            ),
            (
                "same-origin",
                "https://admin.example.com:8443",
                "admin.example.com:8443",
                false,
            ),
            ("same-origin", "http://127.0.0.1:8001", "127.0.0.1:8001", false),
            ("same-origin", "", "admin.example.com", false),
        ] {
            let claims = claims(site, origin, host);
            assert_eq!(
                claims.are_of(webmin, &[], false),
                expected,
                "{site} {origin} {host}"
            );
        }
        // Without the webmin's URL, but with that of the pages.
        for (origin, host, expected) in [
            ("http://evil.example:8001", "evil.example:8001", false),
            ("http://127.0.0.1:8001", "127.0.0.1:8001", true),
            ("http://[::1]:8001", "[::1]:8001", true),
            ("http://localhost:9001", "localhost:9001", true),
        ] {
            let claims = claims("same-origin", origin, host);
            assert_eq!(claims.are_of(None, &[], false), expected, "{origin}");
        }
    }
}
