//! What a manifest must keep to before its plugin may join.

use std::collections::BTreeSet;
use std::time::Duration;

use coronet_plugin_abi::Manifest;
use coronet_plugin_abi::manifest::{FunctionManifest, WebhookManifest};
use serde_json::Value;

use crate::functions::{Access, Effect, Role, Spec};

/// A call's time when its manifest does not say.
const DEADLINE: Duration = Duration::from_secs(30);
/// Headers that a webhook may see.
const MOST_HEADERS: usize = 16;
/// The most a manifest may ask for.
const LONGEST_DEADLINE: Duration = Duration::from_secs(600);

/// Says what is wrong with a manifest.
///
/// # Errors
/// The reason, for people.
pub(super) fn check(manifest: &Manifest) -> Result<(), String> {
    if !is_name(&manifest.name) {
        let name = &manifest.name;
        return Err(format!(
            "its name \"{name:.60}\" is not 1 to 40 small letters, digits and -, a letter first"
        ));
    }
    let mut names = BTreeSet::new();
    for function in &manifest.functions {
        check_function(function)?;
        if !names.insert(function.name.as_str()) {
            return Err(format!("its manifest has the function {} twice", function.name));
        }
    }
    for provided in &manifest.provides {
        if !names.contains(provided.function.as_str()) {
            return Err(format!(
                "it provides {} by {}, which it does not have",
                provided.kind, provided.function
            ));
        }
    }
    if let Some(hook) = &manifest.webhooks {
        check_webhook(hook, &names)?;
    }
    if let Some(settings) = &manifest.settings {
        check_schema(settings).map_err(|reason| format!("the schema of its settings {reason}"))?;
    }
    for resource in &manifest.resources {
        if !is_resource(&resource.path) {
            return Err(format!(
                "it ships \"{:.200}\", which is no path of a resource",
                resource.path
            ));
        }
    }
    for route in &manifest.routes {
        if !route.path.starts_with('/') || route.path.contains(['?', '#', ' ']) {
            return Err(format!("its route \"{:.200}\" is no path", route.path));
        }
    }
    let limits = &manifest.limits;
    if !(16..=16_384).contains(&limits.memory_mib) || !(16..=65_536).contains(&limits.open_files) {
        return Err(
            "its limits are out of range: 16 to 16384 MiB of memory, 16 to 65536 open files".to_owned(),
        );
    }
    if !(1..=256).contains(&limits.threads) {
        return Err("its limits are out of range: 1 to 256 threads".to_owned());
    }
    Ok(())
}

/// A function as the registry knows it.
pub(super) fn spec(function: &FunctionManifest) -> Spec {
    let access = function.access.iter().filter_map(|name| Access::from_name(name));
    let open = if function.internal {
        Access::INTERNAL
    } else {
        Access::OPERATOR
    };
    Spec {
        name: function.name.clone(),
        summary: function.summary.clone(),
        parameters: function.parameters.clone(),
        returns: function.returns.clone(),
        access: access.fold(open, |all, one| all | one),
        effect: if function.reads {
            Effect::Read
        } else {
            Effect::Write
        },
        role: if function.reads {
            Role::Viewer
        } else {
            Role::Editor
        },
        needs_password: false,
        // The registry's own deadline only backs up ours, which also ends the process.
        deadline: deadline(function) + Duration::from_secs(2),
    }
}

/// How long a call may take before its process is killed.
pub(super) fn deadline(function: &FunctionManifest) -> Duration {
    let asked = function
        .deadline_seconds
        .map_or(DEADLINE, |seconds| Duration::from_secs(seconds.into()));
    asked.clamp(Duration::from_secs(1), LONGEST_DEADLINE)
}

fn check_function(function: &FunctionManifest) -> Result<(), String> {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let named = function
        .name
        .split_once('.')
        .is_some_and(|(service, name)| word(service) && word(name));
    if !named || function.name.len() > 100 {
        return Err(format!(
            "its function \"{:.100}\" is not named service.function",
            function.name
        ));
    }
    check_schema(&function.parameters)
        .map_err(|reason| format!("the parameters of {} {reason}", function.name))?;
    if let Some(unknown) = function
        .access
        .iter()
        .find(|name| Access::from_name(name).is_none())
    {
        return Err(format!(
            "{} is open to \"{unknown:.40}\", which does not exist",
            function.name
        ));
    }
    Ok(())
}

fn check_webhook(hook: &WebhookManifest, functions: &BTreeSet<&str>) -> Result<(), String> {
    if !functions.contains(hook.function.as_str()) {
        return Err(format!(
            "its webhook is answered by {}, which it does not have",
            hook.function
        ));
    }
    // Those say who an operator or an app is, and are nobody else's business.
    let private = |name: &String| matches!(name.to_ascii_lowercase().as_str(), "cookie" | "authorization");
    if hook.headers.len() > MOST_HEADERS || hook.headers.iter().any(private) {
        return Err(format!(
            "its webhook wants more than {MOST_HEADERS} headers, or Cookie or Authorization"
        ));
    }
    Ok(())
}

fn check_schema(schema: &Value) -> Result<(), String> {
    if schema.get("type").is_none_or(|kind| kind != "object") {
        return Err("are no JSON schema of an object".to_owned());
    }
    match jsonschema::validator_for(schema) {
        Ok(_) => Ok(()),
        Err(cause) => Err(format!("are no valid JSON schema: {cause}")),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

fn is_resource(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['\\', '\0']);
    path.split_once('/').is_some_and(|(top, rest)| {
        matches!(top, "templates" | "pages" | "jobs") && rest.len() <= 200 && rest.split('/').all(plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(change: impl FnOnce(&mut Value)) -> Result<(), String> {
        let mut manifest = json!({
            "name": "echo", "version": "1.0.0", "abi": 1,
            "functions": [{"name": "echo.hello", "parameters": {"type": "object"}, "access": ["app"]}],
            "provides": [{"kind": "mail.transport", "name": "echo", "function": "echo.hello"}],
            "resources": [{"path": "templates/echo.tpl", "text": "x"}],
            "routes": [{"path": "/_echo", "page": "echo"}],
        });
        change(&mut manifest);
        check(&serde_json::from_value(manifest).unwrap())
    }

    #[test]
    fn a_sound_manifest_passes() {
        assert_eq!(checked(|_| {}), Ok(()));
    }

    #[test]
    fn p01_w04_every_mistake_is_refused_with_its_reason() {
        let reason = |change: fn(&mut Value)| checked(change).unwrap_err();
        assert!(reason(|m| m["name"] = json!("<script>")).contains("name"));
        assert!(reason(|m| m["functions"][0]["name"] = json!("hello")).contains("service.function"));
        assert!(reason(|m| m["functions"][0]["name"] = json!("echo.<b>")).contains("service.function"));
        assert!(reason(|m| m["functions"][0]["access"] = json!(["everybody"])).contains("everybody"));
        assert!(reason(|m| m["functions"][0]["parameters"] = json!(7)).contains("schema"));
        assert!(reason(|m| m["functions"][0]["parameters"]["properties"] = json!(7)).contains("schema"));
        assert!(reason(|m| m["functions"] = json!([m["functions"][0], m["functions"][0]])).contains("twice"));
        assert!(reason(|m| m["provides"][0]["function"] = json!("echo.bye")).contains("echo.bye"));
        assert!(reason(|m| m["settings"] = json!({"type": "string"})).contains("settings"));
        for path in [
            "templates/../x",
            "/etc/passwd",
            "templates//x",
            "templates",
            "config/x",
            "pages/a\\b",
        ] {
            let refused = checked(|m| m["resources"][0]["path"] = json!(path)).unwrap_err();
            assert!(refused.contains("resource"), "{path}");
        }
        assert!(reason(|m| m["routes"][0]["path"] = json!("echo")).contains("route"));
        assert!(reason(|m| m["webhooks"] = json!({"function": "echo.bye"})).contains("echo.bye"));
        let greedy = json!({"function": "echo.hello", "headers": ["Cookie"]});
        assert!(
            checked(|m| m["webhooks"] = greedy)
                .unwrap_err()
                .contains("Cookie")
        );
        assert!(reason(|m| m["limits"] = json!({"memory_mib": 1})).contains("limits"));
    }
}
