//! The functions `resources.*`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use coronet_core::functions::{Call, Caller, Function, Role};
use coronet_core::text::without_mark;
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Layer, Layers, ResourcePath, check, history, moving, presence, records,
    store::{self, Change, EditedRow},
    together,
};
use crate::engine::Problem;
use crate::failing::Failure;
use crate::{Templates, blocking};

pub(crate) fn all(templates: &Arc<Templates>) -> Vec<Function> {
    vec![
        Function::read(
            "resources.list",
            "Lists templates, pages and job code with the layer that is live.",
            templates,
            list,
        ),
        Function::read(
            "resources.read",
            "Reads a resource: the live text, or that of one layer.",
            templates,
            read,
        ),
        Function::read(
            "resources.checkAll",
            "Says whether texts could be saved together, and in which order.",
            templates,
            together::check,
        ),
        Function::write(
            "resources.write",
            "Saves a resource as edited, as a new revision, if it works.",
            templates,
            write,
        ),
        Function::write(
            "resources.revert",
            "Drops the edited text, so that the layer below is live again.",
            templates,
            revert,
        ),
        Function::write(
            "resources.move",
            "Gives an edited resource another path; its revisions go with it.",
            templates,
            moving::relocate,
        ),
        Function::read(
            "resources.check",
            "Says what is wrong with a draft of a resource, without saving it.",
            templates,
            check_draft,
        ),
        Function::read(
            "resources.presence",
            "Says who else has resources open in an editor, and tells others what this one has open.",
            templates,
            presence::presence,
        ),
        Function::read(
            "resources.revisions",
            "Lists the changes made to a resource, newest first.",
            templates,
            history::revisions,
        ),
        Function::read(
            "resources.revision",
            "Reads the text of one revision.",
            templates,
            history::revision,
        ),
        Function::write(
            "resources.restore",
            "Saves the text of an earlier revision as a new one.",
            templates,
            history::restore,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ListInput {
    /// Start of the paths to list, such as `templates/password/`; everything when empty.
    #[serde(default)]
    prefix: String,
}

/// A resource in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Entry {
    path: String,
    /// The layer that is live.
    layer: Layer,
    /// All layers that have the path, the live one first.
    layers: Vec<Layer>,
    /// The live revision of the edited layer, else 0.
    revision: i64,
    /// Who made that revision.
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// When the live text last changed, Unix milliseconds; absent for what is shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at: Option<i64>,
    /// Who ships the lowest layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    /// What is wrong with the live text, if it cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Since when it fails whenever it is used, Unix milliseconds; then `problem` says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<i64>,
}

async fn list(templates: Arc<Templates>, _: Arc<Call>, input: ListInput) -> Result<Vec<Entry>> {
    templates.refresh().await?;
    // Folders are read and files compiled: not on a thread that serves others.
    tokio::task::spawn_blocking(move || entries(&templates, &input.prefix))
        .await
        .map_err(Error::unexpected)
}

fn entries(templates: &Templates, prefix: &str) -> Vec<Entry> {
    let layers = &templates.layers;
    let shipped = layers.shipped.resources().into_iter().map(|(path, _)| path);
    let paths: BTreeSet<ResourcePath> = shipped
        .filter(|path| path.starts_with(prefix))
        .chain(layers.edited_paths(prefix))
        .filter_map(|path| ResourcePath::parse(&path))
        .chain(layers.files.list(prefix))
        .collect();
    let failures = failures(templates);
    paths
        .into_iter()
        .filter_map(|path| entry(templates, &failures, path))
        .collect()
}

fn failures(templates: &Templates) -> HashMap<String, Failure> {
    let failures = templates.failures().into_iter();
    failures.map(|failure| (failure.path.clone(), failure)).collect()
}

fn entry(templates: &Templates, failures: &HashMap<String, Failure>, path: ResourcePath) -> Option<Entry> {
    let layers = templates.layers.present(&path);
    let layer = *layers.first()?;
    let edited = templates.layers.edited(&path);
    let changed_at = match layer {
        Layer::Edited => edited.as_ref().map(|edited| edited.changed_at),
        Layer::File => templates.layers.files.mark(&path).map(|mark| mark.modified_ms()),
        Layer::Shipped => None,
    };
    let failure = failures.get(path.as_str());
    Some(Entry {
        layer,
        revision: edited.as_ref().map_or(0, |edited| edited.revision),
        author: edited.as_ref().map(|edited| edited.author.to_string()),
        note: edited.as_ref().map(|edited| edited.note.to_string()),
        changed_at,
        provider: templates
            .layers
            .shipped
            .resource(path.as_str())
            .map(|shipped| shipped.provider),
        failing_since: failure.map(|failure| failure.since),
        problem: templates
            .problem(&path, layer)
            .or(failure.map(|failure| failure.message.clone())),
        path: path.to_string(),
        layers,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
    /// The layer to read instead of the live one.
    #[serde(default)]
    layer: Option<Layer>,
}

/// A resource with its text.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Resource {
    #[serde(flatten)]
    entry: Entry,
    text: String,
    /// The layer the text is from.
    text_layer: Layer,
    /// Where the file of the home lies, or would lie.
    file: String,
}

async fn read(templates: Arc<Templates>, _: Arc<Call>, input: ReadInput) -> Result<Resource> {
    let path = parse(&input.path)?;
    templates.refresh().await?;
    match found(&templates, &path, input.layer).await {
        // A job that was just made may run at once, on any server.
        Err(error) if error.code() == Code::NotFound => {
            templates.refresh_now().await?;
            found(&templates, &path, input.layer).await
        }
        found => found,
    }
}

async fn found(templates: &Arc<Templates>, path: &ResourcePath, layer: Option<Layer>) -> Result<Resource> {
    let (templates, path) = (Arc::clone(templates), path.clone());
    let read = move || {
        let live = match layer {
            Some(layer) => templates.layers.in_layer(&path, layer),
            None => templates.layers.live(&path),
        };
        let live = live
            .map_err(|fault| unusable(&path, &fault))?
            .ok_or_else(|| absent(&path))?;
        let file = templates.layers.files.location(&path).display().to_string();
        let entry = entry(&templates, &failures(&templates), path.clone()).ok_or_else(|| absent(&path))?;
        Ok(Resource {
            entry,
            text: live.text.to_string(),
            text_layer: live.layer,
            file,
        })
    };
    tokio::task::spawn_blocking(read)
        .await
        .map_err(Error::unexpected)?
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WriteInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
    text: String,
    /// Why, in a few words, for the history.
    #[serde(default)]
    #[schemars(length(max = 500))]
    note: String,
    /// The live revision the text was made from, 0 when the resource was not edited then. When another change came
    /// since, nothing is saved. Without it the text is saved over whatever is there.
    #[serde(default)]
    revision: Option<i64>,
}

/// What a change came to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Changed {
    path: String,
    /// The revision that was made.
    revision: i64,
    /// The layer that is live now; absent when none has the path any more.
    layer: Option<Layer>,
    /// What was saved and may fail for real requests, such as a key that nobody fills in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<Problem>,
}

async fn write(templates: Arc<Templates>, call: Arc<Call>, input: WriteInput) -> Result<Changed> {
    let path = parse(&input.path)?;
    let (note, expected) = (input.note, input.revision);
    templates
        .save(path, input.text, "write", note, expected, &call)
        .await
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckInput {
    /// Whole path, such as `jobs/admin/cleanup.lua`: it decides what the text must be.
    path: String,
    text: String,
}

/// What is wrong with a draft.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Checked {
    /// Why it cannot be saved, with places; empty when it can.
    problems: Vec<Problem>,
    /// What can be saved and may fail for real requests.
    warnings: Vec<Problem>,
}

async fn check_draft(templates: Arc<Templates>, _: Arc<Call>, input: CheckInput) -> Result<Checked> {
    let (path, text) = (parse(&input.path)?, without_mark(input.text));
    templates.refresh().await?;
    let checked = move |cancelled: &CancellationToken| {
        let (problems, mut warnings) = check::problems(&templates.layers, &path, &text, cancelled);
        if problems.is_empty() {
            warnings.extend(templates.warnings_of_code(&path, &text));
        }
        (problems, warnings)
    };
    let (problems, warnings) = blocking::run(checked).await?;
    Ok(Checked { problems, warnings })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RevertInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
    /// The live revision the decision was made on; see `resources.write`.
    #[serde(default)]
    revision: Option<i64>,
}

async fn revert(templates: Arc<Templates>, call: Arc<Call>, input: RevertInput) -> Result<Changed> {
    let path = parse(&input.path)?;
    templates.refresh().await?;
    if templates.layers.edited(&path).is_none() {
        return Err(Error::new(
            Code::NotFound,
            format!("{path} is not edited: there is nothing to revert."),
        ));
    }
    let change = Change {
        path: path.to_string(),
        text: None,
        kind: "revert",
        author: author(&call.caller),
        note: String::new(),
        at: templates.core.clock.now_ms(),
        expected: input.revision,
    };
    templates.change(path, change, &call).await
}

impl Templates {
    /// Saves a text in the edited layer, if it works.
    pub(super) async fn save(
        self: &Arc<Self>,
        path: ResourcePath,
        text: String,
        kind: &'static str,
        note: String,
        expected: Option<i64>,
        call: &Call,
    ) -> Result<Changed> {
        self.refresh().await?;
        let (text, warnings) = self.checked(&path, text).await?;
        let change = Change {
            path: path.to_string(),
            text: Some(text),
            kind,
            author: author(&call.caller),
            note,
            at: self.core.clock.now_ms(),
            expected,
        };
        let changed = self.change(path, change, call).await?;
        Ok(Changed { warnings, ..changed })
    }

    /// A text that works at `path`, and what may fail all the same.
    pub(super) async fn checked(
        self: &Arc<Self>,
        path: &ResourcePath,
        text: String,
    ) -> Result<(String, Vec<Problem>)> {
        let (templates, path, text) = (Arc::clone(self), path.clone(), without_mark(text));
        let check = move |cancelled: &CancellationToken| {
            let mut warnings = check::check(&templates.layers, &path, &text, cancelled)?;
            warnings.extend(templates.warnings_of_code(&path, &text));
            Ok((text, warnings))
        };
        blocking::run(check).await?
    }

    async fn change(&self, path: ResourcePath, change: Change, call: &Call) -> Result<Changed> {
        check_may_change(&path, &call.caller)?;
        let kept = self.core.settings.now().retention.revisions;
        let (layers, under) = (Arc::clone(&self.layers), path.clone());
        let below = tokio::task::spawn_blocking(move || records::below(&layers, &under))
            .await
            .map_err(Error::unexpected)?;
        let made = store::change(&self.core.db, change, kept).await?;
        call.changed(records::changing(&path, &made, &below));
        Ok(self.changed(&path, made.revision, made.live))
    }

    /// Takes in what the database holds now.
    pub(super) fn changed(&self, path: &ResourcePath, revision: i64, live: Option<EditedRow>) -> Changed {
        self.layers.set_edited(path, revision, live);
        let layer = Layers::present(&self.layers, path).first().copied();
        Changed {
            path: path.to_string(),
            revision,
            layer,
            warnings: Vec::new(),
        }
    }
}

pub(super) fn parse(path: &str) -> Result<ResourcePath> {
    ResourcePath::parse(path).ok_or_else(|| {
        let message = "This is not the path of a resource. A path looks like templates/password/email.tpl.";
        Error::new(Code::NotFound, message)
    })
}

fn absent(path: &ResourcePath) -> Error {
    Error::new(Code::NotFound, format!("There is no resource {path}."))
}

fn unusable(path: &ResourcePath, fault: &dyn std::fmt::Display) -> Error {
    Error::new(
        Code::Unprocessable,
        format!("The file of {path} cannot be used: {fault}."),
    )
}

/// Who made a change, for people: an operator's name, or what else acted.
/// Mails to operators carry links that set a password. An editor who changed one could send an admin's link elsewhere.
pub(super) fn check_may_change(path: &ResourcePath, caller: &Caller) -> Result<()> {
    match caller {
        Caller::Operator(operator) if path.is_of_operators() && operator.role < Role::Admin => {
            let text =
                format!("Only admins may change {path}: mails to operators carry links that set a password.");
            Err(Error::new(Code::Forbidden, text))
        }
        _ => Ok(()),
    }
}

pub(super) fn author(caller: &Caller) -> String {
    match caller {
        Caller::Operator(operator) => operator.name.clone(),
        other => format!("{} {}", other.kind(), other.name()),
    }
}
