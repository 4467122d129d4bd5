//! Bundles: what an installation was made of (scopes, jobs, texts, settings) as files, to be kept, compared and brought
//! to another server. Never secrets, users, mail, tokens or operators.
//!
//! `current` writes the server as files, `plan` says what importing files would change, `apply` does exactly that.
//! `archive` and `folder` are the two forms in which files travel. Everything is read and done through the registry, as
//! whoever asks.

mod apply;
pub mod archive;
mod current;
pub mod folder;
mod jobs;
mod paths;
mod plan;
mod store;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::functions::{Call, Caller, Function, Role};
use crate::{Code, Core, Error, Result, random};

pub use paths::{Kind, MANIFEST, check_path};
pub use plan::{Action, FieldChange, Item, Plan};

/// The files of a bundle: texts by their paths, such as `scopes/Fun Run.toml`.
pub type Files = BTreeMap<String, String>;

/// The largest file, all files together, and how many there may be.
pub const LARGEST_FILE: u64 = 1024 * 1024;
pub const LARGEST_BUNDLE: u64 = 16 * 1024 * 1024;
pub const MOST_FILES: usize = 5000;
/// The form of the files; another one is refused.
const FORMAT: i64 = 1;
/// Importing hundreds of files takes a while.
const PATIENT: Duration = Duration::from_secs(300);

/// Exports and imports.
struct Bundle {
    core: Core,
    /// Two imports at once would each find the other's half done.
    applying: tokio::sync::Mutex<()>,
}

/// Adds the functions that export and import.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<()> {
    let bundle = Arc::new(Bundle {
        core: core.clone(),
        applying: tokio::sync::Mutex::default(),
    });
    let functions = jobs::all(&bundle);
    core.functions.add("core", functions)?;
    core.functions.add(
        "core",
        vec![
            Function::read(
                "bundle.export",
                "Gives scopes, jobs, changed texts and settings as files, without secrets.",
                &bundle,
                export,
            )
            .role(Role::Admin)
            .deadline(PATIENT),
            Function::read(
                "bundle.plan",
                "Says what importing a bundle would change, file by file.",
                &bundle,
                plan_import,
            )
            .role(Role::Admin)
            .deadline(PATIENT),
            Function::write(
                "bundle.apply",
                "Imports a bundle, exactly as it was planned.",
                &bundle,
                apply_import,
            )
            .role(Role::Admin)
            .deadline(PATIENT),
            Function::write(
                "bundle.upload",
                "Keeps a bundle for a day, to be reviewed before it is imported.",
                &bundle,
                upload,
            )
            .role(Role::Admin),
            Function::read(
                "bundle.uploaded",
                "Tells of a bundle that was uploaded, and what came of its import.",
                &bundle,
                uploaded,
            )
            .role(Role::Admin),
        ],
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A bundle.
#[derive(Debug, Serialize, JsonSchema)]
struct Exported {
    files: Files,
    /// What could not be written as a file, and why.
    left_out: Vec<LeftOut>,
}

/// Something that is not in the bundle although it is part of the server.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LeftOut {
    pub path: String,
    pub why: String,
}

async fn export(_: Arc<Bundle>, call: Arc<Call>, _: Nothing) -> Result<Exported> {
    exported(&call, &Kind::ALL).await
}

async fn exported(call: &Call, kinds: &[Kind]) -> Result<Exported> {
    let mut current = current::read(call, |kind| kinds.contains(&kind)).await?;
    current.leave_out_what_is_refused(call).await?;
    let mut files = current.files;
    files.insert(MANIFEST.to_owned(), paths::manifest());
    Ok(Exported {
        files,
        left_out: current.left_out,
    })
}

/// Which bundle, and what of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct What {
    /// The files by their paths.
    // Whole texts have no place among the parameters in the audit log; what they change is told by the steps.
    #[schemars(extend("format" = "secret"))]
    files: Option<Files>,
    /// In place of the files: the id that `bundle.upload` gave.
    upload: Option<String>,
    /// Only these: `settings`, `scopes`, `templates`, `pages`, `code`, `jobs`. All when absent.
    only: Option<Vec<Kind>>,
    /// Also deletes what is on the server and not in the bundle.
    #[serde(default)]
    prune: bool,
}

async fn plan_import(bundle: Arc<Bundle>, call: Arc<Call>, input: What) -> Result<Plan> {
    let files = bundle.files(&call, &input).await?;
    plan::make(&call, &files, input.kinds(), input.pruned()).await
}

impl What {
    fn kinds(&self) -> &[Kind] {
        self.only.as_deref().unwrap_or(&Kind::ALL)
    }

    fn pruned(&self) -> &[Kind] {
        if self.prune { self.kinds() } else { &[] }
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Apply {
    /// The files by their paths.
    #[schemars(extend("format" = "secret"))]
    files: Option<Files>,
    /// In place of the files: the id that `bundle.upload` gave.
    upload: Option<String>,
    /// As it was said to `bundle.plan`.
    only: Option<Vec<Kind>>,
    /// As it was said to `bundle.plan`.
    #[serde(default)]
    prune: bool,
    /// The plan's `hash`: when the server or the files changed since, nothing is done.
    plan: String,
    /// Only these paths of the plan; all when absent.
    items: Option<Vec<String>>,
}

async fn apply_import(bundle: Arc<Bundle>, call: Arc<Call>, input: Apply) -> Result<apply::Applied> {
    let what = What {
        files: input.files,
        upload: input.upload,
        only: input.only,
        prune: input.prune,
    };
    let files = bundle.files(&call, &what).await?;
    let turn = bundle.applying.lock().await;
    let plan = plan::make(&call, &files, what.kinds(), what.pruned()).await?;
    if plan.hash != input.plan {
        let text = "The server or the files changed since this was planned, so nothing was done. Look at the plan again.";
        return Err(Error::new(Code::Conflict, text).with_details(serde_json::json!({ "plan": plan.hash })));
    }
    let applied = apply::apply(&call, plan, input.items.as_deref()).await;
    drop(turn);
    if let Some(id) = &what.upload {
        let outcome = match &applied {
            Ok(applied) => serde_json::to_string(applied),
            Err(error) => serde_json::to_string(error),
        };
        store::conclude(&bundle.core.db, id, outcome.map_err(Error::unexpected)?).await?;
    }
    applied
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Upload {
    /// The files by their paths.
    #[schemars(extend("format" = "secret"))]
    files: Files,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Uploaded {
    id: String,
}

async fn upload(bundle: Arc<Bundle>, call: Arc<Call>, input: Upload) -> Result<Uploaded> {
    check(&input.files)?;
    let row = store::Upload {
        id: random::id("bun"),
        operator_id: call.caller.root().id().to_owned(),
        uploaded_at: bundle.core.clock.now_ms(),
        files: serde_json::to_string(&input.files).map_err(Error::unexpected)?,
        outcome: String::new(),
    };
    let id = row.id.clone();
    store::insert(&bundle.core.db, row).await?;
    Ok(Uploaded { id })
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    id: String,
}

/// A bundle that waits, or was imported.
#[derive(Debug, Serialize, JsonSchema)]
struct Waiting {
    id: String,
    /// Unix milliseconds.
    uploaded_at: i64,
    files: usize,
    /// What came of the import: what `bundle.apply` gave, or its error; null before.
    outcome: serde_json::Value,
}

async fn uploaded(bundle: Arc<Bundle>, call: Arc<Call>, input: ById) -> Result<Waiting> {
    let row = bundle.kept(&call, &input.id).await?;
    let outcome = if row.outcome.is_empty() {
        "null"
    } else {
        &row.outcome
    };
    Ok(Waiting {
        outcome: serde_json::from_str(outcome).map_err(Error::unexpected)?,
        files: row.files()?.len(),
        id: row.id,
        uploaded_at: row.uploaded_at,
    })
}

impl Bundle {
    async fn files(&self, call: &Call, what: &What) -> Result<Files> {
        let files = match (&what.files, &what.upload) {
            (Some(files), None) => files.clone(),
            (None, Some(id)) => self.kept(call, id).await?.files()?,
            _ => {
                let text = "Give either the files or the id of an upload.";
                return Err(Error::new(Code::ParameterMissing, text));
            }
        };
        check(&files)?;
        Ok(files)
    }

    /// An upload is for whoever made it.
    async fn kept(&self, call: &Call, id: &str) -> Result<store::Upload> {
        let now = self.core.clock.now_ms();
        let found = store::get(&self.core.db, id, now).await?;
        let mine = |row: &store::Upload| match call.caller.root() {
            Caller::Operator(operator) => operator.id == row.operator_id,
            _ => false,
        };
        found.filter(mine).ok_or_else(|| {
            let text =
                "There is no such upload any more. Uploads are kept for a day: upload the bundle again.";
            Error::new(Code::NotFound, text)
        })
    }
}

/// Refuses what is no bundle, or more than one may have.
fn check(files: &Files) -> Result<()> {
    if files.len() > MOST_FILES {
        let text = format!(
            "A bundle may have {MOST_FILES} files; this one has {}.",
            files.len()
        );
        return Err(Error::new(Code::TooLarge, text));
    }
    let mut all = 0;
    for (path, text) in files {
        check_path(path)?;
        let size = text.len() as u64;
        all += size;
        if size > LARGEST_FILE {
            return Err(too_large(path));
        }
        if text.contains('\0') {
            return Err(bad(path, "holds a NUL character: it is not text"));
        }
    }
    if all > LARGEST_BUNDLE {
        return Err(too_large_together());
    }
    paths::check_manifest(files)
}

pub(crate) fn too_large(path: &str) -> Error {
    let text = format!(
        "{} is larger than {} MB.",
        paths::shown(path),
        LARGEST_FILE / 1024 / 1024
    );
    Error::new(Code::TooLarge, text)
}

fn too_large_together() -> Error {
    let text = format!(
        "The files are larger than {} MB together.",
        LARGEST_BUNDLE / 1024 / 1024
    );
    Error::new(Code::TooLarge, text)
}

/// A file that cannot be taken: `what` follows its path.
fn bad(path: &str, what: &str) -> Error {
    Error::new(
        Code::ParameterInvalid,
        format!("The file {} {what}.", paths::shown(path)),
    )
    .with_details(serde_json::json!({ "file": path }))
}
