//! A search that reads each part of a text once, whatever is searched for again and again.
//!
//! A text of nothing but opened tags asks at each of them where it is closed; the answer is the same every time (X07).

use std::collections::HashMap;

/// Finds fixed texts in a text that is walked through from its beginning to its end.
#[derive(Debug)]
pub(super) struct Finder<'a> {
    text: &'a str,
    /// For each text that was searched for: from where, and where it was found.
    known: HashMap<&'static str, (usize, Option<usize>)>,
    /// Where each `{-name-}` stands, once one was searched for.
    fences: Option<HashMap<&'a str, Vec<usize>>>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            known: HashMap::new(),
            fences: None,
        }
    }

    /// The offset of the first `what` at or after `from`.
    pub(super) fn find(&mut self, what: &'static str, from: usize) -> Option<usize> {
        if let Some(&(searched_from, found)) = self.known.get(what)
            && from >= searched_from
            && found.is_none_or(|found| from <= found)
        {
            return found;
        }
        let found = self.text[from..].find(what).map(|at| from + at);
        self.known.insert(what, (from, found));
        found
    }

    /// The offset of the first `fence`, a whole `{-name-}`, at or after `from`.
    pub(super) fn find_fence(&mut self, fence: &str, from: usize) -> Option<usize> {
        let text = self.text;
        let places = self.fences.get_or_insert_with(|| fences(text)).get(fence)?;
        places.get(places.partition_point(|&at| at < from)).copied()
    }
}

/// The fence that `text` begins with, whole: `{-name-}`.
pub(super) fn fence(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{-")?;
    let length = name
        .bytes()
        .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        .count();
    (length > 0 && name[length..].starts_with("-}")).then(|| &text[..length + "{--}".len()])
}

fn fences(text: &str) -> HashMap<&str, Vec<usize>> {
    let mut fences: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, _) in text.match_indices("{-") {
        if let Some(fence) = fence(&text[at..]) {
            fences.entry(fence).or_default().push(at);
        }
    }
    fences
}
