//! Doing what was planned, step by step. A step that was done stays done: running it again does the rest.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::bad;
use super::plan::{self, Action, Item, Plan};
use crate::functions::Call;
use crate::{Code, Error, Result};

/// What an import did.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Applied {
    /// The paths, in the order in which they were done.
    done: Vec<String>,
}

/// # Errors
/// `ParameterInvalid` when something that was chosen cannot be imported: then nothing was done. What a step fails with
/// names in its details what is done, what failed and what is left.
pub(super) async fn apply(call: &Call, plan: Plan, chosen: Option<&[String]>) -> Result<Applied> {
    let planned = |path: &String| plan.items.iter().any(|item| item.path == *path);
    if let Some(unknown) = chosen.into_iter().flatten().find(|path| !planned(path)) {
        return Err(bad(unknown, "was chosen, and is not in the plan"));
    }
    let mut items: Vec<Item> = plan
        .items
        .into_iter()
        .filter(|item| item.action != Action::Same)
        .filter(|item| chosen.is_none_or(|chosen| chosen.contains(&item.path)))
        .collect();
    // What was right together may be wrong without what was not chosen.
    plan::check_together(call, &mut items).await?;
    if let Some(problem) = items.iter().find_map(|item| item.problem.clone()) {
        let text = format!("Nothing was imported. {problem}");
        return Err(Error::new(Code::ParameterInvalid, text));
    }
    items.sort_by(|one, other| (one.turn, &one.path).cmp(&(other.turn, &other.path)));
    let mut done = Vec::new();
    let mut rest = items.into_iter();
    while let Some(item) = rest.next() {
        let Some((function, parameters)) = item.step else {
            continue;
        };
        if let Err(error) = call.act(function, parameters).await {
            let left: Vec<String> = rest.map(|item| item.path).collect();
            let text = format!(
                "{} could not be imported: {} {} before it are done, {} after it are not. Import again to finish.",
                item.path,
                error.message(),
                done.len(),
                left.len()
            );
            let details = json!({ "done": done, "failed": item.path, "left": left });
            return Err(Error::new(error.code(), text).with_details(details));
        }
        done.push(item.path);
    }
    Ok(Applied { done })
}
