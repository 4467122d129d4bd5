//! Two texts side by side, as rows that a view can draw.

use std::time::Duration;

use serde::Serialize;
use similar::{ChangeTag, DiffOp, TextDiff};

/// Lines shown around each change.
const AROUND: usize = 3;
/// Comparing takes no longer: what is left then is shown as changed throughout.
const PATIENCE: Duration = Duration::from_millis(250);
/// Longer lines are compared as a whole.
const LONGEST: usize = 2_000;
/// Most rows, and most lines compared word by word: a page has an end.
const MOST_ROWS: usize = 3_000;
const MOST_MARKED: usize = 400;
/// Two lines that have less in common are shown without marks: every word would have one.
const ALIKE: f32 = 0.35;

/// Two texts, compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Sides {
    pub(crate) rows: Vec<Row>,
    pub(crate) added: usize,
    pub(crate) removed: usize,
    /// Whether there is more than is shown.
    pub(crate) cut: bool,
}

/// A line of each text, or of one; or a number of lines that are the same and left out.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Row {
    /// `same`, `changed`, `removed`, `added` or `gap`.
    pub(crate) kind: &'static str,
    pub(crate) left: Option<Cell>,
    pub(crate) right: Option<Cell>,
    /// How many lines a gap leaves out.
    pub(crate) hidden: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cell {
    pub(crate) line: usize,
    pub(crate) parts: Vec<Part>,
}

/// A piece of a line; marked when the other line has something else there.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Part {
    pub(crate) text: String,
    pub(crate) marked: bool,
}

/// What changed from `old`, on the left, to `new`, on the right. Without rows when they are the same.
pub(crate) fn sides(old: &str, new: &str) -> Sides {
    let diff = TextDiff::configure().timeout(PATIENCE).diff_lines(old, new);
    let mut both = Both {
        old: diff.old_slices(),
        new: diff.new_slices(),
        marked: 0,
    };
    let mut sides = Sides::default();
    let mut shown = 0;
    for group in diff.grouped_ops(AROUND) {
        let starts = group.first().map_or(shown, |op| op.old_range().start);
        sides.gap(starts.saturating_sub(shown));
        for op in &group {
            sides.take(&mut both, op);
        }
        shown = group.last().map_or(shown, |op| op.old_range().end);
    }
    if sides.rows.len() > MOST_ROWS {
        sides.rows.truncate(MOST_ROWS);
        sides.cut = true;
    } else if !sides.rows.is_empty() {
        sides.gap(both.old.len().saturating_sub(shown));
    }
    sides
}

struct Both<'t> {
    old: &'t [&'t str],
    new: &'t [&'t str],
    /// Lines that were compared word by word.
    marked: usize,
}

impl Sides {
    fn gap(&mut self, hidden: usize) {
        if hidden > 0 {
            self.rows.push(Row {
                kind: "gap",
                left: None,
                right: None,
                hidden,
            });
        }
    }

    fn take(&mut self, both: &mut Both<'_>, op: &DiffOp) {
        let (old, new) = (op.old_range(), op.new_range());
        let room = (MOST_ROWS + 1).saturating_sub(self.rows.len());
        for at in 0..old.len().max(new.len()).min(room) {
            let left = (at < old.len()).then(|| old.start + at);
            let right = (at < new.len()).then(|| new.start + at);
            self.rows.push(match (left, right) {
                (Some(left), Some(right)) if op.tag() == similar::DiffTag::Equal => Row {
                    kind: "same",
                    left: Some(whole(both.old, left)),
                    right: Some(whole(both.new, right)),
                    hidden: 0,
                },
                (Some(left), Some(right)) => changed(both, left, right),
                (left, right) => Row {
                    kind: if left.is_some() { "removed" } else { "added" },
                    left: left.map(|at| whole(both.old, at)),
                    right: right.map(|at| whole(both.new, at)),
                    hidden: 0,
                },
            });
        }
        if op.tag() != similar::DiffTag::Equal {
            self.removed += old.len();
            self.added += new.len();
        }
    }
}

/// A line that became another, word by word.
fn changed(both: &mut Both<'_>, left: usize, right: usize) -> Row {
    let (old, new) = (plain(both.old[left]), plain(both.new[right]));
    let mut row = Row {
        kind: "changed",
        left: Some(whole(both.old, left)),
        right: Some(whole(both.new, right)),
        hidden: 0,
    };
    if old.len().max(new.len()) > LONGEST || both.marked >= MOST_MARKED {
        return row;
    }
    both.marked += 1;
    let words = TextDiff::configure().timeout(PATIENCE).diff_words(old, new);
    if words.ratio() < ALIKE {
        return row;
    }
    let (mut of_old, mut of_new) = (Vec::new(), Vec::new());
    for change in words.iter_all_changes() {
        match change.tag() {
            ChangeTag::Delete => push(&mut of_old, change.value(), true),
            ChangeTag::Insert => push(&mut of_new, change.value(), true),
            ChangeTag::Equal => {
                push(&mut of_old, change.value(), false);
                push(&mut of_new, change.value(), false);
            }
        }
    }
    row.left = Some(Cell {
        line: left + 1,
        parts: of_old,
    });
    row.right = Some(Cell {
        line: right + 1,
        parts: of_new,
    });
    row
}

fn push(parts: &mut Vec<Part>, text: &str, marked: bool) {
    match parts.last_mut() {
        Some(last) if last.marked == marked => last.text.push_str(text),
        _ => parts.push(Part {
            text: text.to_owned(),
            marked,
        }),
    }
}

fn whole(lines: &[&str], at: usize) -> Cell {
    Cell {
        line: at + 1,
        parts: vec![Part {
            text: plain(lines[at]).to_owned(),
            marked: false,
        }],
    }
}

fn plain(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row as text: `kind left|right`, marked words in brackets.
    fn drawn(sides: &Sides) -> Vec<String> {
        let cell = |cell: &Option<Cell>| {
            let Some(cell) = cell else {
                return String::new();
            };
            let parts = cell.parts.iter().map(|part| match part.marked {
                true => format!("[{}]", part.text),
                false => part.text.clone(),
            });
            format!("{} {}", cell.line, parts.collect::<String>())
        };
        sides
            .rows
            .iter()
            .map(|row| match row.kind {
                "gap" => format!("gap {}", row.hidden),
                kind => format!("{kind} {}|{}", cell(&row.left), cell(&row.right)),
            })
            .collect()
    }

    #[test]
    fn a_changed_line_stands_beside_the_new_one_with_its_words_marked() {
        let sides = sides("a\nHello dear Carol\nc\n", "a\nHello good Carol\nc\n");
        assert_eq!(
            drawn(&sides),
            [
                "same 1 a|1 a",
                "changed 2 Hello [dear] Carol|2 Hello [good] Carol",
                "same 3 c|3 c"
            ]
        );
        assert_eq!((sides.removed, sides.added), (1, 1));
    }

    #[test]
    fn lines_that_have_no_partner_stand_alone() {
        assert_eq!(
            drawn(&sides("a\nb\n", "a\nb\nc\n")),
            ["same 1 a|1 a", "same 2 b|2 b", "added |3 c"]
        );
        assert_eq!(drawn(&sides("a\nb\n", "b\n")), ["removed 1 a|", "same 2 b|1 b"]);
        assert_eq!(drawn(&sides("", "a\n")), ["added |1 a"]);
        assert_eq!(drawn(&sides("", "")), Vec::<String>::new());
        assert_eq!(drawn(&sides("same", "same")), Vec::<String>::new());
    }

    #[test]
    fn lines_that_have_nothing_in_common_are_not_marked_word_by_word() {
        assert_eq!(
            drawn(&sides("one two three\n", "vier\n")),
            ["changed 1 one two three|1 vier"]
        );
    }

    #[test]
    fn what_is_the_same_for_long_is_left_out_and_counted() {
        let old: String = (1..=30).map(|n| format!("{n}\n")).collect();
        let new = old.replace("15\n", "fifteen\n");
        let drawn = drawn(&sides(&old, &new));
        assert_eq!(drawn.first().map(String::as_str), Some("gap 11"));
        assert_eq!(drawn.last().map(String::as_str), Some("gap 12"));
        assert_eq!(drawn.len(), 9);
    }

    #[test]
    fn two_texts_of_the_largest_size_are_compared_in_bounded_time() {
        let old: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
        let new: String = (0..40_000).rev().map(|n| format!("line {n}\n")).collect();
        let sides = sides(&old, &new);
        assert!(sides.cut);
        assert_eq!(sides.rows.len(), MOST_ROWS);
    }
}
