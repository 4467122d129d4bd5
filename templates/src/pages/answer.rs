//! What goes back, and what page code may put into its headers.

use std::fmt::Write as _;

use coronet_core::cookies;

use super::PageRequest;

/// An answer, ready to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageResponse {
    pub status: u16,
    /// `Set-Cookie` may be there many times, others once.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl PageResponse {
    pub(super) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(super) fn with_body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.set("Content-Type", content_type);
        self.body = body.into();
        self
    }

    /// Sets a header, in place of an earlier value.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(held, _)| !held.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Sets a header unless it is there.
    pub(super) fn set_default(&mut self, name: &str, value: &str) {
        if self.header(name).is_none() {
            self.headers.push((name.to_owned(), value.to_owned()));
        }
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(held, _)| held.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Headers of the connection, which are the server's, and cookies, which have a function of their own.
const NOT_FOR_PAGES: [&str; 8] = [
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "set-cookie",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Checks a header that page code sets.
///
/// # Errors
/// What is wrong with it, for the author of the page.
pub(super) fn check_header(name: &str, value: &str) -> Result<(), String> {
    if !is_token(name) {
        return Err(format!("`{}` is not the name of a header", name.escape_debug()));
    }
    if NOT_FOR_PAGES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Err(format!("the header {name} cannot be set by a page"));
    }
    let clean = |c: char| c == '\t' || (c.is_ascii() && !c.is_ascii_control());
    if value.chars().all(clean) {
        Ok(())
    } else {
        Err(format!(
            "the header {name} may only have printable ASCII characters"
        ))
    }
}

/// Where a page may send the browser: a path of this site, or an http address.
pub(super) fn check_redirect(to: &str) -> Result<(), String> {
    let schemes = ["http://", "https://"];
    let lower = to.to_ascii_lowercase();
    let is_url = schemes.iter().any(|scheme| lower.starts_with(scheme));
    // Two slashes are another host, with the scheme of this one.
    let is_path =
        !to.starts_with("//") && !to.split(['/', '?', '#']).next().unwrap_or_default().contains(':');
    if to.is_empty() || to.contains(|c: char| c.is_control() || c == ' ' || c == '\\' || !c.is_ascii()) {
        return Err("a redirect needs an address without spaces, percent-encoded".to_owned());
    }
    if is_url || is_path {
        Ok(())
    } else {
        Err("a redirect leads to a path, or an address that starts with http:// or https://".to_owned())
    }
}

/// A cookie that page code sets.
#[derive(Debug, Clone)]
pub(super) struct NewCookie {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) path: String,
    pub(super) secure: bool,
    pub(super) http_only: bool,
    pub(super) same_site: String,
    /// Seconds it lives; as long as the browser runs if absent.
    pub(super) max_age: Option<i64>,
}

impl NewCookie {
    /// The value of `Set-Cookie`.
    ///
    /// # Errors
    /// What is wrong with it, for the author of the page.
    pub(super) fn header(&self) -> Result<String, String> {
        if !is_token(&self.name) || cookies::is_webmins(&self.name) {
            return Err(format!(
                "`{}` cannot be the name of a page's cookie",
                self.name.escape_debug()
            ));
        }
        let plain = |c: char| c.is_ascii() && !c.is_ascii_control() && c != ';';
        if !self.path.starts_with('/') || !self.path.chars().all(plain) {
            return Err("the path of a cookie starts with / and has no semicolon".to_owned());
        }
        let same_site = match self.same_site.to_ascii_lowercase().as_str() {
            "lax" => "Lax",
            "strict" => "Strict",
            "none" => "None",
            _ => return Err("samesite is Lax, Strict or None".to_owned()),
        };
        let mut header = format!(
            "{}={}; Path={}; SameSite={same_site}",
            self.name,
            escaped(&self.value),
            self.path
        );
        if let Some(seconds) = self.max_age {
            let _ = write!(header, "; Max-Age={seconds}");
        }
        if self.secure || same_site == "None" {
            header.push_str("; Secure");
        }
        if self.http_only {
            header.push_str("; HttpOnly");
        }
        if header.len() > 4096 {
            return Err("a cookie may have 4096 bytes with its attributes".to_owned());
        }
        Ok(header)
    }
}

/// The cookies of a request as page code may see them: without those of the webmin, because whoever may edit a page
/// is not therefore every operator who opens it.
pub(super) fn cookies(request: &PageRequest) -> Vec<(String, String)> {
    let pairs = request
        .headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("cookie"))
        .flat_map(|(_, value)| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, _)| !cookies::is_webmins(name));
    let mut cookies: Vec<(String, String)> = Vec::new();
    for (name, value) in pairs {
        // The first of two is the one with the longer path (RFC 6265, section 5.4), so the one that is meant.
        if cookies.iter().all(|(held, _)| held != name) {
            let value = percent_encoding::percent_decode_str(value.trim_matches('"')).decode_utf8();
            cookies.extend(value.ok().map(|value| (name.to_owned(), value.into_owned())));
        }
    }
    cookies
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_graphic() && !b"\"%,;\\".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(name: &str, value: &str) -> NewCookie {
        NewCookie {
            name: name.to_owned(),
            value: value.to_owned(),
            path: "/".to_owned(),
            secure: false,
            http_only: true,
            same_site: "Lax".to_owned(),
            max_age: Some(60),
        }
    }

    #[test]
    fn r05_no_header_or_cookie_can_smuggle_another() {
        assert!(check_header("X-Game", "Fun Run").is_ok());
        for (name, value) in [
            ("X-Game", "a\r\nSet-Cookie: b=c"),
            ("X-Game\r\nX", "a"),
            ("", "a"),
            ("Set-Cookie", "a=b"),
            ("content-length", "7"),
        ] {
            assert!(check_header(name, value).is_err(), "{name:?}");
        }
        assert_eq!(
            cookie("name", "a; Path=/x\r\n%é").header().unwrap(),
            "name=a%3B%20Path=/x%0D%0A%25%C3%A9; Path=/; SameSite=Lax; Max-Age=60; HttpOnly"
        );
        assert!(cookie("a b", "x").header().is_err());
        assert!(cookie("name", &"x".repeat(5000)).header().is_err());
    }

    #[test]
    fn c13_redirects_lead_to_http_addresses_and_paths_only() {
        for good in [
            "/done",
            "done?x=1:2",
            "https://app.example/x",
            "HTTP://app.example",
        ] {
            assert!(check_redirect(good).is_ok(), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\r\nX: y",
            "",
            "/a b",
            "/\\evil.example",
            "//evil.example",
            "///evil.example",
        ] {
            assert!(check_redirect(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_operators_session_is_none_of_a_pages_business() {
        let request = PageRequest {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: String::new(),
            headers: vec![(
                "Cookie".to_owned(),
                "seen=1%202; coronet_session=secret; __Host-coronet_session=secret; seen=other".to_owned(),
            )],
            address: None,
        };
        assert_eq!(cookies(&request), [("seen".to_owned(), "1 2".to_owned())]);
        assert!(cookie("coronet_session", "mine").header().is_err());
        assert!(cookie("__Host-coronet_session", "mine").header().is_err());
    }
}
