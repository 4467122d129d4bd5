//! Page code as the editor tries it: with an example of a request, and without effect on anything.

use std::sync::Arc;
use std::time::Duration;

use coronet_core::functions::{Access, Call, Function};
use coronet_core::lua::{Cancel, Limits, LogSink, LuaError, LuaPool, Rehearsal, RehearsedCall, Session};
use coronet_core::text::without_mark;
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::PageResponse;
use super::failure::Failure;
use super::lua::{self, Input, Outcome};
use super::page::Page;
use crate::engine::{Engine, Problem};
use crate::resources::{ResourcePath, check};
use crate::{Templates, blocking};

/// Somebody types while it runs.
const LIMITS: Limits = Limits {
    time: Duration::from_secs(3),
    memory: 32 << 20,
    source: 256 << 10,
};
const THREADS: usize = 2;
const LOG_BYTES: usize = 16 * 1024;
/// Most of an answer that is shown.
const MOST_SHOWN: usize = 1 << 20;

/// The threads for page code that is tried; they start when somebody tries some.
pub(crate) fn pool(core: &coronet_core::Core) -> LuaPool {
    LuaPool::in_background("previews", THREADS, &core.functions)
}

pub(crate) fn function(templates: &Arc<Templates>) -> Function {
    Function::read(
        "template.previewPage",
        "Runs a draft of page code on an example of a request, without changing anything.",
        templates,
        preview,
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreviewInput {
    /// Whole path, such as `pages/hello.lua`.
    path: String,
    /// The draft; the live code when absent.
    #[serde(default)]
    text: Option<String>,
    /// The request; an example when absent.
    #[serde(default)]
    request: Option<Request>,
}

/// An example of a request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Request {
    method: String,
    path: String,
    query: Map<String, Value>,
    form: Map<String, Value>,
    cookies: Map<String, Value>,
    headers: Map<String, Value>,
    /// What functions answer, by their names: `{"users.get": {"username": "carol"}}`. `{"error": {"code": 960,
    /// "message": "…"}}` stands for a failure. Functions that only read need no example.
    answers: Map<String, Value>,
}

impl Default for Request {
    fn default() -> Self {
        Self {
            method: "GET".to_owned(),
            path: "/".to_owned(),
            query: Map::new(),
            form: Map::new(),
            cookies: Map::new(),
            headers: Map::new(),
            answers: Map::new(),
        }
    }
}

/// What page code answers, or what is wrong with it.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct PagePreview {
    /// Absent when the code failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    headers: Vec<(String, String)>,
    /// The body, when it is text.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    /// What the code printed.
    log: String,
    /// The functions it called.
    calls: Vec<RehearsedCall>,
    problems: Vec<Problem>,
    /// What may fail for real requests, whatever this one came to.
    warnings: Vec<Problem>,
    /// The example of a request that fits this page.
    sample: Value,
}

async fn preview(templates: Arc<Templates>, call: Arc<Call>, input: PreviewInput) -> Result<PagePreview> {
    let path = ResourcePath::parse(&input.path)
        .filter(|path| path.root() == "pages" && path.extension() == "lua")
        .ok_or_else(|| {
            Error::new(
                Code::NotFound,
                "Page code is a file below pages/ that ends in .lua.",
            )
        })?;
    templates.refresh().await?;
    let sample = super::samples::request(&path);
    let request = match input.request {
        Some(request) => request,
        None => serde_json::from_value(sample.clone()).map_err(Error::unexpected)?,
    };
    let source = match input.text {
        Some(text) => without_mark(text),
        None => templates.live_text(&path).await?,
    };
    let (layers, checked, draft) = (Arc::clone(&templates.layers), path.clone(), source.clone());
    let problems =
        blocking::run(move |cancelled| check::problems(&layers, &checked, &draft, cancelled).0).await?;
    if !problems.is_empty() {
        return Ok(PagePreview {
            problems,
            sample,
            ..PagePreview::default()
        });
    }
    let warnings = templates.warnings_of_code(&path, &source);
    let (outcome, log, calls) = rehearse(&templates, &call, &path, source, request).await;
    let mut shown = PagePreview {
        log,
        calls,
        warnings,
        sample,
        ..PagePreview::default()
    };
    match outcome {
        Ok(Outcome::Answered(response)) => show(&templates, &mut shown, response).await,
        Ok(Outcome::Refused(fault)) => shown.problems.push(problem(&path, 1, fault.to_string())),
        Err(error) => {
            let line = error.line.map_or(1, |line| line as usize);
            shown.problems.push(problem(&path, line, error.message));
        }
    }
    Ok(shown)
}

async fn rehearse(
    templates: &Arc<Templates>,
    call: &Call,
    path: &ResourcePath,
    source: String,
    request: Request,
) -> (Result<Outcome, LuaError>, String, Vec<RehearsedCall>) {
    let log = LogSink::new(LOG_BYTES);
    let session = Session {
        caller: call.caller.clone(),
        limits: LIMITS,
        log: log.clone(),
        cancel: Cancel::default(),
    };
    let rehearsal = Arc::new(Rehearsal::new(Access::PAGE, request.answers.clone()));
    let https = templates.core.config.is_https();
    let (templates_of_page, path) = (Arc::clone(templates), path.clone());
    let work = move |sandbox: &coronet_core::lua::Sandbox| {
        let page = Page::new(&templates_of_page, &path, https).tried();
        lua::run_source(sandbox, page, &path, &source, input(request, https))
    };
    let outcome = templates.rehearsals.rehearse(session, &rehearsal, work).await;
    (outcome, log.text(), rehearsal.calls())
}

fn input(request: Request, https: bool) -> Input {
    let texts = |map: Map<String, Value>| {
        map.into_iter().map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
    };
    Input {
        method: request.method.to_ascii_uppercase(),
        path: request.path,
        query: Ok(request.query),
        form: request.form,
        files: Vec::new(),
        cookies: texts(request.cookies).collect(),
        headers: texts(request.headers)
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect(),
        https,
        took: Duration::ZERO,
    }
}

/// An answer as its visitor would see it: an empty one with a status of an error is shown by the page for errors.
async fn show(templates: &Arc<Templates>, shown: &mut PagePreview, mut response: PageResponse) {
    if response.status >= 400
        && response.body.is_empty()
        && let Some(body) = error_page(templates, response.status).await
    {
        response = PageResponse::new(response.status).with_body("text/html; charset=utf-8", body);
    }
    shown.status = Some(response.status);
    let text = String::from_utf8(response.body).ok();
    shown.body = text.filter(|text| text.len() <= MOST_SHOWN);
    shown.headers = response.headers;
}

async fn error_page(templates: &Arc<Templates>, status: u16) -> Option<String> {
    let path = ResourcePath::parse(super::service::ERROR_TEMPLATE)?;
    match serde_json::to_value(Failure::of(status)) {
        Ok(Value::Object(data)) => templates.fill(&path, Engine::Html, data).await.ok(),
        _ => None,
    }
}

fn problem(path: &ResourcePath, line: usize, message: String) -> Problem {
    Problem {
        file: path.to_string(),
        line,
        column: 1,
        message,
    }
}
