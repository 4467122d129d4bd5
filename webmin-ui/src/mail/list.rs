//! The outbox.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Summary;
use crate::kit::helpers::path_segment;
use crate::kit::table::{Act, Ask, Asked, Cell, Column, Done, Drawn, Empty, Filter, Format, Link, Table};
use crate::kit::{Answer, Area, Desk, Posted, Reply, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![list, export_csv, export_json, bulk, bulk_is_a_button]
}

#[derive(Serialize)]
pub(crate) struct OutboxView {
    pub(crate) table: Drawn,
    pub(crate) can_edit: bool,
}

impl View for OutboxView {
    const TEMPLATE: &'static str = "mail/list";

    fn area(&self) -> Area {
        Area::Mail
    }

    fn title(&self) -> String {
        t!("Mail")
    }
}

#[get("/mail")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let table = table(&desk).read(&desk, &asked).await?;
    desk.page(&OutboxView {
        table,
        can_edit: desk.can_edit(),
    })
}

#[get("/mail/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk).export(&desk, &asked, Format::Csv).await
}

#[get("/mail/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk).export(&desk, &asked, Format::Json).await
}

#[post("/mail/bulk", data = "<posted>")]
async fn bulk(desk: Desk<'_>, posted: Posted) -> Answer {
    table(&desk).bulk(&desk, &posted).await
}

#[get("/mail/bulk")]
fn bulk_is_a_button() -> Reply {
    Reply::go("/mail")
}

fn table(desk: &Desk<'_>) -> Table<Summary> {
    Table::<Summary>::new(Area::Mail, "/mail", "mail.list", "-created")
        .names(|mail| (mail.id.clone(), subject(mail)))
        .count(|n| count!(n, "{n} mail", "{n} mails"))
        .search(t!("Recipient or subject contains"), |sent, text| {
            sent["filter"]["search"] = json!(text);
        })
        .filters([
            Filter::choice(
                "state",
                t!("State"),
                [
                    ("", t!("all")),
                    ("queued", t!("waiting")),
                    ("sending", t!("being sent")),
                    ("sent", t!("sent")),
                    ("delivered", t!("delivered")),
                    ("bounced", t!("bounced")),
                    ("captured", t!("captured")),
                    ("failed", t!("failed")),
                    ("cancelled", t!("cancelled")),
                ],
                |sent, state| sent["filter"]["state"] = json!(state),
            ),
            Filter::time(t!("When"), |sent, bound, at| sent["filter"][bound] = json!(at)),
        ])
        .columns(columns())
        .acts(acts())
        .empty(Empty {
            icon: "inbox",
            title: t!("No mail yet"),
            text: t!(
                "Mail that apps, jobs and resets send appears here. A test mail shows that all is well."
            ),
            act: desk.can_edit().then(|| Link {
                path: "/mail/test".to_owned(),
                icon: "mail-forward",
                label: t!("Test mail"),
                primary: true,
            }),
        })
}

fn columns() -> Vec<Column<Summary>> {
    let column = Column::<Summary>::new;
    vec![
        column("subject", t!("Subject"), |mail| {
            let address = format!("/mail/message/{}", path_segment(&mail.id));
            let cell = Cell::link(address, subject(mail)).carry(&["state", "search"]);
            match (&mail.detail, mail.state.as_str()) {
                (Some(detail), "failed" | "bounced") => cell.sub(detail),
                _ => cell,
            }
            .export(&mail.subject)
        })
        .fixed(),
        column("to", t!("To"), |mail| Cell::text(&mail.to)).sort("to"),
        column("state", t!("State"), |mail| {
            Cell::badge(mail.badge(), &mail.state)
        }),
        column("attempts", t!("Attempts"), |mail| Cell::number(mail.attempts)).right(),
        column("created", t!("When"), |mail| Cell::ago(mail.created_at, "")).sort("-created"),
        column("finished", t!("Done with"), |mail| {
            Cell::ago(mail.finished_at, "")
        })
        .extra(),
        column("due", t!("Tried next"), |mail| Cell::ago(mail.due_at, "")).extra(),
        column("transport", t!("Transport"), |mail| {
            Cell::maybe(mail.transport.as_deref())
        })
        .extra(),
        column("detail", t!("Provider's answer"), |mail| {
            Cell::maybe(mail.detail.as_deref())
        })
        .extra(),
        column("id", t!("Id"), |mail| Cell::text(&mail.id).mono()).extra(),
    ]
}

fn subject(mail: &Summary) -> String {
    match mail.subject.as_str() {
        "" => t!("(no subject)"),
        subject => subject.to_owned(),
    }
}

fn acts() -> [Act; 2] {
    [
        Act::new(
            "retry",
            "refresh",
            t!("Try again"),
            "mail.retry",
            |desk, id| Box::pin(act(desk, "mail.retry", id)),
            |n| count!(n, "{n} mail is sent again.", "{n} mails are sent again."),
        )
        .ask(Ask {
            title: |n| count!(n, "Send {n} mail again?", "Send {n} mails again?"),
            line: t!(
                "They go to their recipients through the transport of now. What is sent cannot be taken back."
            ),
            submit: t!("Send again"),
            danger: false,
        }),
        Act::new(
            "cancel",
            "mail-off",
            t!("Take back"),
            "mail.cancel",
            |desk, id| Box::pin(act(desk, "mail.cancel", id)),
            |n| count!(n, "{n} mail was taken back.", "{n} mails were taken back."),
        )
        .undo("retry"),
    ]
}

async fn act(desk: &Desk<'_>, function: &str, id: &str) -> Result<Done, Error> {
    desk.call::<Value>(function, json!({ "id": id })).await?;
    Ok(Done::Changed)
}
