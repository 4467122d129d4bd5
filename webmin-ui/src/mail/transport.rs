//! What carries mail out of the server.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Transport;
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, View, t, text};
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

/// Asks whom the test mail goes to, and then uses the transport if it takes that mail. `capture` needs none.
#[post("/mail/transport", data = "<posted>")]
async fn choose(desk: Desk<'_>, posted: Posted) -> Answer {
    let name = posted.text("name");
    let to = posted.text("test_to");
    let form = test_form(name);
    if name != "capture" && to.is_empty() && desk.can_admin() {
        let form = if posted.flag("asked") {
            let mut form = form.filled(&posted);
            form.mark_mistakes(&posted);
            form
        } else {
            form
        };
        return desk.page(&test_page(&desk, name, form).await?);
    }
    let mut parameters = json!({ "name": name });
    if !to.is_empty() {
        parameters["test_to"] = json!(to);
    }
    match desk
        .submit::<Value>("mail.useTransport", parameters, form, &posted)
        .await
    {
        Ok(_) => desk.go(
            "/mail/transport",
            t!("Mail goes out by {name} from now on.", name = name),
        ),
        Err(refused) if to.is_empty() => desk.back("/mail/transport", refused.error),
        Err(refused) => {
            let page = test_page(&desk, name, refused.form).await?;
            desk.refused(&refused.error, &page)
        }
    }
}

fn test_form(name: &str) -> Form {
    Form::new("/mail/transport", t!("Test and use"))
        .unguarded()
        .cancel("/mail/transport")
        .fields([
            Field::hidden("name", name),
            Field::hidden("asked", "yes"),
            Field::text("test_to", &t!("Send a test mail to"))
                .rule(Rule::Sender)
                .required()
                .placeholder("you@example.com")
                .wide(),
        ])
}

async fn test_page(desk: &Desk<'_>, name: &str, form: Form) -> Result<FormPage, Error> {
    let all: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
    let provider = all
        .iter()
        .find(|transport| transport.name == name)
        .map_or("", |transport| transport.provider.as_str());
    let needs = needs(desk, provider).await;
    let lead = t!(
        "{name} is used as soon as it takes this mail. Until then mail goes out as before.",
        name = name
    );
    Ok(FormPage {
        area: Area::Mail,
        title: t!("Use {name}?", name = name),
        lead: match needs.as_str() {
            "" => lead,
            fields => format!("{} {lead}", t!("Not entered yet: {fields}.", fields = fields)),
        },
        back: "/mail/transport",
        back_label: text!("Mail transport"),
        form,
    })
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
