//! Who a mail is from and to: an address with an optional display name.

use std::fmt;

use crate::text::{encoded_words, has_control};
use crate::{EmailAddress, Mistake};

const LONGEST_NAME: usize = 200;

/// One recipient or sender, read from `a@b` or `Name <a@b>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    pub name: String,
    pub address: EmailAddress,
}

impl Mailbox {
    /// Reads exactly one mailbox. A name with a comma or the like must be in quotes, so that no reader can
    /// take one recipient for two (M03).
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let text = text.trim_matches(' ');
        if has_control(text) {
            return Err(Mistake::mailbox(
                "it has a line break or another control character",
            ));
        }
        let Some(rest) = text.strip_suffix('>') else {
            return Ok(Self {
                name: String::new(),
                address: EmailAddress::parse(text)?,
            });
        };
        let Some((name, address)) = rest.rsplit_once('<') else {
            return Err(Mistake::mailbox("it has a > without a <"));
        };
        let name = read_name(name.trim_matches(' ')).map_err(Mistake::mailbox)?;
        if name.chars().count() > LONGEST_NAME {
            return Err(Mistake::mailbox("the name is longer than 200 characters"));
        }
        Ok(Self {
            name,
            address: EmailAddress::parse(address)?,
        })
    }

    /// The mailbox with its domain in ASCII, and the name as people read it.
    pub fn with_ascii_domain(&self) -> String {
        written(&self.name, &self.address.to_ascii())
    }

    /// The mailbox as a header holds it: a name in other letters than ASCII is encoded (RFC 2047), and the domain is
    /// ASCII. Only the part before the `@` may have other characters, which need SMTPUTF8.
    pub fn to_header(&self) -> String {
        let address = self.address.to_ascii();
        let encoded = encoded_words(&self.name);
        if encoded == self.name {
            return written(&self.name, &address);
        }
        format!("{encoded} <{address}>")
    }
}

/// A display name: words, or a text in quotes in which a backslash takes the next character as it is.
fn read_name(text: &str) -> Result<String, &'static str> {
    let Some(quoted) = text.strip_prefix('"') else {
        if text.chars().any(is_special) {
            return Err(
                "a name with , ; : @ < > \" ( ) [ ] or \\ must be in quotes, as in \"Run, Fun\" <app@example.com>",
            );
        }
        return Ok(text.to_owned());
    };
    let mut name = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.extend(characters.next()),
            '"' if characters.as_str().is_empty() => return Ok(name),
            '"' => return Err("there is text after the quoted name"),
            other => name.push(other),
        }
    }
    Err("a quote is not closed")
}

/// RFC 5322's specials, without the dot, which names have ("John Q. Public").
fn is_special(character: char) -> bool {
    "()<>[]:;@\\,\"".contains(character)
}

fn written(name: &str, address: &str) -> String {
    if name.is_empty() {
        return address.to_owned();
    }
    if !name.chars().any(is_special) {
        return format!("{name} <{address}>");
    }
    let mut text = String::from("\"");
    for character in name.chars() {
        if matches!(character, '"' | '\\') {
            text.push('\\');
        }
        text.push(character);
    }
    text + "\" <" + address + ">"
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(&self.name, self.address.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_written_as_it_was_read() {
        for (text, written) in [
            ("a@b", "a@b"),
            (" a@b ", "a@b"),
            ("<a@b>", "a@b"),
            ("Fun Run <a@b>", "Fun Run <a@b>"),
            ("John Q. Public <a@b>", "John Q. Public <a@b>"),
            ("O'Brien é <a@b>", "O'Brien é <a@b>"),
            ("\"Fun Run\" <a@b>", "Fun Run <a@b>"),
            ("\"Run, Fun\" <a@b>", "\"Run, Fun\" <a@b>"),
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().to_string(), written);
        }
    }

    #[test]
    fn m03_a_name_with_commas_quotes_and_addresses_is_one_recipient() {
        let text = r#""Doe, \"J\" <b@y>, c@z" <a@x>"#;
        let mailbox = Mailbox::parse(text).unwrap();
        assert_eq!(mailbox.address.as_str(), "a@x");
        assert_eq!(mailbox.name, r#"Doe, "J" <b@y>, c@z"#);
        assert_eq!(mailbox.to_string(), text);
    }

    #[test]
    fn b02_r02_r05_what_could_be_read_as_more_than_one_is_refused() {
        for text in [
            "",
            "a@x,b@y",
            "a@x, b@y",
            "a@x;b@y",
            "a@x, B <b@y>",
            "A <a@x>, B <b@y>",
            "A <a@x> <b@y>",
            "x <y> <a@b>",
            "A, B <a@x>",
            "Fun (Run) <a@x>",
            "Fun: Run <a@x>",
            "Fun; Run <a@x>",
            "Fun@Run <a@x>",
            "Fun [Run] <a@x>",
            "\"A\" b@y <a@x>",
            "\"A <a@x>",
            "\"A\\\" <a@x>",
            "A <a@x",
            "a@x>",
            "A <a@x>\r\nBcc: b@y",
            "A\r\nBcc: b@y <a@x>",
            "A\u{2028} <a@x>",
            "A <a@x\0>",
            "A\0 <a@x>",
            "A <>",
        ] {
            assert!(Mailbox::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn d07_a_header_has_an_ascii_name_and_domain() {
        for (text, header) in [
            ("Fun Run <a@b>", "Fun Run <a@b>"),
            ("\"Run, Fun\" <a@b>", "\"Run, Fun\" <a@b>"),
            (
                "Grüße <a@münchen.example>",
                "=?UTF-8?B?R3LDvMOfZQ==?= <a@xn--mnchen-3ya.example>",
            ),
            ("\"Grüße, alle\" <a@b>", "=?UTF-8?B?R3LDvMOfZSwgYWxsZQ==?= <a@b>"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        ] {
            assert_eq!(Mailbox::parse(text).unwrap().to_header(), header);
        }
    }
}
