//! The original's tags, translated to handlebars.
//!
//! | original | handlebars |
//! | --- | --- |
//! | `{{ key }}` | the same |
//! | `{* key *}` | `{{{ key }}}` |
//! | `{(other.tpl)}` | `{{> 'other.tpl'}}` |
//! | `{# note #}` | a comment |
//! | `{-raw-}…{-raw-}` | the text between, as it stands |
//! | `{% lua %}` | refused, with what to write instead |
//!
//! Only complete tags are tags: `{*`, `{(`, `{#`, `{-` and `{%` without their end are text, as they are in style
//! sheets and scripts. One pass over the text, so nothing that a tag produces is read as a tag again.

use super::{
    Engine,
    lua_tags::LuaTags,
    problem::{Place, Problem},
};

/// A template in handlebars, and the way back to the text it was made from.
#[derive(Debug)]
pub(crate) struct Translated {
    pub(crate) text: String,
    /// What stood between `{-raw-}` fences; the text holds a marker for each, see [`VERBATIM`].
    pub(crate) verbatim: Vec<String>,
    pieces: Vec<Piece>,
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
        }
    }

    /// The place in `source` of a place in the translated text.
    pub(crate) fn source_place(&self, source: &str, place: Place) -> Place {
        let offset = place.offset(&self.text);
        let piece = match self.pieces.partition_point(|piece| piece.output <= offset) {
            0 => return Place::START,
            after => self.pieces[after - 1],
        };
        Place::of(
            source,
            piece.source + (offset - piece.output).min(piece.source_len),
        )
    }
}

/// Translates a `.tpl` text; every mistake found is in the error, in the order of the text.
pub(crate) fn translate(file: &str, source: &str) -> Result<Translated, Vec<Problem>> {
    let mut translator = Translator {
        file,
        source,
        out: String::with_capacity(source.len() + 16),
        pieces: Vec::new(),
        verbatim: Vec::new(),
        problems: Vec::new(),
        lua: LuaTags::default(),
    };
    translator.run();
    if translator.problems.is_empty() {
        Ok(Translated {
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
    out: String,
    pieces: Vec<Piece>,
    verbatim: Vec<String>,
    problems: Vec<Problem>,
    lua: LuaTags,
}

impl<'a> Translator<'a> {
    fn run(&mut self) {
        let mut text_from = 0;
        let mut at = 0;
        while let Some(brace) = self.source[at..].find('{').map(|found| at + found) {
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
        match rest.find(close) {
            Some(found) => self.copy(start, start + found + close.len()),
            None => {
                self.problem(start, "This tag is opened with `{{` and never closed with `}}`.");
                self.copy(start, start + 2)
            }
        }
    }

    /// `{{{{raw}}}} … {{{{/raw}}}}`: everything up to the closing tag is text.
    fn raw_helper_block(&mut self, start: usize) -> Tag {
        let rest: &'a str = &self.source[start..];
        let end = rest.find("{{{{/").and_then(|close| {
            rest[close..]
                .find("}}}}")
                .map(|found| start + close + found + "}}}}".len())
        });
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
        if inner.contains('\n') {
            return None;
        }
        let key = inner.trim();
        if !is_key(key) {
            self.problem(
                start,
                format!("Only the name of a key may stand in {{* … *}}, and `{key}` is not one."),
            );
        }
        Some(Tag {
            output: format!("{{{{{{{inner}}}}}}}"),
            end,
        })
    }

    fn include(&mut self, start: usize) -> Option<Tag> {
        let (inner, end) = self.enclosed(start, "{(", ")}")?;
        let name = inner.trim().trim_matches(['"', '\'']);
        if !self.is_path(inner, name) {
            return None;
        }
        let plain = name.chars().all(|c| c.is_alphanumeric() || "._-/ ".contains(c));
        if !plain || !(name.ends_with(".tpl") || name.ends_with(".hbs")) {
            self.problem(
                start,
                format!(
                    "`{name}` is not the path of a template: an included file ends in .tpl or .hbs. (If this is text or \
                     a script, put a space after the brace.)"
                ),
            );
            return Some(Tag {
                output: String::new(),
                end,
            });
        }
        Some(Tag {
            output: format!("{{{{> '{name}'}}}}"),
            end,
        })
    }

    /// Whether `{(…)}` means a file. In scripts, which only HTML has, it also opens blocks: there a name alone is none.
    fn is_path(&self, inner: &str, name: &str) -> bool {
        let of_path = |c: char| c.is_alphanumeric() || "._-/\\~%$@ ".contains(c);
        !inner.contains('\n')
            && !name.is_empty()
            && name.chars().all(of_path)
            && (name.contains(['.', '/', '\\'])
                || (Engine::of(self.file) == Engine::Text && !name.contains(' ')))
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
        let name_end = rest[2..].find("-}")? + 2;
        let name = &rest[2..name_end];
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return None;
        }
        let fence = &rest[..name_end + 2];
        let Some(close) = rest[fence.len()..].find(fence) else {
            if name == "raw" || name == "verbatim" {
                self.problem(
                    start,
                    format!("`{fence}` is never closed: write it again at the end."),
                );
            }
            return None;
        };
        let end = start + fence.len() + close + fence.len();
        if name != "raw" && name != "verbatim" {
            self.problem(
                start,
                format!(
                    "Blocks such as `{fence}` belong to the original's Lua templates. Give the value as a key, or \
                     put the text into a file of its own and include it with {{(file.tpl)}}."
                ),
            );
        }
        let output = format!("{{{{[{VERBATIM}{}]}}}}", self.verbatim.len());
        self.verbatim
            .push(rest[fence.len()..fence.len() + close].to_owned());
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
    fn enclosed(&self, start: usize, open: &str, close: &str) -> Option<(&'a str, usize)> {
        let inner_start = start + open.len();
        let length = self.source[inner_start..].find(close)?;
        let source: &'a str = self.source;
        let inner = &source[inner_start..inner_start + length];
        Some((inner, inner_start + length + close.len()))
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
        self.problems
            .push(Problem::new(self.file, Place::of(self.source, offset), message));
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
