//! The tree of texts: folders that fold, and of each text the layer that is live.

use coronet_core::Error;
use rocket::{Route, get, routes};
use serde::Serialize;
use serde_json::json;

use super::records::{Kind, Resource};
use crate::kit::language::t;
use crate::kit::{Answer, Area, Desk, View};

pub(super) fn routes() -> Vec<Route> {
    routes![overview]
}

/// A folder with what is in it. Folders that hold nothing but one other are drawn as one.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Folder {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) open: bool,
    pub(crate) folders: Vec<Folder>,
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) icon: &'static str,
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
        t!("Templates")
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

pub(super) async fn all(desk: &Desk<'_>) -> Result<Vec<Resource>, Error> {
    desk.call("resources.list", json!({ "prefix": "" })).await
}

/// The texts by folder; the folders on the way to `here` are open, or all when there is no such text.
pub(crate) fn folders(all: Vec<Resource>, here: &str) -> Vec<Folder> {
    let mut root = Folder::default();
    for resource in all {
        let path = resource.path.clone();
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", &path));
        root.folder(folder).files.push(File {
            here: path == here,
            icon: icon(&path),
            name: name.to_owned(),
            resource,
        });
    }
    root.settle(here);
    root.folders
}

impl Folder {
    /// The folder at a path below this one, made if it is not there.
    fn folder(&mut self, path: &str) -> &mut Self {
        let Some(step) = path.split('/').next().filter(|step| !step.is_empty()) else {
            return self;
        };
        let at = match self.folders.iter().position(|held| held.name == step) {
            Some(at) => at,
            None => {
                let path = if self.path.is_empty() {
                    step.to_owned()
                } else {
                    format!("{}/{step}", self.path)
                };
                self.folders.push(Self {
                    name: step.to_owned(),
                    path,
                    ..Self::default()
                });
                self.folders.len() - 1
            }
        };
        let rest = path.split_once('/').map_or("", |(_, rest)| rest);
        self.folders[at].folder(rest)
    }

    fn settle(&mut self, here: &str) {
        for folder in &mut self.folders {
            folder.settle(here);
            let inner = &mut folder.folders;
            if folder.files.is_empty()
                && inner.len() == 1
                && let Some(only) = inner.pop()
            {
                let name = format!("{}/{}", folder.name, only.name);
                *folder = Self { name, ..only };
            }
            folder.open = here.is_empty() || here.starts_with(&format!("{}/", folder.path));
        }
        self.folders.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// What kind of text a file is, as an icon of `assets/icons.txt`.
fn icon(path: &str) -> &'static str {
    match Kind::of(path) {
        Kind::Mail | Kind::MailHtml => "mail",
        Kind::PageTemplate => "template",
        Kind::Page | Kind::Job => "code",
        Kind::Document => "world",
        Kind::Plain => "file-text",
        Kind::Picture => "photo",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(folders: &[Folder], depth: usize, lines: &mut Vec<String>) {
        for folder in folders {
            let mark = if folder.open { "-" } else { "+" };
            lines.push(format!("{}{mark}{}", " ".repeat(depth), folder.name));
            drawn(&folder.folders, depth + 1, lines);
            let files = folder.files.iter();
            lines.extend(files.map(|file| format!("{}{}", " ".repeat(depth + 1), file.name)));
        }
    }

    #[test]
    fn folders_with_nothing_but_one_other_are_drawn_as_one() {
        let paths = [
            "jobs/admin/clean.lua",
            "pages/a/b/one.lua",
            "pages/index.lua",
            "templates/mail/test.tpl",
            "templates/mail/deep/x.tpl",
        ];
        let all = paths.map(|path| Resource {
            path: path.to_owned(),
            ..Resource::default()
        });
        let mut lines = Vec::new();
        drawn(&folders(all.into(), "templates/mail/test.tpl"), 0, &mut lines);
        assert_eq!(
            lines,
            [
                "+jobs/admin",
                " clean.lua",
                "+pages",
                " +a/b",
                "  one.lua",
                " index.lua",
                "-templates/mail",
                " +deep",
                "  x.tpl",
                " test.tpl"
            ]
        );
    }
}
