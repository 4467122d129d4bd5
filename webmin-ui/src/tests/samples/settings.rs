//! The settings, with sample data.

use super::{AT, NASTY, Rendered, form, page, part, text};
use crate::kit::Field;
use crate::kit::view::Views;
use crate::settings::backups::{BackupRow, BackupsView, Failed, Progress};
use crate::settings::download::DownloadView;
use crate::settings::records::Key;
use crate::settings::show::{Found, FoundView, Related, Row, SettingsView, Tab};

pub(super) fn settings(views: &Views) -> Vec<Rendered> {
    let tab = || Tab {
        name: text(),
        title: text(),
        icon: "mail",
        here: true,
        changed: 2,
    };
    let row = |is_default: bool| Row {
        name: text(),
        field: Field::number("p.x", NASTY).value(NASTY),
        default: text(),
        is_default,
        changed_by: (!is_default).then(text),
        changed_at: (!is_default).then_some(AT),
    };
    let key = |origin: &str| Key {
        name: text(),
        about: text(),
        value: text(),
        origin: origin.to_owned(),
        place: text(),
    };
    let shown = |can_edit, problem: Option<String>, backups| SettingsView {
        groups: vec![tab()],
        name: text(),
        title: text(),
        about: text(),
        help: "settings#mail".to_owned(),
        revision: 3,
        rows: vec![row(true), row(false)],
        refused: problem.is_some(),
        problem,
        can_edit,
        related: vec![Related {
            label: text(),
            path: "/operators",
        }],
        keys: vec![key("default"), key("file")],
        backups,
    };
    let found = |found| FoundView {
        groups: vec![tab()],
        search: text(),
        found,
    };
    let hit = Found {
        group: text(),
        path: text(),
        title: text(),
        about: text(),
    };
    vec![
        page(views, &shown(true, Some(text()), Some(backups(true)))),
        page(views, &shown(false, None, None)),
        page(views, &shown(true, None, Some(nothing()))),
        page(views, &found(vec![hit])),
        page(views, &found(Vec::new())),
        part(views, "settings/part_backups", &backups(true)),
        part(views, "settings/part_backups", &backups(false)),
        page(
            views,
            &DownloadView {
                name: text(),
                form: form(),
            },
        ),
    ]
}

fn backups(running: bool) -> BackupsView {
    BackupsView {
        backups: vec![BackupRow {
            name: text(),
            made_at: AT,
            size: text(),
        }],
        supported: true,
        advice: None,
        folder: text(),
        database_size: text(),
        next_at: Some(AT),
        running: running.then_some(Progress { percent: 40 }),
        failed: Some(Failed {
            at: AT,
            error: text(),
        }),
        can_make: true,
    }
}

/// On PostgreSQL there are none.
fn nothing() -> BackupsView {
    BackupsView {
        backups: Vec::new(),
        supported: false,
        advice: Some(text()),
        next_at: None,
        failed: None,
        running: None,
        can_make: false,
        ..backups(false)
    }
}
