//! `core.json`: values to JSON text and back.

use mlua::{IntoLuaMulti, Lua, LuaSerdeExt, LuaString, MultiValue, Table, Value as LuaValue};
use serde_json::Value;

use super::answered;
use crate::lua::schema::Hint;
use crate::lua::value::{self, MAX_DEPTH, MAX_SIZE};
use crate::{Code, Error, Result};

pub(super) fn table(lua: &Lua) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    table.raw_set("encode", lua.create_function(encode)?)?;
    table.raw_set("decode", lua.create_function(decode)?)?;
    table.raw_set("list", lua.create_function(list)?)?;
    Ok(table)
}

fn encode(lua: &Lua, (given, options): (LuaValue, Option<Table>)) -> mlua::Result<MultiValue> {
    let pretty = match options {
        Some(options) => options.raw_get::<Option<bool>>("pretty")?.unwrap_or(false),
        None => false,
    };
    match written(&given, pretty) {
        Ok(text) => lua.create_string(text)?.into_lua_multi(lua),
        Err(error) => answered(lua, Err(error)),
    }
}

/// Marks a table as a list, and gives it back; an empty one then is `[]` in JSON. A new one when none is given.
fn list(lua: &Lua, given: LuaValue) -> mlua::Result<Table> {
    let table = match given {
        LuaValue::Nil => lua.create_table()?,
        LuaValue::Table(table) => table,
        other => {
            let found = value::with_article(&other);
            let text = format!("core.json.list takes a table, and was given {found}");
            return Err(mlua::Error::runtime(text));
        }
    };
    value::mark_list(lua, &table)?;
    Ok(table)
}

fn written(given: &LuaValue, pretty: bool) -> Result<String> {
    let refused = |cause: String| Error::new(Code::JsonEncode, format!("core.json.encode: {cause}."));
    let value = value::to_json(given, "value", Hint::NONE).map_err(|cause| refused(cause.to_string()))?;
    let text = if pretty {
        serde_json::to_string_pretty(&value)
    } else {
        serde_json::to_string(&value)
    };
    text.map_err(|cause| refused(cause.to_string()))
}

/// As results of functions are read: null in a record is `nil`, and `core.NULL` in a list. A text that is only `null` is
/// `core.NULL`, since `nil` says that something failed.
fn decode(lua: &Lua, text: LuaValue) -> mlua::Result<MultiValue> {
    let LuaValue::String(text) = text else {
        let found = value::with_article(&text);
        let error = Error::new(
            Code::JsonDecode,
            format!("core.json.decode takes text, and was given {found}."),
        );
        return answered(lua, Err(error));
    };
    match read(&text) {
        Ok(Value::Null) => lua.null().into_lua_multi(lua),
        Ok(value) => value::from_json(lua, &value)?.into_lua_multi(lua),
        Err(error) => answered(lua, Err(error)),
    }
}

fn read(text: &LuaString) -> Result<Value> {
    let bytes = text.as_bytes();
    if bytes.len() > MAX_SIZE {
        let text = format!("The JSON text is larger than {} MB.", MAX_SIZE >> 20);
        return Err(Error::new(Code::JsonDecode, text));
    }
    let value = crate::json::parse(&bytes)?;
    if is_deeper(&value, MAX_DEPTH) {
        let text = format!("The JSON text is nested more than {MAX_DEPTH} deep.");
        return Err(Error::new(Code::JsonDecode, text));
    }
    Ok(value)
}

/// Recurses no deeper than the parser did.
fn is_deeper(value: &Value, than: usize) -> bool {
    let deeper = |item: &Value| is_deeper(item, than - 1);
    match value {
        Value::Array(items) => than == 0 || items.iter().any(deeper),
        Value::Object(fields) => than == 0 || fields.values().any(deeper),
        _ => false,
    }
}
