//! The audit log: every write, and every call that was not allowed.

use rocket::{FromForm, Route, get, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::parts::Pager;
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, View};

pub(super) fn routes() -> Vec<Route> {
    routes![list]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) caller_kind: String,
    pub(crate) caller_name: String,
    pub(crate) address: String,
    pub(crate) function: String,
    pub(crate) parameters: String,
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) duration_us: i64,
}

#[derive(Debug, Default, Serialize, FromForm)]
pub(crate) struct Filter {
    #[field(default = "")]
    pub(crate) function: String,
    #[field(default = "")]
    pub(crate) caller: String,
    #[field(default = false)]
    pub(crate) failed: bool,
    #[field(default = "")]
    after: String,
}

#[derive(Deserialize)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct AuditView {
    pub(crate) entries: Vec<Entry>,
    pub(crate) filter: Filter,
    pub(crate) filtered: bool,
    pub(crate) pager: Pager,
}

impl View for AuditView {
    const TEMPLATE: &'static str = "audit/list";

    fn area(&self) -> Area {
        Area::Audit
    }

    fn title(&self) -> String {
        "Audit log".to_owned()
    }
}

#[get("/audit?<filter..>")]
async fn list(desk: Desk<'_>, filter: Filter) -> Answer {
    let listed = read(&desk, &filter, 50).await?;
    let address = Query::new("/audit")
        .with("function", &filter.function)
        .with("caller", &filter.caller)
        .with("failed", if filter.failed { "true" } else { "" });
    let pager = Pager {
        text: String::new(),
        newer: (!filter.after.is_empty()).then(|| address.to_string()),
        newer_label: "Latest",
        older: listed
            .next
            .map(|next| address.clone().with("after", &next).to_string()),
        older_label: "Older",
    };
    let filtered = filter.failed || !filter.function.is_empty() || !filter.caller.is_empty();
    desk.page(&AuditView {
        entries: listed.entries,
        filter,
        filtered,
        pager,
    })
}

async fn read(desk: &Desk<'_>, filter: &Filter, limit: u32) -> Result<Listed, coronet_core::Error> {
    let given = |text: &str| {
        if text.is_empty() {
            Value::Null
        } else {
            Value::from(text)
        }
    };
    let parameters = json!({
        "function": given(&filter.function),
        "caller": given(&filter.caller),
        "failed": if filter.failed { Value::from(true) } else { Value::Null },
        "after": given(&filter.after),
        "limit": limit,
    });
    desk.call("audit.list", parameters).await
}

/// Whether a function was ever called with success, as far back as the log goes.
pub(crate) async fn was_done(desk: &Desk<'_>, function: &str) -> bool {
    let parameters = json!({ "function": function, "failed": false, "limit": 1 });
    let listed: Result<Listed, _> = desk.call("audit.list", parameters).await;
    listed.is_ok_and(|listed| !listed.entries.is_empty())
}
