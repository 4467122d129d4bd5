//! The `core` table: every function of the registry as `core.<service>.<name>(positional arguments)`.
//!
//! Nothing is made before it is used: the first `core.users` asks the registry, and the first
//! `core.users.get` makes that one function.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use mlua::{Function as LuaFunction, IntoLuaMulti, Lua, MultiValue, Nil, Table, Value as LuaValue};
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use super::control::Control;
use super::library;
use super::rehearsal::Rehearsal;
use super::schema::Hint;
use super::value;
use crate::functions::{Caller, Function, Registry};
use crate::{Code, Error, Result};

/// The way of one session's calls into the registry.
#[derive(Clone)]
pub(super) struct Host {
    pub(super) registry: Registry,
    pub(super) caller: Caller,
    pub(super) runtime: Handle,
    /// Answers instead of the registry when the code is only tried.
    pub(super) rehearsal: Option<Arc<Rehearsal>>,
    pub(super) control: Arc<Control>,
}

impl Host {
    /// Calls a function and waits for it, as long as the session lives: past its deadline the call is dropped.
    ///
    /// # Errors
    /// A Lua error when the session has to end or the function panicked; the function's own failure is the inner result.
    pub(super) fn call(&self, name: &str, parameters: Value) -> mlua::Result<Result<Value>> {
        self.control.check().map_err(mlua::Error::external)?;
        let call = async {
            tokio::select! {
                biased;
                outcome = self.answer(name, parameters) => Some(outcome),
                () = self.control.tripped() => None,
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(call)));
        self.control.check().map_err(mlua::Error::external)?;
        match outcome {
            Ok(Some(outcome)) => Ok(outcome),
            Ok(None) => Ok(Err(Error::new(
                Code::Deadline,
                format!("{name} did not finish within the session's time"),
            ))),
            Err(_) => Err(mlua::Error::runtime(
                Error::unexpected(format!("{name} panicked")).message(),
            )),
        }
    }

    async fn answer(&self, name: &str, parameters: Value) -> Result<Value> {
        match &self.rehearsal {
            Some(rehearsal) => {
                rehearsal
                    .call(&self.registry, &self.caller, name, parameters)
                    .await
            }
            None => self.registry.call(&self.caller, name, parameters).await,
        }
    }

    /// As [`Self::call`], with what Lua gets: the result, or `nil, message, code`.
    pub(super) fn call_from_lua(&self, lua: &Lua, name: &str, parameters: Value) -> mlua::Result<MultiValue> {
        match self.call(name, parameters)? {
            Ok(result) => value::from_json(lua, &result)?.into_lua_multi(lua),
            Err(error) => failure(lua, &error),
        }
    }
}

/// What a failed call returns: `nil, message, code`.
pub(super) fn failure(lua: &Lua, error: &Error) -> mlua::Result<MultiValue> {
    (Nil, error.message(), error.code().number()).into_lua_multi(lua)
}

/// Gives `core` its services.
pub(super) fn bind(lua: &Lua, core: &Table, host: Host) -> mlua::Result<()> {
    let services = lua.create_table()?;
    let index = lua.create_function(move |lua, (_, service): (Table, String)| {
        if let Some(known) = services.raw_get::<Option<Table>>(service.as_str())? {
            return Ok(known);
        }
        let table = match library::part(lua, &host, &service)? {
            Some(part) => part,
            None => service_table(lua, &host, &service)?,
        };
        services.raw_set(service, &table)?;
        Ok(table)
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__metatable", "core")?;
    core.set_metatable(Some(meta))
}

fn service_table(lua: &Lua, host: &Host, service: &str) -> mlua::Result<Table> {
    let prefix = format!("{service}.");
    if !host
        .registry
        .list()
        .iter()
        .any(|(_, function)| function.spec.name.starts_with(&prefix))
    {
        return Err(mlua::Error::runtime(no_service(host, service)));
    }
    let table = lua.create_table()?;
    let host = host.clone();
    let index = lua.create_function(move |lua, (table, name): (Table, String)| {
        let full = format!("{prefix}{name}");
        let Some(function) = host.registry.get(&full) else {
            return Err(mlua::Error::runtime(no_function(&host, &prefix, &full)));
        };
        let bound = bound_function(lua, host.clone(), function)?;
        table.raw_set(name, &bound)?;
        Ok(bound)
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__metatable", service)?;
    table.set_metatable(Some(meta))?;
    Ok(table)
}

fn bound_function(lua: &Lua, host: Host, function: Arc<Function>) -> mlua::Result<LuaFunction> {
    lua.create_function(
        move |lua, arguments: MultiValue| match parameters(&function, arguments) {
            Ok(parameters) => host.call_from_lua(lua, &function.spec.name, parameters),
            Err(error) => failure(lua, &error),
        },
    )
}

/// The object of parameters from positional arguments. `nil` leaves a parameter out; `core.NULL` passes null.
fn parameters(function: &Function, arguments: MultiValue) -> Result<Value> {
    let names = function.parameter_names();
    let mut arguments: Vec<LuaValue> = arguments.into_iter().collect();
    while arguments.last().is_some_and(LuaValue::is_nil) {
        arguments.pop();
    }
    if arguments.len() > names.len() {
        let text = format!(
            "{}({}) was called with {} arguments. Call it with a dot, not with a colon.",
            function.spec.name,
            names.join(", "),
            arguments.len()
        );
        return Err(Error::new(Code::ParameterInvalid, text));
    }
    let mut parameters = Map::new();
    for (name, argument) in names.iter().zip(&arguments) {
        if argument.is_nil() {
            continue;
        }
        let schema = &function.spec.parameters;
        let hint = function
            .parameter_schema(name)
            .map_or(Hint::NONE, |part| Hint::new(schema, part));
        let value = value::to_json(argument, name, hint)
            .map_err(|cause| Error::new(Code::ParameterType, format!("{}: {cause}.", function.spec.name)))?;
        parameters.insert(name.clone(), value);
    }
    Ok(Value::Object(parameters))
}

fn no_service(host: &Host, service: &str) -> String {
    let all = host.registry.list();
    let mut services: Vec<&str> = all
        .iter()
        .filter(|(_, function)| host.registry.allows(&host.caller, function))
        .filter_map(|(_, function)| function.spec.name.split_once('.'))
        .map(|(service, _)| service)
        .collect();
    services.dedup();
    format!("there is no core.{service}; there are {}", services.join(", "))
}

fn no_function(host: &Host, prefix: &str, full: &str) -> String {
    let all = host.registry.list();
    let names: Vec<&str> = all
        .iter()
        .filter(|(_, function)| host.registry.allows(&host.caller, function))
        .filter_map(|(_, function)| function.spec.name.strip_prefix(prefix))
        .collect();
    format!(
        "there is no core.{full}; core.{} has {}",
        prefix.trim_end_matches('.'),
        names.join(", ")
    )
}
