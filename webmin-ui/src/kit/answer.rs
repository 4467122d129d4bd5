//! What a handler answers.

use std::io;
use std::pin::Pin;

use coronet_core::{Code, Error};
use rocket::Request;
use rocket::futures::{Stream, TryStreamExt};
use rocket::http::{ContentType, Header, Method, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;
use tokio_util::io::StreamReader;

use super::Webmin;
use super::shell;
use super::t;
use super::toast::Toast;
use super::view::Area;
use crate::BASE;

pub(crate) type Answer = Result<Reply, Refusal>;

/// An answer that did what was asked.
pub(crate) enum Reply {
    /// A page inside the shell; htmx gets only the fragment that changes.
    Page {
        status: Status,
        title: String,
        area: Area,
        content: String,
    },
    /// A page without navigation: set-up and login.
    Door {
        status: Status,
        title: String,
        content: String,
    },
    /// On to another page of the webmin, read with GET. `to` is a path below the webmin's.
    Go {
        to: String,
        toast: Option<Toast>,
    },
    /// HTML that others wrote, for a sandboxed frame, under a policy of its own.
    Framed {
        html: String,
        policy: String,
    },
    /// A file of the server, to be kept by who asked.
    File {
        file: rocket::tokio::fs::File,
        bytes: u64,
        name: String,
    },
    Data {
        kind: ContentType,
        body: String,
    },
    /// A file to be kept, sent while it is made.
    Download {
        file: String,
        kind: ContentType,
        body: Pin<Box<dyn Stream<Item = io::Result<Vec<u8>>> + Send>>,
    },
    /// What the script shows above the page that asked.
    Dialog {
        status: Status,
        content: String,
    },
    /// Signed in from such a dialog: the page below stays as it is.
    SignedInAgain,
    /// Sends the same form on to the page it was meant for. `to` is a path below the webmin's.
    SendAgain(String),
    /// Signed out: the browser forgets what it kept of us.
    Goodbye,
}

impl Reply {
    pub(crate) fn go(to: impl AsRef<str>) -> Self {
        Self::Go {
            to: to.as_ref().to_owned(),
            toast: None,
        }
    }

    pub(crate) fn toast(mut self, word: Toast) -> Self {
        if let Self::Go { toast, .. } = &mut self {
            *toast = Some(word);
        }
        self
    }
}

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Self::Page {
                status,
                title,
                area,
                content,
            } => shell::page(request, status, &title, area, &content),
            Self::Door {
                status,
                title,
                content,
            } => shell::door(request, status, &title, &content),
            Self::Go { to, toast } => {
                if let Some((toast, webmin)) = toast.zip(request.rocket().state::<Webmin>()) {
                    toast.leave(request.cookies(), webmin);
                }
                Response::build()
                    .status(Status::SeeOther)
                    .raw_header("Location", format!("{BASE}{to}"))
                    .ok()
            }
            Self::Framed { html, policy } => {
                let policy = Header::new("Content-Security-Policy", policy);
                let mut response = (ContentType::HTML, html).respond_to(request)?;
                response.set_header(policy);
                Ok(response)
            }
            Self::Dialog { status, content } => {
                let mut response = (status, (ContentType::HTML, content)).respond_to(request)?;
                response.set_raw_header("HX-Retarget", "#dialog-body");
                response.set_raw_header("HX-Reswap", "innerHTML");
                response.set_raw_header("HX-Push-Url", "false");
                Ok(response)
            }
            Self::SignedInAgain => Response::build()
                .status(Status::NoContent)
                .raw_header("HX-Trigger", "coronet:signed-in")
                .ok(),
            Self::SendAgain(to) => Response::build()
                .status(Status::TemporaryRedirect)
                .raw_header("Location", format!("{BASE}{to}"))
                .ok(),
            Self::Goodbye => Response::build()
                .status(Status::SeeOther)
                .raw_header("Location", format!("{BASE}/login"))
                .raw_header("Clear-Site-Data", "\"cache\", \"storage\"")
                .ok(),
            Self::File { file, bytes, name } => Response::build()
                .header(ContentType::Binary)
                .raw_header("Content-Disposition", format!("attachment; filename=\"{name}\""))
                .sized_body(usize::try_from(bytes).ok(), file)
                .ok(),
            Self::Data { kind, body } => (kind, body).respond_to(request),
            Self::Download { file, kind, body } => {
                let bytes = body.map_ok(io::Cursor::new);
                Response::build()
                    .header(kind)
                    .raw_header("Content-Disposition", format!("attachment; filename=\"{file}\""))
                    .streamed_body(StreamReader::new(bytes))
                    .ok()
            }
        }
    }
}

/// An answer that says why not, on a page of its own.
#[derive(Debug)]
pub(crate) struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The page that says why not.
#[derive(Serialize)]
struct RefusalView<'e> {
    title: String,
    message: &'e str,
    advice: String,
    incident: Option<&'e str>,
    icon: &'static str,
    /// Where to go on, if not to the dashboard.
    back: Option<&'e str>,
}

impl<'r> Responder<'r, 'static> for Refusal {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        refuse(request, &self.0)
    }
}

/// Why a guard refused, for the catcher: Rocket hands it only the status.
struct Kept(Error);

/// Whether it is no fault of what was typed, and belongs on a page of its own.
pub(crate) fn has_own_page(error: &Error) -> bool {
    matches!(
        error.code(),
        Code::Unauthenticated | Code::Forbidden | Code::Unexpected
    )
}

/// Keeps the words of a guard's refusal for its page.
pub(crate) fn keep(request: &Request<'_>, error: &Error) {
    request.local_cache(|| Some(Kept(error.clone())));
}

pub(crate) fn kept<'r>(request: &'r Request<'_>) -> Option<&'r Error> {
    request.local_cache(|| None::<Kept>).as_ref().map(|kept| &kept.0)
}

/// Answers with the error's page; at a missing session with the login.
pub(crate) fn refuse(request: &Request<'_>, error: &Error) -> response::Result<'static> {
    if error.is_password_needed() {
        return crate::door::ask_password(request);
    }
    if error.code() == Code::Unauthenticated {
        return crate::door::ask(request);
    }
    let (title, advice, icon) = words(error.code());
    let view = RefusalView {
        title,
        message: error.message(),
        advice,
        incident: error.incident(),
        icon,
        back: None,
    };
    let mut response = show(request, Status::new(error.code().status()), &view)?;
    let again = error
        .details()
        .and_then(|details| details.get("retry_after_seconds"));
    if let Some(seconds) = again {
        response.set_raw_header("Retry-After", seconds.to_string());
    }
    Ok(response)
}

fn show(request: &Request<'_>, status: Status, view: &RefusalView<'_>) -> response::Result<'static> {
    let Some(webmin) = request.rocket().state::<Webmin>() else {
        return Err(Status::InternalServerError);
    };
    let content = webmin.views.render("shell/refusal", view).map_err(|cause| {
        tracing::error!(%cause, "the error page cannot be rendered");
        Status::InternalServerError
    })?;
    if shell::operator(request).is_some() {
        shell::page(request, status, &view.title, Area::None, &content)
    } else {
        shell::door(request, status, &view.title, &content)
    }
}

/// An address of the webmin that was asked for with a method it has no answer to.
#[derive(Debug)]
pub(crate) struct WrongMethod {
    pub(crate) allowed: Vec<Method>,
    /// The page to go on from.
    pub(crate) back: String,
}

impl<'r> Responder<'r, 'static> for WrongMethod {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let view = RefusalView {
            title: t!("Nothing was done"),
            message: &t!("This address only takes what a button of a page sends."),
            advice: t!("Open the page, and use its button."),
            incident: None,
            icon: "alert-circle",
            back: Some(&self.back),
        };
        let mut response = show(request, Status::MethodNotAllowed, &view)?;
        let names: Vec<_> = self.allowed.iter().map(|method| method.as_str()).collect();
        response.set_raw_header("Allow", names.join(", "));
        Ok(response)
    }
}

/// The title, what to do about it, and the icon.
fn words(code: Code) -> (String, String, &'static str) {
    match code {
        Code::Forbidden => (
            t!("Not allowed"),
            t!("Ask an admin when you need to do this."),
            "lock",
        ),
        Code::NotFound | Code::UserNotFound | Code::ScopeNotFound => (
            t!("Not found"),
            t!("It may have been deleted, or the address is mistyped."),
            "search",
        ),
        Code::RateLimited => (
            t!("Too many attempts"),
            t!("Wait a little, then try again."),
            "clock",
        ),
        Code::Unavailable | Code::Deadline => (
            t!("Not available right now"),
            t!("Nothing was lost. Try again in a moment."),
            "clock-pause",
        ),
        Code::Unexpected => (
            t!("Something went wrong"),
            t!("Nothing you typed is to blame."),
            "alert-triangle",
        ),
        _ => (
            t!("That did not work"),
            t!("Go back, change it, and try again."),
            "alert-circle",
        ),
    }
}

#[cfg(test)]
pub(crate) fn sample_refusal(views: &super::view::Views) -> String {
    let view = RefusalView {
        title: t!("Not found"),
        message: "<script>",
        advice: String::new(),
        incident: Some("inc_1"),
        icon: "search",
        back: Some("/webmin/plugin/<script>"),
    };
    views.render("shell/refusal", &view).unwrap()
}
