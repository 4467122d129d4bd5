//! Text that both databases can store.

use std::borrow::Cow;

/// PostgreSQL stores no NUL in a text. Text from code, from plugins or from outside goes through here where it enters: one
/// such character would make the whole statement fail, on every attempt (B01).
pub fn storable(text: impl Into<String>) -> String {
    let text = text.into();
    match text.contains('\0') {
        true => text.replace('\0', "\u{fffd}"),
        false => text,
    }
}

/// Whether both databases can store the text as it is.
pub(crate) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

/// The text as lists search in it: case folded and in one form (NFKC), by the same rule on both databases. A database
/// would fold by its own locale, and SQLite folds ASCII only (D08).
pub fn search_key(text: &str) -> String {
    let text: Cow<'_, str> = match text.is_ascii() {
        true => text.into(),
        false => unicode_normalization::UnicodeNormalization::nfkc(text)
            .collect::<String>()
            .into(),
    };
    // The Greek sigma has two small forms, which are one letter.
    crate::address::fold(&text).replace('ς', "σ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b01_only_the_nul_character_is_replaced() {
        assert_eq!(storable("done\0"), "done\u{fffd}");
        assert_eq!(storable("a\tb\u{1}ä"), "a\tb\u{1}ä");
    }

    #[test]
    fn d08_case_and_composition_make_no_difference() {
        assert_eq!(search_key("Ärger-Bericht"), search_key("ÄRGER-bericht"));
        assert_eq!(search_key("A\u{308}rger"), search_key("ärger"));
        assert_eq!(search_key("ОТЧЁТ"), "отчёт");
        assert_eq!(search_key("ΑΡΧΕΙΟΣ"), search_key("αρχειος"));
    }
}
