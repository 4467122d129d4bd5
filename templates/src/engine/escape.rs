//! How a value is written into HTML, once it is known where it stands.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// As it is.
    Raw,
    /// With `& < > " ' \`` escaped.
    Html,
    /// Additionally with white space, `=` and `/` escaped, for a value outside quotes.
    Bare,
    /// An address: its scheme is checked, then escaped as [`Mode::Html`].
    Address,
    /// A part of an address before its query: what cannot stand in an address is percent-encoded, then escaped as
    /// [`Mode::Html`].
    Path,
    /// [`Mode::Path`] outside quotes, then escaped as [`Mode::Bare`].
    BarePath,
    /// A value in the query or fragment of an address: percent-encoded, so that it stays one value.
    Query,
    /// A word or a measure of a style, such as `#1d5fd0` or `12px`: nothing that could end or load something.
    Style,
}

impl Mode {
    pub(crate) fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Raw,
            2 => Self::Bare,
            3 => Self::Address,
            4 => Self::Path,
            5 => Self::BarePath,
            6 => Self::Query,
            7 => Self::Style,
            _ => Self::Html,
        }
    }

    /// Writes `value` as this mode asks.
    pub(crate) fn write(self, value: &str, out: &mut String) {
        match self {
            Self::Raw => out.push_str(value),
            Self::Html => escape(value, false, out),
            Self::Bare => escape(value, true, out),
            Self::Address if is_safe_address(value) => escape(value, false, out),
            Self::Address => out.push_str(BLOCKED_ADDRESS),
            Self::Path => escape(&in_path(value), false, out),
            Self::BarePath => escape(&in_path(value), true, out),
            Self::Query => out.extend(in_query(value)),
            Self::Style if value.chars().all(is_style) => out.push_str(value),
            Self::Style => out.push_str(BLOCKED_STYLE),
        }
    }
}

/// Stands where an address with a scheme outside the allow-list was given (case M06).
pub(crate) const BLOCKED_ADDRESS: &str = "#blocked-link";
/// Stands where a value was given to a style that is more than a word.
pub(crate) const BLOCKED_STYLE: &str = "blocked-value";

/// Schemes an address may have. Everything else, `javascript:`, `data:` and `vbscript:` first, could run code.
const SCHEMES: [&str; 6] = ["http", "https", "mailto", "tel", "sms", "cid"];

/// All but the unreserved characters of RFC 3986, section 2.3.
const DATA: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// All that RFC 3986 allows nowhere in an address. A `%` that begins an escape stays one.
const NEVER: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A value as one part of a query: `a&b=c` becomes `a%26b%3Dc`.
pub(crate) fn in_query(value: &str) -> PercentEncode<'_> {
    utf8_percent_encode(value, DATA)
}

/// A value as a piece of an address, with its slashes and what is percent-encoded already.
fn in_path(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for (index, piece) in value.split('%').enumerate() {
        if index > 0 {
            let is_escape = piece.len() >= 2 && piece.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
            out.push_str(if is_escape { "%" } else { "%25" });
        }
        out.extend(utf8_percent_encode(piece, NEVER));
    }
    out
}

fn is_style(c: char) -> bool {
    c.is_alphanumeric() || "#%.,_- ".contains(c)
}

fn escape(value: &str, bare: bool, out: &mut String) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            '=' if bare => out.push_str("&#61;"),
            '/' if bare => out.push_str("&#47;"),
            c if bare && c.is_whitespace() => {
                out.push_str("&#");
                out.push_str(&u32::from(c).to_string());
                out.push(';');
            }
            c => out.push(c),
        }
    }
}

/// Whether an address is relative or has an allowed scheme. Browsers ignore control characters and white space
/// inside a scheme, so a colon is judged by all that stands before it.
fn is_safe_address(value: &str) -> bool {
    let Some(colon) = value.find(':') else { return true };
    let scheme = value[..colon].trim_start();
    scheme.contains(['/', '?', '#']) || SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m06_addresses_have_an_allowed_scheme() {
        for (value, safe) in [
            ("https://example.com/?a=1&b=2", true),
            ("HTTP://x", true),
            ("mailto:a@example.com", true),
            ("/relative?next=javascript:x", true),
            ("page#a:b", true),
            ("", true),
            ("javascript:alert(1)", false),
            (" javascript:alert(1)", false),
            ("java\tscript:alert(1)", false),
            ("\u{1}javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            ("data:text/html,x", false),
            ("vbscript:x", false),
            (":x", false),
        ] {
            let mut out = String::new();
            Mode::Address.write(value, &mut out);
            assert_eq!(out != BLOCKED_ADDRESS, safe, "{value:?}");
        }
    }

    #[test]
    fn d15_a_value_in_an_address_stays_one_value() {
        for (value, path, query) in [
            ("a&b=c", "a&amp;b=c", "a%26b%3Dc"),
            ("x y", "x%20y", "x%20y"),
            ("50%", "50%25", "50%25"),
            ("a%20b%2", "a%20b%252", "a%2520b%252"),
            ("kůň", "k%C5%AF%C5%88", "k%C5%AF%C5%88"),
            ("/a/b?c#d", "/a/b?c#d", "%2Fa%2Fb%3Fc%23d"),
            ("\"'<>`", "%22&#39;%3C%3E%60", "%22%27%3C%3E%60"),
            ("a\r\nb", "a%0D%0Ab", "a%0D%0Ab"),
            ("a-b_c.d~e+f", "a-b_c.d~e+f", "a-b_c.d~e%2Bf"),
        ] {
            for (mode, written) in [(Mode::Path, path), (Mode::Query, query)] {
                let mut out = String::new();
                mode.write(value, &mut out);
                assert_eq!(out, written, "{value:?} {mode:?}");
                assert_eq!(Mode::from_number(mode as u64), mode);
            }
        }
        let mut out = String::new();
        Mode::BarePath.write("a/b =c", &mut out);
        assert_eq!(out, "a&#47;b%20&#61;c");
    }

    #[test]
    fn m06_a_style_takes_words_and_measures() {
        for (value, written) in [
            ("#1d5fd0", "#1d5fd0"),
            ("12.5px", "12.5px"),
            ("Segoe UI, Arial", "Segoe UI, Arial"),
            ("red;background:url(//evil.example)", "blocked-value"),
            ("expression(alert(1))", "blocked-value"),
            ("}body{display:none", "blocked-value"),
            ("</style><script>", "blocked-value"),
            ("\\75rl", "blocked-value"),
            ("red\"onclick=\"x", "blocked-value"),
        ] {
            let mut out = String::new();
            Mode::Style.write(value, &mut out);
            assert_eq!(out, written);
        }
    }
}
