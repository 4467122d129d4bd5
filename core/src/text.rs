//! Text as it comes in: one form of each character, and no byte order mark.

use std::fmt::Display;

use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

/// What some editors put in front of UTF-8 text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text with its characters composed (Unicode NFC). `é` may be one character or an `e` with an accent behind it: what
/// is stored and looked up by name has one of the two.
pub fn nfc(text: &str) -> String {
    if is_nfc_quick(text.chars()) == unicode_normalization::IsNormalized::Yes {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// The text with its characters taken apart (Unicode NFD), as some systems write the names of files.
pub fn nfd(text: &str) -> String {
    text.nfd().collect()
}

/// The text without a byte order mark at its start: it is no part of the text (D11).
pub fn without_byte_order_mark(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// As [`without_byte_order_mark`], of bytes that must be UTF-8.
///
/// # Errors
/// When they are not.
pub fn from_file(bytes: Vec<u8>) -> Result<String, std::string::FromUtf8Error> {
    String::from_utf8(bytes).map(without_mark)
}

/// As [`without_byte_order_mark`], of a text that is owned.
pub fn without_mark(mut text: String) -> String {
    if text.starts_with(BYTE_ORDER_MARK) {
        text.drain(..BYTE_ORDER_MARK.len_utf8());
    }
    text
}

/// A number with its noun: `1 change`, `2 changes`.
pub fn counted<N: Display + PartialEq + From<u8>>(number: N, one: &str, many: &str) -> String {
    let noun = if number == N::from(1) { one } else { many };
    format!("{number} {noun}")
}

/// Sentences that were put together, each with one end: a reason that was put into a sentence may be one itself, and end
/// in a period of its own.
pub fn sentences(text: String) -> String {
    let is_doubled = |at: usize| {
        let mut before = text[..at].chars().rev();
        let (last, word) = (before.next(), before.next());
        let after = text[at + 1..].chars().next();
        matches!(last, Some('.' | '!' | '?' | '…'))
            // `..` may be a folder, and `...` is meant.
            && word.is_some_and(|c| !c.is_whitespace() && !matches!(c, '.' | '/' | '\\' | '`' | '"'))
            && after.is_none_or(char::is_whitespace)
    };
    if !text.match_indices('.').any(|(at, _)| is_doubled(at)) {
        return text;
    }
    let kept = text.char_indices().filter(|&(at, c)| c != '.' || !is_doubled(at));
    kept.map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ux33_a_sentence_ends_once_and_other_periods_stay() {
        for (text, expected) in [
            ("It failed: The disk is full..", "It failed: The disk is full."),
            ("It failed: no!. Try again.", "It failed: no! Try again."),
            ("One: two.. Three: four?.", "One: two. Three: four?"),
            ("Wait…. Go on.", "Wait… Go on."),
            ("The path ../x leads out.", "The path ../x leads out."),
            ("`..` and \"..\" are no names.", "`..` and \"..\" are no names."),
            ("Well... yes.", "Well... yes."),
            ("a .. b", "a .. b"),
            ("1..2", "1..2"),
            ("", ""),
        ] {
            assert_eq!(sentences(text.to_owned()), expected);
        }
    }

    #[test]
    fn ux36_one_is_singular() {
        assert_eq!(counted(1, "mail waits", "mails wait"), "1 mail waits");
        assert_eq!(counted(0_u64, "mail", "mails"), "0 mails");
        assert_eq!(counted(2_i64, "mail", "mails"), "2 mails");
    }

    #[test]
    fn d11_only_a_mark_at_the_start_is_taken_away() {
        for (text, expected) in [
            ("\u{feff}return 1", "return 1"),
            ("a\u{feff}", "a\u{feff}"),
            ("", ""),
        ] {
            assert_eq!(without_byte_order_mark(text), expected);
            assert_eq!(from_file(text.as_bytes().to_vec()).unwrap(), expected);
        }
        from_file(vec![0xff]).unwrap_err();
    }
}
