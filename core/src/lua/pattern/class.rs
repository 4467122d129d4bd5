//! Sets of bytes: `%a`, `[^a-z]`.

/// A set of bytes, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Class([u64; 4]);

impl Class {
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] & (1 << (byte & 63)) != 0
    }

    fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    fn add_all(&mut self, other: Self) {
        for (mine, others) in self.0.iter_mut().zip(other.0) {
            *mine |= others;
        }
    }

    fn inverted(self) -> Self {
        Self(self.0.map(|bits| !bits))
    }

    fn of(belongs: impl Fn(u8) -> bool) -> Self {
        let mut class = Self::default();
        (0..=u8::MAX)
            .filter(|&byte| belongs(byte))
            .for_each(|byte| class.add(byte));
        class
    }

    /// The class that `%` and this letter stand for; in upper case all other bytes. None for a letter without meaning.
    pub(super) fn named(letter: u8) -> Option<Self> {
        let class = match letter.to_ascii_lowercase() {
            b'a' => Self::of(|byte| byte.is_ascii_alphabetic()),
            b'c' => Self::of(|byte| byte.is_ascii_control()),
            b'd' => Self::of(|byte| byte.is_ascii_digit()),
            b'g' => Self::of(|byte| byte.is_ascii_graphic()),
            b'l' => Self::of(|byte| byte.is_ascii_lowercase()),
            b'p' => Self::of(|byte| byte.is_ascii_punctuation()),
            // The C library's isspace, which has the vertical tab too.
            b's' => Self::of(|byte| matches!(byte, b' ' | b'\t'..=b'\r')),
            b'u' => Self::of(|byte| byte.is_ascii_uppercase()),
            b'w' => Self::of(|byte| byte.is_ascii_alphanumeric()),
            b'x' => Self::of(|byte| byte.is_ascii_hexdigit()),
            b'z' => Self::of(|byte| byte == 0),
            _ => return None,
        };
        Some(if letter.is_ascii_uppercase() {
            class.inverted()
        } else {
            class
        })
    }

    /// The class in brackets at the start of `pattern`, and its length there. None when the brackets are not closed.
    pub(super) fn bracketed(pattern: &[u8]) -> Option<(Self, usize)> {
        let inverts = pattern.get(1) == Some(&b'^');
        let first = 1 + usize::from(inverts);
        let end = closing(pattern, first)?;
        let members = pattern.get(first..end)?;
        let mut class = Self::default();
        let mut at = 0;
        while let Some(&byte) = members.get(at) {
            match (byte, members.get(at + 1), members.get(at + 2)) {
                (b'%', Some(&escaped), _) => {
                    match Self::named(escaped) {
                        Some(named) => class.add_all(named),
                        None => class.add(escaped),
                    }
                    at += 2;
                }
                (from, Some(b'-'), Some(&to)) => {
                    (from..=to).for_each(|byte| class.add(byte));
                    at += 3;
                }
                (byte, ..) => {
                    class.add(byte);
                    at += 1;
                }
            }
        }
        Some((if inverts { class.inverted() } else { class }, end + 1))
    }
}

/// Where the `]` is that closes the brackets. The first character inside is a member, whatever it is.
fn closing(pattern: &[u8], first: usize) -> Option<usize> {
    let mut at = first;
    loop {
        at += if *pattern.get(at)? == b'%' { 2 } else { 1 };
        if *pattern.get(at)? == b']' {
            return Some(at);
        }
    }
}
