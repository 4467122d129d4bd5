//! Small pieces that many views show, and the two pages that are only a form.

use serde::{Serialize, Serializer};

use super::form::{Field, Form};
use super::view::{Area, View};

/// A state in a word and a colour; the word alone says everything.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Badge {
    /// `good`, `warn`, `bad`, `info`, `accent` or nothing; `busy` beside it makes the dot pulse.
    pub(crate) tone: &'static str,
    pub(crate) text: String,
}

impl Badge {
    pub(crate) fn new(tone: &'static str, text: impl Into<String>) -> Self {
        Self {
            tone,
            text: text.into(),
        }
    }
}

/// The way to the neighbouring pages of a list; the addresses keep the list's filters.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Pager {
    pub(crate) text: String,
    /// Back to the first page, where that is not the one before.
    pub(crate) first: Option<String>,
    pub(crate) newer: Option<String>,
    pub(crate) newer_label: String,
    pub(crate) older: Option<String>,
    pub(crate) older_label: String,
}

/// A page that is one form.
#[derive(Serialize)]
pub(crate) struct FormPage {
    #[serde(serialize_with = "area_name")]
    pub(crate) area: Area,
    pub(crate) title: String,
    pub(crate) lead: String,
    pub(crate) back: &'static str,
    pub(crate) back_label: &'static str,
    pub(crate) form: Form,
}

impl View for FormPage {
    const TEMPLATE: &'static str = "parts/form_page";

    fn area(&self) -> Area {
        self.area
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

/// Asks before something is done that cannot simply be taken back. With script it opens as a dialog, without as a page.
#[derive(Serialize)]
pub(crate) struct Confirm {
    #[serde(serialize_with = "area_name")]
    pub(crate) area: Area,
    pub(crate) title: String,
    pub(crate) lines: Vec<String>,
    /// What is meant, one by one.
    pub(crate) items: Vec<String>,
    pub(crate) form: Form,
}

impl Confirm {
    /// `action` is both the page's own address and where its form goes; `back` is where *Cancel* leads.
    pub(crate) fn new(
        area: Area,
        title: impl Into<String>,
        action: String,
        submit: &str,
        back: impl Into<String>,
    ) -> Self {
        let form = Form::new(action, submit).unguarded().cancel(back);
        Self {
            area,
            title: title.into(),
            lines: Vec::new(),
            items: Vec::new(),
            form,
        }
    }

    /// Something is lost: the button is red.
    pub(crate) fn loss(mut self) -> Self {
        self.form = self.form.danger();
        self
    }

    pub(crate) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    pub(crate) fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Self {
        self.form = self.form.fields(fields);
        self
    }
}

impl View for Confirm {
    const TEMPLATE: &'static str = "parts/confirm";

    fn area(&self) -> Area {
        self.area
    }

    fn title(&self) -> String {
        self.title.clone()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands fields over by reference"
)]
fn area_name<S: Serializer>(area: &Area, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(area.name())
}
