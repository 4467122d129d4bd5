//! The two engines: text, where nothing is escaped, and HTML, where everything is escaped for its place.
//!
//! [`Unit::compile`] reads a template with all it includes; [`Unit::render`] fills it with data. Between them lies
//! everything that must hold however hostile the data is: values are never read as template text (M05), an unknown
//! key is an error with its place, recursion is refused before it starts (M08), and output and work are bounded (M09).

mod escape;
mod finder;
mod helpers;
mod html;
mod keys;
mod lua_table;
mod lua_tags;
mod nesting;
mod parts;
mod pass;
mod places;
mod prepare;
mod problem;
mod render;
mod scan;
mod skeleton;
mod stack;
mod tags;
mod unit;

pub(crate) use problem::Place;
pub use problem::{Problem, TemplateFault};
pub use unit::Unit;
pub(crate) use unit::{Source, Sources};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// Plain text such as a mail's text part: `O'Brien` stays `O'Brien`.
    Text,
    /// HTML: values are escaped for the place they stand in.
    Html,
}

impl Engine {
    /// The engine of a template: pages are HTML, and so is every file with `.html.` in its name; the rest is text.
    pub fn of(path: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or(path);
        if path.starts_with("pages/") || name.contains(".html.") {
            Self::Html
        } else {
            Self::Text
        }
    }
}

#[cfg(test)]
mod tests;
