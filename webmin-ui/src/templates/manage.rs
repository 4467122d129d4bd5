//! New texts, other names for them, and their end.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::opened::used_by;
use super::records::{Resource, area};
use crate::kit::language::{t, text};
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::query::Query;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply};

pub(super) fn routes() -> Vec<Route> {
    routes![new, create, ask_move, relocate, ask_revert, revert]
}

/// The address of a text in the editor.
pub(super) fn editor(path: &str) -> String {
    Query::new("/templates/edit").with("path", path).below_base()
}

#[get("/templates/new?<folder>")]
async fn new(desk: Desk<'_>, folder: Option<&str>) -> Answer {
    desk.needs("resources.write").await?;
    desk.page(&new_page(new_form(folder.unwrap_or("templates/password/"))))
}

#[post("/templates/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let path = posted.text("path");
    // Revision 0: nobody may have edited it; a text that is there already is not written over unseen.
    let parameters = json!({ "path": path, "text": starting_text(path), "note": "Created", "revision": 0 });
    let present: Option<Resource> = desk.call("resources.read", json!({ "path": path })).await.ok();
    let outcome = match present {
        Some(_) => Ok(Value::Null),
        None => desk.call::<Value>("resources.write", parameters).await,
    };
    match outcome {
        Ok(_) => Ok(Reply::go(editor(path))),
        Err(error) => desk.refused(&error, &new_page(new_form("").filled(&posted).refused(&error))),
    }
}

/// What a new text starts with: something that works.
fn starting_text(path: &str) -> &'static str {
    let extension = path.rsplit('.').next().unwrap_or_default();
    match (path.split('/').next().unwrap_or_default(), extension) {
        ("templates", "tpl" | "hbs") if path.contains(".html.") => {
            if path.starts_with("templates/password/") {
                "<p>Hello {{ username }},</p>\n<p><a href=\"{{ reset_link }}\">Choose a new password</a></p>\n"
            } else {
                "<p>Hello {{ name }},</p>\n"
            }
        }
        ("templates", "tpl" | "hbs") if path.starts_with("templates/password/") => {
            "Hello {{ username }},\n\nPlease click the following link to reset your password:\n\n{* reset_link *}\n"
        }
        ("pages", "lua") => {
            "local page = core.pages.new()\n\nif page.isGet then\n  return page.renderText(\"Hello\")\nend\n\nreturn page.status(405)\n"
        }
        ("pages", "tpl" | "hbs" | "html" | "htm") => {
            "<!doctype html>\n<html lang=\"en\">\n<head>\n  <meta charset=\"utf-8\">\n  <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n  <title>Hello</title>\n</head>\n<body>\n  <h1>Hello</h1>\n</body>\n</html>\n"
        }
        ("pages", "json" | "webmanifest") => "{}\n",
        ("jobs", "lua") => {
            "local job = core.job()\n\nfunction job.run()\n  return job.OK\nend\n\nreturn job\n"
        }
        (_, "tpl" | "hbs") => "Hello {{ name }}\n",
        _ => "\n",
    }
}

fn new_form(folder: &str) -> Form {
    Form::new("/templates/new", t!("Create")).cancel("/templates").fields([Field::text("path", &t!("Path"))
        .required()
        .autofocus()
        .value(folder)
        .placeholder("templates/password/custom_reset.tpl")
        .hint(&t!("templates/… for mail, pages/… for pages, jobs/… for job code. Mail ends in .tpl, its HTML form in .html.tpl."))
        .wide()])
}

fn new_page(form: Form) -> FormPage {
    FormPage {
        area: Area::Templates,
        title: t!("New text"),
        lead: t!("A mail template, a page, or the code of a job. It starts with something that works."),
        back: "/templates",
        back_label: text!("Templates"),
        form,
    }
}

#[get("/templates/move?<path>")]
async fn ask_move(desk: Desk<'_>, path: &str) -> Answer {
    desk.needs("resources.move").await?;
    let resource: Resource = desk.call("resources.read", json!({ "path": path })).await?;
    desk.page(&move_page(&desk, &resource, path).await)
}

#[post("/templates/move?<path>", data = "<posted>")]
async fn relocate(desk: Desk<'_>, path: &str, posted: Posted) -> Answer {
    let to = posted.text("to");
    let parameters = json!({ "path": path, "to": to, "revision": posted.number("revision") });
    match desk.call::<Value>("resources.move", parameters).await {
        Ok(_) => {
            let followed = follow(&desk, path, to, posted.flag("jobs")).await;
            match followed {
                Ok(left) if left.is_empty() => {
                    desk.go(editor(to), t!("{path} is {to} now.", path = path, to = to))
                }
                Ok(left) => {
                    let word = t!(
                        "{path} is {to} now. These jobs still look for their code at the old path: {names}",
                        path = path,
                        to = to,
                        names = left.join(", ")
                    );
                    desk.go(editor(to), word)
                }
                Err(error) => desk.back(editor(to), error),
            }
        }
        Err(error) => {
            let resource: Resource = desk.call("resources.read", json!({ "path": path })).await?;
            let mut page = move_page(&desk, &resource, to).await;
            page.form = page.form.refused(&error);
            desk.refused(&error, &page)
        }
    }
}

/// Lets the jobs that ran the code by its old path run it by the new one, when that is wanted; else they are given by
/// their names.
async fn follow(desk: &Desk<'_>, from: &str, to: &str, wanted: bool) -> Result<Vec<String>, Error> {
    let jobs = used_by(desk, from).await;
    let Some(code) = to.strip_prefix("jobs/").filter(|_| wanted) else {
        return Ok(jobs.into_iter().map(|job| job.name).collect());
    };
    for job in jobs {
        let changes = json!({ "path": code });
        desk.call::<Value>("jobs.update", json!({ "name": job.name, "changes": changes }))
            .await?;
    }
    Ok(Vec::new())
}

async fn move_page(desk: &Desk<'_>, resource: &Resource, to: &str) -> FormPage {
    let path = &resource.path;
    let jobs = used_by(desk, path).await;
    let action = Query::new("/templates/move").with("path", path).below_base();
    let mut fields = vec![
        Field::text("to", &t!("New path"))
            .required()
            .autofocus()
            .value(to)
            .wide(),
        Field::hidden("revision", &resource.revision.to_string()),
    ];
    if !jobs.is_empty() {
        let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
        let label = t!(
            "Let the jobs run it from there: {names}",
            names = names.join(", ")
        );
        fields.push(Field::switch("jobs", &label, true));
    }
    let lead = match resource.below() {
        None if path.starts_with("jobs/") => t!("The revisions go with it."),
        Some(_) => t!("The revisions go with it. At the old path the layer below is live again."),
        None => t!("The revisions go with it. Texts that include it by its old path must be changed."),
    };
    FormPage {
        area: area(path),
        title: t!("Move {path}", path = path),
        lead,
        back: "/templates",
        back_label: text!("Templates"),
        form: Form::new(action, t!("Move")).cancel(editor(path)).fields(fields),
    }
}

#[get("/templates/revert?<path>")]
async fn ask_revert(desk: Desk<'_>, path: &str) -> Answer {
    desk.needs("resources.revert").await?;
    let resource: Resource = desk.call("resources.read", json!({ "path": path })).await?;
    desk.page(&revert_page(&desk, &resource).await)
}

#[post("/templates/revert?<path>", data = "<posted>")]
async fn revert(desk: Desk<'_>, path: &str, posted: Posted) -> Answer {
    #[derive(serde::Deserialize)]
    struct Reverted {
        layer: Option<String>,
    }
    let parameters = json!({ "path": path, "revision": posted.number("revision") });
    match desk.call::<Reverted>("resources.revert", parameters).await {
        Ok(reverted) if reverted.layer.is_some() => {
            desk.go(editor(path), t!("The layer below is live again."))
        }
        Ok(_) => desk.go("/templates", t!("{path} was deleted.", path = path)),
        Err(error) => desk.back(editor(path), error),
    }
}

/// Asks before the edited text goes: to the layer below, or for good.
async fn revert_page(desk: &Desk<'_>, resource: &Resource) -> Confirm {
    let path = &resource.path;
    let action = Query::new("/templates/revert").with("path", path).below_base();
    let page = match resource.below() {
        Some(below) => {
            let line = if below == "file" {
                t!(
                    "The file in the server's home is live again for {path}.",
                    path = path
                )
            } else {
                t!("What ships is live again for {path}.", path = path)
            };
            Confirm::new(
                area(path),
                t!("Drop the edited text?"),
                action,
                &t!("Drop it"),
                editor(path),
            )
            .line(line)
        }
        None => {
            let page = Confirm::new(
                area(path),
                t!("Delete {path}?", path = path),
                action,
                &t!("Delete"),
                editor(path),
            )
            .loss()
            .line(t!("No layer below has this path: nothing will be there."));
            let jobs = used_by(desk, path).await;
            let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
            if names.is_empty() {
                page
            } else {
                page.line(t!(
                    "These jobs run it, and will fail: {names}",
                    names = names.join(", ")
                ))
            }
        }
    };
    page.line(t!(
        "The edited text stays in the revisions and can be brought back."
    ))
    .fields([Field::hidden("revision", &resource.revision.to_string())])
}
