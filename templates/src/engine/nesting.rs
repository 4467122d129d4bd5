//! How blocks lie inside each other, checked on the text before the parser sees it.
//!
//! The parser and the renderer recurse, and a stack that overflows ends the process (M08), so depth has limits. What
//! is never closed is found here too, because only here the place of its beginning is known.

/// Blocks inside blocks.
const MAX_BLOCKS: usize = 48;
/// Parentheses, brackets and braces inside one tag.
const MAX_BRACKETS: usize = 8;
/// `{{else if}}` in one block: each is a level of its own in the tree.
const MAX_ELSE: usize = 48;
/// Tags in one file; the parser's time grows with the square of them.
const MAX_TAGS: usize = 3000;

/// The offset and the words of the first thing that is wrong.
pub(crate) fn check(text: &str) -> Option<(usize, String)> {
    let mut open: Vec<Block<'_>> = Vec::new();
    let mut at = 0;
    let mut tags = 0;
    while let Some(start) = text[at..].find("{{").map(|found| at + found) {
        let rest = &text[start..];
        let length = tag_length(rest);
        at = start + length;
        if is_quoted(&text[..start]) {
            continue;
        }
        tags += 1;
        let tag = &rest[..length];
        let wrong = if tags > MAX_TAGS {
            Some(format!("More than {MAX_TAGS} tags are too many for one file."))
        } else if !is_literal(tag) && brackets(tag) > MAX_BRACKETS {
            Some(format!(
                "More than {MAX_BRACKETS} brackets inside each other are too many."
            ))
        } else {
            follow(tag, start, &mut open)
        };
        if let Some(message) = wrong {
            return Some((start, message));
        }
    }
    let unclosed = open.pop()?;
    Some((
        unclosed.start,
        format!(
            "This block is never closed: write {{{{/{}}}}} after it.",
            unclosed.name
        ),
    ))
}

struct Block<'a> {
    name: &'a str,
    start: usize,
    branches: usize,
}

/// Opens, closes or branches the innermost block, as `tag` says.
fn follow<'a>(tag: &'a str, start: usize, open: &mut Vec<Block<'a>>) -> Option<String> {
    if is_literal(tag) {
        return None;
    }
    let inner = tag.trim_start_matches(['{', '~', ' ', '\t', '\n', '\r']);
    if let Some(block) = inner.strip_prefix('#') {
        let name = block.trim_start_matches(['*', '>', ' ']);
        let name = name.split([' ', '~', '}', '\n', '\t']).next().unwrap_or_default();
        open.push(Block {
            name,
            start,
            branches: 0,
        });
        return (open.len() > MAX_BLOCKS)
            .then(|| format!("More than {MAX_BLOCKS} blocks inside each other are too many."));
    }
    if inner.starts_with('/') {
        return open
            .pop()
            .is_none()
            .then(|| "This closes a block, and none is open here.".to_owned());
    }
    if inner.starts_with("else") || inner.starts_with('^') {
        let block = open.last_mut()?;
        block.branches += 1;
        return (block.branches > MAX_ELSE)
            .then(|| format!("More than {MAX_ELSE} branches in one block are too many."));
    }
    None
}

/// Comments and raw blocks hold text, not tags.
fn is_literal(tag: &str) -> bool {
    tag.starts_with("{{!") || tag.starts_with("{{{{")
}

fn tag_length(rest: &str) -> usize {
    let end = |close: &str| rest.find(close).map(|found| found + close.len());
    let length = if rest.starts_with("{{!--") {
        end("--}}")
    } else if rest.starts_with("{{{{") {
        end("{{{{/").and_then(|inner| rest[inner..].find("}}}}").map(|found| inner + found + 4))
    } else {
        end("}}")
    };
    // At least the two braces are passed, so that the walk moves on.
    length.unwrap_or(2)
}

/// A single backslash quotes a tag; of two, the first quotes the second.
fn is_quoted(before: &str) -> bool {
    before.ends_with('\\') && !before.ends_with("\\\\")
}

fn brackets(tag: &str) -> usize {
    let mut depth: usize = 0;
    let mut deepest = 0;
    for c in tag.trim_start_matches('{').trim_end_matches('}').chars() {
        match c {
            '(' | '[' | '{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}
