//! The history of a text: revisions, any two of them or a layer side by side, and bringing one back.

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::manage::editor;
use super::records::{Resource, Revision, area};
use crate::kit::diff::{self, Sides};
use crate::kit::language::t;
use crate::kit::parts::Confirm;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Field, Posted, Reply, View};

pub(super) fn routes() -> Vec<Route> {
    routes![list, compare, revision, ask_restore, restore]
}

/// The text that is live, whatever its layer, as one side of a comparison.
const LIVE: &str = "live";
const LAYERS: [&str; 2] = ["file", "shipped"];

/// Something to compare: a revision or a layer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Choice {
    /// `live`, `file`, `shipped` or the number of a revision.
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) from: bool,
    pub(crate) to: bool,
}

#[derive(Serialize)]
pub(crate) struct RevisionsView {
    pub(crate) area: &'static str,
    pub(crate) path: String,
    pub(crate) revisions: Vec<Revision>,
    pub(crate) choices: Vec<Choice>,
    /// Whether there is a live text, so that the editor can show one.
    pub(crate) is_there: bool,
    pub(crate) can_edit: bool,
}

impl View for RevisionsView {
    const TEMPLATE: &'static str = "templates/revisions";

    fn area(&self) -> Area {
        area(&self.path)
    }

    fn title(&self) -> String {
        t!("Revisions of {path}", path = self.path)
    }
}

#[derive(Serialize)]
pub(crate) struct CompareView {
    pub(crate) area: &'static str,
    pub(crate) path: String,
    pub(crate) choices: Vec<Choice>,
    pub(crate) from: Side,
    pub(crate) to: Side,
    pub(crate) sides: Sides,
    /// The revision that can be brought back: the older side.
    pub(crate) restore: Option<i64>,
}

/// One side of a comparison.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Side {
    pub(crate) label: String,
    pub(crate) note: String,
    pub(crate) author: String,
    pub(crate) at: Option<i64>,
}

impl View for CompareView {
    const TEMPLATE: &'static str = "templates/compare";

    fn area(&self) -> Area {
        area(&self.path)
    }

    fn title(&self) -> String {
        t!("Compare {path}", path = self.path)
    }
}

/// A text with its history.
struct History {
    path: String,
    live: Option<Resource>,
    revisions: Vec<Revision>,
}

impl History {
    async fn read(desk: &Desk<'_>, path: &str) -> Result<Self, Error> {
        let revisions: Vec<Revision> = desk.call("resources.revisions", json!({ "path": path })).await?;
        let live = match desk.call("resources.read", json!({ "path": path })).await {
            Ok(live) => Some(live),
            // What was deleted still has its past.
            Err(error) if error.code() == Code::NotFound && !revisions.is_empty() => None,
            Err(error) => return Err(error),
        };
        Ok(Self {
            path: path.to_owned(),
            live,
            revisions,
        })
    }

    fn choices(&self, from: &str, to: &str) -> Vec<Choice> {
        let choice = |value: String, label: String| Choice {
            from: value == from,
            to: value == to,
            value,
            label,
        };
        let mut choices = Vec::new();
        if self.live.is_some() {
            choices.push(choice(LIVE.to_owned(), t!("What is live")));
        }
        for layer in LAYERS {
            let layers = self.live.iter().flat_map(|live| &live.layers);
            if layers.into_iter().any(|held| held == layer) {
                choices.push(choice(layer.to_owned(), layer_label(layer)));
            }
        }
        let texts = self.revisions.iter().filter(|revision| revision.kind != "revert");
        choices.extend(texts.map(|revision| {
            let mut label = revision_label(revision.revision);
            if !revision.note.is_empty() {
                label = format!("{label}: {}", revision.note);
            }
            choice(revision.revision.to_string(), label)
        }));
        choices
    }

    /// The text of one side, and what is known of it.
    async fn side(&self, desk: &Desk<'_>, which: &str) -> Result<(String, Side), Error> {
        let nobody = |label: String| Side {
            label,
            note: String::new(),
            author: String::new(),
            at: None,
        };
        if LAYERS.contains(&which) {
            let read = json!({ "path": self.path, "layer": which });
            let layer: Resource = desk.call("resources.read", read).await?;
            return Ok((layer.text, nobody(layer_label(which))));
        }
        if which == LIVE {
            let Some(live) = &self.live else {
                return Ok((String::new(), nobody(t!("Nothing: it was deleted"))));
            };
            return Ok((
                live.text.clone(),
                Side {
                    label: t!("What is live"),
                    note: live.note.clone().unwrap_or_default(),
                    author: live.author.clone().unwrap_or_default(),
                    at: live.changed_at,
                },
            ));
        }
        let number = which.parse::<i64>().unwrap_or_default();
        let then: RevisionText = desk
            .call(
                "resources.revision",
                json!({ "path": self.path, "revision": number }),
            )
            .await?;
        let known = self.revisions.iter().find(|revision| revision.revision == number);
        let known = known.cloned().unwrap_or_default();
        Ok((
            then.text,
            Side {
                label: revision_label(number),
                note: known.note,
                author: known.author,
                at: Some(known.changed_at).filter(|at| *at > 0),
            },
        ))
    }
}

fn layer_label(layer: &str) -> String {
    if layer == "file" {
        t!("The file in the home")
    } else {
        t!("What ships")
    }
}

fn revision_label(number: i64) -> String {
    t!("Revision {number}", number = number)
}

#[derive(Deserialize)]
struct RevisionText {
    text: String,
}

#[get("/templates/revisions?<path>")]
async fn list(desk: Desk<'_>, path: &str) -> Answer {
    let history = History::read(&desk, path).await?;
    let newest = history
        .revisions
        .iter()
        .find(|revision| revision.kind != "revert" && !revision.live);
    let from = newest.map_or_else(String::new, |revision| revision.revision.to_string());
    desk.page(&RevisionsView {
        area: area(path).name(),
        path: path.to_owned(),
        choices: history.choices(&from, LIVE),
        is_there: history.live.is_some(),
        can_edit: desk.can_edit(),
        revisions: history.revisions,
    })
}

#[get("/templates/compare?<path>&<from>&<to>")]
async fn compare(desk: Desk<'_>, path: &str, from: &str, to: &str) -> Answer {
    let history = History::read(&desk, path).await?;
    let (old, from_side) = history.side(&desk, from).await?;
    let (new, to_side) = history.side(&desk, to).await?;
    let live = history.live.as_ref().map_or(0, |live| live.revision);
    let restore = from
        .parse()
        .ok()
        .filter(|revision| *revision != live && desk.can_edit());
    desk.page(&CompareView {
        area: area(path).name(),
        path: path.to_owned(),
        choices: history.choices(from, to),
        from: from_side,
        to: to_side,
        sides: diff::sides(&old, &new),
        restore,
    })
}

/// A revision by its address alone: beside what is live.
#[get("/templates/revision?<path>&<revision>")]
fn revision(path: &str, revision: i64) -> Reply {
    let to = Query::new("/templates/compare")
        .with("path", path)
        .with("from", &revision.to_string())
        .with("to", LIVE);
    Reply::go(to.below_base())
}

#[get("/templates/restore?<path>&<revision>")]
async fn ask_restore(desk: Desk<'_>, path: &str, revision: i64) -> Answer {
    desk.needs("resources.restore").await?;
    let history = History::read(&desk, path).await?;
    let live = history.live.map_or(0, |live| live.revision);
    let action = Query::new("/templates/restore")
        .with("path", path)
        .with("revision", &revision.to_string())
        .below_base();
    let back = Query::new("/templates/revisions").with("path", path).below_base();
    let title = t!("Bring back revision {revision}?", revision = revision);
    let page = Confirm::new(area(path), title, action, &t!("Bring it back"), back)
        .line(t!(
            "Its text is live again for {path}, as a new revision.",
            path = path
        ))
        .line(t!("What is live now stays in the revisions."))
        .fields([Field::hidden("live", &live.to_string())]);
    desk.page(&page)
}

#[post("/templates/restore?<path>&<revision>", data = "<posted>")]
async fn restore(desk: Desk<'_>, path: &str, revision: i64, posted: Posted) -> Answer {
    let parameters = json!({ "path": path, "revision": revision, "expected": posted.number("live") });
    match desk.call::<Value>("resources.restore", parameters).await {
        Ok(_) => desk.go(
            editor(path),
            t!("Revision {revision} is live again.", revision = revision),
        ),
        Err(error) => desk.back(
            Query::new("/templates/revisions").with("path", path).below_base(),
            error,
        ),
    }
}
