//! Long lists, a page at a time, by keyset: a page starts after a row, so that it costs the same wherever it is
//! and does not shift when rows come or go.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    pub limit: Option<u32>,
}

impl PageRequest {
    /// How many items the page may have.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize
    }

    /// How many rows to read: one more than fit, which tells whether there is a next page.
    pub fn rows(&self) -> i64 {
        i64::try_from(self.limit()).unwrap_or(i64::MAX - 1) + 1
    }
}

/// A part of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to ask the next page with; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of the rows read for `request`, [`PageRequest::rows`] at most; `key` is what a row is found again by.
    pub fn new(request: &PageRequest, mut rows: Vec<T>, key: impl FnOnce(&T) -> String) -> Self {
        let more = rows.len() > request.limit();
        rows.truncate(request.limit());
        let next = rows.last().filter(|_| more).map(key);
        Self { items: rows, next }
    }

    /// The same page with other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next: self.next,
        }
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
        assert_eq!((page.items, page.next.as_deref()), (vec![1, 2], Some("2")));
        let last = Page::new(&request, vec![1, 2], i32::to_string);
        assert_eq!(last.next, None);
    }
}
