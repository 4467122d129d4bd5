//! Mail addresses: which are valid, and which are the same.
//!
//! Whoever controls an address that is taken for a user's receives that user's reset link. So two addresses are the
//! same only when they differ in nothing but upper and lower case, and an address that holds a look-alike of other
//! characters (full-width letters, the Kelvin sign) is not valid at all: CVE-2019-19844 and its kin. Domains are
//! compared as they are written; the punycode twin of a domain is another domain.

use std::fmt;

use unicode_normalization::UnicodeNormalization;

use crate::{Code, Error, Result};

/// RFC 5321, section 4.5.3.1, with the two angle brackets of a path taken off.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;
const LONGEST_LABEL: usize = 63;

/// One valid mail address, without a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads one address, of the form `local@domain`.
    ///
    /// # Errors
    /// `MailAddress` with what is wrong; the text itself is not repeated.
    pub fn parse(text: &str) -> Result<Self> {
        match mistake(text) {
            None => Ok(Self(text.to_owned())),
            Some(mistake) => Err(Error::new(
                Code::MailAddress,
                format!("This is not a valid mail address: {mistake}."),
            )),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form in which addresses are compared.
    pub fn canonical(&self) -> String {
        fold(&self.0)
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.0.rsplit_once('@').map_or(&self.0, |(local, _)| local)
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lower case, for letters whose lower and upper case are one pair and nothing else: so `İ`, `K` (Kelvin)
/// and `ẞ` stay what they are, and never become `i`, `k` or `ss`.
pub(crate) fn fold(text: &str) -> String {
    text.chars().map(fold_char).collect()
}

fn fold_char(character: char) -> char {
    let mut lower = character.to_lowercase();
    let (Some(low), None) = (lower.next(), lower.next()) else {
        return character;
    };
    let mut upper = low.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(up), None) if up == character => low,
        _ => character,
    }
}

/// Characters that are not seen, or change how others are seen: soft hyphen, zero-width, direction and
/// variation marks, tags.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(
        u32::from(character),
        0xAD | 0x34F
            | 0x61C
            | 0x115F
            | 0x1160
            | 0x17B4
            | 0x17B5
            | 0x180B..=0x180F
            | 0x200B..=0x200F
            | 0x2028..=0x202E
            | 0x2060..=0x206F
            | 0x3164
            | 0xFE00..=0xFE0F
            | 0xFEFF
            | 0xFFA0
            | 0xFFF0..=0xFFFB
            | 0xE0000..=0xE0FFF
    )
}

fn mistake(text: &str) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.len() > LONGEST {
        return Some("it is longer than 254 bytes");
    }
    let Some((local, domain)) = text.split_once('@') else {
        return Some("it has no @");
    };
    if local.len() > LONGEST_LOCAL {
        return Some("the part before the @ is longer than 64 bytes");
    }
    if !local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atom))
    {
        return Some("the part before the @ has characters, or dots, that it may not have");
    }
    if !domain.split('.').all(is_label) {
        return Some("the part after the @ is not a domain");
    }
    if !text.chars().eq(text.nfkc()) {
        return Some("it has characters that only look like others");
    }
    None
}

/// RFC 5322's `atext`, and the letters and digits of all languages (RFC 6531).
fn is_atom(character: char) -> bool {
    is_word(character) || "!#$%&'*+-/=?^_`{|}~".contains(character)
}

fn is_label(label: &str) -> bool {
    (1..=LONGEST_LABEL).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .chars()
            .all(|character| is_word(character) || character == '-')
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() && !is_invisible(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let canonical = |text| EmailAddress::parse(text).map(|address| address.canonical());
        matches!((canonical(one), canonical(other)), (Ok(one), Ok(other)) if one == other)
    }

    #[test]
    fn case_is_the_only_difference_that_does_not_count() {
        assert!(same("Carol@Home.com", "carol@home.COM"));
        assert!(same("JOSÉ@example.com", "josé@example.com"));
        assert!(!same("carol@home.com", "carol@home.org"));
        assert!(!same("carol+a@home.com", "carol@home.com"));
    }

    #[test]
    fn r03_look_alikes_never_match() {
        for (stored, twin) in [
            ("mike@example.org", "mıke@example.org"),
            ("mike@example.org", "mİke@example.org"),
            ("mike@example.org", "mi\u{307}ke@example.org"),
            ("mike@example.org", "mi\u{212A}e@example.org"),
            ("mike@example.org", "ｍike@example.org"),
            ("strasse@example.org", "straße@example.org"),
            ("STRASSE@example.org", "straẞe@example.org"),
            ("jose@example.org", "josé@example.org"),
            ("josé@example.org", "jose\u{301}@example.org"),
            ("a@example.org", "а@example.org"),
            ("a@example.org", "a\u{200B}@example.org"),
            ("ﬁ@example.org", "fi@example.org"),
            ("a@example.org", "a@example.org\u{0}"),
            ("i\u{307}@example.org", "İ@example.org"),
        ] {
            assert!(!same(stored, twin), "{stored} {twin}");
        }
    }

    #[test]
    fn r04_a_domain_and_its_punycode_twin_are_two() {
        assert!(!same("a@münchen.example", "a@xn--mnchen-3ya.example"));
        assert!(!same("a@pаypal.example", "a@paypal.example"));
    }

    #[test]
    fn r02_r05_r18_more_than_one_address_is_none() {
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@x,b@y",
            "a@x;b@y",
            "a@x b@y",
            "a@x|b@y",
            "a@x\0",
            "a@x%00b@y",
            "a@x\r\nBcc: b@y",
            "a\n@x",
            "a@x\t",
            " a@x",
            "a@x ",
            "a b@x",
            "Carol <a@x>",
            "<a@x>",
            "\"a b\"@x",
            "a@[127.0.0.1]",
            "a@x..y",
            "a..b@x",
            ".a@x",
            "a.@x",
            "a@-x",
            "a@x-",
            "a@x.",
            "a@@x",
            "a(b)@x",
            "a\u{202E}@x",
            "\u{FEFF}a@x",
            "a@x\u{3002}y",
        ] {
            let error = EmailAddress::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::MailAddress, "{text:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@x", "a".repeat(65))).is_err());
        assert!(EmailAddress::parse(&format!("a@{}", "b.".repeat(130) + "c")).is_err());
    }

    #[test]
    fn ordinary_addresses_are_valid() {
        for text in [
            "user@home.com",
            "o'brien+tag@mail.example.co.uk",
            "a@localhost",
            "用户@例え.テスト",
            "x_y-z=1@1.example",
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
        }
    }
}
