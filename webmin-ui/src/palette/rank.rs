//! Which entries fit what was typed, best first.

use std::cmp::Reverse;

use super::{Entry, Group};

/// What was typed, in small letters.
pub(crate) struct Words(Vec<String>);

/// Words that say what is to be done or what kind of thing is meant; the rest names the thing.
const VERBS: [&str; 12] = [
    "reset", "run", "send", "user", "users", "mail", "job", "scope", "template", "plugin", "link", "open",
];

impl Words {
    pub(crate) fn of(search: &str) -> Self {
        Self(search.split_whitespace().map(str::to_lowercase).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|held| held == word)
    }

    /// What the database is to look for; nothing while that could be anybody.
    pub(crate) fn named(&self) -> Option<String> {
        let rest: Vec<&str> = self
            .0
            .iter()
            .map(String::as_str)
            .filter(|word| !VERBS.contains(word))
            .collect();
        let text = rest.join(" ");
        (text.chars().count() >= 2).then_some(text)
    }

    /// The longest word that names a thing.
    pub(crate) fn longest(&self) -> Option<&str> {
        let names = self.0.iter().map(String::as_str);
        names
            .filter(|word| !VERBS.contains(word))
            .max_by_key(|word| word.len())
    }

    /// Nothing unless every word is there; more the nearer the words stand to the start of the label.
    fn score(&self, entry: &Entry) -> Option<u32> {
        let label = entry.label.to_lowercase();
        let rest = format!("{} {} {}", entry.note, entry.kind, entry.words).to_lowercase();
        let one = |word: &String| {
            let starts = label
                .split(|c: char| !c.is_alphanumeric())
                .any(|part| part.starts_with(word.as_str()));
            match () {
                () if label == *word => Some(12),
                () if label.starts_with(word.as_str()) => Some(8),
                () if starts => Some(6),
                () if label.contains(word.as_str()) => Some(4),
                () if rest.contains(word.as_str()) => Some(1),
                () if entry.found => Some(0),
                () => None,
            }
        };
        self.0.iter().map(one).sum()
    }
}

/// The entries that fit, by kind; the kind with the best entry first. Without words all stay, as they came.
pub(crate) fn groups(entries: Vec<Entry>, words: &Words, per_kind: usize, in_all: usize) -> Vec<Group> {
    let mut fitting: Vec<(u32, Entry)> = entries
        .into_iter()
        .filter_map(|entry| Some((words.score(&entry)?, entry)))
        .collect();
    fitting.sort_by_key(|(score, _)| Reverse(*score));
    let per_kind = if words.is_empty() { usize::MAX } else { per_kind };
    let mut groups: Vec<Group> = Vec::new();
    let mut shown = 0;
    for (_, entry) in fitting {
        if shown == in_all {
            break;
        }
        let group = match groups.iter().position(|group| group.kind == entry.kind) {
            Some(at) => &mut groups[at],
            None => {
                groups.push(Group {
                    kind: entry.kind,
                    entries: Vec::new(),
                });
                let last = groups.len() - 1;
                &mut groups[last]
            }
        };
        if group.entries.len() < per_kind {
            group.entries.push(entry);
            shown += 1;
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(entries: &[&str], search: &str) -> Vec<String> {
        let entries = entries
            .iter()
            .map(|label| Entry::open("Page", "home", *label, "/"));
        let groups = groups(entries.collect(), &Words::of(search), 6, 40);
        groups
            .into_iter()
            .flat_map(|group| group.entries)
            .map(|entry| entry.label)
            .collect()
    }

    #[test]
    fn the_start_of_a_label_counts_most_and_every_word_must_fit() {
        let places = ["The mailbox", "Test mail", "Mail", "Airmail", "Users"];
        assert_eq!(
            labels(&places, "MAIL"),
            ["Mail", "The mailbox", "Test mail", "Airmail"]
        );
        assert_eq!(labels(&places, "mail test"), ["Test mail"]);
        assert!(labels(&places, "mail zebra").is_empty());
    }

    #[test]
    fn one_kind_never_crowds_out_the_others() {
        let many = ["Mail"; 9];
        assert_eq!(labels(&many, "mail").len(), 6);
        assert_eq!(labels(&many, "").len(), 9, "an empty field shows every place");
    }

    #[test]
    fn the_database_is_asked_for_names_and_not_for_verbs() {
        assert_eq!(Words::of("Reset Carol").named().as_deref(), Some("carol"));
        assert_eq!(Words::of("reset").named(), None);
        assert_eq!(Words::of("a").named(), None);
    }
}
