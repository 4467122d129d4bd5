//! What a command prints: results on standard output, what went wrong on standard error.

use coronet_core::Error;
use rocket::serde::json::{Value, serde_json};

#[derive(Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// A result as JSON, laid out for reading.
    pub fn value(self, value: &Value) {
        say(
            std::io::stdout(),
            &serde_json::to_string_pretty(value).unwrap_or_default(),
        );
    }

    /// A line for people; with `--json`, the value instead.
    pub fn line(self, text: &str, value: &Value) {
        if self.json {
            self.value(value)
        } else {
            say(std::io::stdout(), text);
        }
    }

    /// Rows of equal objects as a table with these columns; with `--json`, as they are.
    pub fn table(self, rows: &Value, columns: &[(&str, &str)], empty: &str) {
        let Some(items) = rows.as_array().filter(|_| !self.json) else {
            return self.value(rows);
        };
        if items.is_empty() {
            return say(std::io::stdout(), empty);
        }
        let head = columns.iter().map(|(_, title)| (*title).to_owned()).collect();
        let cells = items
            .iter()
            .map(|item| columns.iter().map(|(key, _)| cell(key, &item[*key])).collect());
        let lines: Vec<Vec<String>> = std::iter::once(head).chain(cells).collect();
        let width = |column: usize| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<_> = (0..columns.len()).map(width).collect();
        for line in &lines {
            let padded = line
                .iter()
                .zip(&widths)
                .map(|(text, width)| format!("{text:width$}"));
            say(
                std::io::stdout(),
                padded.collect::<Vec<_>>().join("  ").trim_end(),
            );
        }
    }

    /// A word beside the result, on standard error.
    pub fn note(self, text: &str) {
        say(std::io::stderr(), text);
    }

    /// What went wrong, in words; with `--json`, as the object `{code, message, …}`.
    pub fn error(self, error: &Error) {
        if self.json {
            say(
                std::io::stderr(),
                &serde_json::to_string(error).unwrap_or_else(|_| error.to_string()),
            );
        } else {
            say(std::io::stderr(), &format!("coronet: {}", error.message()));
        }
    }
}

/// Whoever reads may stop reading, as `head` does: then the rest is for nobody.
fn say(mut to: impl std::io::Write, line: &str) {
    let _ = writeln!(to, "{line}");
}

/// Times end in `_at` and are Unix milliseconds; control characters would reach the terminal.
fn cell(key: &str, value: &Value) -> String {
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items
            .iter()
            .map(|item| cell("", item))
            .collect::<Vec<_>>()
            .join(" "),
        Value::Number(number) if key.ends_with("_at") => number.as_i64().map_or_else(String::new, time),
        other => other.to_string(),
    };
    text.replace(char::is_control, " ")
}

fn time(unix_ms: i64) -> String {
    let time = chrono::DateTime::from_timestamp_millis(unix_ms);
    time.map(|time| time.format("%Y-%m-%d %H:%M:%SZ").to_string())
        .unwrap_or_default()
}
