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

    /// The place of a byte offset. An offset inside a character counts as that character.
    pub(crate) fn of(text: &str, offset: usize) -> Self {
        let before = &text.as_bytes()[..offset.min(text.len())];
        let line_start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
        let column = text
            .char_indices()
            .skip_while(|&(at, _)| at < line_start)
            .take_while(|&(at, _)| at < offset)
            .count()
            + 1;
        Self { line, column }
    }

    /// The byte offset of a place; past the end of a line counts as its end.
    pub(crate) fn offset(self, text: &str) -> usize {
        let mut start = 0;
        for _ in 1..self.line {
            match text[start..].find('\n') {
                Some(at) => start += at + 1,
                None => return text.len(),
            }
        }
        let line = text[start..].split('\n').next().unwrap_or_default();
        let within = line.char_indices().nth(self.column.saturating_sub(1));
        start + within.map_or(line.len(), |(at, _)| at)
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
        let text = "one\nžlutý kůň\n\nend";
        for (offset, _) in text.char_indices() {
            assert_eq!(Place::of(text, offset).offset(text), offset);
        }
        let horse = text.find("kůň").unwrap_or_default();
        assert_eq!(Place::of(text, horse), Place { line: 2, column: 7 });
    }
}
