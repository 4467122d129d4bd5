//! What page code hands to the methods of its page.

use coronet_core::lua::{Hint, to_json};
use mlua::{LuaString, Value as LuaValue};
use serde_json::Value;

use super::answer::check_header;

/// The headers of an answer, checked.
pub(super) fn header_list(value: Option<&LuaValue>) -> mlua::Result<Vec<(String, String)>> {
    let table = match value {
        None | Some(LuaValue::Nil) => return Ok(Vec::new()),
        Some(LuaValue::Table(table)) => table,
        Some(_) => {
            return Err(mlua::Error::runtime(
                "the headers of an answer are a table of names and values",
            ));
        }
    };
    let mut headers = Vec::new();
    for pair in table.pairs::<String, LuaString>() {
        let (name, value) = pair?;
        let value = value.to_string_lossy();
        check_header(&name, &value).map_err(mlua::Error::runtime)?;
        headers.push((name, value));
    }
    Ok(headers)
}

/// A status from 200 to 599.
pub(super) fn status_code(value: &LuaValue) -> mlua::Result<u16> {
    let number = match value {
        LuaValue::Integer(number) => Some(*number),
        #[expect(clippy::cast_possible_truncation, reason = "out of range is refused below")]
        LuaValue::Number(number) => Some(*number as i64),
        _ => None,
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|status| (200..=599).contains(status))
        .ok_or_else(|| mlua::Error::runtime("a status is a number from 200 to 599"))
}

/// A status that may be absent.
pub(super) fn optional_status(value: Option<&LuaValue>) -> mlua::Result<Option<u16>> {
    value
        .filter(|status| !status.is_nil())
        .map(status_code)
        .transpose()
}

/// A text that must be there; numbers are texts, too.
pub(super) fn text(method: &str, parameter: &str, value: Option<&LuaValue>) -> mlua::Result<String> {
    optional_text(method, parameter, value)?
        .ok_or_else(|| mlua::Error::runtime(format!("{method}: `{parameter}` is missing")))
}

/// A text that may be absent.
pub(super) fn optional_text(
    method: &str,
    parameter: &str,
    value: Option<&LuaValue>,
) -> mlua::Result<Option<String>> {
    match value {
        None | Some(LuaValue::Nil) => Ok(None),
        Some(LuaValue::String(text)) => match text.to_str() {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err(mlua::Error::runtime(format!(
                "{method}: `{parameter}` is not valid UTF-8"
            ))),
        },
        Some(LuaValue::Integer(number)) => Ok(Some(number.to_string())),
        Some(LuaValue::Number(number)) => Ok(Some(number.to_string())),
        Some(other) => Err(mlua::Error::runtime(format!(
            "{method}: `{parameter}` is a text, and a {} was given",
            other.type_name()
        ))),
    }
}

/// A text that need not be UTF-8.
pub(super) fn bytes(method: &str, value: &LuaValue) -> mlua::Result<Vec<u8>> {
    match value {
        LuaValue::String(text) => Ok(text.as_bytes().to_vec()),
        value => text(method, "body", Some(value)).map(String::into_bytes),
    }
}

/// Any value that has a JSON form.
pub(super) fn json_of(method: &str, value: &LuaValue) -> mlua::Result<Value> {
    to_json(value, method, Hint::NONE).map_err(mlua::Error::external)
}
