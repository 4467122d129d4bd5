//! The guides of `docs/`, served by the server itself: each as a page, all searchable, every heading an address.

pub(crate) mod book;
mod markdown;
pub(crate) mod search;

use std::borrow::Cow;

use coronet_core::{Code, Error};
use rocket::http::{ContentType, Status};
use rocket::{Route, get, routes};
use serde::Serialize;

use crate::kit::{Answer, Area, Desk, View, t};
use book::{Book, Guide};
use search::Hit;

pub(crate) fn routes() -> Vec<Route> {
    routes![list, show, picture]
}

/// A guide, as the list names it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GuideLine {
    pub(crate) slug: String,
    pub(crate) title: String,
    pub(crate) summary: String,
    pub(crate) sections: Vec<Heading>,
}

/// A heading of a guide, to jump to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Heading {
    pub(crate) anchor: String,
    pub(crate) title: String,
}

#[derive(Serialize)]
pub(crate) struct HelpView {
    pub(crate) search: String,
    pub(crate) guides: Vec<GuideLine>,
    pub(crate) hits: Vec<Hit>,
}

impl View for HelpView {
    const TEMPLATE: &'static str = "help/list";

    fn area(&self) -> Area {
        Area::Help
    }

    fn title(&self) -> String {
        t!("Help")
    }
}

#[derive(Serialize)]
pub(crate) struct GuideView {
    pub(crate) title: String,
    /// Finished HTML, made from the guide with everything in it escaped.
    pub(crate) html: String,
    pub(crate) sections: Vec<Heading>,
}

impl View for GuideView {
    const TEMPLATE: &'static str = "help/show";

    fn area(&self) -> Area {
        Area::Help
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

#[get("/help?<q>")]
fn list(desk: Desk<'_>, q: Option<&str>) -> Answer {
    let search = q.unwrap_or_default().trim();
    let book = Book::get();
    desk.page(&HelpView {
        search: search.to_owned(),
        guides: book.guides.iter().map(line).collect(),
        hits: search::find(book, search, 30),
    })
}

#[get("/help/<slug>")]
fn show(desk: Desk<'_>, slug: &str) -> Answer {
    let guide = Book::get()
        .guides
        .iter()
        .find(|guide| guide.slug == slug)
        .ok_or_else(|| Error::new(Code::NotFound, t!("There is no such guide.")))?;
    desk.page(&GuideView {
        title: guide.title.clone(),
        html: guide.html.clone(),
        sections: headings(guide),
    })
}

#[get("/help/images/<name>")]
fn picture(_desk: Desk<'_>, name: &str) -> Result<(ContentType, Cow<'static, [u8]>), Status> {
    let bytes = book::picture(name).ok_or(Status::NotFound)?;
    Ok((ContentType::PNG, bytes))
}

fn line(guide: &Guide) -> GuideLine {
    GuideLine {
        slug: guide.slug.clone(),
        title: guide.title.clone(),
        summary: guide.summary.clone(),
        sections: headings(guide),
    }
}

/// The headings of the second level: a table of contents short enough to be read.
fn headings(guide: &Guide) -> Vec<Heading> {
    let second = guide.sections.iter().filter(|section| section.level == 2);
    second
        .map(|section| Heading {
            anchor: section.anchor.clone(),
            title: section.title.clone(),
        })
        .collect()
}
