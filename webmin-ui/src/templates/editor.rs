//! The editor of texts: one view for templates, pages and job code. The page holds one text as a plain form; the script
//! makes tabs of it, and asks for further texts and saves them through addresses of their own.

use coronet_core::{Code, Error};
use rocket::{FromForm, Route, get, post, routes};
use serde::Serialize;
use serde_json::json;

use super::conflict::{self, Conflict};
use super::opened::{FileData, Opened};
use super::records::{Problem, Resource, Saved, area};
use super::tree::{Folder, all, folders};
use crate::kit::answer::has_own_page;
use crate::kit::language::t;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show, save, file, save_from_tab]
}

#[derive(Serialize)]
pub(crate) struct EditorView {
    pub(crate) area: &'static str,
    pub(crate) tree: Vec<Folder>,
    pub(crate) open: Opened,
    /// The text in the editor: the live one, or a draft that was refused.
    pub(crate) text: String,
    pub(crate) note: String,
    pub(crate) problems: Vec<Problem>,
    /// Someone else changed it meanwhile; saving again writes over that.
    pub(crate) conflict: Option<Conflict>,
    /// Where the editor jumps to and marks the line.
    pub(crate) line: i64,
    pub(crate) problem: String,
    /// What the script needs to know of the text, as JSON.
    pub(crate) file: String,
    pub(crate) operator: String,
    pub(crate) can_edit: bool,
}

impl View for EditorView {
    const TEMPLATE: &'static str = "templates/editor";

    fn area(&self) -> Area {
        area(&self.open.resource.path)
    }

    fn title(&self) -> String {
        self.open.resource.path.clone()
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
    match write(&desk, path, &text, &posted).await {
        Ok(saved) => desk.go(
            Query::new("/templates/edit").with("path", path).below_base(),
            word(&saved),
        ),
        Err(error) => {
            let mut view = view(&desk, path).await?;
            if error.code() == Code::Conflict {
                view.conflict = Some(conflict::of(&view.open.resource, &text, &error));
            } else {
                explain(&mut view, &error);
            }
            view.text = text;
            posted.text("note").clone_into(&mut view.note);
            desk.refused(&error, &view)
        }
    }
}

/// Another text, for a tab.
#[get("/templates/file?<path>")]
async fn file(desk: Desk<'_>, path: &str) -> Answer {
    let opened = Opened::read(&desk, path).await?;
    let mut data = FileData::of(&desk, &opened)?;
    data.text = Some(opened.resource.text);
    desk.json(&data)
}

/// What saving from a tab came to.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
enum Outcome {
    Saved {
        word: String,
        file: Box<FileData>,
    },
    Refused {
        word: String,
        problems: Vec<Problem>,
    },
    /// `part` shows the other change beside this one; `theirs` is the text that is live now.
    Conflict {
        part: String,
        theirs: String,
        file: Box<FileData>,
    },
}

#[post("/templates/save?<path>", data = "<posted>")]
async fn save_from_tab(desk: Desk<'_>, path: &str, posted: Posted) -> Answer {
    let text = posted.lines("text");
    let written = write(&desk, path, &text, &posted).await;
    let outcome = match written {
        Ok(saved) => {
            let opened = Opened::read(&desk, path).await?;
            Outcome::Saved {
                word: word(&saved),
                file: Box::new(FileData::of(&desk, &opened)?),
            }
        }
        Err(error) if error.code() == Code::Conflict => {
            let opened = Opened::read(&desk, path).await?;
            let conflict = conflict::of(&opened.resource, &text, &error);
            Outcome::Conflict {
                part: desk.part("templates/conflict", &conflict)?,
                file: Box::new(FileData::of(&desk, &opened)?),
                theirs: opened.resource.text,
            }
        }
        Err(error) if has_own_page(&error) => return Err(error.into()),
        Err(error) => Outcome::Refused {
            word: t!("Not saved; the last good text goes on being used."),
            problems: Problem::of(&error),
        },
    };
    desk.json(&outcome)
}

async fn write(desk: &Desk<'_>, path: &str, text: &str, posted: &Posted) -> Result<Saved, Error> {
    let parameters = json!({
        "path": path, "text": text, "note": posted.text("note"), "revision": posted.number("revision"),
    });
    desk.call("resources.write", parameters).await
}

fn word(saved: &Saved) -> String {
    if saved.warnings.is_empty() {
        t!("Saved. It is live now.")
    } else {
        t!("Saved and live, but requests may fail: read the warning.")
    }
}

/// Shows why it was not saved, beside what was typed.
fn explain(view: &mut EditorView, error: &Error) {
    view.problems = Problem::of(error);
    let path = &view.open.resource.path;
    let here = |problem: &&Problem| problem.line > 0 && (problem.file.is_empty() || problem.file == *path);
    if let Some(first) = view.problems.iter().find(here) {
        view.line = first.line;
        view.problem.clone_from(&first.message);
    }
}

async fn view(desk: &Desk<'_>, path: &str) -> Result<EditorView, Error> {
    let open = Opened::read(desk, path).await?;
    let tree: Vec<Resource> = all(desk).await?;
    let file = FileData::of(desk, &open)?;
    Ok(EditorView {
        area: area(path).name(),
        tree: folders(tree, path),
        text: open.resource.text.clone(),
        note: String::new(),
        problems: Vec::new(),
        conflict: None,
        line: 0,
        problem: String::new(),
        file: serde_json::to_string(&file).map_err(Error::unexpected)?,
        operator: desk.operator.id.clone(),
        can_edit: desk.can_edit(),
        open,
    })
}
