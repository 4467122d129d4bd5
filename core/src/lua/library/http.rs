//! `core.http`: requests to other servers, by the registry's `http.request`.

use mlua::{Lua, MultiValue, Table, Value as LuaValue};
use serde_json::Value;

use super::{answered, options, parameter};
use crate::lua::namespace::Host;

const REQUEST: &str = "http.request";

pub(super) fn table(lua: &Lua, host: &Host) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    let own = host.clone();
    let request =
        lua.create_function(
            move |lua, given: LuaValue| match options(&own, REQUEST, "request", &given) {
                Ok(parameters) => own.call_from_lua(lua, REQUEST, Value::Object(parameters)),
                Err(error) => answered(lua, Err(error)),
            },
        )?;
    table.raw_set("request", request)?;
    for (name, method) in [("get", "GET"), ("post", "POST")] {
        let own = host.clone();
        let send = lua.create_function(move |lua, (url, given): (LuaValue, LuaValue)| {
            send(lua, &own, method, &url, &given)
        })?;
        table.raw_set(name, send)?;
    }
    Ok(table)
}

fn send(lua: &Lua, host: &Host, method: &str, url: &LuaValue, given: &LuaValue) -> mlua::Result<MultiValue> {
    let parameters = options(host, REQUEST, "options", given).and_then(|mut parameters| {
        if !url.is_nil() {
            parameters.insert("url".to_owned(), parameter(REQUEST, "url", url)?);
        }
        parameters.insert("method".to_owned(), Value::from(method));
        Ok(parameters)
    });
    match parameters {
        Ok(parameters) => host.call_from_lua(lua, REQUEST, Value::Object(parameters)),
        Err(error) => answered(lua, Err(error)),
    }
}
