//! One mail, as a mail client shows it: the list beside, and the mail as text, as HTML in a sandboxed frame, as source, and by
//! its headers; under it what happened to it.

use rocket::http::ContentType;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reader::{self, Pane, Piece, Place, Tab};
use super::records::{Mail, Transport};
use crate::kit::headers::FOREIGN_POLICY;
use crate::kit::helpers::{path_segment, with_base};
use crate::kit::parts::Badge;
use crate::kit::timeline::{self, Next, Step};
use crate::kit::{Answer, Area, Desk, Reply, View, t};

pub(super) fn routes() -> Vec<Route> {
    routes![
        show,
        html,
        source,
        retry,
        retry_is_a_button,
        cancel,
        cancel_is_a_button
    ]
}

#[derive(Serialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

#[derive(Serialize)]
pub(crate) struct MailView {
    pub(crate) mail: Mail,
    pub(crate) badge: Badge,
    pub(crate) pane: Pane,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) tab: &'static str,
    /// The reset whose link the mail carries.
    pub(crate) reset: Option<String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) pieces: Vec<Piece>,
    /// Only when it is looked at.
    pub(crate) source: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) next: Option<Next>,
    /// Kept for reading, and nothing is set that would send it.
    pub(crate) stays: bool,
    pub(crate) can_retry: bool,
    pub(crate) retry_label: String,
    pub(crate) can_cancel: bool,
    /// On its way right now, so the page looks again by itself.
    pub(crate) busy: bool,
}

impl View for MailView {
    const TEMPLATE: &'static str = "mail/show";

    fn area(&self) -> Area {
        Area::Mail
    }

    fn title(&self) -> String {
        self.mail.summary.subject.clone()
    }
}

/// Milliseconds within which a provider that tells of deliveries has mostly told.
const NEWS: i64 = 120_000;

/// What `mail.source` returns.
#[derive(Deserialize)]
struct Source {
    source: String,
}

#[get("/mail/message/<id>?<place..>")]
async fn show(desk: Desk<'_>, id: &str, place: Place) -> Answer {
    let mail: Mail = desk.call("mail.get", json!({ "id": id })).await?;
    let transports: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
    let captures = transports
        .iter()
        .any(|transport| transport.active && transport.name == "capture");
    let pane = reader::pane(&desk, &place, &mail).await?;
    let source = match place.tab(&mail) {
        "source" => {
            desk.call::<Source>("mail.source", json!({ "id": id }))
                .await?
                .source
        }
        _ => String::new(),
    };
    let now = desk.webmin.core.clock.now_ms();
    let just_sent =
        mail.summary.state == "sent" && mail.summary.finished_at.is_some_and(|at| now - at < NEWS);
    let view = view(mail, &place, captures, desk.can_edit());
    desk.page(&MailView {
        pane,
        source,
        busy: view.busy || just_sent,
        ..view
    })
}

/// The source as a file, to open in a mail program.
#[get("/mail/message/<id>/source.eml")]
async fn source(desk: Desk<'_>, id: &str) -> Answer {
    let found: Source = desk.call("mail.source", json!({ "id": id })).await?;
    Ok(Reply::Data {
        kind: ContentType::new("message", "rfc822"),
        body: found.source,
    })
}

/// The HTML form alone, for the frame: it must not meet our own pages (W04).
#[get("/mail/message/<id>/html")]
async fn html(desk: Desk<'_>, id: &str) -> Answer {
    let mail: Mail = desk.call("mail.get", json!({ "id": id })).await?;
    Ok(Reply::Framed {
        html: opening_links_outside(&mail.html.unwrap_or_default()),
        policy: FOREIGN_POLICY.to_owned(),
    })
}

/// A link followed inside the frame would take the mail's place there, and most pages refuse to be framed.
fn opening_links_outside(html: &str) -> String {
    with_base(html, "<base target=\"_blank\">")
}

#[post("/mail/message/<id>/retry")]
async fn retry(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/mail/message/{}", path_segment(id));
    match desk.call::<Value>("mail.retry", json!({ "id": id })).await {
        Ok(_) => desk.begun(page, t!("It is tried again now.")),
        Err(error) => desk.back(page, error),
    }
}

#[get("/mail/message/<id>/retry")]
fn retry_is_a_button(id: &str) -> Reply {
    Reply::go(format!("/mail/message/{}", path_segment(id)))
}

#[post("/mail/message/<id>/cancel")]
async fn cancel(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/mail/message/{}", path_segment(id));
    match desk.call::<Value>("mail.cancel", json!({ "id": id })).await {
        Ok(_) => desk.go(page, t!("Taken back: it is not sent.")),
        Err(error) => desk.back(page, error),
    }
}

#[get("/mail/message/<id>/cancel")]
fn cancel_is_a_button(id: &str) -> Reply {
    Reply::go(format!("/mail/message/{}", path_segment(id)))
}

pub(crate) fn view(mut mail: Mail, place: &Place, captures: bool, can_edit: bool) -> MailView {
    let waits = mail.summary.waits();
    let state = mail.summary.state.clone();
    // Sending it now would only keep it once more.
    let stays = captures && state == "captured";
    let tried = !mail.failed_attempts.is_empty();
    let handed_over = matches!(state.as_str(), "sent" | "delivered");
    let next_attempt_at = mail.summary.due_at.filter(|_| waits && tried);
    let tab = place.tab(&mail);
    MailView {
        badge: mail.summary.badge(),
        pane: Pane::default(),
        tabs: place.tabs(&mail),
        tab,
        reset: mail
            .reference
            .as_ref()
            .filter(|reference| reference.kind == "password-reset")
            .map(|reference| reference.id.clone()),
        headers: headers(&mail),
        pieces: mail.text.as_deref().map(reader::pieces).unwrap_or_default(),
        source: String::new(),
        steps: timeline::steps(std::mem::take(&mut mail.timeline)),
        next: next_attempt_at.map(|at| Next {
            title: t!("Next try"),
            text: String::new(),
            at: Some(at),
        }),
        can_retry: can_edit && (!waits || tried) && !handed_over && !stays,
        stays,
        retry_label: match state.as_str() {
            "captured" => t!("Send it now"),
            "bounced" => t!("Send again"),
            _ => t!("Try again"),
        },
        can_cancel: can_edit && state == "queued",
        busy: waits && !tried,
        mail,
    }
}

fn headers(mail: &Mail) -> Vec<Header> {
    let header = |name: &str, value: String| Header {
        name: name.to_owned(),
        value,
    };
    let mut headers = vec![
        header("From", mail.from.clone()),
        header("To", mail.recipients.join(", ")),
        header("Cc", mail.cc.join(", ")),
        header("Bcc", mail.bcc.join(", ")),
        header("Reply-To", mail.reply_to.join(", ")),
        header("Subject", mail.summary.subject.clone()),
        header("Message-Id", mail.message_id.clone()),
    ];
    let own = mail.headers.iter().map(|(name, value)| {
        header(
            name,
            value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        )
    });
    headers.extend(own);
    headers.retain(|header| !header.value.is_empty());
    headers
}

#[cfg(test)]
mod tests {
    use super::opening_links_outside;

    #[test]
    fn links_of_a_mail_open_outside_of_its_frame() {
        let base = "<base target=\"_blank\">";
        for (html, before) in [
            (
                "<!doctype html><HTML lang=en><head class=a><title>x</title>",
                "<!doctype html><HTML lang=en><head class=a>",
            ),
            ("<!DOCTYPE html><p>x", "<!DOCTYPE html>"),
            ("<p>x</p>", ""),
            ("<head", ""),
        ] {
            let opened = opening_links_outside(html);
            assert_eq!(opened, format!("{before}{base}{}", &html[before.len()..]));
        }
    }
}
