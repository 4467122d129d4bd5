//! `core.store`: the keys of the job that calls, by the registry's `store.*`.

use mlua::{Function, IntoLuaMulti, Lua, MultiValue, Table, Value as LuaValue};
use serde_json::{Map, Value, json};

use super::{answered, options, parameter};
use crate::Result;
use crate::lua::namespace::Host;
use crate::lua::value::from_json;

/// A function of the store as Lua sees it: its positional parameters, of which the last may be a table of options, and what
/// Lua gets of the result.
struct Shape {
    name: &'static str,
    parameters: &'static [&'static str],
    takes_options: bool,
    returns: fn(&Lua, &Value) -> mlua::Result<MultiValue>,
}

const SHAPES: [Shape; 5] = [
    Shape {
        name: "get",
        parameters: &["key"],
        takes_options: false,
        returns: |lua, entry| {
            (
                from_json(lua, &entry["value"])?,
                from_json(lua, &entry["version"])?,
            )
                .into_lua_multi(lua)
        },
    },
    Shape {
        name: "put",
        parameters: &["key", "value"],
        takes_options: true,
        returns: |lua, written| from_json(lua, &written["version"])?.into_lua_multi(lua),
    },
    Shape {
        name: "delete",
        parameters: &["key"],
        takes_options: true,
        returns: |lua, deleted| (deleted != &json!(0)).into_lua_multi(lua),
    },
    Shape {
        name: "list",
        parameters: &["prefix"],
        takes_options: true,
        returns: |lua, page| {
            (from_json(lua, &page["items"])?, from_json(lua, &page["next"])?).into_lua_multi(lua)
        },
    },
    Shape {
        name: "increment",
        parameters: &["key", "by", "ttl_seconds"],
        takes_options: false,
        returns: |lua, counted| from_json(lua, &counted["value"])?.into_lua_multi(lua),
    },
];

pub(super) fn table(lua: &Lua, host: &Host) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for shape in &SHAPES {
        table.raw_set(shape.name, bound(lua, host.clone(), shape)?)?;
    }
    Ok(table)
}

fn bound(lua: &Lua, host: Host, shape: &'static Shape) -> mlua::Result<Function> {
    let function = format!("store.{}", shape.name);
    lua.create_function(move |lua, arguments: MultiValue| {
        let outcome = match parameters(&host, &function, shape, arguments) {
            Ok(parameters) => host.call(&function, Value::Object(parameters))?,
            Err(error) => Err(error),
        };
        match outcome {
            Ok(result) => (shape.returns)(lua, &result),
            Err(error) => answered(lua, Err(error)),
        }
    })
}

fn parameters(
    host: &Host,
    function: &str,
    shape: &Shape,
    arguments: MultiValue,
) -> Result<Map<String, Value>> {
    let mut arguments = arguments.into_iter();
    let mut positional = Vec::new();
    for name in shape.parameters {
        match arguments.next().unwrap_or(LuaValue::Nil) {
            LuaValue::Nil => {}
            given => positional.push(((*name).to_owned(), parameter(function, name, &given)?)),
        }
    }
    let given = arguments.next().filter(|_| shape.takes_options);
    let mut parameters = options(host, function, "options", &given.unwrap_or(LuaValue::Nil))?;
    parameters.extend(positional);
    Ok(parameters)
}
