//! Rules for single characters, and texts in headers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Lower case, for letters whose lower and upper case are one pair and nothing else: so `İ`, `K` (Kelvin)
/// and `ẞ` stay what they are, and never become `i`, `k` or `ss`.
pub fn fold(text: &str) -> String {
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

/// Whether a text that belongs on one line has a character that could break the line or end the text: a control
/// character (NUL, CR, LF, and the like), or Unicode's own line and paragraph separators.
pub fn has_control(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}'))
}

/// Characters that are not seen, or change how others are seen: soft hyphen, zero-width, direction and
/// variation marks, tags.
pub fn is_invisible(character: char) -> bool {
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

/// Characters that mean something else to every system, or nothing: private use, and noncharacters.
pub(crate) fn is_private(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0xE000..=0xF8FF | 0xFDD0..=0xFDEF | 0xF0000..) || code & 0xFFFE == 0xFFFE
}

/// A text as it may stand in a header (RFC 2047): unchanged when it is ASCII, else as encoded words with a space
/// between them. Each word holds whole characters and has at most 75 bytes.
pub fn encoded_words(text: &str) -> String {
    const START: &str = "=?UTF-8?B?";
    const END: &str = "?=";
    /// What base64 makes 60 characters of, so that a word has 72.
    const MOST: usize = 45;
    // A text that looks like an encoded word would be read as one.
    if text.is_ascii() && !text.contains("=?") {
        return text.to_owned();
    }
    let mut words: Vec<String> = Vec::new();
    let mut part = String::new();
    for character in text.chars() {
        if part.len() + character.len_utf8() > MOST {
            words.push(std::mem::take(&mut part));
        }
        part.push(character);
    }
    words.push(part);
    let words: Vec<String> = words
        .iter()
        .map(|part| format!("{START}{}{END}", STANDARD.encode(part)))
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d07_words_are_encoded_whole_and_short() {
        assert_eq!(encoded_words("Fun Run"), "Fun Run");
        assert_eq!(encoded_words("Grüße"), "=?UTF-8?B?R3LDvMOfZQ==?=");
        assert_eq!(
            encoded_words("=?UTF-8?B?eA==?="),
            "=?UTF-8?B?PT9VVEYtOD9CP2VBPT0/PQ==?="
        );
        let long = encoded_words(&"ñandú ".repeat(30));
        for word in long.split(' ') {
            assert!(word.len() <= 75 && word.is_ascii(), "{word}");
            let inner = word
                .strip_prefix("=?UTF-8?B?")
                .unwrap()
                .strip_suffix("?=")
                .unwrap();
            assert!(String::from_utf8(STANDARD.decode(inner).unwrap()).is_ok());
        }
    }

    #[test]
    fn a_line_is_broken_by_more_than_line_feeds() {
        for text in ["a\0", "a\r", "a\n", "a\u{85}", "a\u{2028}", "\u{1b}[2J", "\u{7f}"] {
            assert!(has_control(text), "{text:?}");
        }
        assert!(!has_control("Grüße, 用户 🦀"));
    }
}
