//! The command palette: one field that finds every page, thing and common act. Without script it is a page of its own.

mod places;
pub(crate) mod rank;
mod things;

use rocket::{Route, get, routes};
use serde::Serialize;

use crate::kit::{Answer, Area, Desk, Reply, View, t};
use rank::Words;

pub(crate) fn routes() -> Vec<Route> {
    routes![page, options]
}

/// Characters of a search that are looked at.
const LONGEST: usize = 100;
/// Entries shown of one kind, and in all.
const PER_KIND: usize = 6;
const IN_ALL: usize = 40;

/// What choosing an entry does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Way {
    /// Opens a page.
    Open,
    /// Opens a page that asks before anything is done, above the page one is on.
    Ask,
    /// Does it at once: nothing is lost by it.
    Send,
}

/// Something that can be found.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    /// In English; views show it by `{{t}}`.
    pub(crate) kind: &'static str,
    pub(crate) label: String,
    pub(crate) note: String,
    pub(crate) icon: &'static str,
    pub(crate) way: Way,
    /// Below the webmin's own start.
    pub(crate) path: String,
    /// The field that it sends and the field's value, for entries that choose something.
    pub(crate) field: &'static str,
    pub(crate) value: &'static str,
    /// Whether a search of its own found it, maybe by words that are not shown.
    #[serde(skip)]
    pub(crate) found: bool,
    /// Other words it is found by.
    #[serde(skip)]
    pub(crate) words: String,
}

impl Entry {
    pub(crate) fn open(
        kind: &'static str,
        icon: &'static str,
        label: impl Into<String>,
        path: impl Into<String>,
    ) -> Self {
        Self {
            kind,
            label: label.into(),
            note: String::new(),
            icon,
            way: Way::Open,
            path: path.into(),
            field: "",
            value: "",
            found: false,
            words: String::new(),
        }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    pub(crate) fn found(mut self) -> Self {
        self.found = true;
        self
    }

    pub(crate) fn words(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }

    pub(crate) fn choosing(mut self, field: &'static str, value: &'static str) -> Self {
        (self.way, self.field, self.value) = (Way::Send, field, value);
        self
    }

    pub(crate) fn way(mut self, way: Way) -> Self {
        self.way = way;
        self
    }
}

/// Entries of one kind.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Group {
    pub(crate) kind: &'static str,
    pub(crate) entries: Vec<Entry>,
}

#[derive(Serialize)]
pub(crate) struct PaletteView {
    pub(crate) search: String,
    pub(crate) groups: Vec<Group>,
    pub(crate) found: usize,
}

impl View for PaletteView {
    const TEMPLATE: &'static str = "palette/page";

    fn area(&self) -> Area {
        Area::None
    }

    fn title(&self) -> String {
        t!("Find")
    }
}

#[get("/find?<q>")]
async fn page(desk: Desk<'_>, q: Option<&str>) -> Answer {
    desk.page(&find(&desk, q.unwrap_or_default()).await)
}

/// What the script shows below its field.
#[get("/find/options?<q>")]
async fn options(desk: Desk<'_>, q: Option<&str>) -> Answer {
    let view = find(&desk, q.unwrap_or_default()).await;
    let body = desk.webmin.views.render("palette/options", &view);
    Ok(Reply::Data {
        kind: rocket::http::ContentType::HTML,
        body: body.map_err(coronet_core::Error::unexpected)?,
    })
}

async fn find(desk: &Desk<'_>, q: &str) -> PaletteView {
    let search: String = q.chars().take(LONGEST).collect();
    let words = Words::of(&search);
    let mut entries = places::all(desk);
    if !words.is_empty() {
        entries.extend(things::all(desk, &words).await);
    }
    let groups = rank::groups(entries, &words, PER_KIND, IN_ALL);
    PaletteView {
        search: search.trim().to_owned(),
        found: groups.iter().map(|group| group.entries.len()).sum(),
        groups,
    }
}
