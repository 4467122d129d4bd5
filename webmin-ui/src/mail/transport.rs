//! What carries mail out of the server.

use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Transport;
use crate::kit::parts::Confirm;
use crate::kit::{Answer, Area, Desk, Field, Posted, View, t};
use crate::plugins::records::Details;

pub(super) fn routes() -> Vec<Route> {
    routes![show, choose]
}

/// A transport and what it still needs.
#[derive(Serialize)]
pub(crate) struct TransportRow {
    #[serde(flatten)]
    pub(crate) transport: Transport,
    /// The settings of its plugin that are not entered, in words; empty when it is ready.
    pub(crate) needs: String,
}

#[derive(Serialize)]
pub(crate) struct TransportView {
    pub(crate) transports: Vec<TransportRow>,
    pub(crate) can_admin: bool,
}

impl View for TransportView {
    const TEMPLATE: &'static str = "mail/transport";

    fn area(&self) -> Area {
        Area::Mail
    }

    fn title(&self) -> String {
        t!("Mail transport")
    }
}

#[get("/mail/transport")]
async fn show(desk: Desk<'_>) -> Answer {
    let all: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
    let mut transports = Vec::new();
    for transport in all {
        let needs = needs(&desk, &transport.provider).await;
        transports.push(TransportRow { transport, needs });
    }
    desk.page(&TransportView {
        transports,
        can_admin: desk.can_admin(),
    })
}

#[post("/mail/transport", data = "<posted>")]
async fn choose(desk: Desk<'_>, posted: Posted) -> Answer {
    let name = posted.text("name");
    if !posted.flag("anyway") && desk.can_admin() {
        let all: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
        if let Some(chosen) = all.iter().find(|transport| transport.name == name) {
            let needs = needs(&desk, &chosen.provider).await;
            if !needs.is_empty() {
                return desk.page(&not_ready(chosen, &needs));
            }
        }
    }
    match desk
        .call::<Value>("mail.useTransport", json!({ "name": name }))
        .await
    {
        Ok(_) => desk.go(
            "/mail/transport",
            t!("Mail goes out by {name} from now on.", name = name),
        ),
        Err(error) => desk.back("/mail/transport", error),
    }
}

/// Which settings a transport's plugin cannot do without and does not have, such as `Domain, API key`.
pub(crate) async fn needs(desk: &Desk<'_>, provider: &str) -> String {
    if provider.is_empty() || provider == "core" {
        return String::new();
    }
    match desk
        .call::<Details>("plugins.get", json!({ "name": provider }))
        .await
    {
        Ok(plugin) => plugin.missing_settings().join(", "),
        // A plugin that is not there has an alarm of its own.
        Err(_) => String::new(),
    }
}

fn not_ready(chosen: &Transport, needs: &str) -> Confirm {
    let Transport { name, provider, .. } = chosen;
    let page = "/mail/transport".to_owned();
    Confirm::new(
        Area::Mail,
        t!("{name} is not set up", name = name),
        page.clone(),
        &t!("Use it all the same"),
        page,
    )
    .line(t!(
        "Not entered yet: {fields}. Until then every mail waits in the outbox.",
        fields = needs
    ))
    .line(t!(
        "Enter that under Plugins, {name}, and come back.",
        name = provider
    ))
    .fields([Field::hidden("name", name), Field::hidden("anyway", "yes")])
}
