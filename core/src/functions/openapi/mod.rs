//! The registry as an OpenAPI 3.1 document, which code generators read: types have names, services are tags, and every call
//! has an example.

mod components;

use serde_json::{Map, Value, json};

use self::components::Schemas;
use super::{Caller, Effect, Function, Registry, example};

/// Describes the functions this caller may call over HTTP at `site_url`; an operator sees all that apps can have.
pub fn document(registry: &Registry, caller: &Caller, site_url: &str) -> Value {
    let shown = |function: &Function| match caller {
        Caller::App(_) => registry.allows(caller, function),
        _ => function.spec.access.contains(super::Access::APP),
    };
    let all = registry.list();
    // Names are made for what all apps can call, so that they do not depend on who asks.
    let open = all
        .iter()
        .filter(|(_, function)| function.spec.access.contains(super::Access::APP));
    let components = components::of(open.map(|(_, function)| (&**function, shown(function))));
    let described = all.iter().filter_map(|(provider, function)| {
        Some((provider, function, components.of.get(&function.spec.name)?))
    });
    let paths: Map<_, _> = described
        .clone()
        .map(|(provider, function, schemas)| {
            let address = format!("/api/v1/{}", function.spec.name);
            (address, path(provider, function, schemas))
        })
        .collect();
    let mut tags: Vec<Value> = described
        .map(|(provider, function, _)| tag(provider, function))
        .collect();
    tags.dedup_by(|one, other| one["name"] == other["name"]);
    let mut schemas = components.schemas;
    schemas.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Coronet",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every function takes its parameters as one JSON object and answers with JSON.",
        },
        "servers": [{ "url": site_url }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "An API token made in the webmin." } },
            "schemas": schemas,
            "parameters": { "IdempotencyKey": idempotency_key() },
            "responses": {
                "Error": {
                    "description": "The call failed; `code` says why.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
                },
            },
        },
    })
}

fn path(provider: &str, function: &Function, schemas: &Schemas) -> Value {
    let spec = &function.spec;
    let writes = spec.effect == Effect::Write;
    let call = json!({ "value": example(&spec.parameters) });
    let mut post = json!({
        "operationId": spec.name,
        "summary": spec.summary,
        "tags": [service_of(function)],
        "x-provider": provider,
        "x-effect": if writes { "write" } else { "read" },
        "requestBody": {
            "required": spec.parameters.get("required").is_some(),
            "content": { "application/json": { "schema": schemas.parameters, "examples": { "call": call } } },
        },
        "responses": {
            "200": { "description": "The result.", "content": { "application/json": { "schema": schemas.returns } } },
            "default": { "$ref": "#/components/responses/Error" },
        },
    });
    if writes {
        post["parameters"] = json!([{ "$ref": "#/components/parameters/IdempotencyKey" }]);
    }
    json!({ "post": post })
}

fn service_of(function: &Function) -> &str {
    function.spec.name.split('.').next().unwrap_or_default()
}

fn tag(provider: &str, function: &Function) -> Value {
    let service = service_of(function);
    let about = match service {
        "users" => "The users of your apps: registration, sign-in, groups, password resets.".to_owned(),
        "scopes" => "Scopes: each is an app with users and settings of its own.".to_owned(),
        "mail" => "Transactional mail, and what became of it.".to_owned(),
        "jobs" => "Scheduled jobs and their runs.".to_owned(),
        "template" => "Texts made of templates.".to_owned(),
        "server" => "The server itself: health and metrics.".to_owned(),
        "codes" => "One-time codes.".to_owned(),
        _ if provider == "core" => format!("Functions of the service {service}."),
        _ => format!("Functions of the plugin {provider}."),
    };
    json!({ "name": service, "description": about })
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": "A key of your choice, such as a UUID. The same call with the same key within a day is answered again and not \
                        carried out again.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 255 },
    })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["code", "message", "retryable"],
        "properties": {
            "code": { "type": "integer", "description": "What kind of failure it is." },
            "message": { "type": "string", "description": "What was wrong, in words." },
            "details": { "description": "More, depending on the code." },
            "retryable": { "type": "boolean", "description": "Whether the same call may succeed later." },
        },
    })
}
