//! Lists: described once in Rust, drawn by one set of parts (`views/parts/table*.hbs`), so that all look and behave alike.
//!
//! The address holds everything about a list that is looked at ([`Asked`]). A list is read through the registry, page by
//! page and by key; so are its export ([`export`]) and whatever is done to many of its rows at once ([`bulk`]).

mod asked;
mod bulk;
mod cell;
mod csv;
mod drawn;
mod export;
mod fields;
mod filter;

use std::collections::BTreeMap;

use coronet_core::{Code, Error, Total};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::view::Area;
use super::{Desk, t};

pub(crate) use asked::Asked;
pub(crate) use bulk::{Act, Ask, Done};
#[cfg(test)]
pub(crate) use bulk::{Failure, Outcome};
pub(crate) use cell::Cell;
pub(crate) use drawn::Drawn;
#[cfg(test)]
pub(crate) use drawn::sample;
pub(crate) use export::Format;
pub(crate) use filter::Filter;

/// Rows on a page.
const ROWS: usize = 50;

/// A list, as it is described.
pub(crate) struct Table<T: 'static> {
    pub(super) area: Area,
    /// The list's page; below it are its export and its acts.
    pub(super) path: &'static str,
    pub(super) function: &'static str,
    /// What is asked for always.
    pub(super) base: Value,
    /// Whether the function takes `after` and `limit` beside its other parameters, and not in a `page` of their own.
    pub(super) flat: bool,
    pub(super) sort: &'static str,
    pub(super) columns: Vec<Column<T>>,
    pub(super) search: Option<Search>,
    pub(super) filters: Vec<Filter>,
    pub(super) acts: Vec<Act>,
    /// What a row is acted on by, and what people call it.
    pub(super) name_of: fn(&T) -> (String, String),
    pub(super) row_acts: fn(&T) -> Vec<RowAct>,
    pub(super) count: fn(i64) -> String,
    pub(super) empty: Empty,
}

/// A column.
pub(crate) struct Column<T: 'static> {
    /// Its name in addresses and exports.
    pub(super) key: &'static str,
    pub(super) label: String,
    pub(super) cell: fn(&T) -> Cell,
    /// What the function sorts by; with `-` before it when that way round is wanted first.
    pub(super) sort: Option<&'static str>,
    /// Shown unless someone chooses.
    pub(super) shown: bool,
    pub(super) fixed: bool,
    pub(super) right: bool,
}

impl<T> Column<T> {
    pub(crate) fn new(key: &'static str, label: String, cell: fn(&T) -> Cell) -> Self {
        Self {
            key,
            label,
            cell,
            sort: None,
            shown: true,
            fixed: false,
            right: false,
        }
    }

    pub(crate) fn sort(mut self, sort: &'static str) -> Self {
        self.sort = Some(sort);
        self
    }

    /// Shown only to those who choose it.
    pub(crate) fn extra(mut self) -> Self {
        self.shown = false;
        self
    }

    /// The one that names the row, which cannot be taken away.
    pub(crate) fn fixed(mut self) -> Self {
        self.fixed = true;
        self
    }

    pub(crate) fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// The field that searches.
pub(super) struct Search {
    pub(super) label: String,
    pub(super) send: fn(&mut Value, &str),
}

/// What stands in place of a list that has nothing yet.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Empty {
    pub(crate) icon: &'static str,
    pub(crate) title: String,
    pub(crate) text: String,
    pub(crate) act: Option<Link>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Link {
    pub(crate) path: String,
    pub(crate) icon: &'static str,
    pub(crate) label: String,
    pub(crate) primary: bool,
}

/// Something that can be done to one row.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RowAct {
    /// `link`, `ask` (a confirmation) or `post`.
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) icon: &'static str,
    pub(crate) label: String,
    /// What screen readers hear: the label alone does not say of which row.
    pub(crate) about: String,
    pub(crate) danger: bool,
}

/// A page of rows, as the functions give it.
#[derive(Debug, Deserialize)]
pub(super) struct Rows<T> {
    #[serde(alias = "entries")]
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
    pub(super) previous: Option<String>,
    pub(super) total: Option<Total>,
}

impl<T> Rows<T> {
    fn none() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            previous: None,
            total: None,
        }
    }
}

impl<T: DeserializeOwned> Table<T> {
    pub(crate) fn new(area: Area, path: &'static str, function: &'static str, sort: &'static str) -> Self {
        Self {
            area,
            path,
            function,
            base: json!({}),
            flat: false,
            sort,
            columns: Vec::new(),
            search: None,
            filters: Vec::new(),
            acts: Vec::new(),
            name_of: |_| Default::default(),
            row_acts: |_| Vec::new(),
            count: |count| count.to_string(),
            empty: Empty {
                icon: "list",
                title: t!("Nothing yet"),
                text: String::new(),
                act: None,
            },
        }
    }

    pub(crate) fn base(mut self, base: Value) -> Self {
        self.base = base;
        self
    }

    pub(crate) fn flat(mut self) -> Self {
        self.flat = true;
        self
    }

    pub(crate) fn columns(mut self, columns: impl IntoIterator<Item = Column<T>>) -> Self {
        self.columns.extend(columns);
        self
    }

    pub(crate) fn search(mut self, label: String, send: fn(&mut Value, &str)) -> Self {
        self.search = Some(Search { label, send });
        self
    }

    pub(crate) fn filters(mut self, filters: impl IntoIterator<Item = Filter>) -> Self {
        self.filters.extend(filters);
        self
    }

    /// What can be done to many rows at once. It is offered to those who may.
    pub(crate) fn acts(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.acts.extend(acts);
        self
    }

    pub(crate) fn names(mut self, name_of: fn(&T) -> (String, String)) -> Self {
        self.name_of = name_of;
        self
    }

    pub(crate) fn row_acts(mut self, row_acts: fn(&T) -> Vec<RowAct>) -> Self {
        self.row_acts = row_acts;
        self
    }

    pub(crate) fn count(mut self, count: fn(i64) -> String) -> Self {
        self.count = count;
        self
    }

    pub(crate) fn empty(mut self, empty: Empty) -> Self {
        self.empty = empty;
        self
    }

    /// Reads the page that is asked for, and gives what its view shows.
    ///
    /// # Errors
    /// When the list cannot be read. That a filter or a place in the list is none is told in the list.
    pub(crate) async fn read(&self, desk: &Desk<'_>, asked: &Asked) -> Result<Drawn, Error> {
        let (rows, problem) = match self.rows(desk, asked).await {
            Ok(rows) => (rows, None),
            Err(error) if is_about_the_question(&error) => (Rows::none(), Some(error.message().to_owned())),
            Err(error) => return Err(error),
        };
        Ok(drawn::drawn(self, desk, asked, &rows, problem))
    }

    async fn rows(&self, desk: &Desk<'_>, asked: &Asked) -> Result<Rows<T>, Error> {
        let now = desk.webmin.core.clock.now_ms();
        let mut page = json!({ "limit": ROWS });
        for name in ["after", "before"] {
            if !asked.get(name).is_empty() {
                page[name] = json!(asked.get(name));
            }
        }
        // A search has to look at everything to count what it finds.
        page["count"] = json!(asked.get("search").is_empty());
        let moved = page.get("after").is_some() || page.get("before").is_some();
        let rows: Rows<T> = desk
            .call(self.function, self.parameters(asked, now, page.clone())?)
            .await?;
        // Rows came or went: what was before or after is no page any more. The first one is.
        let short = page.get("before").is_some() && rows.previous.is_none() && rows.items.len() < ROWS;
        if moved && (rows.items.is_empty() || short) {
            page = json!({ "limit": ROWS, "count": page["count"] });
            return desk.call(self.function, self.parameters(asked, now, page)?).await;
        }
        Ok(rows)
    }

    /// What the function is called with.
    pub(super) fn parameters(&self, asked: &Asked, now: i64, page: Value) -> Result<Value, Error> {
        let mut parameters = self.base.clone();
        if let Some(search) = &self.search
            && !asked.get("search").is_empty()
        {
            (search.send)(&mut parameters, asked.get("search"));
        }
        for filter in &self.filters {
            filter.send(asked, now, &mut parameters)?;
        }
        parameters["sort"] = json!(self.sorted(asked));
        if self.flat {
            let page: BTreeMap<String, Value> = serde_json::from_value(page).unwrap_or_default();
            for (name, value) in page {
                parameters[name] = value;
            }
        } else {
            parameters["page"] = page;
        }
        Ok(parameters)
    }

    /// The order that is asked for; another than the columns offer is none.
    pub(super) fn sorted<'a>(&'a self, asked: &'a Asked) -> &'a str {
        let wanted = asked.get("sort");
        let bare = |sort: &'a str| sort.strip_prefix('-').unwrap_or(sort);
        let offered = self
            .columns
            .iter()
            .filter_map(|column| column.sort)
            .any(|sort| bare(sort) == bare(wanted));
        if offered { wanted } else { self.sort }
    }
}

/// What was asked for cannot be: that is told in the list, beside what can be taken away.
fn is_about_the_question(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::ParameterInvalid
            | Code::ParameterType
            | Code::ScopeNotFound
            | Code::UserNotFound
            | Code::NotFound
    )
}
