//! Password resets: links that were sent, and what became of them.

use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::records::Scope;
use super::resets_table::table;
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Badge, Confirm};
use crate::kit::table::{Asked, Drawn, Format};
use crate::kit::{Answer, Area, Desk, Field, Posted, Reply, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        export_csv,
        export_json,
        bulk,
        bulk_is_a_button,
        ask_revoke,
        revoke,
        ask_flush,
        flush
    ]
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

impl Reset {
    pub(crate) fn badge(&self) -> Badge {
        let (tone, word) = match self.state.as_str() {
            // A link whose mail did not go out waits for nobody.
            "pending" if self.mail_state == "failed" => ("bad", t!("mail failed")),
            "pending" if self.mail_state == "bounced" => ("bad", t!("mail bounced")),
            "pending" => ("info", t!("pending")),
            "used" => ("good", t!("used")),
            "expired" => ("warn", t!("expired")),
            "replaced" => ("", t!("replaced")),
            "revoked" => ("", t!("revoked")),
            "changed" => ("", t!("ended by a change")),
            "deleted" => ("", t!("deleted")),
            "failed" => ("bad", t!("not sent")),
            state => ("", state.to_owned()),
        };
        Badge::new(tone, word)
    }
}

#[derive(Serialize)]
pub(crate) struct ResetsView {
    pub(crate) table: Drawn,
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
        t!("Password resets")
    }
}

#[get("/resets")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let available = desk
        .webmin
        .core
        .functions
        .get("users.listPasswordResets")
        .is_some();
    let scopes: Vec<Scope> = desk.call("scopes.list", json!({})).await?;
    // What became of resets is told also while the plugin is away.
    let table = table(&scopes, available).read(&desk, &asked).await?;
    desk.page(&ResetsView {
        table,
        available,
        can_edit: desk.can_edit(),
    })
}

#[get("/resets/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&[], true).export(&desk, &asked, Format::Csv).await
}

#[get("/resets/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&[], true).export(&desk, &asked, Format::Json).await
}

#[post("/resets/bulk", data = "<posted>")]
async fn bulk(desk: Desk<'_>, posted: Posted) -> Answer {
    table(&[], true).bulk(&desk, &posted).await
}

#[get("/resets/bulk")]
fn bulk_is_a_button() -> Reply {
    Reply::go("/resets")
}

#[get("/reset/<id>/revoke")]
async fn ask_revoke(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("users.revokePasswordReset").await?;
    let action = format!("/reset/{}/revoke", path_segment(id));
    let page = Confirm::new(
        Area::Resets,
        t!("Revoke this reset link?"),
        action,
        &t!("Revoke link"),
        "/resets",
    )
    .loss()
    .line(t!(
        "The link in the mail stops working at once. The user can ask for a new one."
    ));
    desk.page(&page)
}

#[post("/reset/<id>/revoke")]
async fn revoke(desk: Desk<'_>, id: &str) -> Answer {
    match desk
        .call::<Value>("users.revokePasswordReset", json!({ "id": id }))
        .await
    {
        Ok(_) => desk.go("/resets", t!("The link does not work any more.")),
        Err(error) => desk.back("/resets", error),
    }
}

#[get("/resets/flush")]
async fn ask_flush(desk: Desk<'_>) -> Answer {
    desk.needs("users.flushExpiredPasswordResets").await?;
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
            desk.go(
                "/resets",
                count!(
                    count,
                    "{n} old reset link was deleted.",
                    "{n} old reset links were deleted."
                ),
            )
        }
        Err(error) => {
            let mut page = flush_page();
            page.form = page.form.filled(&posted).refused(&error);
            desk.refused(&error, &page)
        }
    }
}

fn flush_page() -> Confirm {
    Confirm::new(
        Area::Resets,
        t!("Delete old reset links?"),
        "/resets/flush".to_owned(),
        &t!("Delete old links"),
        "/resets",
    ).loss()
    .line(t!(
        "Expired links, and links older than this, are deleted. The job CleanPasswordResets does the same every hour."
    ))
    .fields([Field::number("hours", &t!("Older than, in hours")).value("24").wide()])
}
