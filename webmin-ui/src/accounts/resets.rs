//! Password resets: links that were sent, and what became of them.

use rocket::{FromForm, Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::{Items, Scope};
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Badge, Confirm, Pager};
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Field, Posted, View};

pub(super) fn routes() -> Vec<Route> {
    routes![list, ask_revoke, revoke, ask_flush, flush]
}

/// A link that was sent, as `codes.histories` tells of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Reset {
    pub(crate) id: String,
    pub(crate) user_id: String,
    pub(crate) username: String,
    pub(crate) email: Option<String>,
    pub(crate) scope: String,
    /// `pending`, or how it ended.
    pub(crate) state: String,
    pub(crate) asked_by: Actor,
    pub(crate) issued_at: Option<i64>,
    pub(crate) expires_at: Option<i64>,
    pub(crate) ended_at: Option<i64>,
    pub(crate) mail_id: String,
    pub(crate) mail_state: String,
}

/// A kind of caller and its name.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Actor {
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// A line of the list.
#[derive(Serialize)]
pub(crate) struct ResetRow {
    pub(crate) badge: Badge,
    pub(crate) pending: bool,
    #[serde(flatten)]
    pub(crate) reset: Reset,
}

impl Reset {
    pub(crate) fn badge(&self) -> Badge {
        let (tone, word) = match self.state.as_str() {
            // A link whose mail did not go out waits for nobody.
            "pending" if self.mail_state == "failed" => ("bad", "mail failed"),
            "pending" if self.mail_state == "bounced" => ("bad", "mail bounced"),
            "pending" => ("info", "pending"),
            "used" => ("good", "used"),
            "expired" => ("warn", "expired"),
            state => ("", state),
        };
        Badge::new(tone, word)
    }
}

#[derive(Debug, Default, Serialize, FromForm)]
pub(crate) struct Filter {
    #[field(default = "")]
    pub(crate) scope: String,
    /// A user's id.
    #[field(default = "")]
    pub(crate) user: String,
    #[field(default = "")]
    after: String,
}

#[derive(Serialize)]
pub(crate) struct ResetsView {
    pub(crate) resets: Vec<ResetRow>,
    pub(crate) pager: Pager,
    pub(crate) scopes: Vec<Scope>,
    pub(crate) filter: Filter,
    /// Whether the plugin that does resets is there.
    pub(crate) available: bool,
    pub(crate) can_edit: bool,
}

impl View for ResetsView {
    const TEMPLATE: &'static str = "resets/list";

    fn area(&self) -> Area {
        Area::Resets
    }

    fn title(&self) -> String {
        "Password resets".to_owned()
    }
}

#[get("/resets?<filter..>")]
async fn list(desk: Desk<'_>, filter: Filter) -> Answer {
    let available = desk
        .webmin
        .core
        .functions
        .get("users.listPasswordResets")
        .is_some();
    let mut parameters = json!({ "filter": { "purpose": "password-reset" } });
    for (name, value) in [("scope", &filter.scope), ("user_id", &filter.user)] {
        if !value.is_empty() {
            parameters["filter"][name] = json!(value);
        }
    }
    if !filter.after.is_empty() {
        parameters["page"] = json!({ "after": filter.after });
    }
    // What became of resets is told also while the plugin is away.
    let found: Items<Reset> = desk.call("codes.histories", parameters).await?;
    let address = Query::new("/resets")
        .with("scope", &filter.scope)
        .with("user", &filter.user);
    let pager = Pager {
        newer: (!filter.after.is_empty()).then(|| address.to_string()),
        newer_label: "Latest",
        older: found.next.map(|next| address.with("after", &next).to_string()),
        older_label: "Older",
        ..Pager::default()
    };
    let row = |reset: Reset| ResetRow {
        badge: reset.badge(),
        pending: reset.state == "pending",
        reset,
    };
    let resets = found.items.into_iter().map(row).collect();
    let scopes = desk.call("scopes.list", json!({})).await?;
    desk.page(&ResetsView {
        resets,
        pager,
        scopes,
        filter,
        available,
        can_edit: desk.can_edit(),
    })
}

#[get("/reset/<id>/revoke")]
fn ask_revoke(desk: Desk<'_>, id: &str) -> Answer {
    let action = format!("/reset/{}/revoke", path_segment(id));
    let page = Confirm::new(
        Area::Resets,
        "Revoke this reset link?",
        action,
        "Revoke link",
        "/resets",
    )
    .line("The link in the mail stops working at once. The user can ask for a new one.");
    desk.page(&page)
}

#[post("/reset/<id>/revoke")]
async fn revoke(desk: Desk<'_>, id: &str) -> Answer {
    match desk
        .call::<Value>("users.revokePasswordReset", json!({ "id": id }))
        .await
    {
        Ok(_) => desk.go("/resets", "The link does not work any more."),
        Err(error) => desk.back("/resets", error),
    }
}

#[get("/resets/flush")]
fn ask_flush(desk: Desk<'_>) -> Answer {
    desk.page(&flush_page())
}

#[post("/resets/flush", data = "<posted>")]
async fn flush(desk: Desk<'_>, posted: Posted) -> Answer {
    let hours = posted.number("hours");
    let mut parameters = json!({});
    if let Some(hours) = hours.as_i64() {
        parameters["max_age_seconds"] = json!(hours.saturating_mul(3600));
    }
    match desk
        .call::<Value>("users.flushExpiredPasswordResets", parameters)
        .await
    {
        Ok(count) => {
            let count = count.as_i64().unwrap_or_default();
            desk.go("/resets", format!("{count} old reset links were deleted."))
        }
        Err(error) => {
            let mut page = flush_page();
            page.form = page.form.filled(&posted).refused(&error);
            desk.refused(&error, &page)
        }
    }
}

fn flush_page() -> Confirm {
    Confirm::new(Area::Resets, "Delete old reset links?", "/resets/flush".to_owned(), "Delete old links", "/resets")
        .line("Expired links, and links older than this, are deleted. The job CleanPasswordResets does the same every hour.")
        .fields([Field::number("hours", "Older than, in hours").value("24").wide()])
}
