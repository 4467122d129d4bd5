//! A text that is open in the editor, with all that stands around it.

use coronet_core::{Code, Error};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Checked, Kind, PagePreview, Preview, Problem, Resource, language};
use crate::accounts::records::Items;
use crate::jobs::records::Job;
use crate::kit::Desk;
use crate::kit::parts::Badge;

/// A job that runs this code.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UsedBy {
    pub(crate) name: String,
    pub(crate) badge: Badge,
    /// Its last run.
    pub(crate) run: Option<String>,
    pub(crate) run_at: Option<i64>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Opened {
    pub(crate) resource: Resource,
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) language: &'static str,
    /// What is live and may fail for real requests.
    pub(crate) warnings: Vec<Problem>,
    /// What fills it in the preview, as JSON.
    pub(crate) sample: String,
    /// The other part of a mail.
    pub(crate) sibling: Option<String>,
    /// Where visitors find a file of a page.
    pub(crate) address: Option<String>,
    pub(crate) jobs: Vec<UsedBy>,
    pub(crate) can_edit: bool,
    pub(crate) is_edited: bool,
    /// Whether there is a layer below the edited one.
    pub(crate) has_below: bool,
    pub(crate) is_html: bool,
    pub(crate) has_sample: bool,
    pub(crate) is_mail: bool,
    pub(crate) is_job: bool,
    pub(crate) is_picture: bool,
}

/// What the script knows of a text.
#[derive(Debug, Serialize)]
pub(crate) struct FileData {
    path: String,
    name: String,
    layer: String,
    revision: i64,
    kind: Kind,
    language: &'static str,
    sample: String,
    warnings: Vec<Problem>,
    can_edit: bool,
    /// What stands above the text, finished.
    bar: String,
    /// What stands beside job code, finished.
    beside: String,
    /// Absent where the page holds it already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
}

impl FileData {
    pub(super) fn of(desk: &Desk<'_>, open: &Opened) -> Result<Self, Error> {
        Ok(Self {
            path: open.resource.path.clone(),
            name: open.name.clone(),
            layer: open.resource.layer.clone(),
            revision: open.resource.revision,
            kind: open.kind,
            language: open.language,
            sample: open.sample.clone(),
            warnings: open.warnings.clone(),
            can_edit: open.can_edit,
            bar: desk.part("templates/part_bar", open)?,
            beside: desk.part("templates/part_beside", open)?,
            text: None,
        })
    }
}

impl Opened {
    pub(super) async fn read(desk: &Desk<'_>, path: &str) -> Result<Self, Error> {
        let kind = Kind::of(path);
        let resource = match desk.call("resources.read", json!({ "path": path })).await {
            Err(error) if kind == Kind::Picture && error.code() == Code::Unprocessable => {
                picture(desk, path, error).await?
            }
            read => read?,
        };
        let (sample, warnings) = around(desk, kind, path).await;
        let can_edit = desk.can_edit() && kind != Kind::Picture;
        let is_edited = resource.layer == "edited";
        let in_pages = path.strip_prefix("pages/").filter(|_| !kind.is_template());
        let address = in_pages.map(|path| format!("/{}", path.trim_end_matches(".lua")));
        Ok(Self {
            name: resource.name().to_owned(),
            language: language(path),
            warnings,
            sample: format!("{sample:#}"),
            sibling: sibling(desk, kind, path).await,
            address: address.filter(|_| !path.contains("/_")),
            jobs: used_by(desk, path).await,
            is_edited,
            has_below: is_edited && resource.layers.len() > 1,
            is_html: kind.is_html(),
            has_sample: kind.has_sample(),
            is_mail: kind.is_mail(),
            is_job: kind == Kind::Job,
            is_picture: kind == Kind::Picture,
            kind,
            can_edit,
            resource,
        })
    }
}

/// A file that is no text is shown and not edited.
async fn picture(desk: &Desk<'_>, path: &str, error: Error) -> Result<Resource, Error> {
    let found: Vec<Resource> = desk.call("resources.list", json!({ "prefix": path })).await?;
    found
        .into_iter()
        .find(|resource| resource.path == path)
        .ok_or(error)
}

/// The sample data of the live text, and what may be wrong with it. A text that is broken has neither, and is no reason
/// not to open it.
async fn around(desk: &Desk<'_>, kind: Kind, path: &str) -> (Value, Vec<Problem>) {
    let parameters = json!({ "path": path });
    if kind.is_template() {
        let preview: Preview = desk
            .call("template.preview", parameters)
            .await
            .unwrap_or_default();
        return (preview.sample.unwrap_or_else(|| json!({})), preview.warnings);
    }
    if kind == Kind::Page {
        let preview: PagePreview = desk
            .call("template.previewPage", json!({ "path": path, "text": "" }))
            .await
            .unwrap_or_default();
        return (preview.sample, Vec::new());
    }
    (json!({}), Vec::new())
}

/// The other part of a mail, when it is there.
async fn sibling(desk: &Desk<'_>, kind: Kind, path: &str) -> Option<String> {
    let other = match kind {
        Kind::Mail => {
            let (stem, extension) = path.rsplit_once('.')?;
            format!("{stem}.html.{extension}")
        }
        Kind::MailHtml => path.replacen(".html.", ".", 1),
        _ => return None,
    };
    let found: Vec<Resource> = desk
        .call("resources.list", json!({ "prefix": other }))
        .await
        .ok()?;
    found
        .iter()
        .any(|resource| resource.path == other)
        .then_some(other)
}

pub(super) async fn used_by(desk: &Desk<'_>, path: &str) -> Vec<UsedBy> {
    let Some(code) = path.strip_prefix("jobs/") else {
        return Vec::new();
    };
    let with_code = json!({ "filter": { "path": code }, "page": { "limit": 50 } });
    let using: Option<Items<Job>> = desk.call("jobs.list", with_code).await.ok();
    using
        .into_iter()
        .flat_map(|found| found.items)
        .map(|job| UsedBy {
            badge: job.badge(),
            name: job.name,
            run: job.last_run,
            run_at: job.last_run_at,
        })
        .collect()
}

/// What is wrong with a draft that is only checked.
pub(super) async fn checked(desk: &Desk<'_>, path: &str, text: &str) -> Result<Checked, Error> {
    desk.call("resources.check", json!({ "path": path, "text": text }))
        .await
}
