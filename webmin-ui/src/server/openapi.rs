//! The OpenAPI document as a page: what apps can call over HTTP, by service, with parameters and results as trees.

use coronet_core::Code;
use coronet_core::functions::openapi;
use coronet_core::functions::{AppCaller, Caller};
use rocket::http::ContentType;
use rocket::{Route, get, routes};
use serde::Serialize;
use serde_json::Value;

use super::schema_tree::{self, Node};
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Reply, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show, download]
}

/// A service in the list beside.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ServiceLink {
    pub(crate) name: String,
    pub(crate) address: String,
    /// How many functions it has.
    pub(crate) size: usize,
    pub(crate) here: bool,
}

/// A function as the document describes it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Operation {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) summary: String,
    pub(crate) provider: String,
    pub(crate) writes: bool,
    /// Who may call it beside apps.
    pub(crate) access: Vec<&'static str>,
    pub(crate) parameters: Vec<Node>,
    pub(crate) returns: Vec<Node>,
    pub(crate) open: bool,
}

/// A code that a call may fail with.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct ErrorRow {
    pub(crate) code: i32,
    pub(crate) status: u16,
    pub(crate) meaning: String,
    pub(crate) again: bool,
}

#[derive(Serialize)]
pub(crate) struct OpenApiView {
    pub(crate) title: String,
    pub(crate) version: String,
    pub(crate) openapi: String,
    pub(crate) server: String,
    pub(crate) about: String,
    pub(crate) security: String,
    pub(crate) services: Vec<ServiceLink>,
    /// Nothing when the search found them across services.
    pub(crate) service: String,
    pub(crate) search: String,
    pub(crate) operations: Vec<Operation>,
    pub(crate) error: Vec<Node>,
    pub(crate) errors: Vec<ErrorRow>,
}

impl View for OpenApiView {
    const TEMPLATE: &'static str = "functions/openapi";

    fn area(&self) -> Area {
        Area::Functions
    }

    fn title(&self) -> String {
        "OpenAPI".to_owned()
    }
}

#[get("/functions/openapi?<service>&<q>")]
fn show(desk: Desk<'_>, service: Option<&str>, q: Option<&str>) -> Answer {
    let document = document(&desk);
    let search = q.unwrap_or_default().trim();
    desk.page(&view(&desk, &document, service.unwrap_or_default(), search))
}

#[get("/functions/openapi.json")]
fn download(desk: Desk<'_>) -> Answer {
    Ok(Reply::Data {
        kind: ContentType::JSON,
        body: format!("{:#}", document(&desk)),
    })
}

/// What an app with every grant would get.
fn document(desk: &Desk<'_>) -> Value {
    let app = Caller::App(std::sync::Arc::new(AppCaller {
        token_id: String::new(),
        name: String::new(),
        grants: std::sync::Arc::new(["*".to_owned()]),
        address: None,
    }));
    let core = &desk.webmin.core;
    openapi::document(&core.functions, &app, &core.config.site_url())
}

fn view(desk: &Desk<'_>, document: &Value, service: &str, search: &str) -> OpenApiView {
    let all: Vec<Operation> = document["paths"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(path, item)| operation(desk, document, path, &item["post"]))
        .collect();
    let mut services: Vec<ServiceLink> = Vec::new();
    for operation in &all {
        let name = service_of(operation);
        match services.last_mut().filter(|last| last.name == name) {
            Some(last) => last.size += 1,
            None => services.push(ServiceLink {
                name: name.to_owned(),
                address: Query::new("/functions/openapi").with("service", name).to_string(),
                size: 1,
                here: false,
            }),
        }
    }
    let known = services.iter().any(|known| known.name == service);
    let first = services
        .first()
        .map(|first| first.name.clone())
        .unwrap_or_default();
    let service = match (search.is_empty(), known) {
        (false, _) => String::new(),
        (true, true) => service.to_owned(),
        (true, false) => first,
    };
    for link in &mut services {
        link.here = link.name == service;
    }
    let search_words = search.to_lowercase();
    let words: Vec<&str> = search_words.split_whitespace().collect();
    let shown = service.clone();
    let fits = |operation: &Operation| {
        if words.is_empty() {
            return service_of(operation) == shown;
        }
        let text = format!("{} {}", operation.name, operation.summary).to_lowercase();
        words.iter().all(|word| text.contains(word))
    };
    let text = |path: &str| {
        document
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    OpenApiView {
        title: text("/info/title"),
        version: text("/info/version"),
        openapi: text("/openapi"),
        server: text("/servers/0/url"),
        about: text("/info/description"),
        security: text("/components/securitySchemes/token/description"),
        services,
        service,
        search: search.to_owned(),
        operations: all.into_iter().filter(fits).collect(),
        error: schema_tree::of(&document["components"]["schemas"]["Error"]),
        errors: errors(),
    }
}

fn service_of(operation: &Operation) -> &str {
    operation.name.split('.').next().unwrap_or_default()
}

fn operation(desk: &Desk<'_>, document: &Value, path: &str, post: &Value) -> Option<Operation> {
    let name = post["operationId"].as_str()?;
    let function = desk.webmin.core.functions.get(name)?;
    let text = |name: &str| post[name].as_str().unwrap_or_default().to_owned();
    let schema = |pointer: &str| {
        let found = post.pointer(pointer);
        found
            .map(|schema| schema_tree::within(document, schema))
            .unwrap_or_default()
    };
    Some(Operation {
        name: name.to_owned(),
        path: path.to_owned(),
        summary: text("summary"),
        provider: text("x-provider"),
        writes: post["x-effect"] == "write",
        access: function.spec.access.names(),
        parameters: schema("/requestBody/content/application~1json/schema"),
        returns: schema("/responses/200/content/application~1json/schema"),
        open: false,
    })
}

fn errors() -> Vec<ErrorRow> {
    let mut rows: Vec<ErrorRow> = Code::ALL
        .iter()
        .map(|code| ErrorRow {
            code: code.number(),
            status: code.status(),
            meaning: words(&format!("{code:?}")),
            again: coronet_core::Error::new(*code, "").is_retryable(),
        })
        .collect();
    rows.sort_by_key(|row| (row.status, row.code));
    rows
}

/// `UserNotFound` is "User not found".
fn words(name: &str) -> String {
    let mut words = String::new();
    for (at, character) in name.char_indices() {
        if at > 0 && character.is_uppercase() {
            words.push(' ');
            words.extend(character.to_lowercase());
        } else {
            words.push(character);
        }
    }
    words
}

impl Operation {
    /// With sample data.
    #[cfg(test)]
    pub(crate) fn sample(text: &str) -> Self {
        Self {
            name: text.to_owned(),
            path: text.to_owned(),
            summary: text.to_owned(),
            provider: text.to_owned(),
            writes: true,
            access: vec!["app"],
            parameters: vec![Node {
                name: text.to_owned(),
                kind: text.to_owned(),
                optional: true,
                summary: text.to_owned(),
                rules: vec![text.to_owned()],
                children: vec![Node {
                    name: text.to_owned(),
                    kind: text.to_owned(),
                    optional: false,
                    summary: text.to_owned(),
                    rules: Vec::new(),
                    children: Vec::new(),
                }],
            }],
            returns: Vec::new(),
            open: true,
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_of_a_code_is_read_as_words() {
        assert_eq!(super::words("UserNotFound"), "User not found");
        let errors = super::errors();
        let limited = errors.iter().find(|row| row.code == 929).unwrap();
        assert_eq!((limited.status, limited.again), (429, true));
    }
}
