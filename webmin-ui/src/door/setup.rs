//! The first operator, made through the one-time link that the server prints at its first start (W10).

use coronet_core::operators::PASSWORD_LEAST;
use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Status};
use rocket::{Request, Route, State, get, post, routes};
use serde::Serialize;

use super::session;
use crate::kit::desk::{Desk, SignInFrom};
use crate::kit::helpers::path_segment;
use crate::kit::origin::OurPage;
use crate::kit::toast::Toast;
use crate::kit::{Answer, Field, Form, Posted, Reply, Rule, Webmin, t, text};

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
        let form = Form::new(action, t!("Make operator and sign in"))
            .unguarded()
            .fields([
                Field::hidden("token", token),
                Field::text("name", &t!("Name"))
                    .required()
                    .autocomplete("username")
                    .autofocus()
                    .wide(),
                Field::password("password", &t!("Password"))
                    .required()
                    .rule(Rule::Length(PASSWORD_LEAST))
                    .autocomplete("new-password")
                    .hint(&t!(
                        "15 characters or more. A few words in a row are easy to type and hard to guess."
                    ))
                    .wide(),
                Field::password("again", &t!("Password again"))
                    .required()
                    .rule(Rule::Same("password"))
                    .autocomplete("new-password")
                    .wide(),
            ]);
        Self { form }
    }
}

/// Nobody can sign in yet: says where the set-up link is, and how to get another.
#[derive(Serialize)]
pub(crate) struct NoOperatorView {
    /// What was wrong with the link that was opened.
    pub(crate) problem: Option<&'static str>,
}

/// That this server has no operator, for pages made where nothing can be asked for.
struct Fresh(bool);

pub(crate) fn note_fresh(request: &Request<'_>) {
    request.local_cache(|| Fresh(true));
}

pub(super) fn is_fresh(request: &Request<'_>) -> bool {
    request.local_cache(|| Fresh(false)).0
}

#[get("/setup?<token>")]
async fn show(
    webmin: &State<Webmin>,
    desk: Option<Desk<'_>>,
    from: SignInFrom,
    token: Option<&str>,
) -> Answer {
    if desk.is_some() {
        return Ok(Reply::go("/"));
    }
    let opened = token.unwrap_or_default();
    match webmin.operators.check_setup(opened, &from.0).await {
        Ok(()) => door(webmin, Status::Ok, &SetupView::new(opened)),
        Err(error) => dead(webmin, &error, token.is_some()).await,
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
    if let Err(error) = webmin.operators.check_setup(token, &from.0).await {
        return dead(webmin, &error, true).await;
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
            Ok(Reply::go("/").toast(Toast::good(t!(
                "Welcome, {name}. The first steps are below.",
                name = name
            ))))
        }
        Err(error) if error.code() == Code::CodeDead => dead(webmin, &error, true).await,
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
        title: t!("Set up"),
        content,
    })
}

/// The set-up is over, or waits for another link.
async fn dead(webmin: &Webmin, error: &Error, opened: bool) -> Answer {
    if error.code() != Code::CodeDead {
        return Err(error.clone().into());
    }
    if !webmin.operators.any().await? {
        return no_operator(
            webmin,
            opened.then_some(text!("This set-up link is mistyped or too old.")),
        );
    }
    let content = webmin
        .views
        .render("shell/setup_done", &())
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status: Status::NotFound,
        title: t!("Set up"),
        content,
    })
}

/// Whatever page was asked for: the way to the first operator comes before it.
pub(super) fn no_operator(webmin: &Webmin, problem: Option<&'static str>) -> Answer {
    let content = webmin
        .views
        .render("shell/no_operator", &NoOperatorView { problem })
        .map_err(Error::unexpected)?;
    let status = if problem.is_some() {
        Status::NotFound
    } else {
        Status::Unauthorized
    };
    Ok(Reply::Door {
        status,
        title: t!("Set up"),
        content,
    })
}
