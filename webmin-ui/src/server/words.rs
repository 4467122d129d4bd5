//! What the editor completes and explains in Lua code: the registry's functions, and what is there beside them.

use coronet_core::functions::{Access, Effect, Function};
use coronet_core::lua;
use coronet_core::{Code, Error};
use rocket::{Route, get, routes};
use serde::Serialize;

use super::schema_tree::{self, Node};
use crate::kit::{Answer, Desk, t};

pub(super) fn routes() -> Vec<Route> {
    routes![words]
}

#[derive(Serialize)]
struct Words {
    functions: Vec<FunctionWord>,
    others: Vec<&'static lua::Word>,
}

/// A function as the editor offers and explains it.
#[derive(Serialize)]
struct FunctionWord {
    name: String,
    summary: String,
    /// What a plugin brings says which.
    plugin: Option<String>,
    writes: bool,
    access: Vec<&'static str>,
    parameters: Vec<Node>,
    returns: Vec<Node>,
}

/// What code of this sort may use: `job` or `page`.
#[get("/functions/words?<of>")]
fn words(desk: Desk<'_>, of: &str) -> Answer {
    let access = match of {
        "job" => Access::JOB,
        "page" => Access::PAGE,
        _ => {
            let message = t!("There is no such sort of code: choose job or page.");
            return Err(Error::new(Code::ParameterInvalid, message).into());
        }
    };
    let functions = desk.webmin.core.functions.list().into_iter();
    desk.json(&Words {
        functions: functions
            .filter(|(_, function)| function.spec.access.contains(access) && !is_hidden(function))
            .map(|(provider, function)| word(provider, &function))
            .collect(),
        others: lua::words(access).collect(),
    })
}

/// Whether `core` has something of its own in its place.
fn is_hidden(function: &Function) -> bool {
    lua::is_own(function.spec.name.split('.').next().unwrap_or_default())
}

fn word(provider: String, function: &Function) -> FunctionWord {
    let spec = &function.spec;
    FunctionWord {
        name: spec.name.clone(),
        summary: spec.summary.clone(),
        plugin: Some(provider).filter(|provider| provider != "core"),
        writes: spec.effect == Effect::Write,
        access: spec.access.names(),
        parameters: in_order(function),
        returns: schema_tree::of(&spec.returns).into_iter().map(shallow).collect(),
    }
}

/// The parameters as they are passed, one after the other.
fn in_order(function: &Function) -> Vec<Node> {
    let mut nodes = schema_tree::of(&function.spec.parameters);
    let place = |node: &Node| {
        function
            .parameter_names()
            .iter()
            .position(|name| *name == node.name)
    };
    nodes.sort_by_key(place);
    nodes
        .into_iter()
        .map(|node| Node {
            children: node.children.into_iter().map(shallow).collect(),
            ..node
        })
        .collect()
}

/// Without what is deeper: a hover has no room for it.
fn shallow(node: Node) -> Node {
    Node {
        children: Vec::new(),
        ..node
    }
}
