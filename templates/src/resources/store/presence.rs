//! Who has what open, in the database.

use coronet_core::{Db, Result};

/// A resource that is open in an editor.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct Open {
    pub(crate) path: String,
    /// One window of a browser.
    pub(crate) editor: String,
    pub(crate) operator_id: String,
    pub(crate) operator: String,
    pub(crate) unsaved: i64,
    /// When a key was last pressed in it, Unix milliseconds; 0 when none was.
    pub(crate) typed_at: i64,
    pub(crate) since: i64,
    pub(crate) seen_at: i64,
}

/// Most that is looked at; many more editors than any installation has.
const MOST: i64 = 1000;

/// What was open at that time or later.
pub(crate) async fn since(db: &Db, at: i64) -> Result<Vec<Open>> {
    let rows = sqlx::query_as(
        "SELECT path, editor, operator_id, operator, unsaved, typed_at, since, seen_at
         FROM resource_editors
         WHERE seen_at >= $1
         ORDER BY seen_at DESC
         LIMIT $2",
    )
    .bind(at)
    .bind(MOST)
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// Replaces what an editor of this operator has open, and forgets editors that were not heard of since `gone`.
pub(crate) async fn put(
    db: &Db,
    editor: String,
    operator_id: String,
    open: Vec<Open>,
    gone: i64,
) -> Result<()> {
    db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("DELETE FROM resource_editors WHERE (editor = $1 AND operator_id = $2) OR seen_at < $3")
                .bind(editor)
                .bind(operator_id)
                .bind(gone)
                .execute(&mut *tx)
                .await?;
            for row in open {
                sqlx::query(
                    "INSERT INTO resource_editors (path, editor, operator_id, operator, unsaved, typed_at, since, seen_at)
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                     ON CONFLICT (path, editor) DO NOTHING",
                )
                .bind(row.path)
                .bind(row.editor)
                .bind(row.operator_id)
                .bind(row.operator)
                .bind(row.unsaved)
                .bind(row.typed_at)
                .bind(row.since)
                .bind(row.seen_at)
                .execute(&mut *tx)
                .await?;
            }
            Ok(())
        })
    })
    .await
}
