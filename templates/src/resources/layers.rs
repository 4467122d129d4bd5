//! The three layers of a resource, the upper one first: edited in the webmin, a file in the home, shipped.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use coronet_core::Contributions;
use coronet_core::text::without_mark;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    files::{FileFault, FileMark, Files},
    path::ResourcePath,
    store::EditedRow,
};

/// Where a resource's text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Brought along by Coronet or a plugin.
    Shipped,
    /// A file in the home.
    File,
    /// Edited in the webmin.
    Edited,
}

/// A text with the layer it comes from.
#[derive(Debug, Clone)]
pub(crate) struct Live {
    pub(crate) layer: Layer,
    pub(crate) text: Arc<str>,
}

/// Tells one state of a path from another, whatever layer it is in.
#[derive(Debug, Clone)]
pub(crate) enum Stamp {
    Edited(i64),
    File(FileMark),
    /// Held, so that its address cannot be given to another text.
    Shipped(Arc<str>),
    Absent,
}

impl PartialEq for Stamp {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Edited(a), Self::Edited(b)) => a == b,
            (Self::File(a), Self::File(b)) => a == b,
            (Self::Shipped(a), Self::Shipped(b)) => Arc::ptr_eq(a, b),
            (Self::Absent, Self::Absent) => true,
            _ => false,
        }
    }
}

/// An edited text in memory: what is live is known without asking the database.
#[derive(Debug, Clone)]
pub(crate) struct Edited {
    pub(crate) revision: i64,
    pub(crate) text: Arc<str>,
    pub(crate) author: Arc<str>,
    pub(crate) note: Arc<str>,
    pub(crate) changed_at: i64,
}

impl From<EditedRow> for Edited {
    fn from(row: EditedRow) -> Self {
        Self {
            revision: row.revision,
            text: without_mark(row.text).into(),
            author: row.author.into(),
            note: row.note.into(),
            changed_at: row.changed_at,
        }
    }
}

/// The layers together.
#[derive(Debug)]
pub(crate) struct Layers {
    edited: RwLock<HashMap<String, Edited>>,
    pub(crate) files: Files,
    pub(crate) shipped: Contributions,
}

impl Layers {
    pub(crate) fn new(files: Files, shipped: Contributions) -> Self {
        Self {
            edited: RwLock::default(),
            files,
            shipped,
        }
    }

    /// Replaces what is known of the edited layer.
    pub(crate) fn set_all_edited(&self, rows: Vec<EditedRow>) {
        let all = rows
            .into_iter()
            .map(|row| (row.path.clone(), row.into()))
            .collect();
        *self.edited.write().unwrap_or_else(PoisonError::into_inner) = all;
    }

    /// Takes in one change of the edited layer, unless a later one is known already.
    pub(crate) fn set_edited(&self, path: &ResourcePath, revision: i64, row: Option<EditedRow>) {
        let mut edited = self.edited.write().unwrap_or_else(PoisonError::into_inner);
        if edited
            .get(path.as_str())
            .is_some_and(|known| known.revision > revision)
        {
            return;
        }
        match row {
            Some(row) => edited.insert(path.to_string(), row.into()),
            None => edited.remove(path.as_str()),
        };
    }

    pub(crate) fn edited(&self, path: &ResourcePath) -> Option<Edited> {
        self.edited
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(path.as_str())
            .cloned()
    }

    /// Paths of the edited layer that start with `prefix`.
    pub(crate) fn edited_paths(&self, prefix: &str) -> Vec<String> {
        let edited = self.edited.read().unwrap_or_else(PoisonError::into_inner);
        edited
            .keys()
            .filter(|path| path.starts_with(prefix))
            .cloned()
            .collect()
    }

    /// The state of a path now: no more than one `stat`.
    pub(crate) fn stamp(&self, path: &ResourcePath) -> Stamp {
        let revision = {
            let edited = self.edited.read().unwrap_or_else(PoisonError::into_inner);
            edited.get(path.as_str()).map(|edited| edited.revision)
        };
        if let Some(revision) = revision {
            return Stamp::Edited(revision);
        }
        if let Some(mark) = self.files.mark(path) {
            return Stamp::File(mark);
        }
        self.shipped
            .resource(path.as_str())
            .map_or(Stamp::Absent, |shipped| Stamp::Shipped(shipped.text))
    }

    /// The text that is live. `None` when no layer has the path.
    pub(crate) fn live(&self, path: &ResourcePath) -> Result<Option<Live>, FileFault> {
        for layer in [Layer::Edited, Layer::File, Layer::Shipped] {
            if let Some(live) = self.in_layer(path, layer)? {
                return Ok(Some(live));
            }
        }
        Ok(None)
    }

    /// The text in one layer, live or not.
    pub(crate) fn in_layer(&self, path: &ResourcePath, layer: Layer) -> Result<Option<Live>, FileFault> {
        Ok(match layer {
            Layer::Edited => self.edited(path).map(|e| Live { layer, text: e.text }),
            Layer::File => {
                let read = self.files.read(path)?;
                read.map(|(text, _)| Live {
                    layer,
                    text: text.into(),
                })
            }
            Layer::Shipped => self.shipped.resource(path.as_str()).map(|shipped| Live {
                layer,
                text: shipped.text,
            }),
        })
    }

    /// The layers that have the path, the upper one first.
    pub(crate) fn present(&self, path: &ResourcePath) -> Vec<Layer> {
        let mut layers = Vec::new();
        if self.edited(path).is_some() {
            layers.push(Layer::Edited);
        }
        if self.files.mark(path).is_some() {
            layers.push(Layer::File);
        }
        if self.shipped.resource(path.as_str()).is_some() {
            layers.push(Layer::Shipped);
        }
        layers
    }
}
