//! Who a mail is from and to: an address with an optional display name.

use std::fmt;

use crate::address::EmailAddress;
use crate::{Code, Error, Result};

const LONGEST_NAME: usize = 200;

/// One recipient or sender, read from `a@b` or `Name <a@b>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) name: String,
    pub(super) address: EmailAddress,
}

impl Mailbox {
    /// Reads exactly one mailbox. A name with a comma or the like must be in quotes, so that no reader can
    /// take one recipient for two (M03).
    pub(super) fn parse(text: &str) -> Result<Self> {
        let text = text.trim_matches(' ');
        if text.chars().any(char::is_control) {
            return Err(refused("it has a line break or another control character"));
        }
        let Some(rest) = text.strip_suffix('>') else {
            return Ok(Self {
                name: String::new(),
                address: EmailAddress::parse(text)?,
            });
        };
        let Some((name, address)) = rest.rsplit_once('<') else {
            return Err(refused("it has a > without a <"));
        };
        let name = read_name(name.trim_matches(' '))?;
        if name.chars().count() > LONGEST_NAME {
            return Err(refused("the name is longer than 200 characters"));
        }
        Ok(Self {
            name,
            address: EmailAddress::parse(address)?,
        })
    }
}

fn refused(why: &str) -> Error {
    Error::new(
        Code::MailAddress,
        format!("This is not a valid recipient or sender: {why}."),
    )
}

/// A display name: words, or a text in quotes in which a backslash takes the next character as it is.
fn read_name(text: &str) -> Result<String> {
    let Some(quoted) = text.strip_prefix('"') else {
        if text.chars().any(is_special) {
            return Err(refused(
                "a name with , ; : @ < > \" ( ) [ ] or \\ must be in quotes",
            ));
        }
        return Ok(text.to_owned());
    };
    let mut name = String::new();
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => name.extend(characters.next()),
            '"' if characters.as_str().is_empty() => return Ok(name),
            '"' => return Err(refused("there is text after the quoted name")),
            other => name.push(other),
        }
    }
    Err(refused("a quote is not closed"))
}

/// RFC 5322's specials, without the dot, which names have ("John Q. Public").
fn is_special(character: char) -> bool {
    "()<>[]:;@\\,\"".contains(character)
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.name.is_empty() {
            return write!(f, "{}", self.address);
        }
        if !self.name.chars().any(is_special) {
            return write!(f, "{} <{}>", self.name, self.address);
        }
        f.write_str("\"")?;
        for character in self.name.chars() {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        write!(f, "\" <{}>", self.address)
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
    fn r02_r05_what_could_be_read_as_more_than_one_is_refused() {
        for text in [
            "",
            "a@x,b@y",
            "a@x, b@y",
            "a@x;b@y",
            "a@x, B <b@y>",
            "A <a@x>, B <b@y>",
            "A <a@x> <b@y>",
            "A, B <a@x>",
            "\"A\" b@y <a@x>",
            "\"A <a@x>",
            "\"A\\\" <a@x>",
            "A <a@x",
            "a@x>",
            "A <a@x>\r\nBcc: b@y",
            "A\r\nBcc: b@y <a@x>",
            "A <a@x\0>",
            "A <>",
        ] {
            let error = Mailbox::parse(text).unwrap_err();
            assert_eq!(error.code(), Code::MailAddress, "{text:?}");
        }
    }
}
