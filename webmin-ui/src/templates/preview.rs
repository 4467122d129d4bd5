//! What a draft becomes: with its sample data filled in, with page code tried, or as it is; and what is wrong with it.

use coronet_core::{Code, Error};
use rocket::{Route, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::opened::checked;
use super::records::{Called, Kind, PagePreview, Preview, Problem};
use crate::kit::headers::preview_policy;
use crate::kit::helpers::with_base;
use crate::kit::language::t;
use crate::kit::{Answer, Desk, Posted, Reply};

pub(super) fn routes() -> Vec<Route> {
    routes![look, frame]
}

/// What the script shows beside a draft.
#[derive(Debug, Default, Serialize)]
struct Look {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
    /// The result as text, or as a page. Neither when there is nothing to show, or the draft is wrong.
    text: Option<String>,
    html: Option<String>,
    /// What page code answered beside its body.
    answer: Option<PageAnswer>,
    /// The sample data with every key the draft asks for.
    sample: Option<String>,
    /// What is wrong with the sample data itself.
    sample_problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct PageAnswer {
    status: u16,
    headers: Vec<(String, String)>,
    log: String,
    calls: Vec<Called>,
}

#[post("/templates/look", data = "<posted>")]
async fn look(desk: Desk<'_>, posted: Posted) -> Answer {
    let (path, text) = (posted.text("path"), posted.lines("text"));
    let kind = Kind::of(path);
    let sample = match sample(&posted) {
        Ok(sample) => sample.filter(|_| kind.has_sample()),
        Err(problem) => {
            // The draft itself is checked all the same.
            let checked = checked(&desk, path, &text).await?;
            return desk.json(&Look {
                problems: checked.problems,
                warnings: checked.warnings,
                sample_problem: Some(problem),
                ..Look::default()
            });
        }
    };
    let looked = match kind {
        _ if kind.is_template() => template(&desk, path, &text, sample).await,
        Kind::Page => page(&desk, path, &text, sample).await,
        _ => plain(&desk, kind, path, text).await,
    };
    desk.json(&looked?)
}

async fn template(desk: &Desk<'_>, path: &str, text: &str, sample: Option<Value>) -> Result<Look, Error> {
    let mut parameters = json!({ "path": path, "text": text });
    if let Some(sample) = sample {
        parameters["data"] = sample;
    }
    let preview: Preview = desk.call("template.preview", parameters).await?;
    Ok(Look {
        problems: preview.problems,
        warnings: preview.warnings,
        text: preview.text,
        html: preview.html,
        sample: preview.sample.map(|sample| format!("{sample:#}")),
        ..Look::default()
    })
}

async fn page(desk: &Desk<'_>, path: &str, text: &str, sample: Option<Value>) -> Result<Look, Error> {
    let mut parameters = json!({ "path": path, "text": text });
    if let Some(sample) = sample {
        parameters["request"] = sample;
    }
    let preview: PagePreview = match desk.call("template.previewPage", parameters).await {
        Ok(preview) => preview,
        // The example of a request is not what it should be.
        Err(error)
            if error
                .details()
                .is_some_and(|details| details.get("parameter").is_some()) =>
        {
            let checked = checked(desk, path, text).await?;
            return Ok(Look {
                problems: checked.problems,
                warnings: checked.warnings,
                sample_problem: Some(error.message().to_owned()),
                ..Look::default()
            });
        }
        Err(error) => return Err(error),
    };
    let is_html = preview.headers.iter().any(|(name, value)| {
        name.eq_ignore_ascii_case("content-type") && value.to_ascii_lowercase().starts_with("text/html")
    });
    let (html, text) = if is_html {
        (preview.body, None)
    } else {
        (None, preview.body)
    };
    Ok(Look {
        problems: preview.problems,
        warnings: preview.warnings,
        html,
        text,
        answer: preview.status.map(|status| PageAnswer {
            status,
            headers: preview.headers,
            log: preview.log,
            calls: preview.calls,
        }),
        sample: Some(format!("{:#}", preview.sample)),
        ..Look::default()
    })
}

async fn plain(desk: &Desk<'_>, kind: Kind, path: &str, text: String) -> Result<Look, Error> {
    let checked = checked(desk, path, &text).await?;
    Ok(Look {
        problems: checked.problems,
        warnings: checked.warnings,
        html: (kind == Kind::Document).then_some(text),
        ..Look::default()
    })
}

/// The sample data as it was typed; nothing for the template's own.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(super) fn sample(posted: &Posted) -> Result<Option<Value>, String> {
    let typed = posted.lines("sample");
    if typed.trim().is_empty() {
        return Ok(None);
    }
    match serde_json::from_str(&typed) {
        Ok(Value::Object(data)) => Ok(Some(Value::Object(data))),
        Ok(_) => Err(t!(
            "The sample data must be a JSON object: {example}",
            example = "{ … }"
        )),
        Err(cause) => {
            let whole = cause.to_string();
            let what = whole.split(" at line ").next().unwrap_or_default();
            Err(t!(
                "The sample data is not JSON: line {line}, column {column}: {what}.",
                line = cause.line(),
                column = cause.column(),
                what = what
            ))
        }
    }
}

/// Shows what was just rendered as a page of its own: script cannot fill a frame without weakening our own policy.
#[post("/templates/frame", data = "<posted>")]
fn frame(desk: Desk<'_>, posted: Posted) -> Answer {
    if posted.raw("html").is_empty() {
        return Err(Error::new(Code::ParameterMissing, t!("There is nothing to show.")).into());
    }
    // Who is signed in may see what they sent; a foreign site cannot send anything here. Its style sheets and images are
    // where pages are.
    let config = &desk.webmin.core.config;
    let pages = config.page_origins().into_iter().next();
    let site = handlebars::html_escape(&config.site_url());
    Ok(Reply::Framed {
        html: with_base(posted.raw("html"), &format!("<base href=\"{site}/\">")),
        policy: preview_policy(pages.as_deref().unwrap_or("'self'")),
    })
}
