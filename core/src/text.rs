//! Text as it comes in: one form of each character, and no byte order mark.

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

#[cfg(test)]
mod tests {
    use super::*;

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
