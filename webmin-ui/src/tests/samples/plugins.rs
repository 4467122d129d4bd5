//! Plugins.

use super::{AT, Rendered, badge, form, page, text};
use crate::kit::view::Views;
use crate::plugins::log::PluginLogView;
use crate::plugins::records::{Details, LastError, Line, Provided, PublicRoute, Summary, Webhook};
use crate::plugins::{PluginRow, PluginView, PluginsView};

pub(super) fn plugins(views: &Views) -> Vec<Rendered> {
    let summary = Summary {
        name: text(),
        version: text(),
        description: text(),
        state: "failed".to_owned(),
        reason: Some(text()),
        path: text(),
        pid: Some(7),
        functions: vec![text()],
        provides: vec![Provided {
            kind: text(),
            name: text(),
        }],
        configurable: true,
        last_error: Some(LastError {
            at: AT,
            message: text(),
        }),
        started_at: Some(AT),
        sha256: Some(text()),
        ..Summary::default()
    };
    let details = Details {
        summary: summary.clone(),
        requires: vec![text()],
        resources: vec![text()],
        jobs: vec![text()],
        routes: vec![PublicRoute {
            path: text(),
            page: text(),
        }],
        webhook: Some(Webhook {
            path: text(),
            summary: text(),
            taken: 1,
            taken_at: Some(AT),
            refused: 2,
            refused_at: Some(AT),
            refusal: Some(text()),
        }),
        ..Details::default()
    };
    let view = |form| PluginView {
        plugin: details.clone(),
        badge: badge(),
        memory: text(),
        hook_url: text(),
        form,
        can_admin: true,
    };
    let line = Line {
        at: AT,
        level: "error".to_owned(),
        text: text(),
    };
    vec![
        page(
            views,
            &PluginsView {
                plugins: vec![PluginRow {
                    badge: badge(),
                    plugin: summary,
                }],
                folders: vec![text()],
                can_admin: true,
            },
        ),
        page(
            views,
            &PluginsView {
                plugins: Vec::new(),
                folders: vec![text()],
                can_admin: true,
            },
        ),
        page(views, &view(Some(form()))),
        page(views, &view(None)),
        page(
            views,
            &PluginLogView {
                name: text(),
                lines: vec![line],
                search: text(),
                level: "warn".to_owned(),
                file: "/plugin/echo/log.txt?search=&level=warn".to_owned(),
                filtered: true,
            },
        ),
        page(
            views,
            &PluginLogView {
                name: text(),
                lines: Vec::new(),
                search: String::new(),
                level: String::new(),
                file: "/plugin/echo/log.txt?search=&level=".to_owned(),
                filtered: false,
            },
        ),
    ]
}
