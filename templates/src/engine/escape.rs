//! How a value is written into HTML, once it is known where it stands.

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
    /// A word or a measure of a style, such as `#1d5fd0` or `12px`: nothing that could end or load something.
    Style,
}

impl Mode {
    pub(crate) fn from_number(number: u64) -> Self {
        match number {
            0 => Self::Raw,
            2 => Self::Bare,
            3 => Self::Address,
            4 => Self::Style,
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
