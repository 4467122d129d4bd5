//! The original's tags, translated to handlebars.
//!
//! | original | handlebars |
//! | --- | --- |
//! | `{{ key }}` | the same |
//! | `{* key *}` | `{{{ key }}}` |
//! | `{(other.tpl)}` | `{{> 'other.tpl'}}` |
//! | `{(other.tpl, {a = 1})}` | `{{> 'other.tpl' a=1}}` |
//! | `{# note #}` | a comment |
//! | `{-raw-}…{-raw-}` | the text between, as it stands |
//! | `{% lua %}` | refused, with what to write instead |
//!
//! Only complete tags are tags: `{*`, `{(`, `{#`, `{-` and `{%` without their end are text, as they are in style
//! sheets and scripts. One pass over the text, so nothing that a tag produces is read as a tag again.

mod includes;

use super::{
    finder::{self, Finder},
    lua_tags::LuaTags,
    problem::{Lines, MAX_PROBLEMS, Place, Problem, quote},
};

/// A template in handlebars, and the way back to the text it was made from.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) text: String,
    /// What stood between `{-raw-}` fences; the text holds a marker for each, see [`VERBATIM`].
    pub(crate) verbatim: Vec<String>,
    pieces: Vec<Piece>,
    source_lines: Lines,
}

/// Begins the key that stands for a verbatim text: `{{[␀raw0]}}`. A NUL is refused in every template, so no author
/// can write this key, and quoting the text for handlebars is not needed (it cannot quote a `{` before a tag).
pub(crate) const VERBATIM: &str = "\0raw";

/// A stretch of output and the stretch of source it stands for.
#[derive(Debug, Clone, Copy)]
struct Piece {
    output: usize,
    source: usize,
    source_len: usize,
}

impl Translated {
    /// Plain handlebars needs no translation.
    pub(crate) fn verbatim(source: &str) -> Self {
        let whole = Piece {
            output: 0,
            source: 0,
            source_len: source.len(),
        };
        Self {
            text: source.to_owned(),
            verbatim: Vec::new(),
            pieces: vec![whole],
            source_lines: Lines::of(source),
        }
    }

    /// The place in `source` of an offset in the translated text.
    pub(crate) fn place_of(&self, source: &str, offset: usize) -> Place {
        let piece = match self.pieces.partition_point(|piece| piece.output <= offset) {
            0 => return Place::START,
            after => self.pieces[after - 1],
        };
        let offset = piece.source + (offset - piece.output).min(piece.source_len);
        self.source_lines.place(source, offset)
    }
}

/// Translates a `.tpl` text; the mistakes found are in the error, in the order of the text. It ends early, with what
/// was found by then, when no one waits for it any more.
pub(crate) fn translate(
    file: &str,
    source: &str,
    is_cancelled: &dyn Fn() -> bool,
) -> Result<Translated, Vec<Problem>> {
    let mut translator = Translator {
        file,
        source,
        finder: Finder::new(source),
        lines: Lines::of(source),
        out: String::with_capacity(source.len() + 16),
        pieces: Vec::new(),
        verbatim: Vec::new(),
        problems: Vec::new(),
        lua: LuaTags::default(),
    };
    let is_whole = translator.run(is_cancelled);
    if is_whole && translator.problems.is_empty() {
        Ok(Translated {
            source_lines: translator.lines,
            text: translator.out,
            verbatim: translator.verbatim,
            pieces: translator.pieces,
        })
    } else {
        Err(translator.problems)
    }
}

struct Translator<'a> {
    file: &'a str,
    source: &'a str,
    finder: Finder<'a>,
    lines: Lines,
    out: String,
    pieces: Vec<Piece>,
    verbatim: Vec<String>,
    problems: Vec<Problem>,
    lua: LuaTags,
}

impl<'a> Translator<'a> {
    /// False when it ended before the text did.
    fn run(&mut self, is_cancelled: &dyn Fn() -> bool) -> bool {
        let mut text_from = 0;
        let mut at = 0;
        while let Some(brace) = self.source[at..].find('{').map(|found| at + found) {
            if self.problems.len() >= MAX_PROBLEMS || is_cancelled() {
                return false;
            }
            match self.tag(brace) {
                Some(tag) => {
                    self.text(text_from, brace, true);
                    self.emit(brace, tag.end, &tag.output);
                    at = tag.end;
                    text_from = at;
                }
                None => at = brace + 1,
            }
        }
        self.text(text_from, self.source.len(), false);
        true
    }

    /// The tag that starts at `start`, when a complete one does.
    fn tag(&mut self, start: usize) -> Option<Tag> {
        let rest: &'a str = &self.source[start..];
        match rest.as_bytes().get(1)? {
            b'{' => Some(self.handlebars(start)),
            b'*' => self.raw_value(start),
            b'(' => self.include(start),
            b'#' => self.comment(start),
            b'-' => self.verbatim_block(start),
            b'%' => self.lua(start),
            _ => None,
        }
    }

    /// A tag that already is handlebars goes through untouched, so that `{*` inside it is not a tag.
    fn handlebars(&mut self, start: usize) -> Tag {
        let rest: &'a str = &self.source[start..];
        let close = if rest.starts_with("{{!--") {
            "--}}"
        } else if rest.starts_with("{{{{") {
            return self.raw_helper_block(start);
        } else if rest.starts_with("{{{") {
            "}}}"
        } else {
            "}}"
        };
        match self.finder.find(close, start) {
            Some(found) => self.copy(start, found + close.len()),
            None => {
                self.problem(start, "This tag is opened with `{{` and never closed with `}}`.");
                self.copy(start, start + 2)
            }
        }
    }

    /// `{{{{raw}}}} … {{{{/raw}}}}`: everything up to the closing tag is text.
    fn raw_helper_block(&mut self, start: usize) -> Tag {
        let close = self.finder.find("{{{{/", start);
        let end = close.and_then(|close| self.finder.find("}}}}", close));
        let end = end.map(|end| end + "}}}}".len());
        match end {
            Some(end) => self.copy(start, end),
            None => {
                self.problem(
                    start,
                    "This raw block is never closed: write {{{{/raw}}}} after it.",
                );
                self.copy(start, start + 4)
            }
        }
    }

    fn raw_value(&mut self, start: usize) -> Option<Tag> {
        let (inner, end) = self.enclosed(start, "{*", "*}")?;
        if self.has_line_break(start, end) {
            return None;
        }
        let key = inner.trim();
        if !is_key(key) {
            self.problem(
                start,
                format!(
                    "Only the name of a key may stand in {{* … *}}, and `{}` is not one.",
                    quote(key)
                ),
            );
        }
        Some(Tag {
            output: format!("{{{{{{{inner}}}}}}}"),
            end,
        })
    }

    fn comment(&mut self, start: usize) -> Option<Tag> {
        let (inner, end) = self.enclosed(start, "{#", "#}")?;
        // The note's line breaks stay, so that the lines below keep their numbers. Its text stays when it cannot
        // end the comment early: `trusted:` notes are read by the compiler.
        let note = if inner.contains("--") || inner.contains("}}") {
            inner.chars().filter(|&c| c == '\n').collect()
        } else {
            inner.to_owned()
        };
        Some(Tag {
            output: format!("{{{{!--{note}--}}}}"),
            end,
        })
    }

    fn verbatim_block(&mut self, start: usize) -> Option<Tag> {
        let rest: &'a str = &self.source[start..];
        let fence = finder::fence(rest)?;
        let is_raw = matches!(fence, "{-raw-}" | "{-verbatim-}");
        let inner = start + fence.len();
        let Some(close) = self.finder.find_fence(fence, inner) else {
            if is_raw {
                self.problem(
                    start,
                    format!("`{fence}` is never closed: write it again at the end."),
                );
            }
            return None;
        };
        let end = close + fence.len();
        if !is_raw {
            self.problem(
                start,
                format!(
                    "Blocks such as `{}` belong to the original's Lua templates. Give the value as a key, or \
                     put the text into a file of its own and include it with {{(file.tpl)}}.",
                    quote(fence)
                ),
            );
        }
        let output = format!("{{{{[{VERBATIM}{}]}}}}", self.verbatim.len());
        self.verbatim.push(self.source[inner..close].to_owned());
        Some(Tag { output, end })
    }

    fn lua(&mut self, start: usize) -> Option<Tag> {
        let (code, end) = self.enclosed(start, "{%", "%}")?;
        let message = self.lua.advice(code);
        self.problem(start, message);
        Some(Tag {
            output: String::new(),
            end,
        })
    }

    /// What stands between `open` at `start` and the next `close`, and the offset after `close`.
    fn enclosed(&mut self, start: usize, open: &str, close: &'static str) -> Option<(&'a str, usize)> {
        let inner = start + open.len();
        let inner_end = self.finder.find(close, inner)?;
        let source: &'a str = self.source;
        Some((&source[inner..inner_end], inner_end + close.len()))
    }

    fn has_line_break(&mut self, start: usize, end: usize) -> bool {
        self.finder.find("\n", start).is_some_and(|at| at < end)
    }

    fn copy(&self, start: usize, end: usize) -> Tag {
        Tag {
            output: self.source[start..end].to_owned(),
            end,
        }
    }

    fn text(&mut self, start: usize, end: usize, before_tag: bool) {
        if start == end {
            return;
        }
        let text = &self.source[start..end];
        self.emit(start, end, text);
        // To handlebars a backslash before `{{` quotes the tag; to the original it is just a backslash.
        if before_tag && text.ends_with('\\') {
            self.out.push('\\');
        }
    }

    fn emit(&mut self, start: usize, end: usize, output: &str) {
        self.pieces.push(Piece {
            output: self.out.len(),
            source: start,
            source_len: end - start,
        });
        self.out.push_str(output);
    }

    fn problem(&mut self, offset: usize, message: impl Into<String>) {
        let place = self.lines.place(self.source, offset);
        self.problems.push(Problem::new(self.file, place, message));
    }
}

struct Tag {
    output: String,
    end: usize,
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_alphanumeric() || "_-.@/[]$".contains(c))
        && !text.starts_with('.')
}

#[cfg(test)]
#[path = "tags_tests.rs"]
mod tests;
