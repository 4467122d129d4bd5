//! A plugin's settings, as a form drawn from the schema in its manifest. Secrets can be set and never read (W13).

use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::records::Details;
use crate::kit::helpers::path_segment;
use crate::kit::schema_form;
use crate::kit::{Answer, Desk, Form, Posted, Reply, t};

pub(super) fn routes() -> Vec<Route> {
    routes![are_on_the_page, save]
}

#[get("/plugin/<name>/settings")]
fn are_on_the_page(name: &str) -> Reply {
    Reply::go(format!("/plugin/{}", path_segment(name)))
}

#[post("/plugin/<name>/settings", data = "<posted>")]
async fn save(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let mut view = super::view(&desk, name).await?;
    let schema = view.plugin.settings_schema.clone().unwrap_or(Value::Null);
    let outcome = match schema_form::values(&schema, &posted) {
        Ok(settings) => {
            desk.call::<Value>("plugins.configure", json!({ "name": name, "settings": settings }))
                .await
        }
        Err(error) => Err(error),
    };
    match outcome {
        Ok(_) => desk.go(
            format!("/plugin/{}", path_segment(name)),
            t!("Settings saved. The plugin was started anew with them."),
        ),
        Err(error) => {
            view.form = view
                .form
                .map(|form| form.filled(&posted).with_mistakes(&posted, &error));
            desk.refused(&error, &view)
        }
    }
}

pub(super) fn form(plugin: &Details) -> Option<Form> {
    let schema = plugin.settings_schema.as_ref()?;
    let action = format!("/plugin/{}/settings", path_segment(&plugin.summary.name));
    Some(Form::new(action, t!("Save settings")).fields(schema_form::fields(schema, &plugin.form_values())))
}
