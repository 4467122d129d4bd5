//! A template with its long stretches of text left out, for the parser.
//!
//! For each tag the parser counts the lines from the beginning of the text. Without the text between the tags that is
//! little, however long the template is (X07). White space at the ends of a stretch stays, as tags may trim it.

use super::nesting::Tags;

/// Shortest stretch that is left out.
const SHORTEST: usize = 24;
/// Stands around the number of a stretch that was left out; a NUL is refused in every template.
const MARK: char = '\0';

/// A text without its long stretches, and the way back.
#[derive(Debug)]
pub(super) struct Skeleton {
    pub(super) text: String,
    /// For each stretch that was left out: where its mark stands and how long it is, and where it was in the whole text.
    left_out: Vec<LeftOut>,
}

#[derive(Debug, Clone, Copy)]
struct LeftOut {
    mark: usize,
    mark_len: usize,
    start: usize,
    end: usize,
}

impl Skeleton {
    /// Leaves out of `text` what stands between its tags.
    pub(super) fn of(text: &str, tags: &Tags) -> Self {
        let mut skeleton = Self {
            text: String::new(),
            left_out: Vec::new(),
        };
        let mut from = 0;
        for &(start, end) in tags {
            skeleton.push_text(text, from, start);
            skeleton.text.push_str(&text[start..end]);
            from = end;
        }
        skeleton.push_text(text, from, text.len());
        skeleton
    }

    fn push_text(&mut self, text: &str, start: usize, end: usize) {
        let between = &text[start..end];
        // The third brace of a tag that has three is read as text by the scanner, and as the tag's by the parser.
        let middle = between.trim_start_matches('}').trim_start();
        let middle_start = end - middle.len();
        // A backslash before a tag quotes it, so it stays where it is.
        let middle = middle.trim_end().trim_end_matches('\\');
        if middle.len() < SHORTEST {
            self.text.push_str(between);
            return;
        }
        let middle_end = middle_start + middle.len();
        self.text.push_str(&text[start..middle_start]);
        let mark = self.text.len();
        self.text
            .push_str(&format!("{MARK}{}{MARK}", self.left_out.len()));
        self.left_out.push(LeftOut {
            mark,
            mark_len: self.text.len() - mark,
            start: middle_start,
            end: middle_end,
        });
        self.text.push_str(&text[middle_end..end]);
    }

    /// The offset in the whole text of an offset in this one.
    pub(super) fn offset(&self, offset: usize) -> usize {
        match self.left_out.partition_point(|left_out| left_out.mark <= offset) {
            0 => offset,
            after => {
                let before = self.left_out[after - 1];
                match offset.checked_sub(before.mark + before.mark_len) {
                    Some(beyond) => before.end + beyond,
                    None => before.start,
                }
            }
        }
    }

    /// A piece of this text with all that was left out, from the whole text.
    pub(super) fn whole(&self, piece: String, text: &str) -> String {
        if !piece.contains(MARK) {
            return piece;
        }
        let mut whole = String::new();
        for (index, part) in piece.split(MARK).enumerate() {
            let number = part.parse::<usize>().ok().filter(|_| index % 2 == 1);
            match number.and_then(|number| self.left_out.get(number)) {
                Some(left_out) => whole.push_str(&text[left_out.start..left_out.end]),
                None => whole.push_str(part),
            }
        }
        whole
    }
}
