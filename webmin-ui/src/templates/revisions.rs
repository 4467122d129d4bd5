//! The history of a text: revisions, what each changed, bringing one back, dropping to the layer below.

use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::diff::{self, Line};
use super::records::{Resource, Revision, area};
use crate::kit::parts::Confirm;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![list, compare, restore, ask_revert, revert]
}

#[derive(Serialize)]
pub(crate) struct RevisionsView {
    pub(crate) area: &'static str,
    pub(crate) path: String,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) can_edit: bool,
}

impl View for RevisionsView {
    const TEMPLATE: &'static str = "templates/revisions";

    fn area(&self) -> Area {
        area(&self.path)
    }

    fn title(&self) -> String {
        format!("Revisions of {}", self.path)
    }
}

#[derive(Serialize)]
pub(crate) struct CompareView {
    pub(crate) area: &'static str,
    pub(crate) path: String,
    pub(crate) revision: i64,
    /// The live revision, 0 when a file or what ships is live.
    pub(crate) live: i64,
    pub(crate) lines: Vec<Line>,
    pub(crate) can_edit: bool,
}

impl View for CompareView {
    const TEMPLATE: &'static str = "templates/compare";

    fn area(&self) -> Area {
        area(&self.path)
    }

    fn title(&self) -> String {
        format!("Revision {} of {}", self.revision, self.path)
    }
}

#[derive(Deserialize)]
struct RevisionText {
    text: String,
}

#[get("/templates/revisions?<path>")]
async fn list(desk: Desk<'_>, path: &str) -> Answer {
    let revisions = desk.call("resources.revisions", json!({ "path": path })).await?;
    desk.page(&RevisionsView {
        area: area(path).name(),
        path: path.to_owned(),
        revisions,
        can_edit: desk.can_edit(),
    })
}

#[get("/templates/revision?<path>&<revision>")]
async fn compare(desk: Desk<'_>, path: &str, revision: i64) -> Answer {
    let then: RevisionText = desk
        .call(
            "resources.revision",
            json!({ "path": path, "revision": revision }),
        )
        .await?;
    let live: Resource = desk.call("resources.read", json!({ "path": path })).await?;
    desk.page(&CompareView {
        area: area(path).name(),
        path: path.to_owned(),
        revision,
        live: live.revision,
        lines: diff::lines(&live.text, &then.text),
        can_edit: desk.can_edit(),
    })
}

#[post("/templates/revision?<path>&<revision>", data = "<posted>")]
async fn restore(desk: Desk<'_>, path: &str, revision: i64, posted: Posted) -> Answer {
    let parameters = json!({ "path": path, "revision": revision, "expected": posted.number("live") });
    match desk.call::<Value>("resources.restore", parameters).await {
        Ok(_) => desk.go(editor(path), format!("Revision {revision} is live again.")),
        Err(error) => desk.back(
            Query::new("/templates/revisions").with("path", path).below_base(),
            error,
        ),
    }
}

#[get("/templates/revert?<path>")]
fn ask_revert(desk: Desk<'_>, path: &str) -> Answer {
    let action = Query::new("/templates/revert").with("path", path).below_base();
    let page = Confirm::new(
        area(path),
        "Drop the edited text?",
        action,
        "Drop it",
        editor(path),
    )
    .line(format!(
        "The layer below it is live again for {path}: the file in the home, or what ships."
    ))
    .line("The edited text stays in the revisions and can be brought back.");
    desk.page(&page)
}

#[post("/templates/revert?<path>")]
async fn revert(desk: Desk<'_>, path: &str) -> Answer {
    match desk
        .call::<Value>("resources.revert", json!({ "path": path }))
        .await
    {
        Ok(_) => desk.go(editor(path), "The layer below is live again."),
        Err(error) => desk.back(editor(path), error),
    }
}

fn editor(path: &str) -> String {
    Query::new("/templates/edit").with("path", path).below_base()
}
