//! Two texts line by line, as a list that a view can draw.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// A line of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Line {
    /// `add`, `del`, `gap` (lines left out) or nothing.
    pub(crate) kind: &'static str,
    pub(crate) sign: &'static str,
    pub(crate) text: String,
}

/// What changed from `old` to `new`, with three lines around each change.
pub(crate) fn lines(old: &str, new: &str) -> Vec<Line> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for (at, group) in diff.grouped_ops(3).iter().enumerate() {
        if at > 0 {
            lines.push(Line {
                kind: "gap",
                sign: "",
                text: "⋯".to_owned(),
            });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (kind, sign) = match change.tag() {
                ChangeTag::Delete => ("del", "−"),
                ChangeTag::Insert => ("add", "+"),
                ChangeTag::Equal => ("", " "),
            };
            lines.push(Line {
                kind,
                sign,
                text: change.value().trim_end_matches(['\n', '\r']).to_owned(),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_taken_out_and_put_in() {
        let lines = lines("a\nb\nc\n", "a\nB\nc\n");
        let shown: Vec<_> = lines
            .iter()
            .map(|line| format!("{}{}", line.sign, line.text))
            .collect();
        assert_eq!(shown, [" a", "−b", "+B", " c"]);
        assert!(super::lines("same", "same").is_empty());
    }
}
