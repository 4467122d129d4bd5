//! Forms of text.

use unicode_normalization::{UnicodeNormalization, is_nfc_quick};

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
