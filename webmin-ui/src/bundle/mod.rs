//! Export and import: the server as files, and what importing files would change, reviewed before it is done.

mod export;
pub(crate) mod review;
mod upload;

use rocket::{Route, get, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::kit::{Answer, Area, Desk, View, t};

pub(crate) fn routes() -> Vec<Route> {
    let mut routes = routes![show, export::download, upload::take];
    routes.extend(review::routes());
    routes
}

#[derive(Serialize)]
pub(crate) struct BundleView {
    /// How many files there are in each folder.
    pub(crate) folders: Vec<Folder>,
    pub(crate) left_out: Vec<LeftOut>,
    pub(crate) can_admin: bool,
    pub(crate) problem: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct Folder {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) count: usize,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct LeftOut {
    pub(crate) path: String,
    pub(crate) why: String,
}

impl View for BundleView {
    const TEMPLATE: &'static str = "bundle/show";

    fn area(&self) -> Area {
        Area::Bundle
    }

    fn title(&self) -> String {
        t!("Export and import")
    }
}

#[get("/bundle")]
async fn show(desk: Desk<'_>) -> Answer {
    let view = view(&desk, None).await?;
    desk.page(&view)
}

/// The page; with why an upload was refused.
async fn view(desk: &Desk<'_>, problem: Option<String>) -> Result<BundleView, coronet_core::Error> {
    if !desk.can_admin() {
        return Ok(BundleView {
            folders: Vec::new(),
            left_out: Vec::new(),
            can_admin: false,
            problem,
        });
    }
    let exported: export::Exported = desk.call("bundle.export", json!({})).await?;
    let count = |name: &str| {
        let start = format!("{name}/");
        exported
            .files
            .keys()
            .filter(|path| path.starts_with(&start))
            .count()
    };
    let folder = |name, about| Folder {
        count: count(name),
        name,
        about,
    };
    Ok(BundleView {
        folders: vec![
            folder("settings", t!("Settings of this server, without secrets")),
            folder("scopes", t!("Scopes, without their users")),
            folder("templates", t!("Templates that were changed here")),
            folder("pages", t!("Pages that were changed here")),
            folder("code", t!("Code of jobs that was changed here")),
            folder("jobs", t!("Jobs with their schedules, without their history")),
        ],
        left_out: exported.left_out,
        can_admin: true,
        problem,
    })
}
