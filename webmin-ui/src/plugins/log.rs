//! A plugin's log: in the order of time, by level and text, and as a file.

use std::fmt::Write as _;

use coronet_core::Error;
use futures::stream;
use rocket::http::ContentType;
use rocket::{Route, get, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Line;
use crate::kit::helpers::path_segment;
use crate::kit::{Answer, Area, Desk, Reply, View, t};

/// Lines on the page; the file has all.
const SHOWN: usize = 500;
/// More than any server keeps.
const ALL: usize = 100_000;

pub(super) fn routes() -> Vec<Route> {
    routes![page, download]
}

#[derive(Serialize)]
pub(crate) struct PluginLogView {
    pub(crate) name: String,
    /// Oldest first.
    pub(crate) lines: Vec<Line>,
    pub(crate) search: String,
    pub(crate) level: String,
    /// The address of the file, with the same filters.
    pub(crate) file: String,
    pub(crate) filtered: bool,
}

impl View for PluginLogView {
    const TEMPLATE: &'static str = "plugins/log";

    fn area(&self) -> Area {
        Area::Plugins
    }

    fn title(&self) -> String {
        t!("Log of {name}", name = self.name)
    }
}

#[get("/plugin/<name>/log?<search>&<level>")]
async fn page(desk: Desk<'_>, name: &str, search: Option<&str>, level: Option<&str>) -> Answer {
    let (search, level) = (search.unwrap_or_default(), level.unwrap_or_default());
    let lines = lines(&desk, name, search, level, SHOWN).await?;
    let query = format!("search={}&level={}", path_segment(search), path_segment(level));
    desk.page(&PluginLogView {
        name: name.to_owned(),
        lines,
        file: format!("/plugin/{}/log.txt?{query}", path_segment(name)),
        filtered: !search.is_empty() || !level.is_empty(),
        search: search.to_owned(),
        level: level.to_owned(),
    })
}

#[get("/plugin/<name>/log.txt?<search>&<level>")]
async fn download(desk: Desk<'_>, name: &str, search: Option<&str>, level: Option<&str>) -> Answer {
    let lines = lines(
        &desk,
        name,
        search.unwrap_or_default(),
        level.unwrap_or_default(),
        ALL,
    )
    .await?;
    let mut text = String::new();
    for line in lines {
        let at = chrono::DateTime::from_timestamp_millis(line.at).unwrap_or_default();
        let at = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let _ = writeln!(text, "{at} {:<6} {}", line.level, line.text);
    }
    Ok(Reply::Download {
        file: format!("{}.log", path_segment(name)),
        kind: ContentType::Plain,
        body: Box::pin(stream::once(async move { Ok(text.into_bytes()) })),
    })
}

async fn lines(
    desk: &Desk<'_>,
    name: &str,
    search: &str,
    level: &str,
    limit: usize,
) -> Result<Vec<Line>, Error> {
    let mut parameters = json!({ "name": name, "search": search, "limit": limit });
    if !level.is_empty() {
        parameters["level"] = Value::from(level);
    }
    desk.call("plugins.log", parameters).await
}
