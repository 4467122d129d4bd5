//! The page behind the link of an invitation, or of a forgotten password: chooses a password.
//!
//! Opening it uses nothing up, so that a mail scanner that follows the link does no harm; only sending the form does.

use coronet_core::operators::{Chosen, LinkKind, OpenLink, PASSWORD_LEAST};
use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Status};
use rocket::{Route, State, get, post, routes};
use serde::Serialize;

use super::{session, setup};
use crate::kit::desk::SignInFrom;
use crate::kit::origin::OurPage;
use crate::kit::toast::Toast;
use crate::kit::{Answer, Field, Form, Posted, Reply, Rule, Webmin, t};

pub(super) fn routes() -> Vec<Route> {
    routes![show, choose]
}

#[derive(Serialize)]
pub(crate) struct ChooseView {
    pub(crate) name: String,
    pub(crate) invited: bool,
    pub(crate) form: Form,
}

impl ChooseView {
    pub(crate) fn new(token: &str, name: &str, invited: bool) -> Self {
        let submit = if invited {
            t!("Set password and sign in")
        } else {
            t!("Set new password")
        };
        let form = Form::new("/choose-password", submit).unguarded().fields([
            Field::hidden("token", token),
            Field::password("password", &t!("New password"))
                .required()
                .rule(Rule::Length(PASSWORD_LEAST))
                .autocomplete("new-password")
                .autofocus()
                .hint(&t!(
                    "15 characters or more. A few words in a row are easy to type and hard to guess."
                ))
                .wide(),
            Field::password("again", &t!("New password again"))
                .required()
                .rule(Rule::Same("password"))
                .autocomplete("new-password")
                .wide(),
        ]);
        Self {
            name: name.to_owned(),
            invited,
            form,
        }
    }

    fn of(token: &str, link: &OpenLink) -> Self {
        Self::new(token, &link.operator_name, link.kind == LinkKind::Invitation)
    }
}

#[get("/choose-password?<token>")]
async fn show(webmin: &State<Webmin>, from: SignInFrom, token: Option<&str>) -> Answer {
    let token = token.unwrap_or_default();
    match webmin.operators.check_link(token, &from.0).await {
        Ok(link) => door(webmin, Status::Ok, &ChooseView::of(token, &link)),
        Err(error) => dead(webmin, &error).await,
    }
}

#[post("/choose-password", data = "<posted>")]
async fn choose(
    webmin: &State<Webmin>,
    _ours: OurPage,
    from: SignInFrom,
    jar: &CookieJar<'_>,
    posted: Posted,
) -> Answer {
    let (token, password) = (posted.raw("token"), posted.raw("password"));
    let link = match webmin.operators.check_link(token, &from.0).await {
        Ok(link) => link,
        Err(error) => return dead(webmin, &error).await,
    };
    let mut view = ChooseView::of(token, &link);
    view.form = view.form.filled(&posted);
    if view.form.mark_mistakes(&posted) {
        return door(webmin, Status::UnprocessableEntity, &view);
    }
    let outcome = webmin
        .operators
        .choose_password(token, password.to_owned(), &from.0)
        .await;
    match outcome {
        Ok(Chosen::SignedIn(signed_in)) => {
            session::begin(jar, &webmin.core.config, &signed_in);
            let welcome = t!("Welcome, {name}.", name = signed_in.operator.name);
            Ok(Reply::go("/").toast(Toast::good(welcome)))
        }
        Ok(Chosen::Reset(operator)) => {
            // A session of this browser has ended with all others.
            session::end(jar, &webmin.core.config);
            let done = t!(
                "Your new password is set, {name}. Sign in with it.",
                name = operator.name
            );
            Ok(Reply::go("/login").toast(Toast::good(done)))
        }
        Err(error) if error.code() == Code::CodeDead => dead(webmin, &error).await,
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            view.form = view.form.refused(&error);
            door(webmin, Status::new(error.code().status()), &view)
        }
    }
}

fn door(webmin: &Webmin, status: Status, view: &ChooseView) -> Answer {
    let content = webmin
        .views
        .render("shell/choose", view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status,
        title: t!("Choose a password"),
        content,
    })
}

/// One page for used, expired, revoked, unknown and malformed links (C02).
async fn dead(webmin: &Webmin, error: &Error) -> Answer {
    if error.code() != Code::CodeDead {
        return Err(error.clone().into());
    }
    if !webmin.operators.any().await? {
        return setup::no_operator(webmin, None);
    }
    let content = webmin
        .views
        .render("shell/link_dead", &())
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status: Status::NotFound,
        title: t!("This link does not work any more"),
        content,
    })
}
