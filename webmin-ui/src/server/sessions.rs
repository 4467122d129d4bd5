//! The open sessions of operators.

use coronet_core::Error;
use rocket::http::CookieJar;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::door::session;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Confirm;
use crate::kit::{Answer, Area, Desk, t};

pub(super) fn routes() -> Vec<Route> {
    routes![ask_end, end]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) operator_name: String,
    pub(crate) created_at: i64,
    pub(crate) seen_at: i64,
    pub(crate) address: String,
    pub(crate) user_agent: String,
    /// Whether this is the session that asks.
    #[serde(default)]
    pub(crate) mine: bool,
}

pub(super) async fn list(desk: &Desk<'_>, jar: &CookieJar<'_>) -> Result<Vec<SessionRow>, Error> {
    let webmin = desk.webmin;
    let mine = match session::token(jar, &webmin.core.config) {
        Some(token) => webmin.operators.session_id(&token).await?,
        None => None,
    };
    let mut sessions: Vec<SessionRow> = desk.call("operators.sessions", json!({})).await?;
    for session in &mut sessions {
        session.mine = mine.as_ref() == Some(&session.id);
    }
    Ok(sessions)
}

#[get("/session/<id>/end")]
async fn ask_end(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("operators.endSession").await?;
    let action = format!("/session/{}/end", path_segment(id));
    let page = Confirm::new(
        Area::Operators,
        t!("End this session?"),
        action,
        &t!("End session"),
        "/operators",
    )
    .line(t!("The browser it belongs to has to sign in again."));
    desk.page(&page)
}

#[post("/session/<id>/end")]
async fn end(desk: Desk<'_>, id: &str) -> Answer {
    match desk
        .call::<Value>("operators.endSession", json!({ "id": id }))
        .await
    {
        Ok(_) => desk.go("/operators", t!("Session ended.")),
        Err(error) => desk.back("/operators", error),
    }
}
