//! What a draft becomes with the sample keys: text and problems as a part of the page, HTML in a sandboxed frame.

use coronet_core::{Code, Error};
use rocket::http::ContentType;
use rocket::{Route, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Preview, Problem};
use crate::kit::headers::PREVIEW_POLICY;
use crate::kit::{Answer, Desk, Posted, Reply};

pub(super) fn routes() -> Vec<Route> {
    routes![look, html]
}

/// The part of the editor that shows the result.
#[derive(Serialize)]
pub(crate) struct PreviewPart {
    pub(crate) text: Option<String>,
    pub(crate) is_html: bool,
    pub(crate) problems: Vec<Problem>,
    pub(crate) warnings: Vec<Problem>,
}

#[post("/templates/preview", data = "<posted>")]
async fn look(desk: Desk<'_>, posted: Posted) -> Answer {
    let part = match preview(&desk, &posted).await {
        Ok(preview) => PreviewPart {
            is_html: preview.html.is_some(),
            text: preview.text,
            problems: preview.problems,
            warnings: preview.warnings,
        },
        Err(error) => PreviewPart {
            text: None,
            is_html: false,
            problems: Problem::of(&error),
            warnings: Vec::new(),
        },
    };
    let body = desk
        .webmin
        .views
        .render("templates/preview", &part)
        .map_err(Error::unexpected)?;
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body,
    })
}

#[post("/templates/preview/html", data = "<posted>")]
async fn html(desk: Desk<'_>, posted: Posted) -> Answer {
    let preview = preview(&desk, &posted).await?;
    Ok(Reply::Framed {
        html: preview.html.unwrap_or_default(),
        policy: PREVIEW_POLICY,
    })
}

async fn preview(desk: &Desk<'_>, posted: &Posted) -> Result<Preview, Error> {
    let mut parameters = json!({ "path": posted.text("path"), "text": posted.lines("text") });
    let sample = posted.lines("sample");
    if !sample.trim().is_empty() {
        let data: Value = serde_json::from_str(&sample).map_err(|cause| {
            Error::new(
                Code::ParameterInvalid,
                format!("The sample keys are not JSON: {cause}."),
            )
        })?;
        parameters["data"] = data;
    }
    desk.call("template.preview", parameters).await
}
