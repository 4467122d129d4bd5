//! Queries whose conditions depend on what the caller asks for.

use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, FromRow};

use super::{Db, search_key};
use crate::{Code, Error, Result};

/// A value of a condition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Bound {
    Text(String),
    Integer(i64),
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bound {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Bound {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<bool> for Bound {
    fn from(flag: bool) -> Self {
        Self::Integer(i64::from(flag))
    }
}

/// A query put together from conditions. All its text is in the program (`&'static str`); what callers
/// send is only ever bound.
#[derive(Clone)]
pub struct Select {
    pub(super) text: String,
    values: Vec<Bound>,
    filtered: bool,
}

impl Select {
    /// Starts with everything before `WHERE`.
    #[must_use]
    pub fn new(from: &'static str) -> Self {
        Self {
            text: from.to_owned(),
            values: Vec::new(),
            filtered: false,
        }
    }

    /// Adds a condition; every `?` in it stands for the one value.
    #[must_use]
    pub fn filter(mut self, condition: &'static str, value: impl Into<Bound>) -> Self {
        self.start_condition();
        self.bind(condition, value.into());
        self
    }

    /// Adds the condition when there is a value.
    #[must_use]
    pub fn filter_some(self, condition: &'static str, value: Option<impl Into<Bound>>) -> Self {
        match value {
            Some(value) => self.filter(condition, value),
            None => self,
        }
    }

    /// Adds a condition that holds no value.
    #[must_use]
    pub fn filter_by(mut self, condition: &'static str) -> Self {
        self.start_condition();
        self.text.push_str(condition);
        self
    }

    /// Adds a condition when it is wanted.
    #[must_use]
    pub fn filter_if(self, wanted: bool, condition: &'static str) -> Self {
        if wanted { self.filter_by(condition) } else { self }
    }

    /// Adds what comes after the conditions; see [`Self::filter`] for `?`.
    #[must_use]
    pub fn then(mut self, clause: &'static str, value: impl Into<Bound>) -> Self {
        self.text.push(' ');
        self.bind(clause, value.into());
        self
    }

    /// Adds a clause without a value.
    #[must_use]
    pub fn clause(mut self, clause: &'static str) -> Self {
        self.text.push(' ');
        self.text.push_str(clause);
        self
    }

    /// The rows.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn fetch<T>(self, db: &Db) -> Result<Vec<T>>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let mut query = sqlx::query_as(AssertSqlSafe(self.text));
        for value in self.values {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Integer(number) => query.bind(number),
            };
        }
        Ok(query.fetch_all(db.reader()).await?)
    }

    pub(super) fn start_condition(&mut self) {
        self.text
            .push_str(if self.filtered { " AND " } else { " WHERE " });
        self.filtered = true;
    }

    /// Keeps a value, and gives what stands for it in the text.
    pub(super) fn hold(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    fn bind(&mut self, text: &str, value: Bound) {
        let placeholder = self.hold(value);
        self.text.push_str(&text.replace('?', &placeholder));
    }
}

/// A pattern for `LIKE ? ESCAPE '!'` that finds the text anywhere in a column that was written with [`search_key`], whatever
/// the case of its letters.
///
/// # Errors
/// `ParameterInvalid` for control characters: SQLite would stop reading at a NUL and find everything, PostgreSQL fails.
pub fn containing(text: &str) -> Result<String> {
    if text.chars().any(char::is_control) {
        let refused = Error::new(
            Code::ParameterInvalid,
            "The text to search for must not have control characters.",
        );
        return Err(refused.with_details(serde_json::json!({ "parameter": "search" })));
    }
    let mut pattern = String::from("%");
    for character in search_key(text).chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    Ok(pattern)
}
