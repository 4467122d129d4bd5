//! A forgotten password: asks for a mail with a link to choose another one.

use coronet_core::{Code, Error};
use rocket::http::Status;
use rocket::{Route, State, get, post, routes};
use serde::Serialize;

use super::setup;
use crate::kit::desk::{Desk, SignInFrom};
use crate::kit::origin::OurPage;
use crate::kit::{Answer, Field, Form, Posted, Reply, Webmin, t};

pub(super) fn routes() -> Vec<Route> {
    routes![show, request]
}

#[derive(Serialize)]
pub(crate) struct ForgotView {
    /// Whether this server can send the mail.
    pub(crate) can_mail: bool,
    /// What was asked for; the same whether or not an operator has the address.
    pub(crate) sent: bool,
    pub(crate) form: Form,
}

impl ForgotView {
    pub(crate) fn new(can_mail: bool) -> Self {
        let form = Form::new("/forgot-password", t!("Send the link"))
            .unguarded()
            .cancel("/login")
            .fields([Field::email("email", &t!("Mail address"))
                .required()
                .autocomplete("email")
                .autofocus()
                .wide()]);
        Self {
            can_mail,
            sent: false,
            form,
        }
    }
}

#[get("/forgot-password")]
async fn show(webmin: &State<Webmin>, desk: Option<Desk<'_>>) -> Answer {
    if desk.is_some() {
        return Ok(Reply::go("/profile"));
    }
    if !webmin.operators.any().await? {
        return setup::no_operator(webmin, None);
    }
    let can_mail = webmin.operators.can_mail().await?;
    door(webmin, Status::Ok, &ForgotView::new(can_mail))
}

#[post("/forgot-password", data = "<posted>")]
async fn request(webmin: &State<Webmin>, _ours: OurPage, from: SignInFrom, posted: Posted) -> Answer {
    let mut view = ForgotView::new(true);
    view.form = view.form.filled(&posted);
    if view.form.mark_mistakes(&posted) {
        return door(webmin, Status::UnprocessableEntity, &view);
    }
    match webmin
        .operators
        .request_reset(posted.text("email"), &from.0)
        .await
    {
        Ok(()) => {
            view.sent = true;
            door(webmin, Status::Ok, &view)
        }
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            view.can_mail = error.code() != Code::MailConfiguration;
            if error.code() == Code::RateLimited {
                let text = t!("Too many requests from your network. Wait a minute, then try again.");
                view.form.problem = Some(text);
            } else {
                view.form = view.form.refused(&error);
            }
            door(webmin, Status::new(error.code().status()), &view)
        }
    }
}

fn door(webmin: &Webmin, status: Status, view: &ForgotView) -> Answer {
    let content = webmin
        .views
        .render("shell/forgot", view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status,
        title: t!("Forgot your password?"),
        content,
    })
}
