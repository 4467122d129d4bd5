//! Mail.

use super::{AT, Rendered, badge, page, pager, text};
use crate::kit::view::Views;
use crate::mail::records::{Attempt, Mail, Summary as MailSummary, Transport};
use crate::mail::{list as outbox, show as mail, transport};

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
        summary: summary.clone(),
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
        ..Mail::default()
    };
    let list = |mails, filtered| outbox::OutboxView {
        mails,
        states: vec![outbox::StateChoice {
            label: "All",
            address: text(),
            here: true,
        }],
        filter: outbox::Filter::default(),
        filtered,
        pager: pager(),
        can_edit: true,
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
            &list(
                vec![outbox::MailRow {
                    badge: badge(),
                    mail: summary,
                }],
                false,
            ),
        ),
        page(views, &list(Vec::new(), true)),
        page(views, &list(Vec::new(), false)),
        page(views, &mail::view(one.clone(), false, true)),
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
