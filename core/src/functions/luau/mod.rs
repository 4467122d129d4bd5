//! The table `core` as types, for editors that know Luau: written by hand what is the sandbox's own (`surface.luau`), and
//! from the registry what its functions take and give.

mod types;

use std::fmt::Write as _;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Access, Call, Function, Registry};
use crate::{Core, Result};
use types::{field, of};

const SURFACE: &str = include_str!("surface.luau");
/// Services for which the sandbox has something handier; see `lua/library`.
const BY_HAND: [&str; 2] = ["http", "store"];

/// Adds `functions.*`.
///
/// # Errors
/// When a function's name is taken.
pub fn start(core: &Core) -> Result<()> {
    let types = Function::read(
        "functions.luauTypes",
        "Gives the types of everything that job code and page code can use, as a definition file for editors that know Luau.",
        &Arc::new(()),
        luau_types,
    );
    core.functions.add("core", vec![types])
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn luau_types(_: Arc<()>, call: Arc<Call>, _: Nothing) -> Result<String> {
    Ok(definitions(call.registry()))
}

/// The definition file.
pub fn definitions(registry: &Registry) -> String {
    let mut text = format!(
        "-- What job code and page code of Coronet {} can use.\n-- A function that fails returns nil, a message and a code; the two are there only then.\n\n{SURFACE}",
        env!("CARGO_PKG_VERSION")
    );
    let all = registry.list();
    let open = all.iter().filter(|(_, function)| {
        let access = function.spec.access;
        access.contains(Access::JOB) || access.contains(Access::PAGE)
    });
    text.push_str("\n-- The functions of the server and its plugins.\ntype Services = {\n");
    let mut service = "";
    for (provider, function) in open {
        let Some((of_service, name)) = function.spec.name.split_once('.') else {
            continue;
        };
        if BY_HAND.contains(&of_service) {
            continue;
        }
        if service != of_service {
            text.push_str(if service.is_empty() { "" } else { "  },\n" });
            let _ = writeln!(text, "  {}: {{", field(of_service));
            service = of_service;
        }
        describe(&mut text, provider, name, function);
    }
    text.push_str(if service.is_empty() { "" } else { "  },\n" });
    text.push_str("}\n\ndeclare core: Own & Services\n");
    text
}

fn describe(text: &mut String, provider: &str, name: &str, function: &Function) {
    let spec = &function.spec;
    comment(text, &spec.summary);
    if provider != "core" {
        comment(text, &format!("From the plugin {provider}."));
    }
    let open: Vec<_> = spec.access.names();
    let open: Vec<_> = open
        .into_iter()
        .filter(|who| matches!(*who, "job" | "page"))
        .collect();
    comment(text, &format!("Open to code of: {}.", open.join(", ")));
    let required = types::required(&spec.parameters);
    let mut parameters = Vec::new();
    for (parameter, schema) in types::properties(&spec.parameters) {
        if let Some(about) = schema.get("description").and_then(serde_json::Value::as_str) {
            comment(text, &format!("@param {parameter} {about}"));
        }
        let kind = of(&spec.parameters, schema);
        let kind = if required.contains(&parameter.as_str()) {
            kind
        } else {
            types::optional(kind)
        };
        parameters.push(format!("{}: {kind}", types::argument(parameter)));
    }
    let returns = types::optional(of(&spec.returns, &spec.returns));
    let _ = writeln!(
        text,
        "    {}: ({}) -> ({returns}, string, number),",
        field(name),
        parameters.join(", ")
    );
}

/// Documentation as a comment, and no more than a comment: plugins bring theirs.
fn comment(text: &mut String, about: &str) {
    let line: String = about.split_whitespace().collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    let _ = writeln!(text, "    --- {line}");
}

#[cfg(test)]
mod tests;
