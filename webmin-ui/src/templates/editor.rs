//! The editor of a text: one view for templates, pages and job code.

use coronet_core::{Code, Error};
use rocket::{FromForm, Route, get, post, routes};
use serde::Serialize;
use serde_json::json;

use super::records::{Preview, Problem, Resource, Saved, area, is_template, language};
use super::tree::{Folder, all, folders};
use crate::jobs::records::Job;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show, save]
}

/// A job that runs this code.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UsedBy {
    pub(crate) name: String,
}

#[derive(Serialize)]
pub(crate) struct EditorView {
    pub(crate) area: &'static str,
    pub(crate) tree: Vec<Folder>,
    pub(crate) resource: Resource,
    /// The text in the editor: the live one, or a draft that was refused.
    pub(crate) text: String,
    pub(crate) note: String,
    pub(crate) language: &'static str,
    pub(crate) problems: Vec<Problem>,
    /// What is live and may fail for real requests.
    pub(crate) warnings: Vec<Problem>,
    /// Someone else changed it meanwhile; saving again writes over that.
    pub(crate) conflict: Option<String>,
    /// Where the editor jumps to and marks the line.
    pub(crate) line: i64,
    pub(crate) problem: String,
    pub(crate) previews: bool,
    pub(crate) is_html: bool,
    pub(crate) sample: String,
    pub(crate) jobs: Vec<UsedBy>,
    pub(crate) can_edit: bool,
    pub(crate) revertible: bool,
}

impl View for EditorView {
    const TEMPLATE: &'static str = "templates/editor";

    fn area(&self) -> Area {
        area(&self.resource.path)
    }

    fn title(&self) -> String {
        self.resource.path.clone()
    }
}

#[derive(FromForm)]
pub(crate) struct At {
    path: String,
    #[field(default = 0)]
    line: i64,
    #[field(default = "")]
    problem: String,
}

#[get("/templates/edit?<at..>")]
async fn show(desk: Desk<'_>, at: At) -> Answer {
    let mut view = view(&desk, &at.path).await?;
    view.line = at.line;
    view.problem = at.problem;
    desk.page(&view)
}

#[post("/templates/edit?<path>", data = "<posted>")]
async fn save(desk: Desk<'_>, path: &str, posted: Posted) -> Answer {
    let text = posted.lines("text");
    let parameters = json!({ "path": path, "text": text, "note": posted.text("note"), "revision": posted.number("revision") });
    match desk.call::<Saved>("resources.write", parameters).await {
        Ok(saved) => desk.go(
            Query::new("/templates/edit").with("path", path).below_base(),
            if saved.warnings.is_empty() {
                "Saved. It is live now."
            } else {
                "Saved and live, but requests may fail: read the warning."
            },
        ),
        Err(error) => {
            let mut view = view(&desk, path).await?;
            view.text = text;
            posted.text("note").clone_into(&mut view.note);
            explain(&mut view, &error);
            desk.refused(&error, &view)
        }
    }
}

/// Shows why it was not saved, beside what was typed.
fn explain(view: &mut EditorView, error: &Error) {
    if error.code() == Code::Conflict {
        view.conflict = Some(error.message().to_owned());
        return;
    }
    view.problems = Problem::of(error);
    if let Some(first) = view
        .problems
        .iter()
        .find(|problem| problem.line > 0 && (problem.file.is_empty() || problem.file == view.resource.path))
    {
        view.line = first.line;
        view.problem.clone_from(&first.message);
    }
}

async fn view(desk: &Desk<'_>, path: &str) -> Result<EditorView, Error> {
    let resource: Resource = desk.call("resources.read", json!({ "path": path })).await?;
    let previews = is_template(path);
    let preview: Preview = if previews {
        desk.call("template.preview", json!({ "path": path }))
            .await
            .unwrap_or_default()
    } else {
        Preview::default()
    };
    let sample = preview
        .sample
        .filter(|sample| !sample.is_null())
        .map(|sample| format!("{sample:#}"));
    let tree = folders(all(desk).await?, path);
    Ok(EditorView {
        area: area(path).name(),
        tree,
        text: resource.text.clone(),
        note: String::new(),
        language: language(path),
        problems: Vec::new(),
        warnings: preview.warnings,
        conflict: None,
        line: 0,
        problem: String::new(),
        previews,
        is_html: preview.html.is_some() || path.contains(".html."),
        sample: sample.unwrap_or_else(|| "{}".to_owned()),
        jobs: used_by(desk, path).await,
        can_edit: desk.can_edit(),
        revertible: desk.can_edit() && resource.layer == "edited" && resource.layers.len() > 1,
        resource,
    })
}

async fn used_by(desk: &Desk<'_>, path: &str) -> Vec<UsedBy> {
    let Some(code) = path.strip_prefix("jobs/") else {
        return Vec::new();
    };
    let jobs: Vec<Job> = desk.call("jobs.list", json!({})).await.unwrap_or_default();
    let using = jobs.into_iter().filter(|job| job.path == code);
    using.map(|job| UsedBy { name: job.name }).collect()
}
