//! Who sent a form: this site, or another one in the user's name (C13).

use super::PageRequest;

/// Where the forms of this site come from.
pub(super) struct Site {
    /// The origins of the pages, as browsers write them.
    pub(super) origins: Vec<String>,
    /// Whether an operator has said where users reach the pages. Then no other host is this site, even when a request names it
    /// as its host: a name can be made to lead here (X10).
    pub(super) is_configured: bool,
    /// Pages run in a sandbox, so a browser calls the origin of their forms `null`, and no cookie comes along.
    pub(super) is_sandboxed: bool,
}

/// What is known of the sender from the request alone.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sender {
    Ours,
    Foreign,
    /// Ours if a scope's `site_url` has this origin.
    Named(String),
}

/// Whether a request that changes something was sent by a page of another site.
///
/// Browsers say so in `Sec-Fetch-Site`; where it is missing (plain http, old browsers) the host in `Origin` must be
/// the one that was asked, or the configured one. Neither is sent by programs, which have nobody's cookies either.
pub(super) fn sender(request: &PageRequest, site: &Site) -> Sender {
    let origin = request.header("origin");
    if request.is_safe() || (site.is_sandboxed && origin == Some("null")) {
        return Sender::Ours;
    }
    if request
        .header("sec-fetch-site")
        .is_some_and(|site| !matches!(site, "same-origin" | "none"))
    {
        return Sender::Foreign;
    }
    let Some(origin) = origin else {
        return Sender::Ours;
    };
    // `null` comes from sandboxed frames and the like.
    let Some(host) = host_of(origin) else {
        return Sender::Foreign;
    };
    let is_asked = request
        .header("host")
        .is_some_and(|asked| asked.eq_ignore_ascii_case(host));
    if site
        .origins
        .iter()
        .any(|known| known.eq_ignore_ascii_case(origin))
        || (is_asked && !site.is_configured)
    {
        return Sender::Ours;
    }
    Sender::Named(origin.to_ascii_lowercase())
}

/// Whether a URL has this origin, as browsers write it.
pub(super) fn has_origin(url: &str, origin: &str) -> bool {
    coronet_core::http_client::parse(url).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

/// Host and port of a URL.
fn host_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(headers: &[(&str, &str)]) -> PageRequest {
        PageRequest {
            method: "POST".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            address: None,
        }
    }

    fn site(is_configured: bool, is_sandboxed: bool) -> Site {
        Site {
            origins: vec![
                "https://reset.example.com".to_owned(),
                "http://127.0.0.1:8000".to_owned(),
            ],
            is_configured,
            is_sandboxed,
        }
    }

    #[test]
    fn c13_a_form_of_another_site_is_told_from_our_own() {
        for (ours, headers) in [
            (true, &[("Sec-Fetch-Site", "same-origin")][..]),
            (true, &[("sec-fetch-site", "none")]),
            (false, &[("Sec-Fetch-Site", "cross-site")]),
            (false, &[("Sec-Fetch-Site", "same-site")]),
            (
                false,
                &[
                    ("Sec-Fetch-Site", "cross-site"),
                    ("Origin", "https://reset.example.com"),
                ],
            ),
            (true, &[("Origin", "https://reset.example.com")]),
            (
                true,
                &[("Origin", "http://10.0.0.7:8000"), ("Host", "10.0.0.7:8000")],
            ),
            (
                false,
                &[("Origin", "http://10.0.0.7:8001"), ("Host", "10.0.0.7:8000")],
            ),
            (
                false,
                &[("Origin", "https://evil.example"), ("Host", "reset.example.com")],
            ),
            (false, &[("Origin", "https://reset.example.com.evil.example")]),
            (false, &[("Origin", "null")]),
            (false, &[("Origin", "")]),
            (true, &[]),
        ] {
            let sender = sender(&post(headers), &site(false, false));
            assert_eq!(sender == Sender::Ours, ours, "{headers:?}");
        }
        let mut get = post(&[("Sec-Fetch-Site", "cross-site")]);
        get.method = "GET".to_owned();
        assert_eq!(
            sender(&get, &site(false, false)),
            Sender::Ours,
            "a link in a mail is cross-site"
        );
    }

    #[test]
    fn x10_with_a_configured_url_a_host_that_equals_the_origin_proves_nothing() {
        let evil = [
            ("Sec-Fetch-Site", "same-origin"),
            ("Origin", "http://evil.example:8000"),
            ("Host", "evil.example:8000"),
        ];
        let named = Sender::Named("http://evil.example:8000".to_owned());
        assert_eq!(sender(&post(&evil), &site(true, false)), named);
        assert_eq!(sender(&post(&evil[1..]), &site(true, false)), named);
        for origin in ["https://reset.example.com", "http://127.0.0.1:8000"] {
            assert_eq!(
                sender(&post(&[("Origin", origin)]), &site(true, false)),
                Sender::Ours
            );
        }
        assert!(has_origin(
            "https://Harbour.example:443/reset",
            "https://harbour.example"
        ));
        assert!(!has_origin("https://harbour.example", "http://harbour.example"));
    }

    #[test]
    fn x01_a_form_of_a_sandboxed_page_is_taken_and_no_other() {
        let form = [("Sec-Fetch-Site", "cross-site"), ("Origin", "null")];
        assert_eq!(sender(&post(&form), &site(true, true)), Sender::Ours);
        assert_eq!(sender(&post(&form), &site(true, false)), Sender::Foreign);
        let evil = [
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "https://evil.example"),
        ];
        assert_eq!(sender(&post(&evil), &site(true, true)), Sender::Foreign);
    }
}
