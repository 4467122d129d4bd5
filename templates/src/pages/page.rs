//! The methods of the page object, and the answer they put together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mlua::{Lua, Value as LuaValue};
use serde_json::{Map, Value};

use super::answer::{NewCookie, PageResponse, check_header, check_redirect};
use super::arguments::{bytes, header_list, json_of, optional_status, optional_text, status_code, text};
use crate::Templates;
use crate::engine::Engine;
use crate::resources::{ResourcePath, Stamp};

const HTML: &str = "text/html; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const SECONDS_PER_DAY: f64 = 86_400.0;

/// What page code has answered so far.
#[derive(Debug, Default)]
struct Draft {
    /// The first answer counts, and nothing that comes after it changes it.
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
        let mut response =
            PageResponse::new(answer.status.unwrap_or(200)).with_body(&answer.content_type, answer.body);
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
pub(super) struct Page {
    templates: Arc<Templates>,
    path: ResourcePath,
    https: bool,
    /// Whether the code is only tried: what fails then fails nobody.
    tried: bool,
    draft: Mutex<Draft>,
}

/// What code compares `page.method` with, and passes to `page.response` as its content type.
pub(super) const CONSTANTS: [(&str, &str); 5] = [
    ("GET", "GET"),
    ("POST", "POST"),
    ("HTML", HTML),
    ("JSON", JSON),
    ("TEXT", TEXT),
];

/// A method, given its arguments without the page itself.
pub(super) type Method = fn(&Page, &Lua, Vec<LuaValue>) -> mlua::Result<LuaValue>;

pub(super) const METHODS: [(&str, Method); 9] = [
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

impl Page {
    pub(super) fn new(templates: &Arc<Templates>, path: &ResourcePath, https: bool) -> Self {
        Self {
            templates: Arc::clone(templates),
            path: path.clone(),
            https,
            tried: false,
            draft: Mutex::default(),
        }
    }

    /// For code that is only tried.
    pub(super) fn tried(mut self) -> Self {
        self.tried = true;
        self
    }

    /// Takes out what was answered; code that answered nothing gave an empty page.
    pub(super) fn response_so_far(&self) -> PageResponse {
        std::mem::take(&mut *self.draft()).into_response()
    }

    pub(super) fn is_tried(&self) -> bool {
        self.tried
    }

    /// Whether the code has answered: what it does from now on changes nothing of the answer.
    pub(super) fn has_answered(&self) -> bool {
        self.draft().answer.is_some()
    }

    fn draft(&self) -> MutexGuard<'_, Draft> {
        self.draft.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        let status = optional_status(arguments.get(3))?;
        self.answer(content_type, arguments.get(1), body, status)
    }

    /// `render(tpl, values, headers, status)`
    fn render(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let text = self.rendered("page.render", &arguments)?;
        let status = optional_status(arguments.get(3))?;
        self.answer(HTML, arguments.get(2), text.into_bytes(), status)
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
        self.draft().answer.get_or_insert(Answer {
            content_type: TEXT.to_owned(),
            headers: vec![("Location".to_owned(), to)],
            body: Vec::new(),
            status: Some(if permanent { 301 } else { 302 }),
        });
        Ok(LuaValue::Nil)
    }

    /// `status(code)` answers with that status and no body; from 400 on, the visitor gets the page for that error.
    fn status(&self, _: &Lua, arguments: Vec<LuaValue>) -> mlua::Result<LuaValue> {
        let status = status_code(arguments.first().unwrap_or(&LuaValue::Nil))?;
        self.answer(HTML, None, Vec::new(), Some(status))
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
        let mut draft = self.draft();
        if draft.answer.is_none() {
            draft.cookies.push(header);
        }
        Ok(LuaValue::Nil)
    }

    fn rendered(&self, method: &str, arguments: &[LuaValue]) -> mlua::Result<String> {
        let name = text(method, "tpl", arguments.first())?;
        let path = self.find_template(&name)?;
        let data = match arguments.get(1) {
            None | Some(LuaValue::Nil) => Value::Object(Map::new()),
            Some(values) => json_of(method, values)?,
        };
        let rendered = self
            .templates
            .unit_blocking(&path, Engine::Html)
            .and_then(|unit| unit.render(&data));
        let rendered = rendered.map_err(coronet_core::Error::from);
        if !self.tried {
            self.templates.used(&path, &rendered);
        }
        rendered.map_err(mlua::Error::external)
    }

    /// A template of pages: beside the code, below `pages/` or below `templates/`. All are filled as HTML.
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
        present.next().ok_or_else(|| {
            mlua::Error::runtime(format!(
                "there is no template `{shown}` beside {}, below pages/ or below templates/",
                self.path
            ))
        })
    }
}
