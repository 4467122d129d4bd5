//! The first operator, made through the one-time link that the server prints at its first start (W10).

use coronet_core::operators::PASSWORD_LEAST;
use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Status};
use rocket::{Route, State, get, post, routes};
use serde::Serialize;

use super::session;
use crate::kit::desk::SignInFrom;
use crate::kit::helpers::path_segment;
use crate::kit::origin::OurPage;
use crate::kit::toast::Toast;
use crate::kit::{Answer, Field, Form, Posted, Reply, Rule, Webmin};

pub(crate) fn routes() -> Vec<Route> {
    routes![show, set_up]
}

#[derive(Serialize)]
pub(crate) struct SetupView {
    form: Form,
}

impl SetupView {
    pub(crate) fn new(token: &str) -> Self {
        // The token is in the address too, so that going back to a refused form finds it.
        let action = format!("/setup?token={}", path_segment(token));
        let form = Form::new(action, "Make operator and sign in")
            .unguarded()
            .fields([
                Field::hidden("token", token),
                Field::text("name", "Name")
                    .required()
                    .autocomplete("username")
                    .autofocus()
                    .wide(),
                Field::password("password", "Password")
                    .required()
                    .rule(Rule::Length(PASSWORD_LEAST))
                    .autocomplete("new-password")
                    .hint("15 characters or more. A few words in a row are easy to type and hard to guess.")
                    .wide(),
                Field::password("again", "Password again")
                    .required()
                    .rule(Rule::Same("password"))
                    .autocomplete("new-password")
                    .wide(),
            ]);
        Self { form }
    }
}

#[derive(Serialize)]
pub(crate) struct SetupDeadView {
    pub(crate) message: String,
}

#[get("/setup?<token>")]
async fn show(webmin: &State<Webmin>, token: Option<&str>) -> Answer {
    let token = token.unwrap_or_default();
    match webmin.operators.check_setup(token).await {
        Ok(()) => door(webmin, Status::Ok, &SetupView::new(token)),
        Err(error) => dead(webmin, &error),
    }
}

#[post("/setup", data = "<posted>")]
async fn set_up(
    webmin: &State<Webmin>,
    _ours: OurPage,
    from: SignInFrom,
    jar: &CookieJar<'_>,
    posted: Posted,
) -> Answer {
    let (token, name, password) = (posted.raw("token"), posted.text("name"), posted.raw("password"));
    if let Err(error) = webmin.operators.check_setup(token).await {
        return dead(webmin, &error);
    }
    let mut view = SetupView::new(token);
    view.form = view.form.filled(&posted);
    if view.form.mark_mistakes(&posted) {
        return door(webmin, Status::UnprocessableEntity, &view);
    }
    let outcome = webmin
        .operators
        .complete_setup(token, name, password.to_owned(), &from.0)
        .await;
    match outcome {
        Ok(signed_in) => {
            session::begin(jar, &webmin.core.config, &signed_in);
            Ok(Reply::go("/").toast(Toast::good(format!(
                "Welcome, {name}. The first steps are below."
            ))))
        }
        Err(error) if error.code() == Code::CodeDead => dead(webmin, &error),
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            view.form = view.form.refused(&error);
            door(webmin, Status::new(error.code().status()), &view)
        }
    }
}

fn door(webmin: &Webmin, status: Status, view: &SetupView) -> Answer {
    let content = webmin
        .views
        .render("shell/setup", view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status,
        title: "Set up".to_owned(),
        content,
    })
}

fn dead(webmin: &Webmin, error: &Error) -> Answer {
    if error.code() != Code::CodeDead {
        return Err(error.clone().into());
    }
    let view = SetupDeadView {
        message: error.message().to_owned(),
    };
    let content = webmin
        .views
        .render("shell/setup_dead", &view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status: Status::NotFound,
        title: "Set up".to_owned(),
        content,
    })
}
