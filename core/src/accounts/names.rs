//! What scopes, users and groups may be called.

use serde_json::json;
use unicode_normalization::UnicodeNormalization;

use crate::address::{fold, is_invisible};
use crate::{Code, Error, Result};

const LONGEST_SCOPE: usize = 64;
const LONGEST_USERNAME: usize = 128;
const LONGEST_GROUP: usize = 64;

/// A scope's name, in the one form it is stored and looked up in.
pub(super) fn scope(name: &str) -> Result<String> {
    checked("name", "A scope's name", name, LONGEST_SCOPE)
}

/// A group's name.
pub(super) fn group(name: &str) -> Result<String> {
    checked("group", "A group's name", name, LONGEST_GROUP)
}

/// A username, as it is shown.
pub(super) fn username(name: &str) -> Result<String> {
    checked("username", "A username", name, LONGEST_USERNAME)
}

/// The form in which usernames are compared: without case, and with one form for characters that are the same
/// but for their width or style, so that nobody can take a name that only looks new.
pub(crate) fn username_key(name: &str) -> String {
    fold(&name.nfkc().collect::<String>())
}

fn checked(parameter: &str, what: &str, name: &str, longest: usize) -> Result<String> {
    let wrong = |text: String| {
        Err(Error::new(Code::ParameterInvalid, format!("{what} {text}."))
            .with_details(json!({ "parameter": parameter })))
    };
    // Counted before it is normalised, which costs time in proportion to the length.
    if name.chars().take(longest + 1).count() > longest {
        return wrong(format!("may have {longest} characters at most"));
    }
    let name: String = name.nfc().collect();
    if name.is_empty() {
        return wrong("must not be empty".to_owned());
    }
    // No browser lets a page of that name be opened.
    if name == "." || name == ".." {
        return wrong("must not be only dots".to_owned());
    }
    if name.trim() != name {
        return wrong("must not start or end with a space".to_owned());
    }
    if name
        .chars()
        .any(|character| character.is_control() || is_invisible(character))
    {
        return wrong("must not have line breaks or characters that are not seen".to_owned());
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r18_names_that_cannot_be_seen_for_what_they_are_are_refused() {
        for name in ["", ".", "..", " a", "a ", "a\0", "a\nb", "a\u{202E}b", "\u{200B}"] {
            assert_eq!(
                scope(name).unwrap_err().code(),
                Code::ParameterInvalid,
                "{name:?}"
            );
        }
        assert!(username(&"a".repeat(129)).is_err());
        assert_eq!(scope("Fun Run").unwrap(), "Fun Run");
        assert_eq!(group("e\u{301}").unwrap(), "é");
    }

    #[test]
    fn usernames_that_look_the_same_are_the_same() {
        assert_eq!(username_key("Carol"), username_key("carol"));
        assert_eq!(username_key("Ｃarol"), username_key("carol"));
        assert_ne!(username_key("carol"), username_key("carola"));
    }
}
