//! Finds sections of the guides by their words.

use serde::Serialize;

use super::book::{Book, Guide, Section};

/// Characters of text shown around the first word found, before and after it.
const BEFORE: usize = 60;
const AFTER: usize = 140;

/// A section that has all words.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Hit {
    /// Below the webmin's own start.
    pub(crate) path: String,
    pub(crate) guide: String,
    pub(crate) title: String,
    pub(crate) snippet: Vec<Piece>,
}

/// A part of a snippet; what was searched for is marked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

/// The best sections, those first that have the words in their title.
pub(crate) fn find(book: &Book, search: &str, limit: usize) -> Vec<Hit> {
    let words: Vec<String> = search.split_whitespace().map(str::to_ascii_lowercase).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let sections = book
        .guides
        .iter()
        .flat_map(|guide| guide.sections.iter().map(move |section| (guide, section)));
    let mut found: Vec<(usize, &Guide, &Section)> = sections
        .filter_map(|(guide, section)| Some((score(section, &words)?, guide, section)))
        .collect();
    found.sort_by_key(|(score, ..)| std::cmp::Reverse(*score));
    let hit = |(_, guide, section): (usize, &Guide, &Section)| Hit {
        path: format!("/help/{}#{}", guide.slug, section.anchor),
        guide: guide.title.clone(),
        title: section.title.clone(),
        snippet: snippet(&section.text, &words),
    };
    found.into_iter().take(limit).map(hit).collect()
}

/// Nothing unless every word is there.
fn score(section: &Section, words: &[String]) -> Option<usize> {
    let (title, text) = (
        section.title.to_ascii_lowercase(),
        section.text.to_ascii_lowercase(),
    );
    words
        .iter()
        .map(
            |word| match (title.contains(word), text.matches(word.as_str()).count()) {
                (true, times) => Some(20 + times.min(5)),
                (false, 0) => None,
                (false, times) => Some(times.min(5)),
            },
        )
        .sum()
}

fn snippet(text: &str, words: &[String]) -> Vec<Piece> {
    // ASCII lower case keeps every byte where it was, so places found in it are places in the text.
    let lower = text.to_ascii_lowercase();
    let first = words
        .iter()
        .filter_map(|word| lower.find(word.as_str()))
        .min()
        .unwrap_or(0);
    let start = lower[..first]
        .char_indices()
        .rev()
        .take(BEFORE)
        .last()
        .map_or(first, |(at, _)| at);
    let end = lower[first..]
        .char_indices()
        .nth(AFTER)
        .map_or(lower.len(), |(at, _)| first + at);
    let mut pieces = Vec::new();
    let mut at = start;
    while at < end {
        let next = words
            .iter()
            .filter_map(|word| {
                lower[at..end]
                    .find(word.as_str())
                    .map(|found| (at + found, word.len()))
            })
            .min();
        let (from, length) = next.unwrap_or((end, 0));
        pieces.extend(piece(&text[at..from], false));
        pieces.extend(piece(&text[from..from + length], true));
        at = from + length;
    }
    pieces
}

fn piece(text: &str, marked: bool) -> Option<Piece> {
    (!text.is_empty()).then(|| Piece {
        text: text.to_owned(),
        marked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_words_must_be_there_and_a_title_counts_most() {
        let hits = find(Book::get(), "daylight saving", 30);
        assert_eq!(
            hits[0].path,
            "/help/jobs#what-happens-when-missed-runs-daylight-saving-clocks"
        );
        assert!(find(Book::get(), "daylight zebra", 30).is_empty());
        assert!(find(Book::get(), " ", 30).is_empty());
    }

    #[test]
    fn a_snippet_marks_words_and_cuts_between_characters() {
        let words = ["mail".to_owned()];
        let marked = snippet("ÄÖ Mail é", &words);
        let of = |text: &str, marked| Piece {
            text: text.to_owned(),
            marked,
        };
        assert_eq!(marked, [of("ÄÖ ", false), of("Mail", true), of(" é", false)]);
        let long = format!("{}mail{}", "é".repeat(500), "é".repeat(500));
        let shown: usize = snippet(&long, &words)
            .iter()
            .map(|piece| piece.text.chars().count())
            .sum();
        assert_eq!(shown, BEFORE + AFTER);
    }
}
