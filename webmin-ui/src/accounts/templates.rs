//! The template of a scope's reset mails: chosen among those that there are, and shown as it comes out.

use coronet_core::Error;
use rocket::http::ContentType;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::kit::query::Query;
use crate::kit::{Answer, Desk, Field, Posted, Reply, t};

/// Where reset mails lie.
const FOLDER: &str = "templates/password/";
/// What a scope without a template of its own sends.
const DEFAULT: &str = "email.tpl";
pub(super) const PREVIEW: &str = "/scopes/template";

pub(super) fn routes() -> Vec<Route> {
    routes![preview, is_a_part]
}

/// The reset mails that there are, by their names below `templates/password/`: no HTML forms, notices or parts.
pub(super) async fn reset_mails(desk: &Desk<'_>) -> Result<Vec<String>, Error> {
    #[derive(Deserialize)]
    struct Listed {
        path: String,
    }
    // A name can be chosen only from a list that this operator may see.
    if !desk.may("resources.list") {
        return Ok(Vec::new());
    }
    let all: Vec<Listed> = desk.call("resources.list", json!({ "prefix": FOLDER })).await?;
    Ok(all
        .iter()
        .filter_map(|listed| listed.path.strip_prefix(FOLDER))
        .filter(|name| is_reset_mail(name))
        .map(str::to_owned)
        .collect())
}

fn is_reset_mail(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    (file.ends_with(".tpl") || file.ends_with(".hbs"))
        && !file.contains(".html.")
        && !file.starts_with("notice")
        && !file.starts_with('_')
}

/// A select of the reset mails; one that is gone is still there to be seen.
pub(super) fn field(name: &str, chosen: &str, templates: &[String]) -> Field {
    let default = t!("{name} (the default)", name = DEFAULT);
    let gone = t!("{name} (is gone)", name = chosen);
    let mut choices = vec![("", default.as_str())];
    if !chosen.is_empty() && !templates.iter().any(|known| known == chosen) {
        choices.push((chosen, gone.as_str()));
    }
    // The default one may be chosen by its name, too.
    let named = templates.iter().map(String::as_str);
    choices.extend(
        named
            .filter(|known| *known != DEFAULT || *known == chosen)
            .map(|known| (known, known)),
    );
    Field::select(name, &t!("Template"), choices)
        .help("templates-and-pages#mails")
        .value(chosen)
        .hint(&t!(
            "Of the reset mail. New ones are made under Templates, below templates/password/."
        ))
}

#[derive(Default, Serialize)]
pub(crate) struct TemplatePart {
    pub(crate) path: String,
    /// The address of the text in the editor.
    pub(crate) editor: String,
    pub(crate) text: String,
    pub(crate) problem: String,
}

#[post("/scopes/template", data = "<posted>")]
async fn preview(desk: Desk<'_>, posted: Posted) -> Answer {
    desk.needs("scopes.update").await?;
    let body = desk.part(
        "scopes/part_template",
        &part(&desk, posted.text("template")).await,
    )?;
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body,
    })
}

#[get("/scopes/template")]
fn is_a_part() -> Reply {
    Reply::go("/scopes")
}

/// The mail with the values of its example.
async fn part(desk: &Desk<'_>, template: &str) -> TemplatePart {
    #[derive(Deserialize)]
    struct Previewed {
        text: Option<String>,
        problems: Vec<Problem>,
    }
    #[derive(Deserialize)]
    struct Problem {
        message: String,
    }
    let name = if template.is_empty() { DEFAULT } else { template };
    let path = format!("{FOLDER}{name}");
    let previewed = desk
        .call::<Previewed>("template.preview", json!({ "path": path }))
        .await;
    let (text, problem) = match previewed {
        Ok(Previewed { text, problems }) => {
            let problem = problems.into_iter().next().map(|problem| problem.message);
            (text.unwrap_or_default(), problem.unwrap_or_default())
        }
        Err(error) => (String::new(), error.message().to_owned()),
    };
    TemplatePart {
        editor: Query::new("/templates/edit").with("path", &path).below_base(),
        path,
        text,
        problem,
    }
}
