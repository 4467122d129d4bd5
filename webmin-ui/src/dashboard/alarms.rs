//! Muting an alarm: the problem is known, and needs no one until a time.

use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use crate::kit::language::t;
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, text};

const HOUR_MS: i64 = 3_600_000;

pub(super) fn routes() -> Vec<Route> {
    routes![ask, mute, unmute]
}

#[get("/alarm/mute?<part>&<kind>&<subject>")]
async fn ask(desk: Desk<'_>, part: Option<&str>, kind: Option<&str>, subject: Option<&str>) -> Answer {
    desk.needs("server.muteAlarm").await?;
    let text = Option::unwrap_or_default;
    desk.page(&page(form(text(part), text(kind), text(subject))))
}

#[post("/alarm/mute", data = "<posted>")]
async fn mute(desk: Desk<'_>, posted: Posted) -> Answer {
    let (part, kind, subject) = (posted.text("part"), posted.text("kind"), posted.raw("subject"));
    let hours = posted.text("hours").parse::<i64>().unwrap_or(1).clamp(1, 24 * 90);
    let until = desk.webmin.core.clock.now_ms() + hours * HOUR_MS;
    let parameters = json!({
        "part": part, "kind": kind, "subject": subject, "reason": posted.text("reason"), "until": until,
    });
    let form = form(part, kind, subject);
    match desk
        .submit::<Value>("server.muteAlarm", parameters, form, &posted)
        .await
    {
        Ok(_) => desk.go("/", t!("Alarm muted.")),
        Err(refused) => desk.refused(&refused.error, &page(refused.form)),
    }
}

#[post("/alarm/unmute", data = "<posted>")]
async fn unmute(desk: Desk<'_>, posted: Posted) -> Answer {
    let parameters = json!({
        "part": posted.text("part"), "kind": posted.text("kind"), "subject": posted.raw("subject"),
    });
    match desk.call::<Value>("server.unmuteAlarm", parameters).await {
        Ok(_) => desk.go("/", t!("The alarm counts again.")),
        Err(error) => desk.back("/", error),
    }
}

fn form(part: &str, kind: &str, subject: &str) -> Form {
    let times = [
        ("1", t!("1 hour")),
        ("24", t!("1 day")),
        ("168", t!("1 week")),
        ("720", t!("30 days")),
    ];
    let times = times.each_ref().map(|(hours, label)| (*hours, label.as_str()));
    let mut hours = Field::select("hours", &t!("For"), times).value("24");
    hours.required = true;
    Form::new("/alarm/mute", t!("Mute alarm")).cancel("/").fields([
        Field::hidden("part", part),
        Field::hidden("kind", kind),
        Field::hidden("subject", subject),
        Field::text("reason", &t!("Reason")).required().wide(),
        hours,
    ])
}

fn page(form: Form) -> FormPage {
    FormPage {
        area: Area::Dashboard,
        title: t!("Mute this alarm?"),
        lead: t!(
            "It stays in the list with your name and the reason, and counts as known until then. If it happens again meanwhile, it alarms again."
        ),
        back: "/",
        back_label: text!("Dashboard"),
        form,
    }
}
