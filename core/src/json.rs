//! Strict JSON: what a caller sends is read one way only.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::{Code, Error, Result};

/// Reads JSON text, refusing an object that names a key twice: two readers could
/// disagree on which of the values counts (CVE-2023-7028 is such a disagreement).
///
/// # Errors
/// `JsonDecode`, with the line and column of the mistake. Nesting over 128 levels is one.
pub fn parse(text: &[u8]) -> Result<Value> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = StrictValue::deserialize(&mut reader).and_then(|value| reader.end().map(|()| value.0));
    value.map_err(|cause| Error::new(Code::JsonDecode, mistake("This", &cause)))
}

/// What begins the text of a mistake that is ours: the library's own words reach nobody.
const TWICE: &str = "the key \"";

/// Why `what`, such as the name of a parameter, is not JSON, and where it stops being it.
pub fn mistake(what: &str, cause: &serde_json::Error) -> String {
    let said = cause.to_string();
    let own = said
        .split(" at line ")
        .next()
        .filter(|said| said.starts_with(TWICE));
    let why = match own {
        Some(own) => format!(": {own}"),
        None if said.starts_with("recursion limit") => ": it is nested too deep".to_owned(),
        None if cause.is_eof() => ": it ends too early".to_owned(),
        None => String::new(),
    };
    format!(
        "{what} is not valid JSON{why} (line {}, column {}).",
        cause.line(),
        cause.column().max(1)
    )
}

struct StrictValue(Value);

impl<'de> Deserialize<'de> for StrictValue {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Strict.deserialize(deserializer).map(StrictValue)
    }
}

#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> std::result::Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> std::result::Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self)?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format_args!(
                    "the key \"{key}\" is there twice"
                )));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_says() {
        let text = r#"{"a": [1, -2, 2.5, "x", true, null], "b": {"c": {}}}"#;
        assert_eq!(
            parse(text.as_bytes()).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
    }

    #[test]
    fn r01_a_key_there_twice_is_refused_at_any_depth() {
        for text in [
            r#"{"email": "a@x", "email": "b@y"}"#,
            r#"[{"o": {"k": 1, "k": 1}}]"#,
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.code(), Code::JsonDecode);
            assert!(error.message().contains("twice"), "{error}");
        }
    }

    #[test]
    fn d17_a_mistake_is_told_in_our_own_words_with_its_place() {
        for (text, expected) in [
            ("hello", "This is not valid JSON (line 1, column 1)."),
            ("{\n  \"a\": 1,\n}", "This is not valid JSON (line 3, column 1)."),
            (
                "[1, 2",
                "This is not valid JSON: it ends too early (line 1, column 5).",
            ),
            (
                "",
                "This is not valid JSON: it ends too early (line 1, column 1).",
            ),
            ("{} {}", "This is not valid JSON (line 1, column 4)."),
            (
                r#"{"a at line 1": 1, "a at line 1": 2}"#,
                "This is not valid JSON: the key \"a (line 1, column 32).",
            ),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            if text.contains("at line") {
                assert!(
                    error.message().starts_with("This is not valid JSON: the key \"a"),
                    "{error}"
                );
                continue;
            }
            assert_eq!(error.message(), expected, "{text}");
        }
    }

    #[test]
    fn r17_r18_depth_trailing_text_and_bad_utf8_are_refused() {
        let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
        for text in [deep.as_bytes(), b"{} {}", b"\"\xff\"", b"", b"{\"a\":}"] {
            assert_eq!(parse(text).unwrap_err().code(), Code::JsonDecode);
        }
    }
}
