//! Login and logout.

use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, Route, State, get, post, routes};
use serde::Serialize;

use super::session;
use crate::BASE;
use crate::kit::desk::{Desk, SignInFrom};
use crate::kit::origin::OurPage;
use crate::kit::toast::Toast;
use crate::kit::{Answer, Field, Form, Posted, Reply, Webmin, shell};

pub(crate) fn routes() -> Vec<Route> {
    routes![show, login, logout, logout_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct LoginView {
    form: Form,
}

impl LoginView {
    pub(crate) fn new(next: &str) -> Self {
        let form = Form::new("/login", "Sign in").unguarded().fields([
            Field::text("name", "Name")
                .required()
                .autocomplete("username")
                .autofocus()
                .wide(),
            Field::password("password", "Password")
                .required()
                .autocomplete("current-password")
                .wide(),
            Field::hidden("next", next),
        ]);
        Self { form }
    }
}

/// Answers a request that needs a session with the login; it leads back to where the operator wanted to go.
pub(crate) fn ask(request: &Request<'_>) -> response::Result<'static> {
    let wanted = request.uri().to_string();
    let next = wanted
        .strip_prefix(BASE)
        .filter(|_| request.method() == rocket::http::Method::Get)
        .unwrap_or("/");
    if shell::wants_fragment(request) {
        // The whole page changes, so htmx must load it anew.
        return Response::build()
            .status(Status::Unauthorized)
            .raw_header(
                "HX-Redirect",
                format!("{BASE}/login?next={}", crate::kit::helpers::path_segment(next)),
            )
            .ok();
    }
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return Err(Status::InternalServerError);
    };
    match door(webmin, Status::Unauthorized, &LoginView::new(next)) {
        Ok(reply) => reply.respond_to(request),
        Err(refusal) => refusal.respond_to(request),
    }
}

#[get("/login?<next>")]
async fn show(webmin: &State<Webmin>, desk: Option<Desk<'_>>, next: Option<&str>) -> Answer {
    if desk.is_some() {
        return Ok(Reply::go("/"));
    }
    door(webmin, Status::Ok, &LoginView::new(next.unwrap_or("/")))
}

#[post("/login", data = "<posted>")]
async fn login(
    webmin: &State<Webmin>,
    _ours: OurPage,
    from: SignInFrom,
    jar: &CookieJar<'_>,
    posted: Posted,
) -> Answer {
    let outcome = webmin
        .operators
        .login(posted.text("name"), posted.raw("password").to_owned(), &from.0)
        .await;
    match outcome {
        Ok(signed_in) => {
            session::begin(jar, &webmin.core.config, &signed_in);
            Ok(Reply::go(safe_next(posted.text("next"))))
        }
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            let mut view = LoginView::new(safe_next(posted.text("next")));
            view.form = view.form.filled(&posted);
            view.form.problem = Some(error.message().to_owned());
            door(webmin, Status::new(error.code().status()), &view)
        }
    }
}

#[post("/logout")]
async fn logout(desk: Desk<'_>, jar: &CookieJar<'_>) -> Answer {
    if let Some(token) = session::token(jar, &desk.webmin.core.config) {
        desk.webmin.operators.logout(&token).await?;
    }
    session::end(jar, &desk.webmin.core.config);
    Ok(Reply::Goodbye)
}

/// Logging out by following a link would let any page do it.
#[get("/logout")]
fn logout_is_a_button() -> Answer {
    Ok(Reply::go("/").toast(Toast::bad("Use the *Sign out* button to sign out.")))
}

fn door(webmin: &Webmin, status: Status, view: &LoginView) -> Answer {
    let content = webmin
        .views
        .render("shell/login", view)
        .map_err(Error::unexpected)?;
    Ok(Reply::Door {
        status,
        title: "Sign in".to_owned(),
        content,
    })
}

/// Only a path of the webmin itself: never a way out to another site.
fn safe_next(next: &str) -> &str {
    let safe = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/login")
        && !next.starts_with("/logout")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if safe { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::safe_next;

    #[test]
    fn c13_login_leads_nowhere_but_into_the_webmin() {
        assert_eq!(safe_next("/jobs?page=2"), "/jobs?page=2");
        for evil in [
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "javascript:x",
            "",
            "/a\r\nX: y",
            "/logout",
        ] {
            assert_eq!(safe_next(evil), "/");
        }
    }
}
