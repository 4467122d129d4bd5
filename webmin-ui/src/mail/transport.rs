//! What carries mail out of the server.

use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Transport;
use crate::kit::{Answer, Area, Desk, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show, choose]
}

#[derive(Serialize)]
pub(crate) struct TransportView {
    pub(crate) transports: Vec<Transport>,
    pub(crate) can_admin: bool,
}

impl View for TransportView {
    const TEMPLATE: &'static str = "mail/transport";

    fn area(&self) -> Area {
        Area::Mail
    }

    fn title(&self) -> String {
        "Mail transport".to_owned()
    }
}

#[get("/mail/transport")]
async fn show(desk: Desk<'_>) -> Answer {
    let transports = desk.call("mail.transports", json!({})).await?;
    desk.page(&TransportView {
        transports,
        can_admin: desk.can_admin(),
    })
}

#[post("/mail/transport", data = "<posted>")]
async fn choose(desk: Desk<'_>, posted: Posted) -> Answer {
    let name = posted.text("name");
    match desk
        .call::<Value>("mail.useTransport", json!({ "name": name }))
        .await
    {
        Ok(_) => desk.go("/mail/transport", format!("Mail goes out by {name} from now on.")),
        Err(error) => desk.back("/mail/transport", error),
    }
}
