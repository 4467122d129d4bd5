//! The text of a token, after the form GitHub made common: prefix, randomness, checksum.

use sha2::{Digest, Sha256};

use crate::random;

const PREFIX: &str = "cor_";
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// 30 characters of 62 are 178 bits.
const RANDOM: usize = 30;
/// A CRC32 in base 62 fits in six characters.
const CHECKSUM: usize = 6;

pub(super) fn generate() -> String {
    let mut body = String::with_capacity(RANDOM);
    while body.len() < RANDOM {
        // Bytes past the last whole multiple of 62 are thrown away, so that every character is as likely.
        let fresh = random::bytes::<64>();
        let fair = fresh.iter().filter(|byte| **byte < 248);
        body.extend(
            fair.map(|byte| char::from(ALPHABET[usize::from(byte % 62)]))
                .take(RANDOM - body.len()),
        );
    }
    format!("{PREFIX}{body}{}", checksum(&body))
}

/// Whether a text can be a token at all; says nothing about whether it is one.
pub(super) fn is_well_formed(token: &str) -> bool {
    let Some(rest) = token.strip_prefix(PREFIX) else {
        return false;
    };
    rest.len() == RANDOM + CHECKSUM
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && checksum(&rest[..RANDOM]) == rest[RANDOM..]
}

pub(super) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

pub(super) fn hint(token: &str) -> String {
    format!("{PREFIX}…{}", &token[token.len() - 4..])
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes()) as usize;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[rest % 62];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w14_a_token_with_any_character_changed_is_refused_without_a_look_up() {
        let token = generate();
        assert!(is_well_formed(&token), "{token}");
        for at in PREFIX.len()..token.len() {
            let other = if &token[at..=at] == "x" { "y" } else { "x" };
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            assert!(!is_well_formed(&changed), "{changed}");
        }
        for wrong in ["", "cor_", "cor_é", &token[1..], &format!("{token}x")] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }
}
