//! Login and logout.

use coronet_core::{Code, Error};
use rocket::http::{CookieJar, Status};
use rocket::response::{self, Responder, Response};
use rocket::{Request, Route, State, get, post, routes};
use serde::Serialize;

use super::{session, setup};
use crate::BASE;
use crate::kit::desk::{Desk, SignInFrom};
use crate::kit::origin::OurPage;
use crate::kit::toast::Toast;
use crate::kit::{Answer, Field, Form, Posted, Reply, Webmin, shell, t, text};

pub(crate) fn routes() -> Vec<Route> {
    routes![show, login, logout, logout_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct LoginView {
    /// Why signing in is asked for, when it was not the visitor's idea.
    note: Option<&'static str>,
    /// Whether a forgotten password can be set anew by mail.
    can_mail: bool,
    /// Above the page that asked, which keeps what was typed into it.
    in_place: bool,
    form: Form,
}

const ENDED: &str = text!("Your session has ended.");
const NOT_DONE: &str = text!("Your session has ended, so this was not done.");

impl LoginView {
    pub(crate) fn new(next: &str, can_mail: bool) -> Self {
        let form = Form::new("/login", t!("Sign in")).unguarded().fields([
            Field::text("name", &t!("Name"))
                .required()
                .autocomplete("username")
                .autofocus()
                .wide(),
            Field::password("password", &t!("Password"))
                .required()
                .autocomplete("current-password")
                .wide(),
            Field::hidden("next", next),
        ]);
        Self {
            note: None,
            can_mail,
            in_place: false,
            form,
        }
    }

    /// For the dialog above a page whose form could not be sent.
    pub(crate) fn in_place() -> Self {
        let mut view = Self::new("/", false);
        view.in_place = true;
        view.note = Some(NOT_DONE);
        view.form.fields.push(Field::hidden("in_place", "yes"));
        view
    }
}

/// Answers a request that needs a session with the login; it leads back to where the operator was.
pub(crate) fn ask(request: &Request<'_>) -> response::Result<'static> {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return Err(Status::InternalServerError);
    };
    let reads = request.method() == rocket::http::Method::Get;
    let next = if reads {
        below_base(&request.uri().to_string())
    } else {
        let page = request.headers().get_one("Referer");
        page.map(path_of).map_or_else(|| "/".to_owned(), below_base)
    };
    let answer = if setup::is_fresh(request) {
        setup::no_operator(webmin, None)
    } else if !shell::wants_fragment(request) {
        let mut view = LoginView::new(safe_next(&next), webmin.operators.could_mail());
        view.note = match reads {
            true => session::token(request.cookies(), &webmin.core.config).map(|_| ENDED),
            false => Some(NOT_DONE),
        };
        door(webmin, Status::Unauthorized, &view)
    } else if reads {
        // The whole page changes, so htmx must load it anew.
        let address = format!("{BASE}/login?next={}", crate::kit::helpers::path_segment(&next));
        return Response::build()
            .status(Status::Unauthorized)
            .raw_header("HX-Redirect", address)
            .ok();
    } else {
        door(webmin, Status::Unauthorized, &LoginView::in_place())
    };
    match answer {
        Ok(reply) => reply.respond_to(request),
        Err(refusal) => refusal.respond_to(request),
    }
}

pub(super) fn below_base(path: &str) -> String {
    path.strip_prefix(BASE)
        .filter(|rest| !rest.is_empty())
        .unwrap_or("/")
        .to_owned()
}

/// Path and query of a URL.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}

#[get("/login?<next>")]
async fn show(
    webmin: &State<Webmin>,
    desk: Option<Desk<'_>>,
    jar: &CookieJar<'_>,
    next: Option<&str>,
) -> Answer {
    if desk.is_some() {
        return Ok(Reply::go("/"));
    }
    if !webmin.operators.any().await? {
        return setup::no_operator(webmin, None);
    }
    let mut view = LoginView::new(next.unwrap_or("/"), webmin.operators.can_mail().await?);
    view.note = session::token(jar, &webmin.core.config).map(|_| ENDED);
    door(webmin, Status::Ok, &view)
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
            if posted.flag("in_place") {
                return Ok(Reply::SignedInAgain);
            }
            Ok(Reply::go(safe_next(posted.text("next"))))
        }
        Err(error) if error.code() == Code::Unexpected => Err(error.into()),
        Err(error) => {
            let mut view = if posted.flag("in_place") {
                LoginView::in_place()
            } else {
                LoginView::new(safe_next(posted.text("next")), webmin.operators.could_mail())
            };
            view.form = view.form.filled(&posted);
            view.form.problem = Some(error.message().to_owned());
            // The name is there already.
            for field in &mut view.form.fields {
                field.autofocus = field.kind == "password";
            }
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
    Ok(Reply::go("/").toast(Toast::bad(t!("Use the *Sign out* button to sign out."))))
}

fn door(webmin: &Webmin, status: Status, view: &LoginView) -> Answer {
    let content = webmin
        .views
        .render("shell/login", view)
        .map_err(Error::unexpected)?;
    if view.in_place {
        return Ok(Reply::Dialog { status, content });
    }
    Ok(Reply::Door {
        status,
        title: t!("Sign in"),
        content,
    })
}

/// Only a path of the webmin itself: never a way out to another site.
pub(super) fn safe_next(next: &str) -> &str {
    let safe = next.starts_with('/')
        && !next.starts_with("//")
        && !next.starts_with("/login")
        && !next.starts_with("/logout")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if safe { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::{below_base, path_of, safe_next};

    #[test]
    fn a_login_leads_back_to_the_page_whose_form_was_sent() {
        let page = "http://127.0.0.1:8000/webmin/scope/Fun%20Run?a=b";
        assert_eq!(below_base(path_of(page)), "/scope/Fun%20Run?a=b");
        for other in ["http://evil.example", "nonsense", "https://evil.example/x"] {
            assert_eq!(below_base(path_of(other)), "/");
        }
    }

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
