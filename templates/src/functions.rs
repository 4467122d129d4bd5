//! The functions `template.*`.

use std::sync::Arc;

use coronet_core::functions::{Access, Call, Caller, Function};
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Problem};
use crate::failing::Failure;
use crate::resources::{ResourcePath, check};
use crate::{Templates, blocking, compiled, pages, samples, send, warnings};

pub(crate) fn all(templates: &Arc<Templates>) -> Vec<Function> {
    let callers = Access::APP | Access::JOB | Access::PAGE | Access::PLUGIN;
    vec![
        Function::read(
            "template.render",
            "Fills a template with data and returns HTML: `{{ }}` escapes, whatever the template's name.",
            templates,
            render,
        )
        .access(callers),
        Function::read(
            "template.renderMail",
            "Fills a mail's text and, when there is one, its HTML.",
            templates,
            render_mail,
        )
        .access(callers),
        Function::read(
            "template.preview",
            "Fills a draft of a template, and says what is wrong with it.",
            templates,
            preview,
        ),
        pages::preview::function(templates),
        send::function(templates),
        Function::read(
            "template.sample",
            "Gives sample data with every key a template uses.",
            templates,
            sample,
        ),
        Function::read(
            "template.failures",
            "Lists the templates that fail when they are used, until they succeed or are changed.",
            templates,
            failures,
        )
        .access(Access::APP),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RenderInput {
    /// The template, relative to templates/, such as `password/email.tpl`.
    file: String,
    /// The values of the template's keys.
    #[serde(default)]
    data: Map<String, Value>,
}

async fn render(templates: Arc<Templates>, call: Arc<Call>, input: RenderInput) -> Result<String> {
    let path = template(&input.file)?;
    let rendered = templates.fill(&path, Engine::Html, input.data).await;
    // An operator who calls it by hand tries something.
    if !matches!(call.caller, Caller::Operator(_)) {
        templates.used(&path, &rendered);
    }
    rendered
}

/// A mail's two forms.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Mail {
    text: String,
    /// Only when the mail has an HTML template.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
}

async fn render_mail(templates: Arc<Templates>, _: Arc<Call>, input: RenderInput) -> Result<Mail> {
    let (text, html) = templates.render_mail(&template(&input.file)?, input.data).await?;
    Ok(Mail { text, html })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PreviewInput {
    /// Whole path, such as `templates/password/email.tpl` or `pages/hello.tpl`.
    path: String,
    /// The draft; the live text when absent.
    #[serde(default)]
    text: Option<String>,
    /// The values of the keys; the sample data when absent.
    #[serde(default)]
    data: Option<Map<String, Value>>,
}

/// A draft, filled, or what is wrong with it.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Preview {
    /// The result of a text template.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The result of an HTML template.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    /// What is wrong, with places; empty when all is well.
    problems: Vec<Problem>,
    /// What works with the sample data and may fail for real requests.
    warnings: Vec<Problem>,
    /// Sample data with every key the draft uses; absent when it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<Value>,
}

async fn preview(templates: Arc<Templates>, _: Arc<Call>, input: PreviewInput) -> Result<Preview> {
    let path = parse(&input.path)?;
    templates.refresh().await?;
    let preview = move |cancelled: &CancellationToken| {
        let text = match input.text {
            Some(text) => text,
            None => live_text(&templates, &path)?,
        };
        Ok(preview_of(&templates, &path, &text, input.data, cancelled))
    };
    blocking::run(preview).await?
}

fn preview_of(
    templates: &Templates,
    path: &ResourcePath,
    text: &str,
    data: Option<Map<String, Value>>,
    cancelled: &CancellationToken,
) -> Preview {
    let unit = match compiled::check(&templates.layers, path, text, cancelled) {
        Ok(unit) => unit,
        Err(fault) => {
            return Preview {
                text: None,
                html: None,
                problems: fault.problems(),
                warnings: Vec::new(),
                sample: None,
            };
        }
    };
    let sample = samples::of(path, &unit);
    let mut problems = check::missing_link(path, &unit)
        .map(|fault| fault.problems())
        .unwrap_or_default();
    let data = data.map_or_else(|| sample.clone(), Value::Object);
    let rendered = unit.render_until(&data, cancelled);
    let rendered = rendered.map_err(|fault| problems.extend(fault.problems())).ok();
    let (text, html) = match Engine::of(path.as_str()) {
        Engine::Text => (rendered, None),
        Engine::Html => (None, rendered),
    };
    Preview {
        text,
        html,
        problems,
        warnings: warnings::of(path, &unit, cancelled),
        sample: Some(sample),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SampleInput {
    /// Whole path, such as `templates/password/email.tpl`.
    path: String,
}

async fn sample(templates: Arc<Templates>, _: Arc<Call>, input: SampleInput) -> Result<Map<String, Value>> {
    let path = parse(&input.path)?;
    templates.refresh().await?;
    let sample = move |cancelled: &CancellationToken| {
        let text = live_text(&templates, &path)?;
        let unit = compiled::check(&templates.layers, &path, &text, cancelled)?;
        Ok(match samples::of(&path, &unit) {
            Value::Object(sample) => sample,
            _ => Map::new(),
        })
    };
    blocking::run(sample).await?
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct FailuresInput {}

async fn failures(templates: Arc<Templates>, _: Arc<Call>, _: FailuresInput) -> Result<Vec<Failure>> {
    templates.refresh().await?;
    Ok(templates.failures())
}

pub(crate) fn live_text(templates: &Templates, path: &ResourcePath) -> Result<String> {
    let live = templates.layers.live(path).map_err(|fault| {
        Error::new(
            Code::Unprocessable,
            format!("The file of {path} cannot be used: {fault}."),
        )
    })?;
    live.map(|live| live.text.to_string())
        .ok_or_else(|| not_found(path.as_str()))
}

/// A template by its name relative to templates/; whatever is no safe path is simply not there (M07).
pub(crate) fn template(file: &str) -> Result<ResourcePath> {
    ResourcePath::below("templates", file)
        .filter(ResourcePath::is_template)
        .ok_or_else(|| not_found(file))
}

fn parse(path: &str) -> Result<ResourcePath> {
    ResourcePath::parse(path)
        .filter(ResourcePath::is_template)
        .ok_or_else(|| not_found(path))
}

fn not_found(file: &str) -> Error {
    let shown: String = file.chars().filter(|c| !c.is_control()).take(100).collect();
    Error::new(
        Code::NotFound,
        format!("There is no template `{shown}`. Templates end in .tpl or .hbs."),
    )
}
