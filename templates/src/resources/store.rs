//! The edited layer and its history in the database.

pub(crate) mod presence;

use coronet_core::{Code, Db, Error, Result};
use sqlx::AnyConnection;

/// A resource as edited.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct EditedRow {
    pub(crate) path: String,
    pub(crate) revision: i64,
    pub(crate) text: String,
    pub(crate) author: String,
    pub(crate) note: String,
    pub(crate) changed_at: i64,
}

/// A change in a resource's history. `kind` is `write`, `restore`, `move` or `revert`; a revert has no text.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct RevisionRow {
    pub(crate) revision: i64,
    pub(crate) kind: String,
    pub(crate) size: i64,
    pub(crate) author: String,
    pub(crate) note: String,
    pub(crate) changed_at: i64,
}

/// A change to be made.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) path: String,
    /// `None` drops the edited layer.
    pub(crate) text: Option<String>,
    pub(crate) kind: &'static str,
    pub(crate) author: String,
    pub(crate) note: String,
    pub(crate) at: i64,
    /// The live revision the author has seen, 0 for none; `None` overwrites whatever is there.
    pub(crate) expected: Option<i64>,
}

pub(crate) async fn all(db: &Db) -> Result<Vec<EditedRow>> {
    let rows =
        sqlx::query_as("SELECT path, revision, text, author, note, changed_at FROM resources ORDER BY path")
            .fetch_all(db.reader())
            .await?;
    Ok(rows)
}

pub(crate) async fn counter(db: &Db) -> Result<i64> {
    let counter = sqlx::query_scalar("SELECT counter FROM resource_changes WHERE id = 1")
        .fetch_one(db.reader())
        .await?;
    Ok(counter)
}

/// The history of a resource, newest first.
pub(crate) async fn revisions(db: &Db, path: &str) -> Result<Vec<RevisionRow>> {
    let rows = sqlx::query_as(
        "SELECT revision, kind, CAST(COALESCE(LENGTH(text), 0) AS BIGINT) AS size, author, note, changed_at
         FROM resource_revisions
         WHERE path = $1
         ORDER BY revision DESC",
    )
    .bind(path.to_owned())
    .fetch_all(db.reader())
    .await?;
    Ok(rows)
}

/// The text of a revision; `None` when there is no such revision, or it has no text.
pub(crate) async fn revision_text(db: &Db, path: &str, revision: i64) -> Result<Option<String>> {
    let text: Option<Option<String>> =
        sqlx::query_scalar("SELECT text FROM resource_revisions WHERE path = $1 AND revision = $2")
            .bind(path.to_owned())
            .bind(revision)
            .fetch_optional(db.reader())
            .await?;
    Ok(text.flatten())
}

/// What a change came to.
pub(crate) struct Made {
    pub(crate) revision: i64,
    /// The edited row that was live before.
    pub(crate) replaced: Option<EditedRow>,
    pub(crate) live: Option<EditedRow>,
}

/// Makes a change and returns its revision, and the row that is live then. Of all revisions the `kept` newest stay.
///
/// Fails with `Conflict` when another change came since the author looked (W16).
pub(crate) async fn change(db: &Db, change: Change, kept: i64) -> Result<Made> {
    db.write(move |tx| Box::pin(async move { apply(tx, change, kept).await }))
        .await
}

async fn apply(tx: &mut AnyConnection, change: Change, kept: i64) -> Result<Made> {
    take_turn(tx).await?;
    let replaced = edited(tx, &change.path).await?;
    check_expected(&change, replaced.as_ref())?;
    let last: Option<i64> =
        sqlx::query_scalar("SELECT MAX(revision) FROM resource_revisions WHERE path = $1")
            .bind(change.path.clone())
            .fetch_one(&mut *tx)
            .await?;
    let revision = last.unwrap_or_default() + 1;
    insert_revision(tx, &change, revision, kept).await?;
    let live = match change.text {
        Some(text) => {
            let row = EditedRow {
                path: change.path,
                revision,
                text,
                author: change.author,
                note: change.note,
                changed_at: change.at,
            };
            upsert(tx, &row).await?;
            Some(row)
        }
        None => {
            sqlx::query("DELETE FROM resources WHERE path = $1")
                .bind(change.path)
                .execute(&mut *tx)
                .await?;
            None
        }
    };
    Ok(Made {
        revision,
        replaced,
        live,
    })
}

/// The first statement of every change, so that on PostgreSQL two changes wait for each other here, and do not pass side
/// by side. Servers see by the counter that something changed.
async fn take_turn(tx: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE resource_changes SET counter = counter + 1 WHERE id = 1")
        .execute(tx)
        .await?;
    Ok(())
}

/// Moves an edited text with its whole history to another path, where nothing was ever edited, and makes `change`
/// there.
///
/// Fails with `Conflict` when another change came since the author looked, or the other path has a history.
pub(crate) async fn relocate(db: &Db, from: String, change: Change, kept: i64) -> Result<Made> {
    db.write(move |tx| {
        Box::pin(async move {
            take_turn(tx).await?;
            let looked_at = Change {
                path: from.clone(),
                ..change.clone()
            };
            check_expected(&looked_at, edited(tx, &from).await?.as_ref())?;
            let held: Option<i64> =
                sqlx::query_scalar("SELECT MAX(revision) FROM resource_revisions WHERE path = $1")
                    .bind(change.path.clone())
                    .fetch_one(&mut *tx)
                    .await?;
            if held.is_some() {
                let message = format!(
                    "{} has revisions of its own from before. Choose another name, or bring one of them back.",
                    change.path
                );
                return Err(Error::new(Code::Conflict, message));
            }
            for statement in [
                "UPDATE resource_revisions SET path = $1 WHERE path = $2",
                "UPDATE resources SET path = $1 WHERE path = $2",
            ] {
                sqlx::query(statement)
                    .bind(change.path.clone())
                    .bind(from.clone())
                    .execute(&mut *tx)
                    .await?;
            }
            let moved = Change {
                expected: None,
                ..change
            };
            apply(tx, moved, kept).await
        })
    })
    .await
}

async fn edited(tx: &mut AnyConnection, path: &str) -> Result<Option<EditedRow>> {
    let row = sqlx::query_as(
        "SELECT path, revision, text, author, note, changed_at FROM resources WHERE path = $1",
    )
    .bind(path.to_owned())
    .fetch_optional(&mut *tx)
    .await?;
    Ok(row)
}

fn check_expected(change: &Change, live: Option<&EditedRow>) -> Result<()> {
    let Some(expected) = change.expected else {
        return Ok(());
    };
    let (revision, author, changed_at) = live.map_or((0, "", 0), |row| {
        (row.revision, row.author.as_str(), row.changed_at)
    });
    if revision == expected {
        return Ok(());
    }
    let message = if revision == 0 {
        format!(
            "{} was reverted to the layer below since you opened it.",
            change.path
        )
    } else {
        format!(
            "{} was changed by {author} since you opened it: it is at revision {revision} now.",
            change.path
        )
    };
    let details = serde_json::json!({ "revision": revision, "author": author, "changed_at": changed_at });
    Err(Error::new(Code::Conflict, message).with_details(details))
}

async fn insert_revision(tx: &mut AnyConnection, change: &Change, revision: i64, kept: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO resource_revisions (path, revision, kind, text, author, note, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(change.path.clone())
    .bind(revision)
    .bind(change.kind)
    .bind(change.text.clone())
    .bind(change.author.clone())
    .bind(change.note.clone())
    .bind(change.at)
    .execute(&mut *tx)
    .await?;
    sqlx::query("DELETE FROM resource_revisions WHERE path = $1 AND revision <= $2")
        .bind(change.path.clone())
        .bind(revision - kept)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

async fn upsert(tx: &mut AnyConnection, row: &EditedRow) -> Result<()> {
    sqlx::query(
        "INSERT INTO resources (path, revision, text, author, note, changed_at)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (path) DO UPDATE SET
             revision = excluded.revision, text = excluded.text, author = excluded.author,
             note = excluded.note, changed_at = excluded.changed_at",
    )
    .bind(row.path.clone())
    .bind(row.revision)
    .bind(row.text.clone())
    .bind(row.author.clone())
    .bind(row.note.clone())
    .bind(row.changed_at)
    .execute(&mut *tx)
    .await?;
    Ok(())
}
