//! Mail.

use super::{AT, Rendered, badge, page, text};
use crate::kit::timeline::{Actor, Event};
use crate::kit::view::Views;
use crate::mail::reader::{Pane, PaneRow, Place};
use crate::mail::records::{Attempt, Mail, Summary as MailSummary, Transport};
use crate::mail::{list as outbox, show as mail, transport};

fn place(tab: &str) -> Place {
    Place {
        tab: tab.to_owned(),
        ..Place::default()
    }
}

/// A mail beside the list it was opened from.
fn read(one: Mail, tab: &str) -> mail::MailView {
    let row = PaneRow {
        address: text(),
        here: true,
        badge: badge(),
        subject: text(),
        to: text(),
        created_at: Some(AT),
    };
    mail::MailView {
        pane: Pane {
            rows: vec![row],
            all: text(),
            filter: text(),
            newer: Some(text()),
            older: Some(text()),
        },
        source: text(),
        ..mail::view(one, &place(tab), false, true)
    }
}

pub(super) fn mails(views: &Views) -> Vec<Rendered> {
    let summary = MailSummary {
        id: text(),
        state: "failed".to_owned(),
        to: text(),
        subject: text(),
        transport: Some(text()),
        attempts: 2,
        created_at: Some(AT),
        due_at: Some(AT),
        finished_at: Some(AT),
        detail: Some(text()),
    };
    let one = Mail {
        summary,
        from: text(),
        recipients: vec![text()],
        text: Some("https://a.example/<script>alert(1)</script>".to_owned()),
        html: Some(text()),
        masked: true,
        provider_id: Some(text()),
        failed_attempts: vec![Attempt {
            at: Some(AT),
            transport: text(),
            message: text(),
            retry_at: None,
        }],
        timeline: ["queued", "not_taken", "sent", "bounced", "from the future"]
            .map(|what| Event {
                at: AT,
                what: what.to_owned(),
                by: Some(Actor {
                    kind: "operator".to_owned(),
                    name: text(),
                }),
                transport: Some(text()),
                provider_id: Some(text()),
                recipient: Some(text()),
                detail: Some(text()),
                reason: text(),
                ..Event::default()
            })
            .to_vec(),
        ..Mail::default()
    };
    let carrier = Transport {
        name: text(),
        provider: text(),
        alarm: Some(text()),
        paused_until: Some(AT),
        ..Transport::default()
    };
    vec![
        page(
            views,
            &outbox::OutboxView {
                table: crate::kit::table::sample(),
                can_edit: true,
            },
        ),
        page(views, &mail::view(one.clone(), &place("text"), false, true)),
        page(views, &mail::view(one.clone(), &place("html"), false, true)),
        page(views, &read(one.clone(), "source")),
        page(views, &read(one.clone(), "headers")),
        page(
            views,
            &mail::view(
                Mail {
                    summary: MailSummary {
                        state: "captured".to_owned(),
                        ..one.summary.clone()
                    },
                    ..one
                },
                &Place::default(),
                true,
                true,
            ),
        ),
        page(
            views,
            &transport::TransportView {
                transports: vec![transport::TransportRow {
                    transport: carrier,
                    needs: text(),
                }],
                can_admin: true,
            },
        ),
    ]
}
