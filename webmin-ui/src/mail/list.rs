//! The outbox.

use rocket::{FromForm, Route, get, routes};
use serde::Serialize;
use serde_json::json;

use super::records::Summary;
use crate::accounts::records::Items;
use crate::kit::parts::{Badge, Pager};
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, View};

pub(super) fn routes() -> Vec<Route> {
    routes![list]
}

#[derive(Debug, Default, Serialize, FromForm)]
pub(crate) struct Filter {
    #[field(default = "")]
    pub(crate) state: String,
    #[field(default = "")]
    pub(crate) search: String,
    #[field(default = "")]
    after: String,
}

#[derive(Serialize)]
pub(crate) struct MailRow {
    pub(crate) badge: Badge,
    #[serde(flatten)]
    pub(crate) mail: Summary,
}

/// One of the states the outbox can be looked at by.
#[derive(Serialize)]
pub(crate) struct StateChoice {
    pub(crate) label: &'static str,
    pub(crate) address: String,
    pub(crate) here: bool,
}

#[derive(Serialize)]
pub(crate) struct OutboxView {
    pub(crate) mails: Vec<MailRow>,
    pub(crate) states: Vec<StateChoice>,
    pub(crate) filter: Filter,
    pub(crate) filtered: bool,
    pub(crate) pager: Pager,
    pub(crate) can_edit: bool,
}

impl View for OutboxView {
    const TEMPLATE: &'static str = "mail/list";

    fn area(&self) -> Area {
        Area::Mail
    }

    fn title(&self) -> String {
        "Mail".to_owned()
    }
}

#[get("/mail?<filter..>")]
async fn list(desk: Desk<'_>, filter: Filter) -> Answer {
    let mut parameters = json!({ "filter": {} });
    for (name, value) in [("state", &filter.state), ("search", &filter.search)] {
        if !value.is_empty() {
            parameters["filter"][name] = json!(value);
        }
    }
    if !filter.after.is_empty() {
        parameters["page"] = json!({ "after": filter.after });
    }
    let found: Items<Summary> = desk.call("mail.list", parameters).await?;
    let mails = found
        .items
        .into_iter()
        .map(|mail| MailRow {
            badge: mail.badge(),
            mail,
        })
        .collect();
    let address = Query::new("/mail")
        .with("state", &filter.state)
        .with("search", &filter.search);
    let pager = Pager {
        text: String::new(),
        newer: (!filter.after.is_empty()).then(|| address.to_string()),
        newer_label: "Latest",
        older: found.next.map(|next| address.with("after", &next).to_string()),
        older_label: "Older",
    };
    let filtered = !(filter.state.is_empty() && filter.search.is_empty());
    let states = states(&filter);
    desk.page(&OutboxView {
        mails,
        states,
        filter,
        filtered,
        pager,
        can_edit: desk.can_edit(),
    })
}

const STATES: [(&str, &str); 8] = [
    ("", "All"),
    ("queued", "Waiting"),
    ("sent", "Sent"),
    ("delivered", "Delivered"),
    ("bounced", "Bounced"),
    ("captured", "Captured"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
];

fn states(filter: &Filter) -> Vec<StateChoice> {
    let choice = |(state, label): (&str, &'static str)| StateChoice {
        label,
        address: Query::new("/mail")
            .with("state", state)
            .with("search", &filter.search)
            .to_string(),
        here: state == filter.state,
    };
    STATES.into_iter().map(choice).collect()
}
