//! Asks for the password before an act that needs it entered recently, and then goes on with what was sent, losing nothing.
//!
//! The registry decides when (`Function::needs_password`). The page holds the whole form that was sent; with the right password
//! the browser is told to send it on to where it was meant for (307), so it works without script, too.

use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Method, Status};
use rocket::response::{self, Responder};
use rocket::{Request, Route, post, routes};
use serde::Serialize;

use super::login::{below_base, safe_next};
use crate::kit::helpers::path_segment;
use crate::kit::posted::{OWN_PASSWORD, received};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, Webmin, shell, t};

pub(super) fn routes() -> Vec<Route> {
    routes![confirm]
}

#[derive(Serialize)]
pub(crate) struct ConfirmView {
    form: Form,
}

impl ConfirmView {
    /// `to` is where the form goes that has these fields.
    pub(crate) fn new<'f>(to: &str, fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let action = format!("/password?to={}", path_segment(to));
        let mut form = Form::new(action, t!("Continue"))
            .unguarded()
            .fields([Field::password(OWN_PASSWORD, &t!("Your password"))
                .required()
                .autocomplete("current-password")
                .autofocus()
                .wide()]);
        let hidden = fields.into_iter().map(|(name, value)| Field::hidden(name, value));
        form.fields.extend(hidden);
        Self { form }
    }

    fn reply(&self, webmin: &Webmin, status: Status, fragment: bool) -> Answer {
        let content = webmin
            .views
            .render("shell/password", self)
            .map_err(Error::unexpected)?;
        if fragment {
            return Ok(Reply::Dialog { status, content });
        }
        Ok(Reply::Page {
            status,
            title: t!("Enter your password"),
            area: Area::None,
            content,
        })
    }
}

/// Answers a request that needs the password with the page that asks for it.
pub(crate) fn ask(request: &Request<'_>) -> response::Result<'static> {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return Err(Status::InternalServerError);
    };
    let to = below_base(&request.uri().to_string());
    let posted = received(request).cloned().unwrap_or_default();
    let view = if request.method() == Method::Get {
        ConfirmView::new(&to, [(READ, "yes")])
    } else {
        ConfirmView::new(&to, posted.all())
    };
    match view.reply(webmin, Status::Unauthorized, shell::wants_fragment(request)) {
        Ok(reply) => reply.respond_to(request),
        Err(refusal) => refusal.respond_to(request),
    }
}

/// Says that the page behind was asked for with GET.
const READ: &str = "own_password_read";

/// Whether our script asked, which shows the answer above the page.
struct IsFragment(bool);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for IsFragment {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, Self::Error> {
        rocket::request::Outcome::Success(Self(shell::wants_fragment(request)))
    }
}

#[post("/password?<to>", data = "<posted>")]
async fn confirm(
    desk: Desk<'_>,
    jar: &CookieJar<'_>,
    fragment: IsFragment,
    to: Option<&str>,
    posted: Posted,
) -> Answer {
    let to = safe_next(to.unwrap_or("/"));
    match desk.confirm(jar, posted.own_password().to_owned()).await {
        Ok(()) if posted.flag(READ) => Ok(Reply::go(to)),
        Ok(()) => Ok(Reply::SendAgain(to.to_owned())),
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            let mut view = ConfirmView::new(to, posted.all());
            let (status, problem) = match error.code() {
                Code::Unauthenticated => (422, t!("The password is not right.")),
                code => (code.status(), error.message().to_owned()),
            };
            view.form.problem = Some(problem);
            view.reply(desk.webmin, Status::new(status), fragment.0)
        }
    }
}
