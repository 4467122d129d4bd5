//! The function explorer: everything Coronet can do, drawn from the registry.

use std::sync::Arc;

use coronet_core::functions::{Effect, Function, example};
use coronet_core::{Code, Error};
use rocket::http::ContentType;
use rocket::{Route, get, routes};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::snippets::{self, Snippet};
use crate::kit::schema_form;
use crate::kit::{Answer, Area, Desk, Field, Form, Reply, View, t};

pub(super) fn routes() -> Vec<Route> {
    routes![list, types, show]
}

/// One line of the list.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct FunctionRow {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) provider: String,
    pub(crate) writes: bool,
    pub(crate) access: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) functions: Vec<FunctionRow>,
}

#[derive(Serialize)]
pub(crate) struct FunctionsView {
    pub(crate) services: Vec<Service>,
    pub(crate) search: String,
    pub(crate) count: usize,
}

impl View for FunctionsView {
    const TEMPLATE: &'static str = "functions/list";

    fn area(&self) -> Area {
        Area::Functions
    }

    fn title(&self) -> String {
        t!("Functions")
    }
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) required: bool,
    pub(crate) summary: String,
}

/// What a call returned, or why not.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Outcome {
    pub(crate) ok: bool,
    pub(crate) text: String,
    pub(crate) milliseconds: u64,
}

/// A write, shown as it would be called, before it is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Confirmation {
    /// The parameters as JSON, secrets masked.
    pub(crate) parameters: String,
    /// What was typed, to go along unseen.
    pub(crate) fields: Vec<Field>,
}

#[derive(Serialize)]
pub(crate) struct FunctionView {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) provider: String,
    pub(crate) writes: bool,
    pub(crate) role: &'static str,
    pub(crate) access: Vec<&'static str>,
    pub(crate) deadline_seconds: u64,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) returns: String,
    pub(crate) snippets: Vec<Snippet>,
    /// Nothing when this operator may not call it.
    pub(crate) form: Option<Form>,
    /// Takes the form's place until the operator has agreed.
    pub(crate) confirmation: Option<Confirmation>,
    pub(crate) outcome: Option<Outcome>,
}

impl View for FunctionView {
    const TEMPLATE: &'static str = "functions/show";

    fn area(&self) -> Area {
        Area::Functions
    }

    fn title(&self) -> String {
        self.name.clone()
    }
}

#[get("/functions?<q>")]
fn list(desk: Desk<'_>, q: Option<&str>) -> Answer {
    let search = q.unwrap_or_default().trim().to_lowercase();
    let mut services: Vec<Service> = Vec::new();
    let mut count = 0;
    for (provider, function) in desk.webmin.core.functions.list() {
        let spec = &function.spec;
        let found = search.is_empty()
            || spec.name.to_lowercase().contains(&search)
            || spec.summary.to_lowercase().contains(&search);
        if !found || spec.access.names().is_empty() {
            continue;
        }
        count += 1;
        let row = FunctionRow {
            name: spec.name.clone(),
            summary: spec.summary.clone(),
            provider,
            writes: spec.effect == Effect::Write,
            access: spec.access.names(),
        };
        let service = spec.name.split('.').next().unwrap_or_default();
        match services.last_mut().filter(|last| last.name == service) {
            Some(last) => last.functions.push(row),
            None => services.push(Service {
                name: service.to_owned(),
                functions: vec![row],
            }),
        }
    }
    desk.page(&FunctionsView {
        services,
        search: q.unwrap_or_default().to_owned(),
        count,
    })
}

/// The types of all that code can use, for editors outside of the webmin.
#[get("/functions/core.d.luau")]
async fn types(desk: Desk<'_>) -> Answer {
    Ok(Reply::Data {
        kind: ContentType::Plain,
        body: desk.call("functions.luauTypes", json!({})).await?,
    })
}

#[get("/function/<name>")]
fn show(desk: Desk<'_>, name: &str) -> Answer {
    let view = view(&desk, name, None)?;
    desk.page(&view)
}

/// The page of a function. The snippets show `values`, with an example of each required parameter that is not among them.
pub(super) fn view(
    desk: &Desk<'_>,
    name: &str,
    values: Option<&Map<String, Value>>,
) -> Result<FunctionView, Error> {
    let (provider, function) = find(desk, name)?;
    let spec = &function.spec;
    let allowed = spec.access.names().contains(&"operator") && desk.operator.role >= spec.role;
    let site = desk.webmin.core.config.site_url();
    let mut shown = example(&spec.parameters);
    for (name, value) in values.into_iter().flatten() {
        shown.insert(name.clone(), value.clone());
    }
    let form = allowed.then(|| {
        let label = if spec.effect == Effect::Write {
            t!("Call…")
        } else {
            t!("Call")
        };
        Form::new(format!("/function/{name}"), label)
            .unguarded()
            .fields(schema_form::fields(&spec.parameters, &json!({})))
    });
    Ok(FunctionView {
        name: spec.name.clone(),
        summary: spec.summary.clone(),
        provider,
        writes: spec.effect == Effect::Write,
        role: spec.role.name(),
        access: spec.access.names(),
        deadline_seconds: spec.deadline.as_secs(),
        parameters: parameters(&function),
        returns: format!("{:#}", spec.returns),
        snippets: snippets::all(&site, &spec.name, function.parameter_names(), &shown),
        form,
        confirmation: None,
        outcome: None,
    })
}

pub(super) fn find(desk: &Desk<'_>, name: &str) -> Result<(String, Arc<Function>), Error> {
    let all = desk.webmin.core.functions.list();
    all.into_iter()
        .find(|(_, function)| function.spec.name == name)
        .ok_or_else(|| Error::new(Code::NotFound, t!("There is no function {name}.", name = name)))
}

fn parameters(function: &Function) -> Vec<Parameter> {
    let required = function.spec.parameters.get("required").and_then(Value::as_array);
    let describe = |name: &String| {
        let schema = function.parameter_schema(name).unwrap_or(&Value::Null);
        let summary = schema
            .get("description")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Parameter {
            name: name.clone(),
            kind: kind(schema),
            required: required.is_some_and(|required| required.iter().any(|required| required == name)),
            summary: summary.to_owned(),
        }
    };
    function.parameter_names().iter().map(describe).collect()
}

fn kind(schema: &Value) -> String {
    let word = |kind: &Value| kind.as_str().unwrap_or("any").to_owned();
    match schema.get("type") {
        Some(Value::Array(kinds)) => kinds
            .iter()
            .filter(|kind| *kind != "null")
            .map(word)
            .collect::<Vec<_>>()
            .join(" or "),
        Some(kind) => word(kind),
        None if schema.get("enum").is_some() => t!("one of a few"),
        None => match schema
            .get("anyOf")
            .or_else(|| schema.get("oneOf"))
            .and_then(Value::as_array)
        {
            Some(parts) => {
                let mut kinds: Vec<String> = parts.iter().map(kind).filter(|kind| kind != "null").collect();
                kinds.dedup();
                kinds.join(" or ")
            }
            None => "any".to_owned(),
        },
    }
}
