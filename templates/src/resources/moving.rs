//! Another path for an edited resource.

use std::sync::Arc;

use coronet_core::functions::Call;
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::functions::{Changed, author, check_may_change, parse};
use super::records;
use super::store::{self, Change};
use crate::Templates;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct MoveInput {
    /// Whole path of an edited resource, such as `templates/welcome.tpl`.
    path: String,
    /// The path it gets; nothing may be there.
    to: String,
    /// The live revision the decision was made on; see `resources.write`.
    #[serde(default)]
    revision: Option<i64>,
}

pub(super) async fn relocate(
    templates: Arc<Templates>,
    call: Arc<Call>,
    input: MoveInput,
) -> Result<Changed> {
    let (from, to) = (parse(&input.path)?, parse(&input.to)?);
    for path in [&from, &to] {
        check_may_change(path, &call.caller)?;
    }
    templates.refresh().await?;
    let Some(edited) = templates.layers.edited(&from) else {
        let message = format!(
            "{from} is not edited here: only edited texts can be moved. A file is moved in the home of the server."
        );
        return Err(Error::new(Code::NotFound, message));
    };
    if let Some(layer) = templates.layers.present(&to).first() {
        let message = format!("There is a text at {to} already ({layer:?}). Choose another name.");
        return Err(Error::new(Code::Conflict, message));
    }
    let (text, warnings) = templates.checked(&to, edited.text.to_string()).await?;
    let change = Change {
        path: to.to_string(),
        text: Some(text),
        kind: "move",
        author: author(&call.caller),
        note: format!("Moved from {from}"),
        at: templates.core.clock.now_ms(),
        expected: input.revision,
    };
    let kept = templates.core.settings.now().retention.revisions;
    let made = store::relocate(&templates.core.db, from.to_string(), change, kept).await?;
    let revision = made.revision;
    call.changed(records::moving(&from, &to, revision));
    templates.changed(&from, revision, None);
    let mut changed = templates.changed(&to, revision, made.live);
    changed.warnings = warnings;
    Ok(changed)
}
