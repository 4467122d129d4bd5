//! Forgetting a server that is gone.

use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::records::Server;
use crate::kit::helpers::path_segment;
use crate::kit::language::t;
use crate::kit::parts::Confirm;
use crate::kit::{Answer, Area, Desk};

pub(super) fn routes() -> Vec<Route> {
    routes![ask, forget]
}

#[derive(serde::Deserialize)]
struct Known {
    id: String,
    #[serde(flatten)]
    server: Server,
}

#[get("/server/<id>/forget")]
async fn ask(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("server.forget").await?;
    let all: Vec<Known> = desk.call("server.list", json!({})).await?;
    let name = all
        .into_iter()
        .find(|known| known.id == id)
        .map_or_else(|| id.to_owned(), |known| known.server.name);
    let action = format!("/server/{}/forget", path_segment(id));
    let question = Confirm::new(
        Area::Dashboard,
        t!("Forget the server {name}?", name = name),
        action,
        &t!("Forget it"),
        "/",
    );
    desk.page(&question.line(t!(
        "It gave no sign of life for a while. Should it still run, it comes back by itself."
    )))
}

#[post("/server/<id>/forget")]
async fn forget(desk: Desk<'_>, id: &str) -> Answer {
    match desk.call::<Value>("server.forget", json!({ "id": id })).await {
        Ok(_) => desk.go("/", t!("The server is forgotten.")),
        Err(error) => desk.back("/", error),
    }
}
