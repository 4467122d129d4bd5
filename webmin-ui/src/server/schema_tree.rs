//! A JSON schema as a tree that people read: what it is called, of which type, in which unit, and what it means.

use serde::Serialize;
use serde_json::Value;

use crate::kit::t;

/// Deeper values are told by their type only.
const DEEPEST: usize = 6;

/// A value of a schema, with those in it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Node {
    pub(crate) name: String,
    /// `text`, `list of objects` and the like.
    pub(crate) kind: String,
    pub(crate) optional: bool,
    pub(crate) summary: String,
    /// Unit, range, allowed values, default: one short text each.
    pub(crate) rules: Vec<String>,
    pub(crate) children: Vec<Node>,
}

/// The properties of an object, or the one value that it is.
pub(crate) fn of(schema: &Value) -> Vec<Node> {
    within(schema, schema)
}

/// As [`of`], for a schema that refers to others of a document.
pub(crate) fn within(document: &Value, schema: &Value) -> Vec<Node> {
    let root = Root(document);
    let plain = root.plain(schema);
    let children = root.children(plain, 0);
    if !children.is_empty() && kind_name(plain) == "object" {
        return children;
    }
    if schema.is_null() || schema.as_object().is_some_and(serde_json::Map::is_empty) {
        return Vec::new();
    }
    vec![root.node("", schema, false, 0)]
}

/// The schema that references lead back to.
struct Root<'s>(&'s Value);

impl<'s> Root<'s> {
    fn node(&self, name: &str, schema: &'s Value, optional: bool, depth: usize) -> Node {
        let plain = self.plain(schema);
        let described = [schema, plain]
            .into_iter()
            .find_map(|schema| schema["description"].as_str());
        let inner = self.items(plain).unwrap_or(plain);
        Node {
            name: name.to_owned(),
            kind: self.kind(schema),
            optional,
            summary: described.unwrap_or_default().to_owned(),
            rules: rules(name, plain),
            children: self.children(inner, depth),
        }
    }

    fn children(&self, schema: &'s Value, depth: usize) -> Vec<Node> {
        if depth >= DEEPEST {
            return Vec::new();
        }
        let required = schema["required"].as_array();
        let is_required = |name: &str| required.is_some_and(|names| names.iter().any(|held| held == name));
        let properties = schema["properties"].as_object().into_iter().flatten();
        let own = properties.map(|(name, property)| self.node(name, property, !is_required(name), depth + 1));
        // Parts of an object that are described elsewhere.
        let parts = schema["allOf"].as_array().into_iter().flatten();
        let parts = parts.flat_map(|part| self.children(self.plain(part), depth));
        own.chain(parts).collect()
    }

    /// The schema itself, of which `null` and references are taken away.
    fn plain(&self, schema: &'s Value) -> &'s Value {
        let mut plain = schema;
        for _ in 0..DEEPEST {
            let referenced = plain["$ref"]
                .as_str()
                .and_then(|path| self.0.pointer(path.strip_prefix('#')?));
            let choices = ["anyOf", "oneOf"].iter().find_map(|name| plain[*name].as_array());
            let only = choices.and_then(|choices| {
                let mut some = choices.iter().filter(|choice| choice["type"] != "null");
                some.next().filter(|_| some.next().is_none())
            });
            match referenced.or(only) {
                Some(next) => plain = next,
                None => break,
            }
        }
        plain
    }

    fn items(&self, schema: &'s Value) -> Option<&'s Value> {
        schema.get("items").map(|items| self.plain(items))
    }

    fn kind(&self, schema: &'s Value) -> String {
        let plain = self.plain(schema);
        if let Some(choices) = ["anyOf", "oneOf"].iter().find_map(|name| plain[*name].as_array()) {
            let some = choices.iter().filter(|choice| choice["type"] != "null");
            let mut kinds: Vec<String> = some.map(|choice| self.kind(choice)).collect();
            kinds.dedup();
            return kinds.join(" | ");
        }
        match (kind_name(plain), self.items(plain)) {
            ("array", Some(items)) => t!("list of {kind}", kind = self.kind(items)),
            ("array", None) => t!("list"),
            ("string", _) if plain["format"] == "secret" => t!("secret text"),
            ("string", _) => t!("text"),
            ("integer", _) => t!("whole number"),
            ("number", _) => t!("number"),
            ("boolean", _) => t!("yes or no"),
            ("object", _) => t!("object"),
            ("null", _) => t!("nothing"),
            _ if plain.get("const").is_some() || plain.get("enum").is_some() => t!("text"),
            _ => t!("anything"),
        }
    }
}

fn kind_name(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds
            .iter()
            .filter_map(Value::as_str)
            .find(|kind| *kind != "null")
            .unwrap_or("null"),
        kind => kind.as_str().unwrap_or_default(),
    }
}

fn rules(name: &str, schema: &Value) -> Vec<String> {
    let mut rules = Vec::new();
    let number = matches!(kind_name(schema), "integer" | "number");
    rules.extend(unit(name).filter(|_| number));
    let bound = |name: &str| schema[name].as_number().map(ToString::to_string);
    match (bound("minimum"), bound("maximum")) {
        (Some(least), Some(most)) => rules.push(t!("{least} to {most}", least = least, most = most)),
        // That a number has no sign needs no words.
        (Some(least), None) if least != "0" => rules.push(t!("{least} at least", least = least)),
        (None, Some(most)) => rules.push(t!("{most} at most", most = most)),
        _ => {}
    }
    if let Some(most) = bound("maxLength") {
        rules.push(t!("{most} characters at most", most = most));
    }
    let allowed: Vec<String> = choices(schema).iter().map(as_text).collect();
    if !allowed.is_empty() {
        rules.push(t!("one of {values}", values = allowed.join(", ")));
    }
    if let Some(default) = schema.get("default").filter(|value| !value.is_null()) {
        rules.push(t!("{value} if absent", value = as_text(default)));
    }
    rules
}

fn choices(schema: &Value) -> Vec<Value> {
    if let Some(values) = schema["enum"].as_array() {
        return values.clone();
    }
    let parts = schema["oneOf"].as_array().into_iter().flatten();
    let values: Vec<Value> = parts.filter_map(|part| part.get("const").cloned()).collect();
    values
}

/// Names tell their units by habit.
fn unit(name: &str) -> Option<String> {
    let ends = |end: &str| name == end.trim_start_matches('_') || name.ends_with(end);
    if ends("_at") || name == "since" || name == "until" {
        Some(t!("Unix milliseconds"))
    } else if ends("_seconds") || name == "interval" || name == "timeout" {
        Some(t!("seconds"))
    } else if ends("_ms") {
        Some(t!("milliseconds"))
    } else if ends("_hours") {
        Some(t!("hours"))
    } else if ends("_days") {
        Some(t!("days"))
    } else if ends("_bytes") {
        Some(t!("bytes"))
    } else {
        None
    }
}

fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schema_is_read_with_its_references_units_and_choices() {
        let schema = json!({
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": { "type": "string", "description": "Names it." },
                "created_at": { "type": "integer" },
                "state": { "$ref": "#/$defs/State" },
                "page": { "anyOf": [{ "$ref": "#/$defs/Page" }, { "type": "null" }] },
                "tags": { "type": "array", "items": { "type": "string" } },
            },
            "$defs": {
                "State": { "oneOf": [{ "const": "on", "type": "string" }, { "const": "off", "type": "string" }] },
                "Page": { "type": "object", "properties": { "limit": { "type": ["integer", "null"], "minimum": 1, "maximum": 500, "default": 50 } } },
            },
        });
        let nodes = of(&schema);
        let node = |name: &str| nodes.iter().find(|node| node.name == name).unwrap();
        assert_eq!(
            (node("id").optional, node("id").summary.as_str()),
            (false, "Names it.")
        );
        assert_eq!(node("created_at").rules, ["Unix milliseconds"]);
        assert_eq!(node("state").rules, ["one of on, off"]);
        assert_eq!(node("tags").kind, "list of text");
        let limit = &node("page").children[0];
        assert_eq!(
            (limit.name.as_str(), limit.kind.as_str()),
            ("limit", "whole number")
        );
        assert_eq!(limit.rules, ["1 to 500", "50 if absent"]);
    }

    #[test]
    fn a_schema_that_holds_itself_has_an_end() {
        let schema = json!({
            "$ref": "#/$defs/Tree",
            "$defs": { "Tree": { "type": "object", "properties": { "child": { "$ref": "#/$defs/Tree" } } } },
        });
        let mut depth = 0;
        let mut nodes = of(&schema);
        while let Some(node) = nodes.pop() {
            depth += 1;
            nodes = node.children;
        }
        assert!(depth <= DEEPEST, "{depth}");
        assert!(of(&json!({ "$ref": "#/$defs/None" })).len() <= 1);
        assert!(of(&Value::Null).is_empty());
    }
}
