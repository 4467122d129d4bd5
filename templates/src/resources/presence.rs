//! Who has which resource open in an editor: told to the others, so that two do not write over each other unawares.
//!
//! An editor says every few seconds what it has open. That is kept in the database, so that it holds between servers
//! that share one; a row is written anew only when something changed or it grows old, so most of these calls only read.

use std::sync::Arc;

use coronet_core::functions::{Call, Caller};
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::functions::parse;
use super::store::presence::{self, Open};
use super::{Layer, ResourcePath};
use crate::Templates;

/// An editor that was not heard of for so long is closed.
const GONE_AFTER_MS: i64 = 45_000;
/// A row this old is written anew.
const RENEW_AFTER_MS: i64 = 15_000;
/// Who pressed no key for so long is idle. Longer than a row may be old, so that nobody is idle in between.
const IDLE_AFTER_MS: i64 = 30_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PresenceInput {
    /// Names the editor: the same text as long as it is open, and one that no other has.
    #[schemars(length(min = 8, max = 64))]
    editor: String,
    /// What it has open; nothing when it is closed.
    #[schemars(length(max = 50))]
    open: Vec<OpenInput>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OpenInput {
    path: String,
    /// Whether there are changes that are not saved.
    #[serde(default)]
    unsaved: bool,
    /// Milliseconds since a key was last pressed in it; absent when none was.
    #[serde(default)]
    #[schemars(range(min = 0))]
    idle_ms: Option<i64>,
}

/// What became of a resource that is open in an editor.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Seen {
    path: String,
    /// The layer that is live; absent when the resource is gone.
    layer: Option<Layer>,
    /// The live revision of the edited layer, else 0.
    revision: i64,
    /// Who made that revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    /// The other editors that have it open.
    others: Vec<Other>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Other {
    operator: String,
    /// Whether that is the caller, in another window.
    own: bool,
    unsaved: bool,
    /// Whether a key was pressed there within the last half minute.
    typing: bool,
    /// When a key was last pressed there, Unix milliseconds; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    typed_at: Option<i64>,
    /// Since when it is open there, Unix milliseconds.
    since: i64,
}

pub(super) async fn presence(
    templates: Arc<Templates>,
    call: Arc<Call>,
    input: PresenceInput,
) -> Result<Vec<Seen>> {
    let Caller::Operator(operator) = &call.caller else {
        return Err(Error::new(Code::Forbidden, "Only operators have editors."));
    };
    templates.refresh().await?;
    let paths = input
        .open
        .iter()
        .map(|open| parse(&open.path))
        .collect::<Result<Vec<ResourcePath>>>()?;
    let now = templates.core.clock.now_ms();
    let all = presence::since(&templates.core.db, now - GONE_AFTER_MS).await?;
    let (mine, others): (Vec<Open>, Vec<Open>) = all
        .into_iter()
        .partition(|open| open.editor == input.editor && open.operator_id == operator.id);
    let wanted: Vec<Open> = paths
        .iter()
        .zip(&input.open)
        .map(|(path, open)| Open {
            path: path.to_string(),
            editor: input.editor.clone(),
            operator_id: operator.id.clone(),
            operator: operator.name.clone(),
            unsaved: i64::from(open.unsaved),
            typed_at: open.idle_ms.map_or(0, |idle| now.saturating_sub(idle).max(1)),
            since: mine
                .iter()
                .find(|known| known.path == path.as_str())
                .map_or(now, |known| known.since),
            seen_at: now,
        })
        .collect();
    if is_news(&mine, &wanted, now) {
        presence::put(
            &templates.core.db,
            input.editor,
            operator.id.clone(),
            wanted,
            now - GONE_AFTER_MS,
        )
        .await?;
    }
    Ok(paths
        .iter()
        .map(|path| seen(&templates, path, &others, &operator.id, now))
        .collect())
}

fn is_news(known: &[Open], wanted: &[Open], now: i64) -> bool {
    known.len() != wanted.len()
        || wanted.iter().any(|open| {
            let same = |known: &&Open| {
                known.path == open.path
                    && known.unsaved == open.unsaved
                    && is_typing(known, now) == is_typing(open, now)
            };
            known
                .iter()
                .find(same)
                .is_none_or(|known| known.seen_at < now - RENEW_AFTER_MS)
        })
}

fn is_typing(open: &Open, now: i64) -> bool {
    open.typed_at > now - IDLE_AFTER_MS
}

fn seen(templates: &Templates, path: &ResourcePath, others: &[Open], me: &str, now: i64) -> Seen {
    let edited = templates.layers.edited(path);
    Seen {
        path: path.to_string(),
        layer: templates.layers.present(path).first().copied(),
        revision: edited.as_ref().map_or(0, |edited| edited.revision),
        author: edited.map(|edited| edited.author.to_string()),
        others: others
            .iter()
            .filter(|open| open.path == path.as_str())
            .map(|open| Other {
                operator: open.operator.clone(),
                own: open.operator_id == me,
                unsaved: open.unsaved != 0,
                typing: is_typing(open, now),
                typed_at: (open.typed_at > 0).then_some(open.typed_at),
                since: open.since,
            })
            .collect(),
    }
}
