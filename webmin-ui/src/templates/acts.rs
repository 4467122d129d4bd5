//! What the script of the editor does beside saving: sends a draft to its author, tells who else is there.

use coronet_core::{Code, Error};
use rocket::{Route, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::preview::sample;
use crate::BASE;
use crate::kit::answer::has_own_page;
use crate::kit::helpers::path_segment;
use crate::kit::language::t;
use crate::kit::{Answer, Desk, Posted};

pub(super) fn routes() -> Vec<Route> {
    routes![send, presence]
}

/// What an act came to: a word, and where its result is.
#[derive(Serialize)]
struct Done {
    ok: bool,
    word: String,
    link: Option<Link>,
}

#[derive(Serialize)]
struct Link {
    href: String,
    label: String,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[post("/templates/send", data = "<posted>")]
async fn send(desk: Desk<'_>, posted: Posted) -> Answer {
    let data = match sample(&posted) {
        Ok(data) => data,
        Err(problem) => return refused(&desk, &Error::new(Code::ParameterInvalid, problem)),
    };
    let parameters = json!({
        "path": posted.text("path"), "text": posted.lines("text"), "to": posted.text("to"),
        "subject": posted.optional("subject"), "data": data,
    });
    match desk.call::<Sent>("template.sendTest", parameters).await {
        Ok(sent) => desk.json(&Done {
            ok: true,
            word: t!("The mail to {to} is in the outbox.", to = posted.text("to")),
            link: Some(Link {
                href: format!("{BASE}/mail/message/{}", path_segment(&sent.id)),
                label: t!("Look at the mail"),
            }),
        }),
        Err(error) => refused(&desk, &error),
    }
}

fn refused(desk: &Desk<'_>, error: &Error) -> Answer {
    if has_own_page(error) {
        return Err(error.clone().into());
    }
    desk.json(&Done {
        ok: false,
        word: error.message().to_owned(),
        link: None,
    })
}

/// Says what this window has open, and hears who else has. `open` is a JSON array of `{path, unsaved}`.
#[post("/templates/presence", data = "<posted>")]
async fn presence(desk: Desk<'_>, posted: Posted) -> Answer {
    let open: Value = serde_json::from_str(posted.raw("open")).map_err(|cause| {
        Error::new(
            Code::ParameterInvalid,
            coronet_core::json::mistake("`open`", &cause),
        )
    })?;
    let parameters = json!({ "editor": posted.text("editor"), "open": open });
    let seen: Value = desk.call("resources.presence", parameters).await?;
    desk.json(&seen)
}
