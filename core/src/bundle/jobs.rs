//! Jobs alone as files, to be kept beside an app's own code: a bundle that holds nothing else.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Bundle, Exported, Files, Kind, PATIENT, Plan, apply, check, exported, plan};
use crate::Result;
use crate::functions::{Access, Call, Function};

pub(super) fn all(bundle: &Arc<Bundle>) -> Vec<Function> {
    let apps_and_jobs = Access::APP | Access::JOB;
    vec![
        Function::read(
            "jobs.export",
            "Gives the jobs as files, each with what differs from the defaults, and their code.",
            bundle,
            export,
        )
        .access(apps_and_jobs)
        .deadline(PATIENT),
        Function::read(
            "jobs.planImport",
            "Says what `jobs.import` would do.",
            bundle,
            plan_import,
        )
        .access(apps_and_jobs)
        .deadline(PATIENT),
        Function::write(
            "jobs.import",
            "Makes the jobs what files say, and gives what was done. With a mistake in any file, nothing is.",
            bundle,
            import,
        )
        .access(apps_and_jobs)
        .deadline(PATIENT),
    ]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Export {
    /// Also the code that differs from what ships. Only operators may read it: others say `false`.
    #[serde(default = "yes")]
    code: bool,
}

fn yes() -> bool {
    true
}

fn kinds(code: bool) -> &'static [Kind] {
    if code {
        &[Kind::Code, Kind::Jobs]
    } else {
        &[Kind::Jobs]
    }
}

async fn export(_: Arc<Bundle>, call: Arc<Call>, input: Export) -> Result<Exported> {
    exported(&call, kinds(input.code)).await
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Import {
    /// The files by their paths, as `jobs.export` gives them. Those of other kinds are not looked at.
    #[schemars(extend("format" = "secret"))]
    files: Files,
    /// Also the code. Only operators may write it: others say `false`.
    #[serde(default = "yes")]
    code: bool,
    /// Also deletes jobs that no file names. Code stays.
    #[serde(default)]
    prune: bool,
}

impl Import {
    async fn plan(&self, call: &Call) -> Result<Plan> {
        check(&self.files)?;
        let prune: &[Kind] = if self.prune { &[Kind::Jobs] } else { &[] };
        plan::make(call, &self.files, kinds(self.code), prune).await
    }
}

async fn plan_import(_: Arc<Bundle>, call: Arc<Call>, input: Import) -> Result<Plan> {
    input.plan(&call).await
}

async fn import(bundle: Arc<Bundle>, call: Arc<Call>, input: Import) -> Result<Plan> {
    let _turn = bundle.applying.lock().await;
    let plan = input.plan(&call).await?;
    apply::apply(&call, plan.clone(), None).await?;
    Ok(plan)
}
