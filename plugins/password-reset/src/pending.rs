//! What operators and jobs do with resets that wait for their users.

use crate::PURPOSE;
use coronet_plugin::prelude::*;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flush {
    /// Links sent this long ago, or longer, are deleted; a day if absent.
    #[schemars(range(min = 0))]
    max_age_seconds: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    /// Only of this application.
    scope: Option<String>,
    /// Which part of the list.
    page: Option<PageRequest>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageRequest {
    /// The `next` of the page before; without it the first page.
    after: Option<String>,
    /// Items on the page: 1 to 500, 50 if absent.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u32>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revoke {
    /// The id in the list.
    id: String,
}

/// A reset that waits; neither the code nor its hash is in it.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(crate) struct Pending {
    id: String,
    user_id: String,
    username: String,
    email: Option<String>,
    scope: String,
    /// Unix milliseconds.
    #[serde(rename(deserialize = "issued_at"))]
    created_at: i64,
    /// Unix milliseconds.
    expires_at: i64,
    /// Whether its time is over; it is kept until it is flushed.
    expired: bool,
}

/// A part of the list.
#[derive(Deserialize, Serialize, JsonSchema)]
pub(crate) struct Page {
    items: Vec<Pending>,
    /// What to ask the next page with; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

pub(crate) fn flush(host: &Host, input: Flush) -> Result<u64> {
    let max_age_seconds = input.max_age_seconds.unwrap_or(86_400);
    host.call(
        "codes.flush",
        json!({"purpose": PURPOSE, "max_age_seconds": max_age_seconds}),
    )
}

pub(crate) fn list(host: &Host, input: List) -> Result<Page> {
    let mut parameters = json!({"purpose": PURPOSE});
    if let Some(scope) = input.scope {
        parameters["scope"] = scope.into();
    }
    if let Some(page) = input.page {
        parameters["page"] = serde_json::to_value(page)?;
    }
    host.call("codes.list", parameters)
}

pub(crate) fn revoke(host: &Host, input: Revoke) -> Result<u64> {
    host.call("codes.revoke", json!({"id": input.id}))
}
