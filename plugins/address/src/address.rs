//! One mail address: which are valid, and which are the same.
//!
//! Whoever controls an address that is taken for a user's receives that user's reset link. So two addresses are the
//! same only when they differ in nothing but upper and lower case, and an address that holds a look-alike of other
//! characters (full-width letters, the Kelvin sign) is not valid at all: CVE-2019-19844 and its kin.
//!
//! The two spellings of an internationalized domain, `münchen.example` and `xn--mnchen-3ya.example`, are one domain in
//! DNS, and browsers send the latter for the former. The domain is therefore kept in one form, that of UTS 46 with
//! Unicode letters. The part before the `@` is kept as it was written.

use std::borrow::Cow;
use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::Mistake;
use crate::text::{fold, is_invisible, is_private};

/// RFC 5321, section 4.5.3.1, with the two angle brackets of a path taken off.
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// One valid mail address, without a display name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailAddress {
    local: String,
    /// In lower case, with Unicode letters.
    domain: String,
    whole: String,
}

impl EmailAddress {
    /// Reads one address, of the form `local@domain`.
    ///
    /// # Errors
    /// What is wrong with it; the text itself is not repeated.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let (local, domain) = read(text).map_err(Mistake::address)?;
        Ok(Self {
            whole: format!("{local}@{domain}"),
            local: local.to_owned(),
            domain,
        })
    }

    /// The address with its domain in the canonical form.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// The form in which addresses are compared.
    pub fn canonical(&self) -> String {
        format!("{}@{}", fold(&self.local), self.domain)
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`, with Unicode letters.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The part after the `@` as DNS has it: `xn--…` in place of other letters than ASCII.
    pub fn ascii_domain(&self) -> String {
        // It was read from a valid domain, so it can be written as one.
        to_ascii(&self.domain).unwrap_or_else(|| self.domain.clone())
    }

    /// The address as it goes into a header: its domain is ASCII.
    pub fn to_ascii(&self) -> String {
        format!("{}@{}", self.local, self.ascii_domain())
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

fn read(text: &str) -> Result<(&str, String), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > LONGEST {
        return Err("it is longer than 254 bytes");
    }
    let Some((local, domain)) = text.split_once('@') else {
        return Err("it has no @");
    };
    if local.len() > LONGEST_LOCAL {
        return Err("the part before the @ is longer than 64 bytes");
    }
    if !local.split('.').all(is_atom) {
        return Err("the part before the @ has characters, or dots, that it may not have");
    }
    if !text.chars().eq(text.nfkc()) {
        return Err("it has characters that only look like others");
    }
    let domain = canonical_domain(domain)?;
    let ascii = to_ascii(&domain).ok_or(NO_DOMAIN)?;
    if local.len() + 1 + ascii.len() > LONGEST {
        return Err("it is longer than 254 bytes");
    }
    Ok((local, domain))
}

const NO_DOMAIN: &str = "the part after the @ is not a domain";

/// The domain in lower case, with Unicode letters.
fn canonical_domain(domain: &str) -> Result<String, &'static str> {
    let (unicode, valid) =
        Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast);
    if valid.is_err() || unicode.chars().any(is_private) {
        return Err(NO_DOMAIN);
    }
    // UTS 46 maps more than case: it drops soft hyphens, takes an ideographic full stop for a dot, and so on. Nobody
    // types those by intention, so only what differs in case is the same.
    let as_typed = |label: &str| label.chars().flat_map(char::to_lowercase).collect::<String>();
    let is_ace = |label: &str| {
        label
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("xn--"))
    };
    let mut labels = domain.split('.').zip(unicode.split('.'));
    let same = domain.split('.').count() == unicode.split('.').count()
        && labels.all(|(typed, label)| is_ace(typed) || as_typed(typed) == label);
    if !same {
        return Err("it has characters that only look like others");
    }
    Ok(unicode.into_owned())
}

/// A text that is searched for in addresses, with the punycode in it as the letters that are stored.
pub fn unicode_domain(text: &str) -> Cow<'_, str> {
    if !text.to_ascii_lowercase().contains("xn--") {
        return Cow::Borrowed(text);
    }
    let (local, domain) = match text.rsplit_once('@') {
        Some((local, domain)) => (format!("{local}@"), domain),
        None => (String::new(), text),
    };
    let (unicode, _) = Uts46::new().to_unicode(domain.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    Cow::Owned(local + &unicode)
}

fn to_ascii(domain: &str) -> Option<String> {
    let ascii = Uts46::new().to_ascii(
        domain.as_bytes(),
        AsciiDenyList::STD3,
        Hyphens::CheckFirstLast,
        DnsLength::Verify,
    );
    ascii.ok().map(Cow::into_owned)
}

/// RFC 5322's `dot-atom` with the characters of all languages (RFC 6531), as far as they can be seen.
fn is_atom(atom: &str) -> bool {
    let joins = |character: char| matches!(character, '\u{200C}' | '\u{200D}');
    atom.chars().next().is_some_and(|first| !is_combining_mark(first))
        && atom
            .chars()
            .all(|character| joins(character) || is_atom_character(character))
        // Scripts such as Persian and Sinhala need joiners, and IDNA says where.
        && (!atom.contains(joins) || joiners_are_needed(atom))
}

fn is_atom_character(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(character);
    }
    !(character.is_control() || character.is_whitespace() || is_invisible(character) || is_private(character))
}

fn joiners_are_needed(atom: &str) -> bool {
    let (_, valid) = Uts46::new().to_unicode(atom.as_bytes(), AsciiDenyList::EMPTY, Hyphens::Allow);
    valid.is_ok()
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
        assert_eq!(
            EmailAddress::parse("Carol@Home.com").unwrap().as_str(),
            "Carol@home.com"
        );
    }

    #[test]
    fn r03_look_alikes_never_match() {
        for (stored, twin) in [
            ("mike@example.org", "mıke@example.org"),
            ("mike@example.org", "mİke@example.org"),
            ("mike@example.org", "mi\u{307}ke@example.org"),
            ("mike@example.org", "mi\u{212A}e@example.org"),
            ("mike@example.org", "ｍike@example.org"),
            ("mike@example.org", "mike@ｅxample.org"),
            ("mike@ike.org", "mike@i\u{212A}e.org"),
            ("mike@street.org", "mike@\u{17F}treet.org"),
            ("strasse@example.org", "straße@example.org"),
            ("STRASSE@example.org", "straẞe@example.org"),
            ("a@strasse.example", "a@straße.example"),
            ("jose@example.org", "josé@example.org"),
            ("josé@example.org", "jose\u{301}@example.org"),
            ("a@josé.org", "a@jose\u{301}.org"),
            ("a@example.org", "а@example.org"),
            ("a@example.org", "a\u{200B}@example.org"),
            ("a@example.org", "a@exam\u{AD}ple.org"),
            ("a@example.org", "a\u{200D}@example.org"),
            ("ﬁ@example.org", "fi@example.org"),
            ("a@example.org", "a@example.org\u{0}"),
            ("i\u{307}@example.org", "İ@example.org"),
        ] {
            assert!(!same(stored, twin), "{stored} {twin}");
        }
    }

    #[test]
    fn d01_a_domain_and_its_a_label_are_one() {
        for (one, other) in [
            ("user@münchen.example", "user@xn--mnchen-3ya.example"),
            ("user@MÜNCHEN.example", "USER@XN--MNCHEN-3YA.EXAMPLE"),
            ("a@bücher.münchen.example", "a@xn--bcher-kva.münchen.example"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
            ("a@straße.example", "a@xn--strae-oqa.example"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        let address = EmailAddress::parse("user@xn--mnchen-3ya.example").unwrap();
        assert_eq!(address.as_str(), "user@münchen.example");
        assert_eq!(address.to_ascii(), "user@xn--mnchen-3ya.example");
    }

    #[test]
    fn r04_domains_that_only_look_alike_are_two() {
        assert!(!same("a@pаypal.example", "a@paypal.example"));
        assert!(!same("a@xn--pypal-4ve.example", "a@paypal.example"));
        assert!(!same("a@münchen.example", "a@munchen.example"));
        assert!(!same("a@münchen.example", "a@muenchen.example"));
    }

    #[test]
    fn d02_scripts_with_combining_marks_are_valid() {
        for text in [
            "संपर्क@डाटामेल.भारत",
            "विद्यार्थी@उदाहरण.परीक्षा",
            "ผู้ใช้@ตัวอย่าง.ไทย",
            "பயனர்@உதாரணம்.பரிட்சை",
            "කාර්යාල@උදාහරණ.ලංකා",
            "می\u{200C}خواهم@نامه\u{200C}ای.example",
            "ශ්\u{200D}රී@ශ්\u{200D}රී.example",
            "😀@example.com",
        ] {
            let address = EmailAddress::parse(text).unwrap_or_else(|mistake| panic!("{text}: {mistake}"));
            assert_eq!(address.as_str(), text);
            assert!(address.ascii_domain().is_ascii());
        }
    }

    #[test]
    fn d03_all_characters_of_an_atom_are_valid() {
        for text in [
            "a%b@example.com",
            "a|b@example.com",
            "!#$%&'*+-/=?^_`{|}~@example.com",
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
        }
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
            "a@x\u{FF0E}y",
            "\u{301}a@x",
            "a@\u{301}x",
            "a\u{200C}b@x",
            "a\u{A0}b@x",
            "a\u{E000}@x",
            "a@x_y",
            "a@xn--a",
            "a@xn--\u{FC}",
            "a＠x",
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
        assert!(EmailAddress::parse(&format!("{}@x", "a".repeat(65))).is_err());
        assert!(EmailAddress::parse(&format!("a@{}", "b.".repeat(130) + "c")).is_err());
        assert!(EmailAddress::parse(&format!("a@{}.c", "b".repeat(64))).is_err());
    }

    #[test]
    fn ordinary_addresses_are_valid() {
        for text in [
            "user@home.com",
            "o'brien+tag@mail.example.co.uk",
            "a@localhost",
            "用户@例え.テスト",
            "x_y-z=1@1.example",
            "a@r3---sn-apo3qvuoxuxbt-j5pe.example",
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), text);
        }
    }
}
