use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is wrong with a template, and where: what an editor underlines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The path of the file that holds the mistake, such as `templates/password/email.tpl`.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// Column in characters, counted from 1.
    pub column: usize,
    /// What is wrong and what to do about it.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(file: &str, at: Place, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line: at.line,
            column: at.column,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, line {}, column {}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

/// A place in a text: line and column, both counted from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    /// The place of a byte offset in a text that is asked once; see [`Lines`] for more.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        Lines::of(text).place(text, offset)
    }
}

/// Where the lines and characters of a text lie, so that a place is found without reading the text again.
///
/// A hostile text has a problem at every tenth byte, and all of it in one line (X07).
#[derive(Debug)]
pub(crate) struct Lines {
    /// Offsets at which a line begins.
    starts: Vec<usize>,
    /// The number of characters before each multiple of [`STRIDE`].
    characters: Vec<usize>,
}

/// Bytes between two counts of characters.
const STRIDE: usize = 64;

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        let mut starts = vec![0];
        let mut characters = Vec::with_capacity(text.len() / STRIDE + 1);
        let mut count = 0;
        for (at, &byte) in text.as_bytes().iter().enumerate() {
            if at.is_multiple_of(STRIDE) {
                characters.push(count);
            }
            count += usize::from(begins_character(byte));
            if byte == b'\n' {
                starts.push(at + 1);
            }
        }
        Self { starts, characters }
    }

    /// The place of a byte offset. An offset inside a character counts as the one after it.
    pub(crate) fn place(&self, text: &str, offset: usize) -> Place {
        let offset = offset.min(text.len());
        let line = self.starts.partition_point(|&start| start <= offset);
        let start = self.starts[line - 1];
        let column = self.characters_before(text, offset) - self.characters_before(text, start) + 1;
        Place { line, column }
    }

    /// The byte offset of a place; past the end of a line counts as its end.
    pub(crate) fn offset(&self, text: &str, place: Place) -> usize {
        let Some(&start) = self.starts.get(place.line.saturating_sub(1)) else {
            return text.len();
        };
        let end = self.starts.get(place.line).map_or(text.len(), |next| next - 1);
        let wanted = self.characters_before(text, start) + place.column.saturating_sub(1);
        let stride = self.characters.partition_point(|&before| before <= wanted);
        let mut at = stride.saturating_sub(1) * STRIDE;
        let mut before = self
            .characters
            .get(stride.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        for &byte in text.as_bytes().get(at..).unwrap_or_default() {
            if begins_character(byte) {
                if before == wanted {
                    break;
                }
                before += 1;
            }
            at += 1;
        }
        at.min(end)
    }

    fn characters_before(&self, text: &str, offset: usize) -> usize {
        let stride = (offset / STRIDE).min(self.characters.len().saturating_sub(1));
        let rest = &text.as_bytes()[stride * STRIDE..offset];
        let before = self.characters.get(stride).copied().unwrap_or_default();
        before + rest.iter().filter(|&&byte| begins_character(byte)).count()
    }
}

/// Whether a byte of UTF-8 is the first of its character.
fn begins_character(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// Most problems that are named; whoever has more begins with these.
pub(crate) const MAX_PROBLEMS: usize = 100;
/// Longest quotation of a template in a problem.
const MAX_QUOTE: usize = 80;

/// A stretch of a template as a problem quotes it.
pub(crate) fn quote(text: &str) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(MAX_QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Why a template could not be compiled or rendered.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TemplateFault {
    /// The template itself is wrong; never empty, in the order of the text.
    #[error("{}", list(.0))]
    Broken(Vec<Problem>),
    /// The template is right, and the data does not fit it.
    #[error("{0}")]
    Data(Problem),
    /// The template, or one it includes, is not there.
    #[error("there is no template `{file}`{}", included(.by))]
    Missing {
        /// The path that was asked for.
        file: String,
        /// Who asked for it, when a template did.
        by: Option<Problem>,
    },
    /// Rendering went past a limit.
    #[error("{file}: {limit}")]
    TooMuch {
        /// The template that was rendered.
        file: String,
        /// Which limit, in words.
        limit: String,
    },
}

impl TemplateFault {
    /// What an editor shows beside the text.
    pub fn problems(&self) -> Vec<Problem> {
        match self {
            Self::Broken(problems) => problems.clone(),
            Self::Data(problem)
            | Self::Missing {
                by: Some(problem), ..
            } => vec![problem.clone()],
            Self::Missing { file, by: None } | Self::TooMuch { file, .. } => {
                vec![Problem::new(file, Place::START, self.to_string())]
            }
        }
    }
}

fn list(problems: &[Problem]) -> String {
    const SHOWN: usize = 3;
    let mut text = problems
        .iter()
        .take(SHOWN)
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    if problems.len() > SHOWN {
        text.push_str(&format!("; and {} more", problems.len() - SHOWN));
    }
    text
}

fn included(by: &Option<Problem>) -> String {
    by.as_ref()
        .map(|p| format!(" (included by {}, line {}, column {})", p.file, p.line, p.column))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_survive_the_way_back() {
        let long = "žlutý kůň ".repeat(40);
        for text in [
            "one\nžlutý kůň\n\nend",
            "",
            "\n",
            "a\r\nb\n",
            &long,
            &format!("x\n{long}\n{long}"),
        ] {
            let lines = Lines::of(text);
            for (offset, _) in text.char_indices().chain([(text.len(), ' ')]) {
                assert_eq!(lines.offset(text, lines.place(text, offset)), offset, "{text:?}");
            }
        }
        let text = "one\nžlutý kůň\n\nend";
        let lines = Lines::of(text);
        let far = Place { line: 2, column: 99 };
        assert_eq!(lines.offset(text, far), text.find("\n\n").unwrap_or_default());
        assert_eq!(lines.offset(text, Place { line: 99, column: 1 }), text.len());
        let horse = text.find("kůň").unwrap_or_default();
        assert_eq!(Place::of(text, horse), Place { line: 2, column: 7 });
    }
}
