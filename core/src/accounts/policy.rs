//! Which passwords are accepted: 8 or more, as is set, to 128 characters of any kind, and none of those that are tried
//! first.
//!
//! NIST SP 800-63B-4, section 3.1.1.2: length and a list of common passwords, no rules of composition, nothing cut off.

use unicode_normalization::UnicodeNormalization;

use crate::{Code, Error, Result};

pub(crate) const SHORTEST: usize = 8;
pub(crate) const LONGEST: usize = 128;

/// What common passwords are made of; digits and signs around a word do not make it uncommon.
const COMMON: &str = include_str!("common_passwords.txt");
/// Rows of keys, and of the alphabet, that fingers run along.
const RUNS: [&str; 8] = [
    "01234567890123456789",
    "09876543210987654321",
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1q2w3e4r5t6z7u8i9o0p1qaz2wsx3edc4rfv5tgb6yhn7ujm",
];

/// A password in the form that is hashed: NFKC, so that the same password typed on another keyboard is the same.
/// `None` when it is too long to be anybody's password.
pub(crate) fn normal(password: &str) -> Option<String> {
    // Counted before it is normalised, which costs time in proportion to the length.
    if password.chars().take(LONGEST + 1).count() > LONGEST {
        return None;
    }
    let password: String = password.nfkc().collect();
    (password.chars().count() <= LONGEST).then_some(password)
}

/// Accepts a new password of `shortest` characters at least, and returns the form that is hashed. `words` are what an attacker knows about
/// the account: its scope, username and address.
pub(crate) fn accept(password: &str, words: &[&str], shortest: i64) -> Result<String> {
    let refused = |text: &str| Err(Error::new(Code::PasswordInvalid, text));
    let shortest = usize::try_from(shortest).unwrap_or(SHORTEST).max(SHORTEST);
    let typed = password.chars().take(shortest).count();
    let Some(password) = normal(password) else {
        return refused("The password is too long: 128 characters at most.");
    };
    // NFKC makes eighteen characters of some: what was typed counts too.
    if typed < shortest || password.chars().count() < shortest {
        return refused(&format!(
            "The password is too short: {shortest} characters at least."
        ));
    }
    if is_common(&password, words) {
        return refused(
            "This password is one of those that are tried first. Choose one that others would not think of, \
             such as four unrelated words.",
        );
    }
    Ok(password)
}

fn is_common(password: &str, words: &[&str]) -> bool {
    let lower = password.to_lowercase();
    if is_repetition(&lower) || RUNS.iter().any(|run| run.contains(&lower)) {
        return true;
    }
    let known = |text: &str| {
        text.len() >= 3 && (COMMON.split_whitespace().any(|word| word == text) || is_about(text, words))
    };
    let core = core_of(&lower);
    let plain = without_leet(&lower);
    [lower.as_str(), core, &plain, core_of(&plain), &without_leet(core)]
        .into_iter()
        .any(|text| known(text) || half(text).is_some_and(known))
        // A date, or a telephone number.
        || (lower.len() < 12 && lower.bytes().all(|byte| byte.is_ascii_digit() || b" .-/+:".contains(&byte)))
}

/// Whether the text is one of the account's own words, or a part of one.
fn is_about(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| {
        let word = word.to_lowercase();
        let joined = |part: &str| part.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        // An address as a whole, and both of its halves.
        [word.as_str()]
            .into_iter()
            .chain(word.split('@'))
            .any(|part| text == part || text == joined(part))
            || word
                .split(|c: char| !c.is_alphanumeric())
                .any(|part| part == text)
    })
}

/// The text without the digits and signs at its ends.
fn core_of(text: &str) -> &str {
    text.trim_matches(|character: char| !character.is_alphabetic())
}

/// A word written twice is the word.
fn half(text: &str) -> Option<&str> {
    let (first, second) = text.split_at_checked(text.len() / 2)?;
    (first == second).then_some(first)
}

/// One short piece over and over: `aaaaaaaa`, `abababab`, `123123123`.
fn is_repetition(text: &str) -> bool {
    let characters: Vec<char> = text.chars().collect();
    (1..=4).any(|piece| {
        characters
            .iter()
            .zip(characters.iter().skip(piece))
            .all(|(a, b)| a == b)
    })
}

fn without_leet(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 3] = ["Fun Run", "carol", "carol.smith@home.com"];

    #[test]
    fn c16_lengths_are_counted_in_characters_and_nothing_is_cut() {
        for (password, good) in [
            ("xkq7vbn", false),
            ("xkq7vbnw", true),
            ("a mouse in my hat", true),
            ("🦀🐙🦑🐚🪸🐠🐡🦈", true),
            ("xkq7\0vbnw", true),
        ] {
            assert_eq!(accept(password, &WORDS, 8).is_ok(), good, "{password:?}");
        }
        let long: String = (0..200u32)
            .map(|n| char::from_u32(0x4E00 + n * 7).unwrap())
            .collect();
        let cut = |length| long.chars().take(length).collect::<String>();
        assert_eq!(accept(&cut(128), &[], 8).unwrap(), cut(128));
        assert_eq!(
            accept(&cut(129), &[], 8).unwrap_err().code(),
            Code::PasswordInvalid
        );
        assert!(accept(&"x7".repeat(500_000), &[], 8).is_err());
        // One character that NFKC makes eighteen of.
        assert!(accept("\u{FDFA}", &[], 8).is_err());
        assert!(accept(&"\u{FDFA}".repeat(20), &[], 8).is_err());
    }

    #[test]
    fn c17_one_password_in_all_its_normal_forms() {
        let composed = accept("café à la crème", &[], 8).unwrap();
        assert_eq!(
            accept("cafe\u{301} a\u{300} la cre\u{300}me", &[], 8).unwrap(),
            composed
        );
        assert_eq!(normal("ｐａｓｓ").unwrap(), "pass");
    }

    #[test]
    fn c18_what_is_tried_first_is_refused() {
        for password in [
            "password",
            "Password1!",
            "P@ssw0rd",
            "passwordpassword",
            "12345678",
            "123456789012",
            "87654321",
            "aaaaaaaaaa",
            "abcabcabc",
            "qwertyui",
            "QWERTYUIOP",
            "1qaz2wsx",
            "iloveyou2024",
            "letmein123",
            "sunshine!!",
            "football99",
            "20011231",
            "coronet123",
            "Coronium1",
            "funrun2026",
            "carol1234",
            "smith12345",
            "carolcarol",
            "carol.smith@home.com",
            "Carol.Smith@home.com!",
            "homecom.",
            "carolsmith",
            "carolsmithhomecom",
        ] {
            let refused = accept(password, &WORDS, 8).unwrap_err();
            assert_eq!(refused.code(), Code::PasswordInvalid, "{password}");
        }
    }

    #[test]
    fn c18_no_rules_of_composition() {
        for password in [
            "correct horse battery",
            "threnodyx",
            "kühlschrankmaus",
            "tz4-9kf-2mw",
        ] {
            assert!(accept(password, &WORDS, 8).is_ok(), "{password}");
        }
    }
}
