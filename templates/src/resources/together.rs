//! Many texts looked at as one change: those that include each other are right only together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use coronet_core::Result;
use coronet_core::functions::Call;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::functions::parse;
use super::{Layers, check};
use crate::compiled::Drafts;
use crate::{Templates, blocking};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckInput {
    /// The texts by their whole paths.
    files: BTreeMap<String, String>,
}

/// What saving the texts would come to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// The paths in an order in which each text can be saved: what it includes comes before it.
    order: Vec<String>,
    /// What could not be saved, and why.
    problems: Vec<Refused>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Refused {
    path: String,
    message: String,
}

pub(super) async fn check(templates: Arc<Templates>, _: Arc<Call>, input: CheckInput) -> Result<Checked> {
    templates.refresh().await?;
    let layers = Arc::clone(&templates.layers);
    // Everything is compiled: not on a thread that serves others.
    blocking::run(move |cancelled| look_at(&layers, &input.files, cancelled)).await
}

fn look_at(layers: &Layers, files: &BTreeMap<String, String>, cancelled: &CancellationToken) -> Checked {
    let texts = files.iter().map(|(path, text)| (path.as_str(), text.as_str()));
    let drafts = Drafts {
        texts: texts.collect(),
        cancelled,
    };
    let mut problems = Vec::new();
    let mut parts = BTreeMap::new();
    for (path, text) in files {
        if cancelled.is_cancelled() {
            break;
        }
        let checked = parse(path).and_then(|parsed| check::check_among(layers, &drafts, &parsed, text));
        match checked {
            Ok(checked) => {
                parts.insert(path.as_str(), checked.parts);
            }
            Err(error) => problems.push(Refused {
                path: path.clone(),
                message: error.message().to_owned(),
            }),
        }
    }
    Checked {
        order: in_order(&parts),
        problems,
    }
}

/// The parts of a text are all that it is made of, at any depth: whoever is made of more of the drafts comes later.
fn in_order(parts: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let drafts = |of: &[String]| {
        let drafts: BTreeSet<&String> = of
            .iter()
            .filter(|part| parts.contains_key(part.as_str()))
            .collect();
        drafts.len()
    };
    let mut paths: Vec<_> = parts.iter().map(|(path, of)| (drafts(of), *path)).collect();
    paths.sort_unstable();
    paths.into_iter().map(|(_, path)| path.to_owned()).collect()
}
