//! What `resources.*` and `template.*` return, as far as the webmin shows it.

use coronet_core::Error;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kit::Area;

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Resource {
    pub(crate) path: String,
    /// `edited`, `file` or `shipped`: the layer that is live.
    pub(crate) layer: String,
    pub(crate) layers: Vec<String>,
    pub(crate) revision: i64,
    pub(crate) author: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) changed_at: Option<i64>,
    pub(crate) provider: Option<String>,
    pub(crate) problem: Option<String>,
    /// Since when it fails whenever it is used; `problem` says why.
    pub(crate) failing_since: Option<i64>,
    pub(crate) text: String,
    /// Where a file of the home lies, or would lie.
    pub(crate) file: String,
}

/// A mistake in a text, with its place.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Problem {
    pub(crate) file: String,
    pub(crate) line: i64,
    pub(crate) column: i64,
    pub(crate) message: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Revision {
    pub(crate) revision: i64,
    pub(crate) kind: String,
    pub(crate) author: String,
    pub(crate) note: String,
    pub(crate) changed_at: i64,
    pub(crate) live: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Preview {
    pub(crate) text: Option<String>,
    pub(crate) html: Option<String>,
    pub(crate) problems: Vec<Problem>,
    /// What may fail for real requests.
    pub(crate) warnings: Vec<Problem>,
    pub(crate) sample: Option<Value>,
}

/// What page code answered when it was tried.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct PagePreview {
    pub(crate) status: Option<u16>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Option<String>,
    pub(crate) log: String,
    pub(crate) calls: Vec<Called>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
    pub(crate) sample: Value,
}

/// A function that page code called when it was tried.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Called {
    pub(crate) function: String,
    pub(crate) parameters: Value,
    /// `example`, `read` or `not done`.
    pub(crate) answered: String,
}

/// What a text that was only checked has in it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Checked {
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

/// What saving a text came to, as far as the webmin tells it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Saved {
    pub(crate) warnings: Vec<Problem>,
}

impl Resource {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The layer that would be live without the edited text.
    pub(crate) fn below(&self) -> Option<&str> {
        self.layers.get(1).map(String::as_str)
    }
}

impl Problem {
    /// The mistakes that an error names, or the error itself as one without a place.
    pub(crate) fn of(error: &Error) -> Vec<Self> {
        let named = error
            .details()
            .and_then(|details| details.get("problems"))
            .cloned();
        named
            .and_then(|problems| serde_json::from_value(problems).ok())
            .unwrap_or_else(|| {
                vec![Self {
                    message: error.message().to_owned(),
                    ..Self::default()
                }]
            })
    }
}

/// What a text is, which decides what the editor shows beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The text of a mail, or a part of one.
    Mail,
    MailHtml,
    /// The template of a page.
    PageTemplate,
    /// The code of a page.
    Page,
    Job,
    /// A file of a page that a browser shows by itself.
    Document,
    /// A file of a page that has no look of its own.
    Plain,
    /// No text at all.
    Picture,
}

impl Kind {
    pub(crate) fn of(path: &str) -> Self {
        let extension = extension(path);
        match path.split('/').next().unwrap_or_default() {
            "jobs" => Self::Job,
            "templates" if path.contains(".html.") => Self::MailHtml,
            "templates" => Self::Mail,
            _ => match extension.as_str() {
                "tpl" | "hbs" => Self::PageTemplate,
                "lua" => Self::Page,
                "html" | "htm" | "svg" => Self::Document,
                "png" | "jpg" | "jpeg" | "gif" | "webp" | "avif" | "ico" | "bmp" => Self::Picture,
                _ => Self::Plain,
            },
        }
    }

    pub(crate) fn is_template(self) -> bool {
        matches!(self, Self::Mail | Self::MailHtml | Self::PageTemplate)
    }

    pub(crate) fn is_mail(self) -> bool {
        matches!(self, Self::Mail | Self::MailHtml)
    }

    /// Whether it is filled with data that can be changed.
    pub(crate) fn has_sample(self) -> bool {
        self.is_template() || self == Self::Page
    }

    /// Whether it is shown as a page is.
    pub(crate) fn is_html(self) -> bool {
        matches!(
            self,
            Self::MailHtml | Self::PageTemplate | Self::Page | Self::Document
        )
    }
}

/// The language the editor shows a path in.
pub(crate) fn language(path: &str) -> &'static str {
    match extension(path).as_str() {
        "lua" => "lua",
        "js" | "mjs" => "javascript",
        "css" => "css",
        "json" | "webmanifest" | "map" => "json",
        "html" | "htm" | "svg" | "xml" => "html",
        "tpl" | "hbs" => "template",
        _ => "",
    }
}

fn extension(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rsplit_once('.')
        .map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

/// Job code belongs to the Jobs Service, everything else to Templates.
pub(crate) fn area(path: &str) -> Area {
    if path.starts_with("jobs/") {
        Area::Jobs
    } else {
        Area::Templates
    }
}
