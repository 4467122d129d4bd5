//! The outbox as a list: filtered, in either order, page by page.

use super::SummaryRow;
use crate::db::{Listing, SortKey, Value, containing};
use crate::mail::reference_text;
use crate::mail::view::{Filter, State, Summary};
use crate::{Db, Page, PartRequest, Result};

#[derive(sqlx::FromRow)]
struct ListedRow {
    #[sqlx(flatten)]
    summary: SummaryRow,
    start: String,
}

const LIST: Listing<ListedRow> = Listing {
    rows:
        "SELECT id, state, recipients, subject, transport, attempts, created_at, due_at, finished_at, detail,
                  substr(search, 1, 120) AS start
           FROM mails",
    ids: "SELECT id FROM mails",
    id: "id",
    prefix: "mail",
    id_of: |row| &row.summary.id,
    sorts: &[
        SortKey {
            name: "created",
            sql: "created_at",
            of: Value::Number(|row| row.summary.created_at),
        },
        // The text that is searched begins with the recipients.
        SortKey {
            name: "to",
            sql: "substr(search, 1, 120)",
            of: Value::Text(|row| row.start.clone()),
        },
    ],
    default: "-created",
};

pub(in crate::mail) async fn list(
    db: &Db,
    filter: &Filter,
    sort: Option<&str>,
    part: &PartRequest,
) -> Result<Page<Summary>> {
    let pattern = filter
        .search
        .as_deref()
        .filter(|text| !text.is_empty())
        .map(containing)
        .transpose()?;
    let reference = filter.reference.as_ref().map(reference_text);
    let chosen = LIST
        .select()
        .filter_some("state = ?", filter.state.map(State::name))
        .filter_some("search LIKE ? ESCAPE '!'", pattern.as_deref())
        .filter_some("reference = ?", reference.as_deref())
        .filter_some("created_at >= ?", filter.since)
        .filter_some("created_at < ?", filter.until);
    Ok(LIST
        .read(db, chosen, sort, part)
        .await?
        .map(|row| row.summary.read()))
}
