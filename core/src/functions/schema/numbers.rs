//! Whole numbers however they are written: `60.0` is 60.
//!
//! JSON has one kind of number, and JSON Schema counts every number without a fraction as an integer. Rust's types do
//! not. So the numbers of a call are brought into the form that its schema asks for before anything else reads them.

use serde_json::{Number, Value};

/// How many `$ref` and `anyOf` steps are followed; a schema may refer to itself.
const MAX_STEPS: usize = 8;

/// A number that its integer type cannot hold.
#[derive(Debug, PartialEq)]
pub(crate) struct OutOfRange {
    /// Where it stands, such as `page.limit`.
    pub(crate) path: String,
    /// What it must be.
    pub(crate) rule: String,
}

/// Rewrites whole numbers as integers wherever the schema asks for an integer.
///
/// # Errors
/// [`OutOfRange`] for a number that no integer of the schema's format can hold.
pub(crate) fn settle(value: &mut Value, root: &Value) -> Result<(), OutOfRange> {
    walk(value, &[root], root, &mut Vec::new())
}

fn walk(
    value: &mut Value,
    schemas: &[&Value],
    root: &Value,
    path: &mut Vec<String>,
) -> Result<(), OutOfRange> {
    if !matches!(value, Value::Number(_) | Value::Array(_) | Value::Object(_)) {
        return Ok(());
    }
    let mut all = Vec::new();
    for schema in schemas {
        expand(schema, root, &mut all, MAX_STEPS);
    }
    match value {
        Value::Number(number) => match whole(number, &all) {
            Ok(Some(whole)) => *number = whole,
            Ok(None) => {}
            Err(rule) => {
                return Err(OutOfRange {
                    path: path.join("."),
                    rule,
                });
            }
        },
        Value::Array(items) => {
            for (at, item) in items.iter_mut().enumerate() {
                let mut parts: Vec<&Value> = Vec::new();
                for schema in &all {
                    let own = schema.get("prefixItems").and_then(|items| items.get(at));
                    parts.extend(own.or_else(|| schema.get("items")));
                }
                path.push(at.to_string());
                walk(item, &parts, root, path)?;
                path.pop();
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                let mut parts: Vec<&Value> = Vec::new();
                for schema in &all {
                    let named = schema
                        .get("properties")
                        .and_then(|properties| properties.get(name));
                    parts.extend(named.or_else(|| schema.get("additionalProperties")));
                }
                path.push(name.clone());
                walk(field, &parts, root, path)?;
                path.pop();
            }
        }
        _ => {}
    }
    Ok(())
}

/// The schema with everything it refers to or chooses from.
fn expand<'s>(schema: &'s Value, root: &'s Value, all: &mut Vec<&'s Value>, steps: usize) {
    if steps == 0 || !schema.is_object() {
        return;
    }
    all.push(schema);
    let target = schema.get("$ref").and_then(Value::as_str);
    if let Some(found) = target.and_then(|target| root.pointer(target.strip_prefix('#')?)) {
        expand(found, root, all, steps - 1);
    }
    for choice in ["anyOf", "oneOf", "allOf"] {
        let parts = schema.get(choice).and_then(Value::as_array);
        for part in parts.into_iter().flatten() {
            expand(part, root, all, steps - 1);
        }
    }
}

/// The number as an integer, where one is asked for and it is none yet.
fn whole(number: &Number, schemas: &[&Value]) -> Result<Option<Number>, String> {
    let is = |schema: &Value, kind: &str| match schema.get("type") {
        Some(Value::String(one)) => one == kind,
        Some(Value::Array(several)) => several.iter().any(|one| one == kind),
        _ => false,
    };
    let integers: Vec<&&Value> = schemas.iter().filter(|schema| is(schema, "integer")).collect();
    if integers.is_empty() || schemas.iter().any(|schema| is(schema, "number")) {
        return Ok(None);
    }
    let Some(exact) = exact(number) else {
        // Not whole: the check against the schema says so.
        return Ok(None);
    };
    let ranges = integers.iter().map(|schema| range(schema));
    let (least, most) = ranges
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
        .unwrap_or((i64::MIN.into(), i64::MAX.into()));
    if exact < least {
        return Err(format!("must be {least} or more"));
    }
    if exact > most {
        return Err(format!("must be {most} or less"));
    }
    if !number.is_f64() {
        return Ok(None);
    }
    Ok(i64::try_from(exact)
        .map(Number::from)
        .or_else(|_| u64::try_from(exact).map(Number::from))
        .ok())
}

/// The number when it has no fraction. Numbers beyond all integer types count as the largest there is.
fn exact(number: &Number) -> Option<i128> {
    if let Some(small) = number.as_i64() {
        return Some(small.into());
    }
    if let Some(large) = number.as_u64() {
        return Some(large.into());
    }
    let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the cast stops at the ends of the type, and those are out of every range"
    )]
    Some(float as i128)
}

/// What the integer's format can hold; the bounds of the schema itself are checked with the rest of it.
fn range(schema: &Value) -> (i128, i128) {
    match schema.get("format").and_then(Value::as_str) {
        Some("int8") => (i8::MIN.into(), i8::MAX.into()),
        Some("uint8") => (0, u8::MAX.into()),
        Some("int16") => (i16::MIN.into(), i16::MAX.into()),
        Some("uint16") => (0, u16::MAX.into()),
        Some("int32") => (i32::MIN.into(), i32::MAX.into()),
        Some("uint32") => (0, u32::MAX.into()),
        Some("uint64" | "uint") => (0, u64::MAX.into()),
        _ => (i64::MIN.into(), i64::MAX.into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "age": { "type": "integer" },
                "ratio": { "type": "number" },
                "page": { "anyOf": [{ "$ref": "#/$defs/Page" }, { "type": "null" }] },
                "days": { "type": "array", "items": { "type": ["integer", "null"], "format": "uint8" } },
                "either": { "oneOf": [{ "type": "string" }, { "type": "integer" }] },
                "free": {},
                "named": { "type": "object", "additionalProperties": { "type": "integer" } },
                "pair": { "type": "array", "prefixItems": [{ "type": "string" }, { "type": "integer" }] },
            },
            "$defs": { "Page": { "type": "object", "properties": { "limit": { "type": "integer" } } } },
        })
    }

    #[test]
    fn d17_a_whole_number_is_one_however_it_is_written_and_wherever_it_stands() {
        let mut value = json!({
            "age": 60.0, "ratio": 2.0, "page": { "limit": 5e1 }, "days": [1.0, null, 2], "either": -3.0,
            "free": 4.0, "named": { "x": 7.0 }, "pair": ["a", 8.0],
        });
        settle(&mut value, &schema()).unwrap();
        let text = value.to_string();
        assert_eq!(
            text,
            r#"{"age":60,"ratio":2.0,"page":{"limit":50},"days":[1,null,2],"either":-3,"free":4.0,"named":{"x":7},"pair":["a",8]}"#
        );
    }

    #[test]
    fn d17_a_fraction_stays_one_and_a_number_too_large_is_named() {
        let mut value = json!({ "age": 60.5, "either": "x" });
        settle(&mut value, &schema()).unwrap();
        assert_eq!(value["age"], json!(60.5));
        for (value, path, rule) in [
            (
                json!({ "age": 1e300 }),
                "age",
                "must be 9223372036854775807 or less",
            ),
            (
                json!({ "age": 9_223_372_036_854_775_808_u64 }),
                "age",
                "must be 9223372036854775807 or less",
            ),
            (json!({ "days": [1, 256] }), "days.1", "must be 255 or less"),
            (json!({ "days": [-1.0] }), "days.0", "must be 0 or more"),
        ] {
            let broken = settle(&mut value.clone(), &schema()).unwrap_err();
            assert_eq!((broken.path.as_str(), broken.rule.as_str()), (path, rule));
        }
    }
}
