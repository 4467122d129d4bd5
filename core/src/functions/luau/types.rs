//! JSON schemas as Luau types.

use serde_json::{Map, Value};

/// What nests deeper is `any`: a schema may refer to itself.
const DEEPEST: usize = 12;

const KEYWORDS: [&str; 21] = [
    "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "if", "in", "local", "nil",
    "not", "or", "repeat", "return", "then", "true", "until", "while",
];

/// The type of what fits `part`, a part of the schema `root`.
pub(super) fn of(root: &Value, part: &Value) -> String {
    Types { root }.of(part, 0)
}

/// The properties of an object's schema, in their order.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The names of those that must be there.
pub(super) fn required(schema: &Value) -> Vec<&str> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// A name as a field of a table type.
pub(super) fn field(name: &str) -> String {
    if is_name(name) {
        name.to_owned()
    } else {
        format!("[{}]", quoted(name))
    }
}

/// A name as that of an argument, which cannot be quoted.
pub(super) fn argument(name: &str) -> String {
    if is_name(name) {
        return name.to_owned();
    }
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!("_{}", name.chars().map(plain).collect::<String>())
}

/// The type, or nil.
pub(super) fn optional(kind: String) -> String {
    if kind == "any" || kind == "nil" || kind.ends_with('?') {
        kind
    } else {
        format!("{kind}?")
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter)
        && name.chars().all(|c| letter(c) || c.is_ascii_digit())
        && !KEYWORDS.contains(&name)
}

/// A text as Luau writes it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

struct Types<'a> {
    root: &'a Value,
}

impl Types<'_> {
    fn of(&self, schema: &Value, depth: usize) -> String {
        let Some(fields) = schema.as_object().filter(|_| depth < DEEPEST) else {
            return "any".to_owned();
        };
        if let Some(path) = fields.get("$ref").and_then(Value::as_str) {
            let target = path.strip_prefix('#').and_then(|path| self.root.pointer(path));
            return target.map_or_else(|| "any".to_owned(), |target| self.of(target, depth + 1));
        }
        if let Some(constant) = fields.get("const") {
            return literal(constant);
        }
        if let Some(choices) = fields.get("enum").and_then(Value::as_array) {
            return union(choices.iter().map(literal));
        }
        for key in ["anyOf", "oneOf"] {
            if let Some(choices) = fields.get(key).and_then(Value::as_array) {
                return union(choices.iter().map(|choice| self.of(choice, depth + 1)));
            }
        }
        match fields.get("type") {
            Some(Value::String(kind)) => self.kind(kind, fields, depth),
            Some(Value::Array(kinds)) => {
                let kinds = kinds.iter().filter_map(Value::as_str);
                union(kinds.map(|kind| self.kind(kind, fields, depth)))
            }
            _ if fields.contains_key("properties") => self.table(fields, depth),
            _ => "any".to_owned(),
        }
    }

    fn kind(&self, kind: &str, fields: &Map<String, Value>, depth: usize) -> String {
        match kind {
            "string" => "string".to_owned(),
            "integer" | "number" => "number".to_owned(),
            "boolean" => "boolean".to_owned(),
            "null" => "nil".to_owned(),
            "array" => {
                let item = fields
                    .get("items")
                    .map_or_else(|| "any".to_owned(), |items| self.of(items, depth + 1));
                format!("{{ {item} }}")
            }
            "object" => self.table(fields, depth),
            _ => "any".to_owned(),
        }
    }

    fn table(&self, fields: &Map<String, Value>, depth: usize) -> String {
        let schema = Value::Object(fields.clone());
        let required = required(&schema);
        let mut parts: Vec<String> = properties(&schema)
            .map(|(name, property)| {
                let kind = self.of(property, depth + 1);
                let kind = if required.contains(&name.as_str()) {
                    kind
                } else {
                    optional(kind)
                };
                format!("{}: {kind}", field(name))
            })
            .collect();
        match fields.get("additionalProperties") {
            Some(Value::Bool(false)) => {}
            None if !parts.is_empty() => {}
            Some(others @ Value::Object(_)) => {
                parts.push(format!("[string]: {}", self.of(others, depth + 1)))
            }
            _ => parts.push("[string]: any".to_owned()),
        }
        if parts.is_empty() {
            "{}".to_owned()
        } else {
            format!("{{ {} }}", parts.join(", "))
        }
    }
}

fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Bool(flag) => flag.to_string(),
        Value::Null => "nil".to_owned(),
        Value::Number(_) => "number".to_owned(),
        _ => "any".to_owned(),
    }
}

/// One of several types; nil among them is a question mark at the end.
fn union(kinds: impl Iterator<Item = String>) -> String {
    let (mut all, mut or_nil) = (Vec::<String>::new(), false);
    for kind in kinds {
        let bare = kind.strip_suffix('?').map(str::to_owned);
        or_nil |= kind == "nil" || bare.is_some();
        let kind = bare.unwrap_or(kind);
        if kind != "nil" && !all.contains(&kind) {
            all.push(kind);
        }
    }
    if all.iter().any(|kind| kind == "any") {
        return "any".to_owned();
    }
    let kinds = match all.as_slice() {
        [] => return "nil".to_owned(),
        [one] => one.clone(),
        several => format!("({})", several.join(" | ")),
    };
    if or_nil { optional(kinds) } else { kinds }
}
