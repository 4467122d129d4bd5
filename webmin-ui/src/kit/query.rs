//! Addresses with a query, for links that keep a list's filters.

use std::fmt;

use super::helpers::path_segment;
use crate::BASE;

/// An address below the webmin's, and what stands behind its question mark.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    path: String,
    pairs: Vec<(&'static str, String)>,
}

impl Query {
    pub(crate) fn new(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            pairs: Vec::new(),
        }
    }

    /// Adds what is set; an empty value is left out.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.pairs.push((name, value.to_owned()));
        }
        self
    }
}

impl Query {
    /// The address without the webmin's own start, for redirects.
    pub(crate) fn below_base(&self) -> String {
        self.to_string().split_off(BASE.len())
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{BASE}{}", self.path)?;
        for (at, (name, value)) in self.pairs.iter().enumerate() {
            let mark = if at == 0 { '?' } else { '&' };
            write!(f, "{mark}{name}={}", path_segment(value))?;
        }
        Ok(())
    }
}
