//! What `core` has beside the services of the registry: some of it by itself (`json`, `time`), some as a handier way to
//! functions of the registry (`http`, `store`).

mod http;
mod json;
mod store;
mod time;

use mlua::{Lua, MultiValue, Table, Value as LuaValue};
use serde_json::{Map, Value};

use super::namespace::{Host, failure};
use super::schema::Hint;
use super::value;
use crate::{Code, Error, Result};

/// A part by its name, made when code first uses it; most code uses none.
pub(super) fn part(lua: &Lua, host: &Host, name: &str) -> mlua::Result<Option<Table>> {
    let table = match name {
        "json" => json::table(lua)?,
        "time" => time::table(lua, host.registry.clock())?,
        "http" => http::table(lua, host)?,
        "store" => store::table(lua, host)?,
        _ => return Ok(None),
    };
    table.set_readonly(true);
    Ok(Some(table))
}

/// What Lua gets of a result: all of its values, or `nil, message, code`.
fn answered(lua: &Lua, outcome: Result<MultiValue>) -> mlua::Result<MultiValue> {
    outcome.or_else(|error| failure(lua, &error))
}

/// The parameters of a function of the registry, out of a table of options. No table is none.
fn options(host: &Host, function: &str, place: &str, options: &LuaValue) -> Result<Map<String, Value>> {
    let wrong = |text: String| Error::new(Code::ParameterType, format!("{function}: {text}."));
    if options.is_nil() {
        return Ok(Map::new());
    }
    if !options.is_table() {
        let found = value::with_article(options);
        return Err(wrong(format!("{place} must be a table, and is {found}")));
    }
    let known = host.registry.get(function);
    let hint = known.as_ref().map_or(Hint::NONE, |function| {
        Hint::new(&function.spec.parameters, &function.spec.parameters)
    });
    match value::to_json(options, place, hint) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(wrong(format!("{place} must have names for its fields"))),
        Err(cause) => Err(wrong(cause.to_string())),
    }
}

/// A value as a parameter.
fn parameter(function: &str, name: &str, given: &LuaValue) -> Result<Value> {
    value::to_json(given, name, Hint::NONE)
        .map_err(|cause| Error::new(Code::ParameterType, format!("{function}: {cause}.")))
}
