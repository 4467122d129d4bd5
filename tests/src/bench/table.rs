//! Rows of measure and value, aligned.

use std::fmt;

#[derive(Default)]
pub(super) struct Table {
    rows: Vec<(String, String)>,
}

impl Table {
    pub(super) fn add(&mut self, measure: impl Into<String>, value: impl Into<String>) {
        self.rows.push((measure.into(), value.into()));
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self
            .rows
            .iter()
            .map(|(measure, _)| measure.chars().count())
            .max()
            .unwrap_or_default();
        writeln!(f, "| {:width$} | value |", "measure")?;
        writeln!(f, "|{}|---|", "-".repeat(width + 2))?;
        for (measure, value) in &self.rows {
            writeln!(f, "| {measure:width$} | {value} |")?;
        }
        Ok(())
    }
}
