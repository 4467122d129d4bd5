//! The tree of texts, and new ones.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Resource;
use crate::kit::parts::FormPage;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![overview, new, create]
}

/// A folder with its texts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Folder {
    pub(crate) name: String,
    pub(crate) open: bool,
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) here: bool,
    #[serde(flatten)]
    pub(crate) resource: Resource,
}

#[derive(Serialize)]
pub(crate) struct TreeView {
    pub(crate) tree: Vec<Folder>,
    /// What an operator edited: the most interesting part of the tree.
    pub(crate) edited: Vec<Resource>,
    /// Texts that cannot be used as they are.
    pub(crate) broken: Vec<Resource>,
    pub(crate) can_edit: bool,
    pub(crate) home: String,
}

impl View for TreeView {
    const TEMPLATE: &'static str = "templates/tree";

    fn area(&self) -> Area {
        Area::Templates
    }

    fn title(&self) -> String {
        "Templates".to_owned()
    }
}

#[get("/templates")]
async fn overview(desk: Desk<'_>) -> Answer {
    let all = all(&desk).await?;
    let mut edited: Vec<Resource> = all
        .iter()
        .filter(|resource| resource.layer == "edited")
        .cloned()
        .collect();
    edited.sort_by_key(|resource| std::cmp::Reverse(resource.changed_at));
    let broken = all
        .iter()
        .filter(|resource| resource.problem.is_some())
        .cloned()
        .collect();
    let home = desk.webmin.core.config.home.display().to_string();
    desk.page(&TreeView {
        tree: folders(all, ""),
        edited,
        broken,
        can_edit: desk.can_edit(),
        home,
    })
}

#[get("/templates/new?<folder>")]
fn new(desk: Desk<'_>, folder: Option<&str>) -> Answer {
    desk.page(&page(form(folder.unwrap_or("templates/password/"))))
}

#[post("/templates/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let path = posted.text("path");
    let (text, note) = (starting_text(path), "Created");
    // Revision 0: nobody may have edited it; a text that is there already is not written over unseen.
    let parameters = json!({ "path": path, "text": text, "note": note, "revision": 0 });
    let present: Option<Resource> = desk.call("resources.read", json!({ "path": path })).await.ok();
    let outcome = match present {
        Some(_) => Ok(Value::Null),
        None => desk.call::<Value>("resources.write", parameters).await,
    };
    match outcome {
        Ok(_) => Ok(crate::kit::Reply::go(
            Query::new("/templates/edit").with("path", path).below_base(),
        )),
        Err(error) => desk.refused(&error, &page(form("").filled(&posted).refused(&error))),
    }
}

/// What a new text starts with: something that works.
fn starting_text(path: &str) -> &'static str {
    match (
        path.starts_with("templates/password/"),
        path.rsplit('.').next().unwrap_or_default(),
    ) {
        (true, "tpl" | "hbs") => {
            "Hello {{ username }},\n\nPlease click the following link to reset your password:\n\n{* reset_link *}\n"
        }
        (_, "lua") if path.starts_with("pages/") => {
            "local page = core.pages.new()\n\nif page.isGet then\n  return page.text(\"Hello\")\nend\n"
        }
        (_, "lua") => "local job = core.job()\n\nfunction job.run()\n  return job.OK\nend\n\nreturn job\n",
        (_, "tpl" | "hbs") => "Hello {{ name }}\n",
        _ => "\n",
    }
}

pub(super) async fn all(desk: &Desk<'_>) -> Result<Vec<Resource>, Error> {
    desk.call("resources.list", json!({ "prefix": "" })).await
}

/// The texts by folder; the folder of `here` is open.
pub(crate) fn folders(all: Vec<Resource>, here: &str) -> Vec<Folder> {
    let mut folders: Vec<Folder> = Vec::new();
    for resource in all {
        let (folder, name) = resource.path.rsplit_once('/').unwrap_or(("", &resource.path));
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let file = File {
            here: resource.path == here,
            name,
            resource,
        };
        match folders.iter_mut().find(|held| held.name == folder) {
            Some(held) => {
                held.open |= file.here;
                held.files.push(file);
            }
            None => folders.push(Folder {
                name: folder,
                open: file.here || here.is_empty(),
                files: vec![file],
            }),
        }
    }
    folders.sort_by(|a, b| a.name.cmp(&b.name));
    folders
}

fn form(folder: &str) -> Form {
    Form::new("/templates/new", "Create").cancel("/templates").fields([Field::text("path", "Path")
        .required()
        .autofocus()
        .value(folder)
        .placeholder("templates/password/custom_reset.tpl")
        .hint("templates/… for mail, pages/… for pages, jobs/… for job code. Mail ends in .tpl, its HTML form in .html.tpl.")
        .wide()])
}

fn page(form: Form) -> FormPage {
    FormPage {
        area: Area::Templates,
        title: "New text".to_owned(),
        lead: "A mail template, a page, or the code of a job.".to_owned(),
        back: "/templates",
        back_label: "Templates",
        form,
    }
}
