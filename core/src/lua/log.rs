//! What Lua code prints, kept within a bound.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest single line that is kept.
pub(super) const MAX_LINE: usize = 8 * 1024;

/// Collects what a session prints with `core.log` and `print`. Clones share one buffer, so the one
/// who started a session can read what was printed even when the session was stopped.
#[derive(Debug, Clone)]
pub struct LogSink(Arc<Mutex<Buffer>>);

#[derive(Debug)]
struct Buffer {
    text: String,
    limit: usize,
    dropped_lines: u64,
}

impl LogSink {
    /// A sink that keeps the first `limit` bytes. The beginning is kept, not the end, because a
    /// flood says the same thing again and again and what led to it came first.
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Buffer {
            text: String::new(),
            limit,
            dropped_lines: 0,
        })))
    }

    /// Adds a line. Control characters other than tab and newline are written as escapes, so that a
    /// log viewer or a terminal shows them instead of obeying them (W05).
    pub fn line(&self, text: &str) {
        let mut buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = &text[..text.floor_char_boundary(MAX_LINE)];
        if buffer.text.len() + kept.len() >= buffer.limit {
            // Nothing after the first line that does not fit is kept, or the log would have holes.
            buffer.limit = buffer.text.len();
            buffer.dropped_lines += 1;
            return;
        }
        for c in kept.chars() {
            if c.is_control() && c != '\n' && c != '\t' {
                let _ = write!(buffer.text, "{}", c.escape_default());
            } else {
                buffer.text.push(c);
            }
        }
        if kept.len() < text.len() {
            buffer.text.push_str(" … (line cut)");
        }
        buffer.text.push('\n');
    }

    /// What was printed so far; when lines were dropped, the last line says how many.
    pub fn text(&self) -> String {
        let buffer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = buffer.text.clone();
        if buffer.dropped_lines > 0 {
            let _ = writeln!(
                text,
                "… log cut here: {} more lines were not kept",
                buffer.dropped_lines
            );
        }
        text
    }

    /// How many lines did not fit.
    pub fn dropped_lines(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .dropped_lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l02_a_flood_is_cut_and_says_so() {
        let sink = LogSink::new(100);
        for n in 0..1_000 {
            sink.line(&format!("line {n}"));
        }
        let text = sink.text();
        assert!(text.starts_with("line 0\nline 1\n"), "{text}");
        assert!(text.ends_with("more lines were not kept\n"), "{text}");
        assert!(text.len() < 200);
    }

    #[test]
    fn w05_control_characters_are_shown_not_obeyed() {
        let sink = LogSink::new(1_000);
        sink.line("a\u{1b}[31mred\r\nb\0");
        assert_eq!(sink.text(), "a\\u{1b}[31mred\\r\nb\\u{0}\n");
    }
}
