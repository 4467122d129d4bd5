//! Jobs, and the texts of templates, pages and jobs.

use super::{AT, NASTY, Rendered, badge, form, page, pager, part, text};
use crate::jobs::records::{Job, Problem as RunProblem, Run};
use crate::jobs::{list as jobs, runs, show as job};
use crate::kit::view::Views;
use crate::templates::records::{Problem, Resource, Revision};
use crate::templates::{diff, editor, preview, revisions, tree};

pub(super) fn work(views: &Views) -> Vec<Rendered> {
    let problem = RunProblem {
        message: text(),
        line: Some(3),
        traceback: Some(text()),
    };
    let one = Job {
        name: text(),
        path: text(),
        interval: Some(3600),
        status: text(),
        last_run: Some(text()),
        last_run_at: Some(AT),
        next_run_at: Some(AT),
        last_outcome: Some(text()),
        error: Some(problem.clone()),
        ..Job::default()
    };
    let run = Run {
        id: text(),
        job: text(),
        trigger: text(),
        attempt: 2,
        started_at: Some(AT),
        ended_at: Some(AT),
        error: Some(problem),
        server: text(),
        log: text(),
        log_dropped_lines: 4,
        ..Run::default()
    };
    let offer = jobs::Recommended {
        name: text(),
        path: text(),
        schedule: text(),
        summary: text(),
        provider: text(),
    };
    let row = jobs::JobRow {
        badge: badge(),
        schedule: text(),
        job: one.clone(),
    };
    let view = |runs| job::JobView {
        job: one.clone(),
        badge: badge(),
        schedule: text(),
        form: form(),
        runs,
        pager: pager(),
        can_edit: true,
        busy: true,
    };
    vec![
        page(
            views,
            &jobs::JobsView {
                jobs: vec![row],
                recommended: vec![offer],
                can_edit: true,
                busy: true,
            },
        ),
        page(
            views,
            &jobs::JobsView {
                jobs: Vec::new(),
                recommended: Vec::new(),
                can_edit: true,
                busy: false,
            },
        ),
        page(
            views,
            &view(vec![job::RunRow {
                badge: badge(),
                took: text(),
                run: run.clone(),
            }]),
        ),
        page(views, &view(Vec::new())),
        page(
            views,
            &runs::RunView {
                run,
                badge: badge(),
                took: text(),
                editor: Some(text()),
                busy: false,
                can_edit: true,
            },
        ),
    ]
}

pub(super) fn texts(views: &Views) -> Vec<Rendered> {
    let resource = Resource {
        path: format!("templates/{NASTY}.html.tpl"),
        layer: "edited".to_owned(),
        revision: 2,
        author: Some(text()),
        note: Some(text()),
        changed_at: Some(AT),
        provider: Some(text()),
        problem: Some(text()),
        file: text(),
        ..Resource::default()
    };
    let tree = || tree::folders(vec![resource.clone()], &resource.path);
    let problem = Problem {
        file: text(),
        line: 2,
        column: 3,
        message: text(),
    };
    let editor = editor::EditorView {
        area: "templates",
        tree: tree(),
        resource: resource.clone(),
        text: text(),
        note: text(),
        language: "template",
        problems: vec![problem.clone()],
        warnings: vec![problem.clone()],
        conflict: Some(text()),
        line: 2,
        problem: text(),
        previews: true,
        is_html: true,
        sample: text(),
        jobs: vec![editor::UsedBy { name: text() }],
        can_edit: true,
        revertible: true,
    };
    let list = |held| revisions::RevisionsView {
        area: "templates",
        path: text(),
        revisions: held,
        can_edit: true,
    };
    let revision = Revision {
        revision: 3,
        author: text(),
        note: text(),
        changed_at: AT,
        live: true,
        ..Revision::default()
    };
    let compare = |lines| revisions::CompareView {
        area: "templates",
        path: text(),
        revision: 2,
        live: 3,
        lines,
        can_edit: true,
    };
    vec![
        page(
            views,
            &tree::TreeView {
                tree: tree(),
                edited: vec![resource.clone()],
                broken: vec![resource.clone()],
                can_edit: true,
                home: text(),
            },
        ),
        page(
            views,
            &tree::TreeView {
                tree: Vec::new(),
                edited: Vec::new(),
                broken: Vec::new(),
                can_edit: false,
                home: text(),
            },
        ),
        page(views, &editor),
        part(
            views,
            "templates/preview",
            &preview::PreviewPart {
                text: Some(text()),
                is_html: false,
                problems: vec![problem.clone()],
                warnings: vec![problem],
            },
        ),
        page(views, &list(vec![revision])),
        page(views, &list(Vec::new())),
        page(views, &compare(diff::lines(NASTY, "other"))),
        page(views, &compare(Vec::new())),
    ]
}
