//! Who sent a form: this site, or another one in the user's name (C13).

use super::PageRequest;

/// Whether a request that changes something was sent by a page of another site.
///
/// Browsers say so in `Sec-Fetch-Site`; where it is missing (plain http, old browsers) the host in `Origin` must be
/// the one that was asked, or the configured one. Neither is sent by programs, which have nobody's cookies either.
pub(super) fn is_foreign(request: &PageRequest, site_url: &str) -> bool {
    if request.is_safe() {
        return false;
    }
    if let Some(site) = request.header("sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = request.header("origin") else {
        return false;
    };
    let Some(host) = host_of(origin) else {
        // `null` comes from sandboxed frames and the like.
        return true;
    };
    let is = |known: Option<&str>| known.is_some_and(|known| known.eq_ignore_ascii_case(host));
    !is(request.header("host")) && !is(host_of(site_url))
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

    #[test]
    fn c13_a_form_of_another_site_is_told_from_our_own() {
        let site = "https://reset.example.com";
        for (foreign, headers) in [
            (false, &[("Sec-Fetch-Site", "same-origin")][..]),
            (false, &[("sec-fetch-site", "none")]),
            (true, &[("Sec-Fetch-Site", "cross-site")]),
            (true, &[("Sec-Fetch-Site", "same-site")]),
            (
                true,
                &[
                    ("Sec-Fetch-Site", "cross-site"),
                    ("Origin", "https://reset.example.com"),
                ],
            ),
            (false, &[("Origin", "https://reset.example.com")]),
            (
                false,
                &[("Origin", "http://10.0.0.7:8000"), ("Host", "10.0.0.7:8000")],
            ),
            (
                true,
                &[("Origin", "http://10.0.0.7:8001"), ("Host", "10.0.0.7:8000")],
            ),
            (
                true,
                &[("Origin", "https://evil.example"), ("Host", "reset.example.com")],
            ),
            (true, &[("Origin", "https://reset.example.com.evil.example")]),
            (true, &[("Origin", "null")]),
            (true, &[("Origin", "")]),
            (false, &[]),
        ] {
            assert_eq!(is_foreign(&post(headers), site), foreign, "{headers:?}");
        }
        let mut get = post(&[("Sec-Fetch-Site", "cross-site")]);
        get.method = "GET".to_owned();
        assert!(!is_foreign(&get, site), "a link in a mail is cross-site");
    }
}
