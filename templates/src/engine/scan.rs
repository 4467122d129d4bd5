//! Where the tags of a handlebars text begin and end, exactly as the parser will read them.
//!
//! The parser recurses for what lies inside each other, and a stack that overflows ends the process (M08). So depth is
//! judged before it parses, by this scanner, and the two must agree: where a text could be read in two ways, such as a
//! quote inside brackets, it is refused.

/// Parentheses inside one tag.
const MAX_PARENTHESES: usize = 8;
/// Steps of one path, such as the two of `user.name`.
const MAX_PATH: usize = 32;
/// Backslashes in a row; the parser's time grows with their square.
const MAX_BACKSLASHES: usize = 64;

/// What is wrong, and at which offset.
pub(super) type Wrong = (usize, String);

/// A piece of the text that is more than text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A comment, a block of raw text, or braces that a backslash quotes: no tag inside it is one.
    Literal,
    /// A tag, from its braces to its braces.
    Tag(&'a str),
}

/// The first piece at or after `from`: where it starts, what it is, and where the text goes on.
pub(super) fn next_piece(text: &str, from: usize) -> Result<Option<(usize, Piece<'_>, usize)>, Wrong> {
    let Some(start) = text[from..].find("{{").map(|found| from + found) else {
        return Ok(None);
    };
    let rest = &text[start..];
    let (piece, end) = if let Some(after) = quoted(text, start) {
        (Piece::Literal, after)
    } else if rest.starts_with("{{!") {
        (Piece::Literal, comment_end(text, start)?)
    } else if rest.starts_with("{{{{") {
        (Piece::Literal, raw_block_end(text, start)?)
    } else {
        let end = tag_end(text, start)?;
        (Piece::Tag(&text[start..end]), end)
    };
    Ok(Some((start, piece, end)))
}

/// The first row of backslashes that is too long.
pub(super) fn long_backslashes(text: &str) -> Option<Wrong> {
    let row = "\\".repeat(MAX_BACKSLASHES + 1);
    let start = text.find(&row)?;
    let message = format!("More than {MAX_BACKSLASHES} backslashes in a row are too many.");
    Some((start, message))
}

/// Where the text goes on after braces that a backslash quotes. Of two backslashes the first quotes the second.
fn quoted(text: &str, start: usize) -> Option<usize> {
    let before = &text[..start];
    let quotes = before.ends_with('\\') && !before.ends_with("\\\\");
    quotes.then(|| start + if text[start..].starts_with("{{{{") { 4 } else { 2 })
}

fn comment_end(text: &str, start: usize) -> Result<usize, Wrong> {
    let inner = start + "{{!".len();
    let dashes = text[inner..].trim_start_matches(is_space);
    // The parser would look for the end of a long comment up to the end of the text, and then for that of a short one.
    let (note, end) = match dashes.strip_prefix("--") {
        Some(note) => (note, "--}}"),
        None => (&text[inner..], "}}"),
    };
    match note.find(end) {
        Some(found) => Ok(text.len() - note.len() + found + end.len()),
        None => Err((
            start,
            format!("This comment is never closed: write {end} after it."),
        )),
    }
}

fn raw_block_end(text: &str, start: usize) -> Result<usize, Wrong> {
    let wrong = || {
        let message = "Four braces belong to raw text only: {{{{raw}}}} … {{{{/raw}}}}.";
        (start, message.to_owned())
    };
    let mut at = four_braces(text, start, "").ok_or_else(wrong)?;
    while let Some(found) = text[at..].find("{{{{").map(|found| at + found) {
        match quoted(text, found) {
            Some(after) => at = after,
            None => return four_braces(text, found, "/").ok_or_else(wrong),
        }
    }
    Err(wrong())
}

/// The end of `{{{{name}}}}` at `start`, with `mark` before the name.
fn four_braces(text: &str, start: usize, mark: &str) -> Option<usize> {
    let inner = text[start..].strip_prefix("{{{{")?.strip_prefix(mark)?;
    let (name, _) = inner.split_once("}}}}")?;
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    plain.then(|| start + "{{{{".len() + mark.len() + name.len() + "}}}}".len())
}

fn tag_end(text: &str, start: usize) -> Result<usize, Wrong> {
    let wrong = |message: String| Err((start, message));
    let inside = text[start + 2..].trim_start_matches(|c| c == '~' || is_space(c));
    let inside = inside.strip_prefix('{').unwrap_or(inside);
    let named = inside.trim_start_matches(|c| matches!(c, '#' | '~') || is_space(c));
    let is_include = named.starts_with('>');
    let name = named.trim_start_matches(|c| matches!(c, '>' | '/') || is_space(c));
    if named.starts_with(['>', '/']) && name.starts_with('[') {
        // The parser reads on to the end of the text for the end of such a name.
        return wrong("The name of an included template, or of a block, has no brackets.".to_owned());
    }
    let bytes = text.as_bytes();
    let mut at = text.len() - inside.len();
    let mut parentheses: usize = 0;
    let mut steps = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'}' if bytes.get(at) == Some(&b'}') => return Ok(at + 1),
            b'"' | b'\'' => match string_end(text, at, byte) {
                Some(end) if is_include && text[at..end].contains('\\') => {
                    return wrong("The name of an included template has no backslash.".to_owned());
                }
                Some(end) => at = end,
                None => {
                    return wrong(
                        "A text in this tag is never closed: its second quote is missing.".to_owned(),
                    );
                }
            },
            b'[' => match bracket_end(text, at) {
                Some(end) => at = end,
                None => {
                    return wrong(
                        "This cannot be read as a tag: brackets hold one plain name, [like this].".to_owned(),
                    );
                }
            },
            b'{' => return wrong("This cannot be read as a tag: it has a brace inside.".to_owned()),
            b'(' => {
                parentheses += 1;
                steps = 0;
            }
            b')' => parentheses = parentheses.saturating_sub(1),
            b'.' | b'/' => steps += 1,
            b' ' | b'\t' | b'\r' | b'\n' | b'=' | b'|' => steps = 0,
            _ => {}
        }
        if parentheses > MAX_PARENTHESES {
            return wrong(format!(
                "More than {MAX_PARENTHESES} parentheses inside each other are too many."
            ));
        }
        if steps > MAX_PATH {
            return wrong(format!("A path of more than {MAX_PATH} steps is too long."));
        }
    }
    wrong("This tag is opened with `{{` and never closed with `}}`.".to_owned())
}

/// The offset after the quote that ends a text which began before `from`.
fn string_end(text: &str, from: usize, quote: u8) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(from) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The offset after `]`. The parser reads brackets as a list of texts and, if they are none, as a name: only what ends at
/// the same place both ways is let through.
fn bracket_end(text: &str, from: usize) -> Option<usize> {
    let end = from + text[from..].find(']')?;
    let inner = &text[from..end];
    let mut at = 0;
    while let Some(found) = inner[at..]
        .find(['"', '\'', '[', '{', '(', '\\'])
        .map(|found| at + found)
    {
        match inner.as_bytes()[found] {
            quote @ (b'"' | b'\'') => at = string_end(inner, found + 1, quote)?,
            _ => return None,
        }
    }
    Some(end + 1)
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(text: &str) -> Vec<&str> {
        let mut tags = Vec::new();
        let mut at = 0;
        while let Some((_, piece, end)) = next_piece(text, at).expect(text) {
            if let Piece::Tag(tag) = piece {
                tags.push(tag);
            }
            at = end;
        }
        tags
    }

    #[test]
    fn tags_end_where_the_parser_ends_them() {
        for (text, expected) in [
            ("a {{ b }} {{{ c }}}", vec!["{{ b }}", "{{{ c }}"]),
            (
                r#"{{default a "}} \" ("}}{{b}}"#,
                vec![r#"{{default a "}} \" ("}}"#, "{{b}}"],
            ),
            ("\\{{ a }} {{b}} \\\\{{c}}", vec!["{{b}}", "{{c}}"]),
            ("\\{{{{a}}}} {{b}}", vec!["{{b}}"]),
            ("{{!-- }} {{a}} --}}{{b}}", vec!["{{b}}"]),
            ("{{! -- {{a}} --}}{{b}}", vec!["{{b}}"]),
            ("{{!--}}{{a}}--}}{{b}}", vec!["{{b}}"]),
            ("{{#each [a b]}}{{/each}}", vec!["{{#each [a b]}}", "{{/each}}"]),
            ("{{! }}{{b}}", vec!["{{b}}"]),
            ("{{{{raw}}}}{{a}} \\{{{{/raw}}}}{{{{/raw}}}}{{b}}", vec!["{{b}}"]),
            ("{{~{ a }~}}{{ [b c] }}", vec!["{{~{ a }~}}", "{{ [b c] }}"]),
            ("{{#each [\"a\", 'b']}}", vec!["{{#each [\"a\", 'b']}}"]),
        ] {
            assert_eq!(tags(text), expected, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for text in [
            "{{len [\"a]\" (]}}",
            "{{len [a[b]]}}",
            "{{len [a\"b]}}",
            "{{len {\"a\": 1}}}",
            "{{default a \"b}}",
            "{{> 'a\\'b'}}",
            "{{{{raw (len a)}}}}{{{{/raw}}}}",
            "{{{{raw}}}}{{{{x}}}}{{{{/raw}}}}",
            "{{ a",
            "{{!-- a }}",
            "{{! a",
            "{{> [a]}}",
            "{{#>\n[a]}}",
            "{{~> [a]}}",
            "{{/ [a]}}",
        ] {
            assert!(next_piece(text, 0).is_err(), "{text}");
        }
    }
}
