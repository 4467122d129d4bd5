//! Long lists, a page at a time, by keyset: a page starts after a row, so that it costs the same wherever it is
//! and does not shift when rows come or go.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::db::is_storable;
use crate::{Code, Error, Result};

/// What a place in a list starts with.
const MARK: char = '.';
/// Items of a page unless the caller says otherwise.
const DEFAULT_LIMIT: u32 = 50;
const MAX_LIMIT: u32 = 500;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageRequest {
    /// The `next` of the page before; without it the first page.
    pub after: Option<String>,
    /// Items on the page: 1 to 500, 50 if absent.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

impl PageRequest {
    /// What the row before the page is found again by.
    ///
    /// # Errors
    /// `ParameterInvalid` when `after` is not the `next` of another page.
    pub fn position(&self) -> Result<Option<String>> {
        let read = |after: &String| {
            let json = URL_SAFE_NO_PAD.decode(after.strip_prefix(MARK)?).ok()?;
            let [key]: [String; 1] = serde_json::from_slice(&json).ok()?;
            Some(key).filter(|key| is_storable(key))
        };
        self.after
            .as_ref()
            .map(|after| {
                read(after).ok_or_else(|| {
                    Error::new(
                        Code::ParameterInvalid,
                        "`after` takes the `next` of another page.",
                    )
                    .with_details(serde_json::json!({ "parameter": "after" }))
                })
            })
            .transpose()
    }

    /// How many items the page may have.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize
    }

    /// How many rows to read: one more than fit, which tells whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit()).unwrap_or(i64::MAX - 1) + 1
    }
}

/// Which part is wanted of a list that can be read in several orders, and both ways.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PartRequest {
    /// The `next` of another page; without it the first page.
    pub after: Option<String>,
    /// The `previous` of another page, for the page before that.
    pub before: Option<String>,
    /// Items on the page: 1 to 500, 50 if absent.
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
    /// Whether to count what the list holds in all.
    #[serde(default)]
    pub count: bool,
}

impl PartRequest {
    /// How many items the page may have.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize
    }
}

/// How many items a list holds. Beyond a thousand nobody needs the figure, and counting costs time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Total {
    pub count: i64,
    /// Whether there are more than that.
    pub more: bool,
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to ask the next page with; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// What to ask the page before with; absent on the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// How many items the list holds, when that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<Total>,
}

impl<T> Page<T> {
    /// A page of the rows read for `request`, [`PageRequest::rows`] at most; `key` is what a row is found again by.
    pub fn new(request: &PageRequest, mut rows: Vec<T>, key: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > request.limit();
        rows.truncate(request.limit());
        let next = rows.last().filter(|_| more).map(|row| {
            // A list of texts is always JSON.
            let json = serde_json::to_vec(&[key(row)]).unwrap_or_default();
            format!("{MARK}{}", URL_SAFE_NO_PAD.encode(json))
        });
        Self {
            items: rows,
            next,
            previous: None,
            total: None,
        }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
            previous: self.previous,
            total: self.total,
        }
    }

    /// As [`Self::map`], with a change that may fail.
    ///
    /// # Errors
    /// The first that `change` gives.
    pub fn try_map<U, E>(self, change: impl FnMut(T) -> Result<U, E>) -> Result<Page<U>, E> {
        Ok(Page {
            items: self.items.into_iter().map(change).collect::<Result<_, E>>()?,
            next: self.next,
            previous: self.previous,
            total: self.total,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_row_too_many_tells_of_a_next_page() {
        let request = PageRequest {
            after: None,
            limit: Some(2),
        };
        assert_eq!(request.rows(), 3);
        let page = Page::new(&request, vec![1, 2, 3], i32::to_string);
        assert_eq!(page.items, [1, 2]);
        let next = PageRequest {
            after: page.next,
            limit: None,
        };
        assert_eq!(next.position().unwrap().as_deref(), Some("2"));
        let last = Page::new(&request, vec![1, 2], i32::to_string);
        assert_eq!(last.next, None);
    }

    #[test]
    fn ux16_a_place_that_no_page_gave_is_rejected() {
        let cut = format!("{MARK}{}", &URL_SAFE_NO_PAD.encode(r#"["a key"]"#)[..8]);
        for after in ["junk", "", ".", ".junk", "2", &cut] {
            let request = PageRequest {
                after: Some(after.to_owned()),
                limit: None,
            };
            assert_eq!(
                request.position().unwrap_err().code(),
                Code::ParameterInvalid,
                "{after}"
            );
        }
    }
}
