//! What the audit log keeps of changes to resources.

use coronet_core::functions::{Change, Reversal};
use serde_json::{Value, json};

use super::store::{EditedRow, Made};
use super::{Layer, Layers, ResourcePath};

const KIND: &str = "resource";

/// What is live where nothing is edited: the file of the home, or what ships. Null without either.
pub(super) fn below(layers: &Layers, path: &ResourcePath) -> Value {
    let found = [Layer::File, Layer::Shipped]
        .into_iter()
        .find_map(|layer| layers.in_layer(path, layer).ok().flatten());
    found.map_or(
        Value::Null,
        |live| json!({ "layer": live.layer, "revision": 0, "text": live.text }),
    )
}

pub(super) fn changing(path: &ResourcePath, made: &Made, below: &Value) -> Change {
    let edited =
        |row: &EditedRow| json!({ "layer": Layer::Edited, "revision": row.revision, "text": row.text });
    let before = made.replaced.as_ref().map_or_else(|| below.clone(), edited);
    let after = made.live.as_ref().map_or_else(|| below.clone(), edited);
    let path = path.as_str();
    // What is live now must be what this change made live.
    let (now, expect) = match (&made.live, below) {
        (Some(live), _) => (live.revision, json!({ "revision": live.revision })),
        (None, Value::Null) => (0, Value::Null),
        (None, _) => (0, json!({ "revision": 0 })),
    };
    let (function, parameters) = match &made.replaced {
        Some(row) => (
            "resources.restore",
            json!({ "path": path, "revision": row.revision, "expected": now }),
        ),
        None => ("resources.revert", json!({ "path": path, "revision": now })),
    };
    Change::of(KIND, path)
        .before(&before)
        .after(&after)
        .undo(Reversal {
            function: function.to_owned(),
            parameters,
            look: "resources.read".to_owned(),
            at: json!({ "path": path }),
            expect,
        })
}

pub(super) fn moving(from: &ResourcePath, to: &ResourcePath, revision: i64) -> Change {
    let path = to.as_str();
    Change::of(KIND, path)
        .before(&json!({ "path": from.as_str() }))
        .after(&json!({ "path": path }))
        .undo(Reversal {
            function: "resources.move".to_owned(),
            parameters: json!({ "path": path, "to": from.as_str(), "revision": revision }),
            look: "resources.read".to_owned(),
            at: json!({ "path": path }),
            expect: json!({ "revision": revision }),
        })
}
