//! Lua cut into words and signs, without comments and strings: as much as is needed to see which names are written.

use super::lint::Finding;

/// A word or a sign of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'s> {
    pub text: &'s str,
    line: usize,
    column: usize,
}

impl Token<'_> {
    pub fn is_name(&self) -> bool {
        self.text
            .starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    }

    pub fn finding(&self, message: String) -> Finding {
        Finding {
            line: self.line,
            column: self.column,
            message,
        }
    }
}

/// The words and signs. Of code that is not Lua as many as can be made out.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let (mut rest, mut line, mut column) = (source, 1, 1);
    while let Some(first) = rest.chars().next() {
        let length = length(rest, first);
        let (text, after) = rest.split_at(length);
        if !(first.is_whitespace() || is_quiet(text)) {
            tokens.push(Token { text, line, column });
        }
        match text.rfind('\n') {
            Some(at) => {
                line += text.matches('\n').count();
                column = text[at + 1..].chars().count() + 1;
            }
            None => column += text.chars().count(),
        }
        rest = after;
    }
    tokens
}

/// Whether it is a comment or a string.
fn is_quiet(text: &str) -> bool {
    text.starts_with("--") || text.starts_with(['"', '\'', '`']) || long_bracket(text).is_some()
}

fn length(rest: &str, first: char) -> usize {
    if let Some(comment) = rest.strip_prefix("--") {
        return match long_bracket(comment) {
            Some(length) => 2 + length,
            None => rest.find('\n').unwrap_or(rest.len()),
        };
    }
    match first {
        '"' | '\'' | '`' => string(rest, first),
        '[' => long_bracket(rest).unwrap_or(1),
        '=' if rest.starts_with("==") => 2,
        '.' if rest.starts_with("...") => 3,
        '.' if rest.starts_with("..") => 2,
        _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
        _ => first.len_utf8(),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// How long a string in quotes is; one that is not closed ends with its line.
fn string(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            '\n' if quote != '`' => return at,
            _ => {}
        }
    }
    rest.len()
}

/// How long a text in brackets such as `[[ … ]]` or `[==[ … ]==]` is, when one begins here.
fn long_bracket(rest: &str) -> Option<usize> {
    let inside = rest.strip_prefix('[')?;
    let level = inside.len() - inside.trim_start_matches('=').len();
    inside[level..].strip_prefix('[')?;
    let closing = format!("]{}]", "=".repeat(level));
    Some(rest.find(&closing).map_or(rest.len(), |at| at + closing.len()))
}
