//! `core.pages.new()`: what page code starts with.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use coronet_core::lua::{LuaError, LuaErrorKind, Sandbox, from_json};
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value as LuaValue};
use serde_json::Value;

use super::PageResponse;
use super::form::{Fields, FormFault, Upload};
use super::language::preferred;
use super::options;
use super::page::{CONSTANTS, METHODS, Method, Page};
use crate::Templates;
use crate::resources::ResourcePath;

/// What page code sees of its request.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) method: String,
    pub(super) path: String,
    /// What followed the `?`, or why nobody can say what that means.
    pub(super) query: Result<Fields, FormFault>,
    pub(super) form: Fields,
    pub(super) files: Vec<Upload>,
    pub(super) cookies: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Whether cookies are bound to https unless a page says otherwise.
    pub(super) https: bool,
    /// How long the body took to arrive.
    pub(super) took: Duration,
}

/// Why the request is refused, as soon as the code has asked for something that the request does not give.
pub(super) type Refusal = Arc<Mutex<Option<FormFault>>>;

/// What running a page's code came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Answered(PageResponse),
    /// The code wanted the query, which cannot be read, or takes less than what was sent.
    Refused(FormFault),
}

/// Runs a page's live code, and gives its answer. Blocks; for threads that run Lua.
///
/// # Errors
/// When the code is gone, is not Lua, or fails.
pub(super) fn run(
    sandbox: &Sandbox,
    templates: &Arc<Templates>,
    path: &ResourcePath,
    input: Input,
) -> Result<Outcome, LuaError> {
    let live = templates
        .layers
        .live(path)
        .map_err(|fault| LuaError::new(LuaErrorKind::Source, format!("{path} cannot be used: {fault}")))?
        .ok_or_else(|| LuaError::new(LuaErrorKind::Source, format!("{path} is gone")))?;
    let page = Page::new(templates, path, input.https);
    run_source(sandbox, page, path, &live.text, input)
}

/// As [`run`], with code that is given.
pub(super) fn run_source(
    sandbox: &Sandbox,
    page: Page,
    path: &ResourcePath,
    source: &str,
    input: Input,
) -> Result<Outcome, LuaError> {
    let page = Arc::new(page);
    let refusal = Refusal::default();
    bind(sandbox, &page, input, &refusal)?;
    let ran = sandbox.load(path.as_str(), source)?.call::<()>(());
    // Whatever the code made of it: it took the request for another than it was.
    if let Some(fault) = refusal.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Ok(Outcome::Refused(fault));
    }
    match ran {
        // The answer stands: nothing that comes after it changes it, as in the original.
        Err(error) if page.has_answered() && !page.is_tried() => {
            tracing::warn!(page = %path, %error, "the code of a page failed after it had answered");
        }
        ran => ran?,
    }
    Ok(Outcome::Answered(page.response_so_far()))
}

fn bind(sandbox: &Sandbox, page: &Arc<Page>, input: Input, refusal: &Refusal) -> mlua::Result<()> {
    let lua = sandbox.lua();
    let object = lua.create_table()?;
    set_language(lua, &object, &input.headers)?;
    let sent = options::Sent::of(&input.files, input.took);
    let query = set_fields(lua, &object, input)?;
    set_query(lua, page, &object, query, refusal)?;
    for (name, method) in METHODS {
        object.raw_set(name, bound(lua, page, &object, method)?)?;
    }
    for (name, value) in CONSTANTS {
        object.raw_set(name, value)?;
    }
    let refusal = Arc::clone(refusal);
    let new = lua.create_function(move |_, arguments: MultiValue| {
        if let Some(fault) = options::fault(&arguments, &sent)? {
            let text = fault.to_string();
            *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault);
            return Err(mlua::Error::runtime(text));
        }
        Ok(object.clone())
    })?;
    let pages = lua.create_table()?;
    pages.raw_set("new", new)?;
    pages.set_readonly(true);
    sandbox.core().raw_set("pages", pages)
}

/// A method that may be called with a dot, as in the original, and with a colon.
fn bound(lua: &Lua, page: &Arc<Page>, object: &Table, method: Method) -> mlua::Result<Function> {
    let page = Arc::clone(page);
    let itself = object.to_pointer() as usize;
    lua.create_function(move |lua, arguments: MultiValue| {
        let mut arguments: Vec<LuaValue> = arguments.into_iter().collect();
        if matches!(arguments.first(), Some(LuaValue::Table(first)) if first.to_pointer() as usize == itself)
        {
            arguments.remove(0);
        }
        method(&page, lua, arguments)
    })
}

/// `query` and `hasQuery`. When the query cannot be read, `queryProblem` says why, and asking for it all the same ends
/// the code: most pages want such a request refused, and one that does not need the query can do without (C02).
fn set_query(
    lua: &Lua,
    page: &Arc<Page>,
    object: &Table,
    query: Result<Fields, FormFault>,
    refusal: &Refusal,
) -> mlua::Result<()> {
    let fault = match query {
        Ok(query) => {
            object.raw_set("hasQuery", !query.is_empty())?;
            return object.raw_set("query", from_json(lua, &Value::Object(query))?);
        }
        Err(fault) => fault,
    };
    object.raw_set("queryProblem", fault.to_string())?;
    let (page, refusal) = (Arc::clone(page), Arc::clone(refusal));
    let index = lua.create_function(move |_, (_, name): (Table, LuaString)| {
        if name == "query" || name == "hasQuery" {
            if !page.has_answered() {
                *refusal.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.clone());
            }
            return Err(mlua::Error::runtime(fault.to_string()));
        }
        Ok(LuaValue::Nil)
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    object.set_metatable(Some(meta))
}

/// `language("en", "de")` gives the one of these that the reader's browser asks for, else the first.
fn set_language(lua: &Lua, object: &Table, headers: &[(String, String)]) -> mlua::Result<()> {
    let accept = headers.iter().find(|(name, _)| name == "accept-language");
    let accept = accept.map(|(_, value)| value.clone()).unwrap_or_default();
    let itself = object.to_pointer() as usize;
    let language = lua.create_function(move |_, arguments: MultiValue| {
        let mut offered = Vec::new();
        for argument in arguments {
            match argument {
                LuaValue::Table(first) if first.to_pointer() as usize == itself => {}
                LuaValue::String(tag) => offered.push(tag.to_string_lossy()),
                _ => {
                    return Err(mlua::Error::runtime(
                        "page.language takes names of languages, such as \"en\"",
                    ));
                }
            }
        }
        Ok(preferred(&accept, &offered).map(str::to_owned))
    })?;
    object.raw_set("language", language)
}

/// All fields but those of the query, which are given back.
fn set_fields(lua: &Lua, object: &Table, input: Input) -> mlua::Result<Result<Fields, FormFault>> {
    let is_ajax = input
        .headers
        .iter()
        .any(|(name, value)| name == "x-requested-with" && value.eq_ignore_ascii_case("XMLHttpRequest"));
    object.raw_set("method", input.method.as_str())?;
    object.raw_set("path", input.path)?;
    object.raw_set("isGet", input.method == "GET")?;
    object.raw_set("isPost", input.method == "POST")?;
    object.raw_set("isAjax", is_ajax)?;
    object.raw_set("hasForm", !input.form.is_empty() || !input.files.is_empty())?;
    object.raw_set("form", from_json(lua, &Value::Object(input.form))?)?;
    object.raw_set("cookies", texts(lua, input.cookies)?)?;
    object.raw_set("headers", headers(lua, input.headers)?)?;
    object.raw_set("files", files(lua, input.files)?)?;
    Ok(input.query)
}

/// Uploads by field; those of a field whose name ends in `[]` are a list, also of one.
fn files(lua: &Lua, uploads: Vec<Upload>) -> mlua::Result<Table> {
    let files = lua.create_table()?;
    for upload in uploads {
        let file = lua.create_table()?;
        file.raw_set("name", upload.file_name)?;
        file.raw_set("type", upload.content_type)?;
        file.raw_set("size", upload.content.len())?;
        file.raw_set("content", lua.create_string(&upload.content)?)?;
        let Some(list) = upload.field.strip_suffix("[]") else {
            files.raw_set(upload.field, file)?;
            continue;
        };
        match files.raw_get::<Option<Table>>(list)? {
            Some(held) => held.raw_push(file)?,
            None => files.raw_set(list, lua.create_sequence_from([file])?)?,
        }
    }
    Ok(files)
}

fn texts(lua: &Lua, pairs: Vec<(String, String)>) -> mlua::Result<Table> {
    let table = lua.create_table()?;
    for (name, value) in pairs {
        table.raw_set(name, value)?;
    }
    Ok(table)
}

/// Headers by name, however it is written: `Content-Type`, `content-type` and `content_type` are one.
fn headers(lua: &Lua, pairs: Vec<(String, String)>) -> mlua::Result<Table> {
    let table = texts(lua, pairs)?;
    let index = lua.create_function(|_, (table, name): (Table, LuaString)| {
        let name = name.to_string_lossy().to_ascii_lowercase().replace('_', "-");
        table.raw_get::<LuaValue>(name)
    })?;
    let meta = lua.create_table()?;
    meta.raw_set("__index", index)?;
    table.set_metatable(Some(meta))?;
    Ok(table)
}
