//! The filters of a list as its views get them: the fields, what is set, and the addresses without it.

use serde::Serialize;

use super::filter::{Kind, spans};
use super::{Asked, Table};
use crate::kit::t;

#[derive(Debug, Serialize)]
pub(super) struct TextField {
    pub(super) label: String,
    pub(super) value: String,
}

#[derive(Debug, Serialize)]
pub(super) struct FieldDrawn {
    /// `choice`, `text` or `date`.
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) value: String,
    pub(super) placeholder: &'static str,
    pub(super) choices: Vec<Choice>,
}

#[derive(Debug, Serialize)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) label: String,
    pub(super) chosen: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) name: &'static str,
    pub(super) value: String,
}

/// A filter that is set, and the address without it.
#[derive(Debug, Serialize)]
pub(super) struct Chip {
    pub(super) label: String,
    pub(super) value: String,
    pub(super) without: String,
    /// Whether it is what the search field holds.
    #[serde(skip)]
    pub(super) searches: bool,
}

/// Every field of the filters, with whether it is folded away.
pub(super) fn fields<T>(table: &Table<T>, asked: &Asked) -> Vec<(bool, FieldDrawn)> {
    let mut fields = Vec::new();
    for filter in &table.filters {
        match &filter.kind {
            Kind::Choice { name, choices, .. } => {
                let choices = choices
                    .iter()
                    .map(|(value, label)| (value.as_str(), label.clone()));
                let field = choice(name, &filter.label, choices, asked);
                fields.push((filter.folded, field));
            }
            Kind::Text {
                name, placeholder, ..
            } => fields.push((
                filter.folded,
                FieldDrawn {
                    placeholder,
                    ..field("text", name, &filter.label, asked)
                },
            )),
            Kind::Hidden { .. } => {}
            Kind::Time { .. } => {
                fields.push((false, choice("when", &filter.label, spans(), asked)));
                fields.push((true, field("date", "from", &t!("From (day in UTC)"), asked)));
                fields.push((true, field("date", "until", &t!("Until (day in UTC)"), asked)));
            }
        }
    }
    fields
}

fn field(kind: &'static str, name: &'static str, label: &str, asked: &Asked) -> FieldDrawn {
    FieldDrawn {
        kind,
        name,
        label: label.to_owned(),
        value: asked.get(name).to_owned(),
        placeholder: "",
        choices: Vec::new(),
    }
}

fn choice<'c>(
    name: &'static str,
    label: &str,
    choices: impl IntoIterator<Item = (&'c str, String)>,
    asked: &Asked,
) -> FieldDrawn {
    let chosen = asked.get(name);
    let choices = choices.into_iter().map(|(value, label)| Choice {
        chosen: value == chosen,
        value: value.to_owned(),
        label,
    });
    FieldDrawn {
        choices: choices.collect(),
        ..field("choice", name, label, asked)
    }
}

pub(super) fn chips<T>(table: &Table<T>, asked: &Asked) -> Vec<Chip> {
    let mut chips = Vec::new();
    let mut chip = |name: &'static str, label: String, value: String| {
        if !asked.get(name).is_empty() {
            let without = asked.address(table, &[(name, "")]).to_string();
            chips.push(Chip {
                label,
                value,
                without,
                searches: name == "search",
            });
        }
    };
    if table.search.is_some() {
        chip("search", t!("Search"), asked.get("search").to_owned());
    }
    for filter in &table.filters {
        let called = |name: &str, choices: &[(String, String)]| {
            let value = asked.get(name);
            let known = choices.iter().find(|(known, _)| known == value);
            known.map_or(value, |(_, label)| label).to_owned()
        };
        match &filter.kind {
            Kind::Choice { name, choices, .. } => chip(name, filter.label.clone(), called(name, choices)),
            Kind::Text { name, .. } | Kind::Hidden { name, .. } => {
                chip(name, filter.label.clone(), asked.get(name).to_owned());
            }
            Kind::Time { .. } => {
                let spans = spans().map(|(value, label)| (value.to_owned(), label));
                chip("when", filter.label.clone(), called("when", &spans));
                chip("from", t!("From"), asked.get("from").to_owned());
                chip("until", t!("Until"), asked.get("until").to_owned());
            }
        }
    }
    chips
}

/// The address with the order and the columns, and no filter.
pub(super) fn cleared<T>(table: &Table<T>, asked: &Asked) -> String {
    let filters = table.filters.iter().flat_map(|filter| filter.names());
    let none: Vec<(&str, &str)> = filters.chain(["search"]).map(|name| (name, "")).collect();
    asked.address(table, &none).to_string()
}

pub(super) fn kept<T>(table: &Table<T>, asked: &Asked) -> Vec<Pair> {
    let hidden = table.filters.iter().filter_map(|filter| match &filter.kind {
        Kind::Hidden { name, .. } => Some(*name),
        _ => None,
    });
    pairs(hidden.chain(["columns"]), asked)
}

pub(super) fn columns_kept<T>(table: &Table<T>, asked: &Asked) -> Vec<Pair> {
    let filters = table.filters.iter().flat_map(|filter| filter.names());
    pairs(["search"].into_iter().chain(filters).chain(["sort"]), asked)
}

pub(super) fn pairs(names: impl Iterator<Item = &'static str>, asked: &Asked) -> Vec<Pair> {
    names
        .map(|name| Pair {
            name,
            value: asked.get(name).to_owned(),
        })
        .filter(|pair| !pair.value.is_empty())
        .collect()
}
