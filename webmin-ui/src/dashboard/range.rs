//! The time that the figures are shown of.

use serde::Serialize;

use crate::kit::language::t;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Range {
    Hour,
    #[default]
    Day,
    Week,
    Month,
}

/// A range that can be chosen.
#[derive(Serialize)]
pub(crate) struct Choice {
    pub(crate) label: String,
    pub(crate) path: String,
    pub(crate) here: bool,
}

pub(super) const HOUR_MS: i64 = 3_600_000;

impl Range {
    pub(super) const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// The range of this name.
    pub(super) fn named(name: Option<&str>) -> Option<Self> {
        Self::ALL.into_iter().find(|range| Some(range.name()) == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Milliseconds in all, and seconds in each of its steps.
    pub(super) fn span_and_step(self) -> (i64, i64) {
        match self {
            Self::Hour => (HOUR_MS, 60),
            Self::Day => (24 * HOUR_MS, 15 * 60),
            Self::Week => (7 * 24 * HOUR_MS, 2 * 3600),
            Self::Month => (30 * 24 * HOUR_MS, 6 * 3600),
        }
    }

    /// The choices, this one chosen.
    pub(super) fn choices(self) -> Vec<Choice> {
        let choice = |range: Self| Choice {
            label: match range {
                Self::Hour => t!("Hour"),
                Self::Day => t!("Day"),
                Self::Week => t!("Week"),
                Self::Month => t!("Month"),
            },
            path: format!("/?range={}", range.name()),
            here: range == self,
        };
        Self::ALL.map(choice).into()
    }

    /// Such as "in the last hour".
    pub(super) fn words(self) -> String {
        match self {
            Self::Hour => t!("in the last hour"),
            Self::Day => t!("in the last day"),
            Self::Week => t!("in the last week"),
            Self::Month => t!("in the last month"),
        }
    }
}
