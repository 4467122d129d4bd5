//! What stands in a cell, on the page and in the export.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;

use super::Asked;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Badge;

/// A value with how it is shown.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cell {
    /// `text`, `link`, `badge`, `ago`, `time` or `blank`.
    kind: &'static str,
    text: String,
    /// A path below the webmin's.
    href: String,
    mono: bool,
    badge: Option<Badge>,
    at: Option<i64>,
    /// A second line.
    sub: String,
    sub_time: Option<i64>,
    sub_href: String,
    /// A long text that is folded away, with the name of the fold.
    more: Option<(String, String)>,
    #[serde(skip)]
    export: Option<String>,
    #[serde(skip)]
    carried: &'static [&'static str],
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let text = text.into();
        let kind = if text.is_empty() { "blank" } else { "text" };
        Self {
            kind,
            text,
            ..Self::default()
        }
    }

    pub(crate) fn maybe(text: Option<&str>) -> Self {
        Self::text(text.unwrap_or_default())
    }

    pub(crate) fn number(number: i64) -> Self {
        Self::text(super::super::language::grouped(number)).export(number.to_string())
    }

    pub(crate) fn link(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            kind: "link",
            text: text.into(),
            href: path.into(),
            ..Self::default()
        }
    }

    /// The state in a word; `state` is what the export says.
    pub(crate) fn badge(badge: Badge, state: impl Into<String>) -> Self {
        Self {
            kind: "badge",
            badge: Some(badge),
            export: Some(state.into()),
            ..Self::default()
        }
    }

    /// How long ago; `never` when it was not.
    pub(crate) fn ago(at: Option<i64>, never: impl Into<String>) -> Self {
        Self::moment("ago", at, never.into())
    }

    pub(crate) fn time(at: Option<i64>) -> Self {
        Self::moment("time", at, String::new())
    }

    fn moment(kind: &'static str, at: Option<i64>, never: String) -> Self {
        Self {
            kind: if at.is_some() { kind } else { "blank" },
            text: never,
            export: Some(at.map(iso).unwrap_or_default()),
            at,
            ..Self::default()
        }
    }

    /// The same, leading somewhere.
    pub(crate) fn to(mut self, path: impl Into<String>) -> Self {
        self.href = path.into();
        self
    }

    /// Names of filters that go along with the link, so that the page behind it knows which list it was opened from.
    pub(crate) fn carry(mut self, names: &'static [&'static str]) -> Self {
        self.carried = names;
        self
    }

    pub(super) fn carrying(mut self, asked: &Asked) -> Self {
        for name in self.carried {
            let value = asked.get(name);
            if !value.is_empty() {
                let mark = if self.href.contains('?') { '&' } else { '?' };
                self.href
                    .push_str(&format!("{mark}{name}={}", path_segment(value)));
            }
        }
        self
    }

    pub(crate) fn mono(mut self) -> Self {
        self.mono = true;
        self
    }

    pub(crate) fn sub(mut self, sub: impl Into<String>) -> Self {
        self.sub = sub.into();
        self
    }

    pub(crate) fn sub_link(mut self, path: impl Into<String>) -> Self {
        self.sub_href = path.into();
        self
    }

    /// A moment after the second line.
    pub(crate) fn sub_time(mut self, at: Option<i64>) -> Self {
        self.sub_time = at;
        self
    }

    pub(crate) fn more(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.more = Some((name.into(), text.into()));
        self
    }

    /// What the export has in its place.
    pub(crate) fn export(mut self, export: impl Into<String>) -> Self {
        self.export = Some(export.into());
        self
    }

    pub(super) fn exported(&self) -> &str {
        self.export.as_deref().unwrap_or(&self.text)
    }

    /// Whether it holds more text than a state or a time takes.
    pub(super) fn is_long(&self) -> bool {
        const BRIEF: usize = 16;
        let is_text = matches!(self.kind, "text" | "link");
        is_text && self.text.chars().count() > BRIEF || self.sub.chars().count() > BRIEF
    }

    pub(super) fn is_blank(&self) -> bool {
        self.kind == "blank"
    }
}

fn iso(at: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(at)
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Millis, true))
        .unwrap_or_default()
}
