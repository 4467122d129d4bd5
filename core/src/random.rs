//! Randomness from the operating system.

/// Bytes no one can guess.
///
/// # Panics
/// When the operating system has no randomness to give; nothing safe could be done without it.
#[expect(
    clippy::expect_used,
    reason = "without randomness no token may be made at all"
)]
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// An identifier such as `usr_01jd…`: the prefix, then a UUID version 7, which sorts by time.
pub fn id(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::now_v7().simple())
}
