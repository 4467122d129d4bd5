//! An example of a value for any schema: for documentation, and for calls to be copied.

use serde_json::{Map, Value, json};

/// How many `$ref` steps and levels are followed; a schema may hold itself.
const DEEPEST: usize = 8;

/// The object with an example of each required property, and of no other: what may be left out is left out.
pub fn example(schema: &Value) -> Map<String, Value> {
    object(schema, schema, 0)
}

fn object(schema: &Value, root: &Value, depth: usize) -> Map<String, Value> {
    let required = schema.get("required").and_then(Value::as_array);
    let required: Vec<&str> = required.into_iter().flatten().filter_map(Value::as_str).collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    let needed = properties
        .into_iter()
        .flatten()
        .filter(|(name, _)| required.contains(&name.as_str()));
    needed
        .map(|(name, property)| (name.clone(), value(name, property, root, depth + 1)))
        .collect()
}

fn value(name: &str, schema: &Value, root: &Value, depth: usize) -> Value {
    if let Some(given) = given(schema) {
        return given;
    }
    if depth > DEEPEST {
        return Value::Null;
    }
    let referenced = schema.get("$ref").and_then(Value::as_str);
    if let Some(found) = referenced.and_then(|path| root.pointer(path.strip_prefix('#')?)) {
        return value(name, found, root, depth + 1);
    }
    let choices = ["anyOf", "oneOf"]
        .iter()
        .find_map(|choice| schema.get(choice)?.as_array());
    if let Some(first) = choices.and_then(|choices| choices.iter().find(|one| kind(one) != "null")) {
        return value(name, first, root, depth + 1);
    }
    match kind(schema) {
        "integer" => json!(within(schema, whole(name))),
        "number" => json!(within(schema, 10)),
        "boolean" => json!(true),
        "array" => {
            let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let item = schema.get("items").filter(|_| least > 0);
            Value::Array(
                item.map(|item| value(name, item, root, depth + 1))
                    .into_iter()
                    .collect(),
            )
        }
        "object" => Value::Object(object(schema, root, depth)),
        _ => json!(text(name, schema)),
    }
}

/// What the schema itself offers.
fn given(schema: &Value) -> Option<Value> {
    let first = |name: &str| {
        schema
            .get(name)?
            .as_array()?
            .iter()
            .find(|value| !value.is_null())
            .cloned()
    };
    let constant = schema.get("const").cloned();
    constant.or_else(|| first("examples")).or_else(|| first("enum"))
}

fn kind(schema: &Value) -> &str {
    match schema.get("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            let mut some = kinds.iter().filter_map(Value::as_str);
            some.find(|kind| *kind != "null").unwrap_or("null")
        }
        _ => "",
    }
}

fn whole(name: &str) -> i64 {
    if name.ends_with("_at") || matches!(name, "since" | "until") {
        1_767_614_400_000
    } else {
        10
    }
}

fn within(schema: &Value, number: i64) -> i64 {
    let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
    let raised = bound("minimum").map_or(number, |least| number.max(least));
    bound("maximum").map_or(raised, |most| raised.min(most))
}

fn text(name: &str, schema: &Value) -> String {
    let text = match name {
        "email" | "to_email" | "to" => "user@home.com",
        "from_email" | "from" => "myapp@domain.com",
        "scope" => "Fun Run",
        "username" => "Carol",
        "password" | "new_password" => "a horse in the stable",
        "subject" => "Hello",
        "zone" | "timezone" => "Europe/Lisbon",
        "url" => "https://example.com/",
        "user_id" => "usr_…",
        "grants" => "users.*",
        _ => "…",
    };
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    let missing = usize::try_from(least)
        .unwrap_or(0)
        .saturating_sub(text.chars().count());
    format!("{text}{}", "…".repeat(missing))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_what_is_required_and_fits_its_schema() {
        let schema = json!({
            "type": "object",
            "required": ["to", "limit", "mode", "page", "tags"],
            "properties": {
                "to": { "anyOf": [{ "type": "string" }, { "type": "array" }] },
                "limit": { "type": "integer", "minimum": 1, "maximum": 5 },
                "mode": { "oneOf": [{ "const": "on" }, { "const": "off" }] },
                "page": { "$ref": "#/$defs/Page" },
                "tags": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
                "note": { "type": "string" },
            },
            "$defs": { "Page": { "type": "object", "required": ["id"], "properties": { "id": { "type": "string", "minLength": 3 } } } },
        });
        let example = Value::Object(example(&schema));
        assert_eq!(
            example,
            json!({ "to": "user@home.com", "limit": 5, "mode": "on", "page": { "id": "………" }, "tags": ["…"] })
        );
        assert!(jsonschema::is_valid(&schema, &example));
    }

    #[test]
    fn a_schema_that_holds_itself_has_an_example() {
        let schema = json!({
            "required": ["next"], "properties": { "next": { "$ref": "#/$defs/Node" } },
            "$defs": { "Node": { "type": "object", "required": ["next"], "properties": { "next": { "$ref": "#/$defs/Node" } } } },
        });
        assert!(example(&schema).contains_key("next"));
    }
}
