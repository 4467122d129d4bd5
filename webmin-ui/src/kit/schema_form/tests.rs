//! What is drawn from a schema, and what was typed.

use super::*;

fn schema() -> Value {
    json!({
        "required": ["to"],
        "properties": {
            "to": { "type": "string", "description": "Who\n gets it." },
            "key": { "type": ["string", "null"], "format": "secret" },
            "region": { "enum": ["US", "EU"] },
            "limit": { "anyOf": [{ "type": "integer" }, { "type": "null" }] },
            "extra": { "type": "object" },
            "options": { "type": "object", "properties": { "subject": { "type": "string" } } }
        }
    })
}

#[test]
fn a_schema_becomes_fields() {
    let fields = fields(&schema(), &json!({ "key": "•••", "region": "EU" }));
    let kinds: Vec<_> = fields
        .iter()
        .map(|field| (field.name.as_str(), field.kind))
        .collect();
    let expected = [
        ("p.to", "text"),
        ("p.key", "password"),
        ("p.region", "select"),
        ("p.limit", "number"),
        ("p.extra", "code"),
        ("p.options.subject", "text"),
    ];
    assert_eq!(kinds, expected);
    assert!(fields[0].required && fields[0].hint == "Who gets it.");
    assert!(
        fields[2]
            .choices
            .iter()
            .any(|choice| choice.selected && choice.value == "EU")
    );
}

#[test]
fn w13_a_secret_is_never_drawn() {
    let fields = fields(&schema(), &json!({ "key": "hunter2" }));
    assert!(fields.iter().all(|field| !field.value.contains("hunter2")));
}

#[test]
fn one_or_many_are_typed_as_lines_and_a_document_in_a_text_area() {
    let schema = json!({ "properties": {
        "to": { "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }] },
        "html": { "type": ["string", "null"], "format": "secret", "contentMediaType": "text/html" },
    } });
    let fields = fields(&schema, &json!({}));
    assert!(fields.iter().all(|field| field.kind == "lines"));
    let typed = |to: &str| super::values(&schema, &Posted::of(&[("p.to", to)])).unwrap()["to"].clone();
    assert_eq!(typed(" a@b.example "), json!("a@b.example"));
    assert_eq!(
        typed("a@b.example\r\n\r\nC <c@d.example>\r\n"),
        json!(["a@b.example", "C <c@d.example>"])
    );
}

#[test]
fn a_secret_that_is_set_need_not_be_typed_again() {
    let schema =
        json!({ "required": ["key"], "properties": { "key": { "type": "string", "format": "secret" } } });
    assert!(fields(&schema, &json!({}))[0].required);
    assert!(!fields(&schema, &json!({ "key": "set" }))[0].required);
}

#[test]
fn typed_fields_become_the_object() {
    let posted = Posted::of(&[
        ("p.to", " a@b.example "),
        ("p.limit", "12"),
        ("p.extra", "{\"a\":1}"),
        ("p.options.subject", "Hi"),
    ]);
    let values = values(&schema(), &posted).unwrap();
    assert_eq!(
        Value::Object(values),
        json!({ "to": "a@b.example", "limit": 12, "extra": { "a": 1 }, "options": { "subject": "Hi" } })
    );
    assert!(super::values(&schema(), &Posted::of(&[("p.extra", "{")])).is_err());
}
