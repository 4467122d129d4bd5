//! Export and import.

use super::{AT, Rendered, badge, page, text};
use crate::bundle::review::{Group, Outcome, ReviewView, Row};
use crate::bundle::{BundleView, Folder, LeftOut};
use crate::kit::diff;
use crate::kit::view::Views;

pub(super) fn bundles(views: &Views) -> Vec<Rendered> {
    let bundle = |can_admin| BundleView {
        folders: vec![Folder {
            name: "scopes",
            about: text(),
            count: 3,
        }],
        left_out: vec![LeftOut {
            path: text(),
            why: text(),
        }],
        can_admin,
        problem: Some(text()),
    };
    let row = |at: &str| Row {
        path: text(),
        name: text(),
        badge: badge(),
        problem: Some(text()),
        left_out: true,
        sides: diff::sides("one\n", &text()),
        at: at.to_owned(),
    };
    let review = |groups, outcome| ReviewView {
        id: text(),
        plan: text(),
        ready: false,
        prune: true,
        kept: vec![coronet_core::bundle::LeftOut {
            path: text(),
            why: text(),
        }],
        uploaded_at: AT,
        groups,
        changes: 2,
        same: 1,
        boxes: true,
        outcome,
        problem: Some(text()),
    };
    let group = Group {
        title: text(),
        items: vec![row("c-0"), row("c-1")],
    };
    let outcome = Outcome {
        done: vec![text()],
        failed: text(),
        left: vec![text()],
        message: text(),
    };
    vec![
        page(views, &bundle(true)),
        page(views, &bundle(false)),
        page(views, &review(vec![group], None)),
        page(views, &review(Vec::new(), Some(outcome))),
    ]
}
