//! One mail: as text, as HTML in a sandboxed frame, its headers, and every attempt to deliver it.

use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::{Mail, Transport};
use crate::kit::headers::FOREIGN_POLICY;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Badge;
use crate::kit::{Answer, Area, Desk, Reply, View};

pub(super) fn routes() -> Vec<Route> {
    routes![show, html, retry, retry_is_a_button, cancel, cancel_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct Header {
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A step on the mail's way.
#[derive(Serialize)]
pub(crate) struct Step {
    /// `good`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) title: String,
    pub(crate) at: Option<i64>,
    pub(crate) detail: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct MailView {
    pub(crate) mail: Mail,
    pub(crate) badge: Badge,
    /// The reset whose link the mail carries.
    pub(crate) reset: Option<String>,
    pub(crate) headers: Vec<Header>,
    pub(crate) attempts: Vec<Step>,
    /// Only while another attempt is to come.
    pub(crate) next_attempt_at: Option<i64>,
    /// The web addresses in the text, to follow.
    pub(crate) links: Vec<String>,
    /// Kept for reading, and nothing is set that would send it.
    pub(crate) stays: bool,
    pub(crate) can_retry: bool,
    pub(crate) retry_label: &'static str,
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

#[get("/mail/message/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let mail: Mail = desk.call("mail.get", json!({ "id": id })).await?;
    let transports: Vec<Transport> = desk.call("mail.transports", json!({})).await?;
    let captures = transports
        .iter()
        .any(|transport| transport.active && transport.name == "capture");
    desk.page(&view(mail, captures, desk.can_edit()))
}

/// The HTML form alone, for the frame: it must not meet our own pages (W04).
#[get("/mail/message/<id>/html")]
async fn html(desk: Desk<'_>, id: &str) -> Answer {
    let mail: Mail = desk.call("mail.get", json!({ "id": id })).await?;
    Ok(Reply::Framed {
        html: opening_links_outside(&mail.html.unwrap_or_default()),
        policy: FOREIGN_POLICY,
    })
}

/// A link followed inside the frame would take the mail's place there, and most pages refuse to be framed.
fn opening_links_outside(html: &str) -> String {
    const BASE: &str = "<base target=\"_blank\">";
    let lower = html.to_ascii_lowercase();
    let after = |tag: &str| Some(lower.find(tag)? + lower[lower.find(tag)?..].find('>')? + 1);
    let at = after("<head")
        .or_else(|| after("<html"))
        .or_else(|| after("<!doctype"))
        .unwrap_or(0);
    format!("{}{BASE}{}", &html[..at], &html[at..])
}

#[post("/mail/message/<id>/retry")]
async fn retry(desk: Desk<'_>, id: &str) -> Answer {
    let page = format!("/mail/message/{}", path_segment(id));
    match desk.call::<Value>("mail.retry", json!({ "id": id })).await {
        Ok(_) => desk.go(page, "It is tried again now."),
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
        Ok(_) => desk.go(page, "Taken back: it is not sent."),
        Err(error) => desk.back(page, error),
    }
}

#[get("/mail/message/<id>/cancel")]
fn cancel_is_a_button(id: &str) -> Reply {
    Reply::go(format!("/mail/message/{}", path_segment(id)))
}

pub(crate) fn view(mail: Mail, captures: bool, can_edit: bool) -> MailView {
    let waits = mail.summary.waits();
    // Sending it now would only keep it once more.
    let stays = captures && mail.summary.state == "captured";
    let tried = !mail.failed_attempts.is_empty();
    MailView {
        badge: mail.summary.badge(),
        reset: mail
            .reference
            .as_ref()
            .filter(|reference| reference.kind == "password-reset")
            .map(|reference| reference.id.clone()),
        headers: headers(&mail),
        attempts: steps(&mail),
        next_attempt_at: mail.summary.due_at.filter(|_| waits && tried),
        can_retry: can_edit
            && (!waits || tried)
            && !matches!(mail.summary.state.as_str(), "sent" | "delivered")
            && !stays,
        stays,
        retry_label: if mail.summary.state == "captured" {
            "Send it now"
        } else {
            "Try again"
        },
        links: mail.text.as_deref().map(links).unwrap_or_default(),
        can_cancel: can_edit && mail.summary.state == "queued",
        busy: waits && !tried,
        mail,
    }
}

/// Only web addresses, so that nothing in a mail becomes a link of another kind (M06).
fn links(text: &str) -> Vec<String> {
    let mut links: Vec<String> = Vec::new();
    let words = text.split(|c: char| c.is_whitespace() || "<>\"'()".contains(c));
    for word in words.map(|word| word.trim_end_matches(['.', ',', ';', '!'])) {
        let web = word.starts_with("https://") || word.starts_with("http://");
        if web && !links.iter().any(|held| held == word) {
            links.push(word.to_owned());
        }
    }
    links
}

fn steps(mail: &Mail) -> Vec<Step> {
    let failed = mail.failed_attempts.iter().map(|attempt| Step {
        tone: if attempt.retry_at.is_some() { "warn" } else { "bad" },
        title: format!("Not taken by {}", attempt.transport),
        at: attempt.at,
        detail: Some(attempt.message.clone()),
    });
    let transport = mail.summary.transport.as_deref().unwrap_or("the transport");
    let end = match mail.summary.state.as_str() {
        "sent" | "delivered" | "bounced" => Some(("good", format!("Taken by {transport}"))),
        "captured" => Some(("good", "Kept here for reading".to_owned())),
        "failed" => Some(("bad", "Given up".to_owned())),
        "cancelled" => Some(("", "Taken back".to_owned())),
        _ => None,
    };
    let detail = mail
        .summary
        .detail
        .clone()
        .filter(|_| mail.summary.state == "sent");
    let end = end.map(|(tone, title)| Step {
        tone,
        title,
        at: mail.summary.finished_at,
        detail,
    });
    failed.chain(end).collect()
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
        header("Reply-To", mail.reply_to.clone().unwrap_or_default()),
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
    use super::{links, opening_links_outside};

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

    #[test]
    fn m06_only_web_addresses_become_links() {
        let text = "Click https://a.example/x?code=1, or <http://b.example>. javascript:alert(1) data:x https://a.example/x?code=1";
        assert_eq!(links(text), ["https://a.example/x?code=1", "http://b.example"]);
    }
}
