//! Jobs, and the texts of templates, pages and jobs.

use super::{AT, NASTY, Rendered, badge, form, page, part, text};
use crate::jobs::records::{Deactivated, Job, Problem as RunProblem, Run};
use crate::jobs::{charts, history, list as jobs, preview, runs, show as job};
use crate::kit::diff::{self, Sides};
use crate::kit::view::Views;
use crate::templates::records::Kind;
use crate::templates::records::{Problem, Resource, Revision};
use crate::templates::{conflict, editor, opened, revisions, tree};

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
        deactivated: Some(Deactivated { at: AT, failures: 3 }),
        warnings: vec![text()],
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
    let view = |runs| job::JobView {
        job: one.clone(),
        badge: badge(),
        schedule: text(),
        form: form(),
        chart: Some(charts::RunChart {
            bars: vec![bar()],
            width: 10,
            label: text(),
            longest: text(),
        }),
        runs,
        more: true,
        can_edit: true,
        busy: true,
        deactivated: text(),
    };
    let next_runs = preview::PreviewPart {
        inactive: true,
        words: text(),
        runs: vec![preview::Run {
            at: AT,
            shown: text(),
        }],
        problem: String::new(),
    };
    let not_a_schedule = preview::PreviewPart {
        problem: text(),
        ..preview::PreviewPart::default()
    };
    vec![
        page(
            views,
            &jobs::JobsView {
                table: crate::kit::table::sample(),
                recommended: vec![offer],
                can_edit: true,
            },
        ),
        page(
            views,
            &history::RunsView {
                table: crate::kit::table::sample(),
            },
        ),
        page(
            views,
            &view(vec![job::RunRow {
                badge: badge(),
                took: text(),
                about: Some(text()),
                retry: Some(2),
                run: run.clone(),
            }]),
        ),
        page(views, &view(Vec::new())),
        page(
            views,
            &runs::RunView {
                job: text(),
                shown: String::new(),
                live: Some(text()),
                live_id: text(),
            },
        ),
        part(
            views,
            "jobs/part_run",
            &runs::RunPart {
                run,
                badge: badge(),
                took: text(),
                host: text(),
                retry: Some(2),
                editor: Some(text()),
                diff: Some(text()),
                same_code: true,
                busy: false,
                can_edit: true,
                skipped: text(),
            },
        ),
        part(
            views,
            "jobs/part_day",
            &charts::DayPart {
                lines: vec![charts::Line {
                    job: text(),
                    label: text(),
                    bars: vec![bar()],
                }],
                width: 10,
                since: AT,
            },
        ),
        part(views, "jobs/part_preview", &next_runs),
        part(views, "jobs/part_preview", &preview::PreviewPart::default()),
        part(views, "jobs/part_preview", &not_a_schedule),
    ]
}

fn bar() -> charts::Bar {
    charts::Bar {
        x: 0,
        y: 0,
        width: 8,
        height: 100,
        tone: "good",
        title: text(),
    }
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
    let open = |kind: Kind| opened::Opened {
        name: text(),
        kind,
        language: "template",
        warnings: vec![problem.clone()],
        sample: text(),
        sibling: Some(text()),
        address: Some(text()),
        jobs: vec![opened::UsedBy {
            name: text(),
            badge: badge(),
            run: Some(text()),
            run_at: Some(AT),
        }],
        can_edit: true,
        is_edited: true,
        has_below: true,
        is_html: kind.is_html(),
        has_sample: kind.has_sample(),
        is_mail: kind.is_mail(),
        is_job: kind == Kind::Job,
        is_picture: kind == Kind::Picture,
        resource: resource.clone(),
    };
    let conflict = conflict::Conflict {
        path: text(),
        message: text(),
        author: Some(text()),
        changed_at: Some(AT),
        revision: 3,
        sides: diff::sides(NASTY, "other"),
    };
    let editor = editor::EditorView {
        area: "templates",
        tree: tree(),
        open: open(Kind::MailHtml),
        text: text(),
        note: text(),
        problems: vec![problem.clone()],
        conflict: Some(conflict.clone()),
        line: 2,
        problem: text(),
        file: text(),
        operator: text(),
        can_edit: true,
    };
    let choice = revisions::Choice {
        value: text(),
        label: text(),
        from: true,
        to: false,
    };
    let list = |held: Vec<Revision>| revisions::RevisionsView {
        area: "templates",
        path: text(),
        choices: vec![choice.clone()],
        is_there: !held.is_empty(),
        revisions: held,
        can_edit: true,
    };
    let revision = Revision {
        revision: 3,
        author: text(),
        note: text(),
        changed_at: AT,
        live: false,
        ..Revision::default()
    };
    let side = revisions::Side {
        label: text(),
        note: text(),
        author: text(),
        at: Some(AT),
    };
    let compare = |sides: Sides| revisions::CompareView {
        area: "templates",
        path: text(),
        choices: vec![choice.clone()],
        from: side.clone(),
        to: side.clone(),
        sides,
        restore: Some(2),
    };
    let long: String = (0..30).map(|n| format!("{n}\n")).collect();
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
        part(views, "templates/part_bar", &open(Kind::Mail)),
        part(views, "templates/part_beside", &open(Kind::Job)),
        part(views, "templates/part_beside", &open(Kind::Picture)),
        part(views, "templates/part_beside", &open(Kind::Plain)),
        part(views, "templates/conflict", &conflict),
        page(views, &list(vec![revision])),
        page(views, &list(Vec::new())),
        page(
            views,
            &compare(diff::sides(
                &format!("{NASTY}\n{long}"),
                &format!("other\n{long}{NASTY}"),
            )),
        ),
        page(views, &compare(Sides::default())),
    ]
}
