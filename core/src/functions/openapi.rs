//! The registry as an OpenAPI 3.1 document.

use serde_json::{Map, Value, json};

use super::{Caller, Effect, Function, Registry};

/// Describes the functions this caller may call over HTTP at `site_url`; an operator sees all that apps can have.
pub fn document(registry: &Registry, caller: &Caller, site_url: &str) -> Value {
    let shown = |function: &Function| match caller {
        Caller::App(_) => registry.allows(caller, function),
        _ => function.spec.access.contains(super::Access::APP),
    };
    let all = registry.list();
    let paths: Map<_, _> = all
        .iter()
        .filter(|(_, function)| shown(function))
        .map(|(provider, function)| {
            (
                format!("/api/v1/{}", function.spec.name),
                path(provider, function),
            )
        })
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Coronet",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every function takes its parameters as one JSON object and answers with JSON.",
        },
        "servers": [{ "url": site_url }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "An API token made in the webmin." } },
            "schemas": { "Error": error_schema() },
            "responses": {
                "Error": {
                    "description": "The call failed; `code` says why.",
                    "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
                },
            },
        },
    })
}

fn path(provider: &str, function: &Function) -> Value {
    let spec = &function.spec;
    let service = spec.name.split('.').next().unwrap_or_default();
    json!({
        "post": {
            "operationId": spec.name,
            "summary": spec.summary,
            "tags": [service],
            "x-provider": provider,
            "x-effect": if spec.effect == Effect::Read { "read" } else { "write" },
            "requestBody": {
                "required": spec.parameters.get("required").is_some(),
                "content": { "application/json": { "schema": spec.parameters } },
            },
            "responses": {
                "200": { "description": "The result.", "content": { "application/json": { "schema": spec.returns } } },
                "default": { "$ref": "#/components/responses/Error" },
            },
        },
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
