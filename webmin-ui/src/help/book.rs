//! All guides, read once: their HTML, their headings, and their text for the search.

use std::borrow::Cow;
use std::sync::LazyLock;

use rust_embed::RustEmbed;

use super::markdown;

/// Embedded in release builds; debug builds read the folder when the first page of help is opened.
#[derive(RustEmbed)]
#[folder = "../docs/"]
struct Docs;

/// The order in which an operator is likely to need them; guides that are not named here follow by name.
const SHELF: [&str; 12] = [
    "webmin",
    "running",
    "settings",
    "bundle",
    "mail",
    "users-and-scopes",
    "templates-and-pages",
    "jobs",
    "lua",
    "api",
    "plugins",
    "design-language",
];

pub(crate) struct Book {
    pub(crate) guides: Vec<Guide>,
}

/// One file of `docs/`.
pub(crate) struct Guide {
    /// The file's name without `.md`.
    pub(crate) slug: String,
    pub(crate) title: String,
    /// The text before its first heading, in a line.
    pub(crate) summary: String,
    pub(crate) html: String,
    /// In their order; the first is what stands under the guide's title.
    pub(crate) sections: Vec<Section>,
}

/// A heading and the text up to the next one.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Section {
    pub(crate) level: u8,
    /// As GitHub makes it, so that a link is right in both places.
    pub(crate) anchor: String,
    pub(crate) title: String,
    pub(crate) text: String,
}

impl Book {
    pub(crate) fn get() -> &'static Self {
        static BOOK: LazyLock<Book> = LazyLock::new(Book::read);
        &BOOK
    }

    fn read() -> Self {
        let mut guides: Vec<Guide> = Docs::iter().filter_map(|path| guide(&path)).collect();
        let place = |slug: &str| SHELF.iter().position(|shelved| *shelved == slug);
        guides.sort_by_key(|guide| (place(&guide.slug).unwrap_or(SHELF.len()), guide.slug.clone()));
        Self { guides }
    }
}

fn guide(path: &str) -> Option<Guide> {
    let slug = path.strip_suffix(".md").filter(|slug| !slug.contains('/'))?;
    let file = Docs::get(path)?;
    let page = markdown::page(&String::from_utf8_lossy(&file.data));
    let first = page.sections.first()?;
    Some(Guide {
        slug: slug.to_owned(),
        title: first.title.clone(),
        summary: first_sentence(&first.text),
        html: page.html,
        sections: page.sections,
    })
}

fn first_sentence(text: &str) -> String {
    match text.split_once(". ") {
        Some((sentence, _)) => format!("{sentence}."),
        None => text.trim().to_owned(),
    }
}

/// A picture that a guide shows.
pub(super) fn picture(name: &str) -> Option<Cow<'static, [u8]>> {
    let plain = name.ends_with(".png") && !name.contains(['/', '\\']) && !name.starts_with('.');
    Docs::get(&format!("images/{name}"))
        .filter(|_| plain)
        .map(|file| file.data)
}
