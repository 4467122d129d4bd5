//! A resource's history: the functions that list, read and restore its revisions.

use std::sync::Arc;

use coronet_core::functions::Call;
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::functions::{Changed, parse};
use super::{ResourcePath, store};
use crate::Templates;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevisionsInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
}

/// A change in a resource's history.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Revision {
    revision: i64,
    /// `write`, `restore` or `revert`; a revert has no text.
    kind: String,
    author: String,
    note: String,
    /// Unix milliseconds.
    changed_at: i64,
    /// Characters of the text.
    size: i64,
    /// Whether this revision is live.
    live: bool,
}

pub(super) async fn revisions(
    templates: Arc<Templates>,
    _: Arc<Call>,
    input: RevisionsInput,
) -> Result<Vec<Revision>> {
    let path = parse(&input.path)?;
    templates.refresh().await?;
    let live = templates.layers.edited(&path).map(|edited| edited.revision);
    let rows = store::revisions(&templates.core.db, path.as_str()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Revision {
            live: live == Some(row.revision),
            revision: row.revision,
            kind: row.kind,
            author: row.author,
            note: row.note,
            changed_at: row.changed_at,
            size: row.size,
        })
        .collect())
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RevisionInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
    revision: i64,
}

/// A text of the past.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RevisionText {
    path: String,
    revision: i64,
    text: String,
}

pub(super) async fn revision(
    templates: Arc<Templates>,
    _: Arc<Call>,
    input: RevisionInput,
) -> Result<RevisionText> {
    let path = parse(&input.path)?;
    let text = revision_text(&templates, &path, input.revision).await?;
    Ok(RevisionText {
        path: path.to_string(),
        revision: input.revision,
        text,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RestoreInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
    /// The revision whose text is to be live again.
    revision: i64,
    /// The live revision the decision was made on; see `resources.write`.
    #[serde(default)]
    expected: Option<i64>,
}

pub(super) async fn restore(
    templates: Arc<Templates>,
    call: Arc<Call>,
    input: RestoreInput,
) -> Result<Changed> {
    let path = parse(&input.path)?;
    let text = revision_text(&templates, &path, input.revision).await?;
    let note = format!("Revision {} restored", input.revision);
    templates
        .save(path, text, "restore", note, input.expected, &call)
        .await
}

async fn revision_text(templates: &Templates, path: &ResourcePath, revision: i64) -> Result<String> {
    store::revision_text(&templates.core.db, path.as_str(), revision)
        .await?
        .ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("{path} has no text under revision {revision}."),
            )
        })
}
