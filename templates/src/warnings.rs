//! What may be saved and still fails for real requests: keys that nobody fills in, and functions that are not there.

use coronet_core::functions::Access;
use coronet_core::lua;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Templates;
use crate::engine::{Problem, TemplateFault, Unit};
use crate::resources::ResourcePath;
use crate::samples;

/// What a reset mail of one's own is always given.
const RESET_MAIL: &str = "templates/password/email";

impl Templates {
    /// What of code will probably fail, going by the functions that there are right now.
    pub(crate) fn warnings_of_code(&self, path: &ResourcePath, text: &str) -> Vec<Problem> {
        let access = match (path.root(), path.extension()) {
            ("jobs", "lua") => Access::JOB,
            ("pages", "lua") => Access::PAGE,
            _ => return Vec::new(),
        };
        let found = lua::lint(&self.core.functions, access, text).into_iter();
        found
            .map(|found| Problem {
                file: path.to_string(),
                line: found.line,
                column: found.column,
                message: found.message,
            })
            .collect()
    }
}

/// What may come out otherwise than it was meant, and the first key that is not always given, each with its place.
pub(crate) fn of(path: &ResourcePath, unit: &Unit, cancelled: &CancellationToken) -> Vec<Problem> {
    let mut warnings = keys(path, unit, cancelled);
    warnings.extend_from_slice(unit.warnings());
    warnings
}

/// The first key of the template that is not always given. Of a template whose data is not known, nothing can be said.
fn keys(path: &ResourcePath, unit: &Unit, cancelled: &CancellationToken) -> Vec<Problem> {
    let Some((full, least)) = samples::given(path) else {
        return if path.is_reset_mail() {
            custom(unit, cancelled)
        } else {
            Vec::new()
        };
    };
    if let Some((mut problem, key)) = missing(unit, &full, cancelled) {
        let known = full.as_object().into_iter().flat_map(|keys| keys.keys().cloned());
        problem.message = format!(
            "Unknown key{key}: nobody fills it in, so this fails for every request that does not give it itself. The keys \
             of this template are {}.",
            known.collect::<Vec<_>>().join(", ")
        );
        return vec![problem];
    }
    let optional = missing(unit, &least, cancelled).map(|(mut problem, key)| {
        problem.message = format!(
            "The key{key} is not always given, and without it this fails. Put it between {{{{#if …}}}} and {{{{/if}}}}."
        );
        problem
    });
    optional.into_iter().collect()
}

/// A reset mail of one's own: the app that asks for it may give further keys.
fn custom(unit: &Unit, cancelled: &CancellationToken) -> Vec<Problem> {
    let contexts = samples::contexts();
    let least = contexts.into_iter().find(|(stem, ..)| *stem == RESET_MAIL);
    let least = least.map_or_else(|| json!({}), |(_, _, least)| least);
    let found = missing(unit, &least, cancelled).map(|(mut problem, key)| {
        problem.message = format!(
            "The key{key} is only there when a request gives it in tpl_keys; others, such as those from /_forgotpassword, \
             fail. If it may be absent, put it between {{{{#if …}}}} and {{{{/if}}}}."
        );
        problem
    });
    found.into_iter().collect()
}

/// The first key that is not in `data`, with its name in words.
fn missing(unit: &Unit, data: &Value, cancelled: &CancellationToken) -> Option<(Problem, String)> {
    match unit.render_until(data, cancelled) {
        Err(TemplateFault::Data(problem)) => {
            let name = problem.message.split('`').nth(1).map(|key| format!(" `{key}`"));
            Some((problem, name.unwrap_or_default()))
        }
        _ => None,
    }
}
