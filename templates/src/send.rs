//! A draft of a mail as a mail: filled with sample data and sent to whoever writes it.

use std::sync::Arc;

use coronet_core::functions::{Call, Function};
use coronet_core::{Code, Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use crate::engine::{Engine, Unit};
use crate::resources::{ResourcePath, check};
use crate::{Templates, blocking, compiled, functions, samples};

pub(crate) fn function(templates: &Arc<Templates>) -> Function {
    Function::write(
        "template.sendTest",
        "Sends a draft of a mail, filled with sample data, to an address of your own.",
        templates,
        send_test,
    )
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SendTestInput {
    /// Whole path below `templates/`, such as `templates/password/email.tpl`.
    path: String,
    /// Who gets it.
    to: String,
    /// The draft; the live text when absent.
    #[serde(default)]
    #[schemars(extend("format" = "secret", "contentMediaType" = "text/plain"))]
    text: Option<String>,
    /// The values of the keys; the sample data when absent.
    #[serde(default)]
    #[schemars(extend("format" = "secret"))]
    data: Option<Map<String, Value>>,
    /// The subject; one that names the template when absent.
    #[serde(default)]
    #[schemars(length(max = 200))]
    subject: Option<String>,
}

/// A mail in the outbox.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct Accepted {
    id: String,
}

async fn send_test(templates: Arc<Templates>, call: Arc<Call>, input: SendTestInput) -> Result<Accepted> {
    let path = ResourcePath::parse(&input.path)
        .filter(|path| path.root() == "templates" && path.is_template())
        .ok_or_else(|| {
            Error::new(
                Code::NotFound,
                "Only mail can be sent: a template below templates/.",
            )
        })?;
    templates.refresh().await?;
    let subject = match input.subject.as_deref().map(str::trim) {
        Some(subject) if !subject.is_empty() => subject.to_owned(),
        _ => format!("Test of {}", path.relative()),
    };
    let (text, data) = (input.text, input.data);
    let rendered = move |cancelled: &CancellationToken| both_parts(&templates, &path, text, data, cancelled);
    let (text, html) = blocking::run(rendered).await??;
    let parameters = json!({ "to": input.to, "subject": subject, "text": text, "html": html });
    let sent = call.invoke("mail.test", parameters).await?;
    serde_json::from_value(sent).map_err(Error::unexpected)
}

/// The draft, and beside it the mail's other part as it is live. Blocks.
fn both_parts(
    templates: &Templates,
    path: &ResourcePath,
    text: Option<String>,
    data: Option<Map<String, Value>>,
    cancelled: &CancellationToken,
) -> Result<(Option<String>, Option<String>)> {
    let draft = match text {
        Some(text) => text,
        None => functions::live_text(templates, path)?,
    };
    let unit = compiled::check(&templates.layers, path, &draft, cancelled)?;
    if let Some(fault) = check::missing_link(path, &unit) {
        return Err(fault.into());
    }
    let own = unit.render_until(&filled(path, &unit, data.clone()), cancelled)?;
    if Engine::of(path.as_str()) == Engine::Html {
        let text = path.text_sibling();
        let text = text
            .map(|text| part(templates, &text, data))
            .transpose()?
            .flatten();
        return Ok((text, Some(own)));
    }
    let html = templates.html_part(path);
    let html = html
        .map(|html| part(templates, &html, data))
        .transpose()?
        .flatten();
    Ok((Some(own), html))
}

/// The live form of a mail's other part; `None` when there is none.
fn part(
    templates: &Templates,
    path: &ResourcePath,
    data: Option<Map<String, Value>>,
) -> Result<Option<String>> {
    if templates.layers.present(path).is_empty() {
        return Ok(None);
    }
    let unit = templates.unit_blocking(path, Engine::of(path.as_str()))?;
    Ok(Some(unit.render(&filled(path, &unit, data))?))
}

/// The template's own sample with what was given above it: the two parts of a mail need not ask for the same keys.
fn filled(path: &ResourcePath, unit: &Unit, data: Option<Map<String, Value>>) -> Value {
    let mut filled = samples::of(path, unit);
    if let (Some(given), Some(sample)) = (data, filled.as_object_mut()) {
        sample.extend(given);
    }
    filled
}
