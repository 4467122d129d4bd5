//! `core.pages.new()`: what page code starts with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use coronet_core::lua::{Hint, LuaError, LuaErrorKind, Sandbox, from_json, to_json};
use mlua::{Function, Lua, LuaString, MultiValue, Table, Value as LuaValue};
use serde_json::{Map, Value};

use super::answer::{NewCookie, PageResponse, check_header, check_redirect};
use super::form::{Fields, Upload};
use crate::Templates;
use crate::engine::Engine;
use crate::resources::{ResourcePath, Stamp};

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const SECONDS_PER_DAY: f64 = 86_400.0;

/// What page code sees of its request.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Fields,
    pub(super) form: Fields,
    pub(super) files: Vec<Upload>,
    pub(super) cookies: Vec<(String, String)>,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    /// Whether cookies are bound to https unless a page says otherwise.
    pub(super) https: bool,
}

/// Runs a page's code, and gives its answer. Blocks; for threads that run Lua.
///
/// # Errors
/// When the code is gone, is not Lua, or fails.
pub(super) fn run(
    sandbox: &Sandbox,
    templates: &Arc<Templates>,
    path: &ResourcePath,
    input: Input,
) -> Result<PageResponse, LuaError> {
    let source = templates
        .layers
        .live(path)
        .map_err(|fault| LuaError::new(LuaErrorKind::Source, format!("{path} cannot be used: {fault}")))?
        .ok_or_else(|| LuaError::new(LuaErrorKind::Source, format!("{path} is gone")))?;
    let page = Arc::new(Page {
        templates: Arc::clone(templates),
        path: path.clone(),
        https: input.https,
        draft: Mutex::default(),
    });
    bind(sandbox, &page, input)?;
    sandbox.load(path.as_str(), &source.text)?.call::<()>(())?;
    let draft = std::mem::take(&mut *page.draft());
    Ok(draft.into_response())
}

/// What page code has answered so far.
#[derive(Debug, Default)]
struct Draft {
    status: Option<u16>,
    answer: Option<Answer>,
    cookies: Vec<String>,
}

#[derive(Debug)]
struct Answer {
    content_type: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    status: Option<u16>,
}

impl Draft {
    fn into_response(self) -> PageResponse {
        let answer = self.answer.unwrap_or_else(|| Answer {
            content_type: HTML.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            status: None,
        });
        let status = answer.status.or(self.status).unwrap_or(200);
        let mut response = PageResponse::new(status).with_body(&answer.content_type, answer.body);
        for (name, value) in answer.headers {
            response.set(&name, value);
        }
        let cookies = self.cookies.into_iter();
        response
            .headers
            .extend(cookies.map(|cookie| ("Set-Cookie".to_owned(), cookie)));
        response
    }
}

/// The page object behind its Lua table.
struct Page {
    templates: Arc<Templates>,
    path: ResourcePath,
    https: bool,
    draft: Mutex<Draft>,
}

type Method = fn(&Page, &Lua, Vec<LuaValue>) -> mlua::Result<LuaValue>;

const METHODS: [(&str, Method); 9] = [
    ("response", Page::response),
    ("render", Page::render),
    ("renderJson", Page::render_json),
    ("renderText", Page::render_text),
    ("template", Page::template),
    ("redirect", Page::redirect),
    ("status", Page::status),
    ("setCookie", Page::set_cookie),
    ("clearCookie", Page::clear_cookie),
];

fn bind(sandbox: &Sandbox, page: &Arc<Page>, input: Input) -> mlua::Result<()> {
    let lua = sandbox.lua();
    let object = lua.create_table()?;
    set_fields(lua, &object, input)?;
    for (name, method) in METHODS {
        object.raw_set(name, bound(lua, page, &object, method)?)?;
    }
    let new = lua.create_function(move |_, _: MultiValue| Ok(object.clone()))?;
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

fn set_fields(lua: &Lua, object: &Table, input: Input) -> mlua::Result<()> {
    let is_ajax = input
        .headers
        .iter()
        .any(|(name, value)| name == "x-requested-with" && value.eq_ignore_ascii_case("XMLHttpRequest"));
    object.raw_set("method", input.method.as_str())?;
    object.raw_set("path", input.path)?;
    object.raw_set("isGet", input.method == "GET")?;
    object.raw_set("isPost", input.method == "POST")?;
    object.raw_set("isAjax", is_ajax)?;
    object.raw_set("hasQuery", !input.query.is_empty())?;
    object.raw_set("hasForm", !input.form.is_empty() || !input.files.is_empty())?;
    object.raw_set("query", from_json(lua, &Value::Object(input.query))?)?;
    object.raw_set("form", from_json(lua, &Value::Object(input.form))?)?;
    object.raw_set("cookies", texts(lua, input.cookies)?)?;
    object.raw_set("headers", headers(lua, input.headers)?)?;
    let files = lua.create_table()?;
    for upload in input.files {
        let file = lua.create_table()?;
        file.raw_set("name", upload.file_name)?;
        file.raw_set("type", upload.content_type)?;
        file.raw_set("size", upload.content.len())?;
        file.raw_set("content", lua.create_string(&upload.content)?)?;
        files.raw_set(upload.field, file)?;
    }
    object.raw_set("files", files)
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

impl Page {
    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first answer counts: code that has answered and goes on by mistake shows nothing more.
    fn answer(
        &self,
        content_type: &str,
        headers: Option<&LuaValue>,
        body: Vec<u8>,
        status: Option<u16>,
    ) -> mlua::Result<LuaValue> {
        let headers = header_list(headers)?;
        self.draft().answer.get_or_insert(Answer {
            content_type: content_type.to_owned(),
            headers,
            body,
            status,
        });
        Ok(LuaValue::Nil)
    }

    /// `response(body, headers, content, status)`
    fn response(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let body = match arguments.first() {
            None | Some(LuaValue::Nil) => Vec::new(),
            Some(value) => bytes("page.response", value)?,
        };
        let content_type = optional_text("page.response", "content", arguments.get(2))?;
        let content_type = content_type.as_deref().unwrap_or(HTML);
        check_header("Content-Type", content_type).map_err(mlua::Error::runtime)?;
        let status = arguments.get(3).filter(|status| !status.is_nil());
        let status = status.map(status_code).transpose()?;
        self.answer(content_type, arguments.get(1), body, status)
    }

    /// `render(tpl, values, headers)`
    fn render(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let text = self.rendered("page.render", &arguments)?;
        self.answer(HTML, arguments.get(2), text.into_bytes(), None)
    }

    /// `renderJson(tbl, headers)`
    fn render_json(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let value = json_of("page.renderJson", arguments.first().unwrap_or(&LuaValue::Nil))?;
        self.answer(JSON, arguments.get(1), value.to_string().into_bytes(), None)
    }

    /// `renderText(text, headers)`
    fn render_text(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let text = bytes("page.renderText", arguments.first().unwrap_or(&LuaValue::Nil))?;
        self.answer(TEXT, arguments.get(1), text, None)
    }

    /// `template(tpl, values)` gives the text.
    fn template(&self, lua: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let text = self.rendered("page.template", &arguments)?;
        lua.create_string(text).map(LuaValue::String)
    }

    /// `redirect(uri, permanent)`
    fn redirect(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let to = text("page.redirect", "uri", arguments.first())?;
        check_redirect(&to).map_err(mlua::Error::runtime)?;
        let permanent = matches!(arguments.get(1), Some(LuaValue::Boolean(true)));
        let mut draft = self.draft();
        draft.answer.get_or_insert(Answer {
            content_type: TEXT.to_owned(),
            headers: vec![("Location".to_owned(), to)],
            body: Vec::new(),
            status: Some(if permanent { 301 } else { 302 }),
        });
        Ok(LuaValue::Nil)
    }

    /// `status(code)`
    fn status(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let status = status_code(arguments.first().unwrap_or(&LuaValue::Nil))?;
        self.draft().status = Some(status);
        Ok(LuaValue::Nil)
    }

    /// `setCookie(k, v, {path, secure, httponly, samesite, expires = days})`
    fn set_cookie(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let options = match arguments.get(2) {
            None | Some(LuaValue::Nil) => Map::new(),
            Some(value) => match json_of("page.setCookie", value)? {
                Value::Object(options) => options,
                _ => return Err(mlua::Error::runtime("page.setCookie: the options are a table")),
            },
        };
        let flag = |name: &str| options.get(name).and_then(Value::as_bool);
        let word = |name: &str| options.get(name).and_then(Value::as_str);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "saturates; a browser caps the age at 400 days"
        )]
        let max_age = options
            .get("expires")
            .and_then(Value::as_f64)
            .map(|days| (days * SECONDS_PER_DAY) as i64);
        self.add_cookie(&NewCookie {
            name: text("page.setCookie", "k", arguments.first())?,
            value: text("page.setCookie", "v", arguments.get(1))?,
            path: word("path").unwrap_or("/").to_owned(),
            secure: flag("secure").unwrap_or(self.https),
            http_only: flag("httponly").unwrap_or(false),
            same_site: word("samesite").unwrap_or("Lax").to_owned(),
            max_age,
        })
    }

    /// `clearCookie(k, path)`
    fn clear_cookie(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let path = optional_text("page.clearCookie", "path", arguments.get(1))?;
        self.add_cookie(&NewCookie {
            name: text("page.clearCookie", "k", arguments.first())?,
            value: String::new(),
            path: path.unwrap_or_else(|| "/".to_owned()),
            secure: self.https,
            http_only: false,
            same_site: "Lax".to_owned(),
            max_age: Some(0),
        })
    }

    fn add_cookie(&self, cookie: &NewCookie) -> mlua::Result<LuaValue> {
        let header = cookie.header().map_err(mlua::Error::runtime)?;
        self.draft().cookies.push(header);
        Ok(LuaValue::Nil)
    }

    fn rendered(&self, method: &str, arguments: &[LuaValue]) -> mlua::Result<String> {
        let name = text(method, "tpl", arguments.first())?;
        let path = self.find_template(&name)?;
        let data = match arguments.get(1) {
            None | Some(LuaValue::Nil) => Value::Object(Map::new()),
            Some(values) => json_of(method, values)?,
        };
        let unit = self
            .templates
            .unit_blocking(&path)
            .map_err(mlua::Error::external)?;
        unit.render(&data).map_err(mlua::Error::external)
    }

    /// A template of pages: beside the code, or below `pages/`; or one below `templates/` that is HTML.
    fn find_template(&self, name: &str) -> mlua::Result<ResourcePath> {
        let layers = &self.templates.layers;
        let candidates = [
            ResourcePath::parse(&format!("{}/{name}", self.path.folder())),
            ResourcePath::below("pages", name),
            ResourcePath::below("templates", name),
        ];
        let mut present = candidates
            .into_iter()
            .flatten()
            .filter(|path| path.is_template() && layers.stamp(path) != Stamp::Absent);
        let shown = name.escape_debug();
        let Some(path) = present.next() else {
            return Err(mlua::Error::runtime(format!(
                "there is no template `{shown}` beside {}, below pages/ or below templates/",
                self.path
            )));
        };
        if Engine::of(path.as_str()) == Engine::Text {
            // Its values are not escaped: in a page, a visitor's input would become markup.
            return Err(mlua::Error::runtime(format!(
                "{path} is a template for text, which escapes nothing. Put it below pages/, or end its name in .html.tpl"
            )));
        }
        Ok(path)
    }
}

fn header_list(value: Option<&LuaValue>) -> mlua::Result<Vec<(String, String)>> {
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

fn status_code(value: &LuaValue) -> mlua::Result<u16> {
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

fn text(method: &str, parameter: &str, value: Option<&LuaValue>) -> mlua::Result<String> {
    optional_text(method, parameter, value)?
        .ok_or_else(|| mlua::Error::runtime(format!("{method}: `{parameter}` is missing")))
}

fn optional_text(method: &str, parameter: &str, value: Option<&LuaValue>) -> mlua::Result<Option<String>> {
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

fn bytes(method: &str, value: &LuaValue) -> mlua::Result<Vec<u8>> {
    match value {
        LuaValue::String(text) => Ok(text.as_bytes().to_vec()),
        value => text(method, "body", Some(value)).map(String::into_bytes),
    }
}

fn json_of(method: &str, value: &LuaValue) -> mlua::Result<Value> {
    to_json(value, method, Hint::NONE).map_err(mlua::Error::external)
}
