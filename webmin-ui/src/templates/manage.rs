//! Other names for texts, and their end.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::opened::used_by;
use super::records::{Resource, area};
use crate::kit::language::{t, text};
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::query::Query;
use crate::kit::{Answer, Desk, Field, Form, Posted};

pub(super) fn routes() -> Vec<Route> {
    routes![ask_move, relocate, ask_revert, revert]
}

/// The address of a text in the editor.
pub(super) fn editor(path: &str) -> String {
    Query::new("/templates/edit").with("path", path).below_base()
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
