//! How blocks lie inside each other, checked on the text before the parser sees it.
//!
//! The parser and the renderer recurse, and a stack that overflows ends the process (M08), so depth has limits. What
//! is never closed is found here too, because only here the place of its beginning is known.

use super::scan::{Piece, Wrong, long_backslashes, next_piece};

/// Blocks inside blocks. An `{{else if}}` counts as one: each is a level of its own in the tree.
const MAX_BLOCKS: usize = 48;
/// Tags in one file.
const MAX_TAGS: usize = 3000;

/// Where tags, comments and raw texts begin and end.
pub(super) type Tags = Vec<(usize, usize)>;

/// The tags of a text whose blocks are in order, or the first thing that is wrong with it.
pub(super) fn check(text: &str) -> Result<Tags, Wrong> {
    if let Some(wrong) = long_backslashes(text) {
        return Err(wrong);
    }
    let mut blocks = Blocks::default();
    let mut at = 0;
    let mut tags = Tags::new();
    while let Some((start, piece, end)) = next_piece(text, at)? {
        at = end;
        tags.push((start, end));
        let wrong = match piece {
            _ if tags.len() > MAX_TAGS => {
                Some(format!("More than {MAX_TAGS} tags are too many for one file."))
            }
            Piece::Tag(tag) => blocks.follow(tag, start),
            Piece::Literal => None,
        };
        if let Some(message) = wrong {
            return Err((start, message));
        }
    }
    let Some(unclosed) = blocks.open.pop() else {
        return Ok(tags);
    };
    let message = format!(
        "This block is never closed: write {{{{/{}}}}} after it.",
        unclosed.name
    );
    Err((unclosed.start, message))
}

#[derive(Default)]
struct Blocks<'a> {
    open: Vec<Block<'a>>,
    /// The open blocks with their branches.
    depth: usize,
}

struct Block<'a> {
    name: &'a str,
    start: usize,
    branches: usize,
}

impl<'a> Blocks<'a> {
    /// Opens, closes or branches the innermost block, as `tag` says.
    fn follow(&mut self, tag: &'a str, start: usize) -> Option<String> {
        let inner = tag.trim_start_matches(['{', '~', ' ', '\t', '\n', '\r']);
        if let Some(block) = inner.strip_prefix('#') {
            let name = block.trim_start_matches(['*', '>', ' ']);
            let name = name.split([' ', '~', '}', '\n', '\t']).next().unwrap_or_default();
            self.open.push(Block {
                name,
                start,
                branches: 0,
            });
            self.depth += 1;
        } else if inner.starts_with('/') {
            let Some(closed) = self.open.pop() else {
                return Some("This closes a block, and none is open here.".to_owned());
            };
            self.depth -= 1 + closed.branches;
        } else if inner.starts_with("else") || inner.starts_with('^') {
            self.open.last_mut()?.branches += 1;
            self.depth += 1;
        }
        (self.depth > MAX_BLOCKS)
            .then(|| format!("More than {MAX_BLOCKS} blocks and branches inside each other are too many."))
    }
}
