//! *Try it*: calls a function with what was typed, as the signed-in operator. A function that changes something is called
//! once the operator has seen the parameters and agreed.

use std::time::Instant;

use coronet_core::Error;
use coronet_core::functions::{Effect, Function};
use rocket::http::ContentType;
use rocket::{Route, post, routes};
use serde_json::{Map, Value};

use super::functions::{self, Confirmation, Outcome};
use crate::kit::schema_form;
use crate::kit::{Answer, Desk, Field, Posted, Reply, t};

/// A longer answer is cut: the page shows what came, it is no export.
const LONGEST: usize = 200_000;

/// The buttons of the question.
const CONFIRMED: &str = "confirmed";
const EDIT: &str = "edit";

pub(super) fn routes() -> Vec<Route> {
    routes![call, snippets]
}

#[post("/function/<name>", data = "<posted>")]
async fn call(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let (_, function) = functions::find(&desk, name)?;
    let values = match schema_form::values(&function.spec.parameters, &posted) {
        Ok(values) => values,
        Err(error) => return again(&desk, name, &posted, &error),
    };
    if posted.flag(EDIT) {
        let mut view = functions::view(&desk, name, Some(&values))?;
        view.form = view.form.map(|form| form.filled(&posted));
        return desk.page(&view);
    }
    // Who may not call it hears that from the registry, which keeps record of the attempt.
    let asks = function.spec.effect == Effect::Write && desk.may(name) && !posted.flag(CONFIRMED);
    if asks {
        return ask(&desk, &function, values, &posted);
    }
    let started = Instant::now();
    let outcome: Result<Value, _> = desk.call(name, Value::Object(values.clone())).await;
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut view = functions::view(&desk, name, Some(&values))?;
    view.form = view.form.map(|form| form.filled(&posted));
    let (ok, text) = match &outcome {
        Ok(result) => (true, shortened(format!("{result:#}"))),
        Err(error) => (false, error.to_string()),
    };
    view.outcome = Some(Outcome {
        ok,
        text,
        milliseconds,
    });
    match outcome {
        Ok(_) => desk.page(&view),
        Err(error) => {
            view.form = view.form.map(|form| form.with_mistakes(&posted, &error));
            desk.refused(&error, &view)
        }
    }
}

/// Shows what would be called.
fn ask(desk: &Desk<'_>, function: &Function, values: Map<String, Value>, posted: &Posted) -> Answer {
    let name = &function.spec.name;
    let mut view = functions::view(desk, name, Some(&values))?;
    let parameters = Value::Object(values);
    if let Err(error) = function.check(&parameters) {
        return again(desk, name, posted, &error);
    }
    let typed = posted.starting_with(schema_form::PREFIX);
    view.form = None;
    view.confirmation = Some(Confirmation {
        parameters: format!("{:#}", function.masked(&parameters)),
        fields: typed
            .map(|(name, value)| Field::hidden(&format!("{}{name}", schema_form::PREFIX), value))
            .collect(),
    });
    desk.page(&view)
}

/// The form again, with its mistakes.
fn again(desk: &Desk<'_>, name: &str, posted: &Posted, error: &Error) -> Answer {
    let mut view = functions::view(desk, name, None)?;
    view.form = view
        .form
        .map(|form| form.filled(posted).with_mistakes(posted, error));
    desk.refused(error, &view)
}

/// The snippets with what is typed so far, while it is typed. Nothing is called.
#[post("/function/<name>/snippets", data = "<posted>")]
fn snippets(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let (_, function) = functions::find(&desk, name)?;
    let values = schema_form::values(&function.spec.parameters, &posted)?;
    let view = functions::view(&desk, name, Some(&values).filter(|values| !values.is_empty()))?;
    let body = desk.webmin.views.render("functions/part_snippets", &view);
    Ok(Reply::Data {
        kind: ContentType::HTML,
        body: body.map_err(Error::unexpected)?,
    })
}

fn shortened(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str(&format!("\n… ({})", t!("cut")));
    }
    text
}
