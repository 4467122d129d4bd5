//! The parts of the dashboard with sample data; every text of others is `text`.

use super::answer::{AnswerView, PartMark};
use super::lists::{ListsView, MailLine, RunLine, ServerLine};
use super::plots::{Cell, FiguresView, Line, Plot, Row};
use super::problems::{MutedLine, ProblemLine};
use super::range::Range;
use super::records::Server;
use super::{answer, lists, plots};
use crate::jobs::records::{Job, Run};
use crate::kit::parts::Badge;
use crate::kit::view::Views;
use crate::mail::records::Summary;
use crate::server::audit::Entry;

/// Each part's template and what it renders to: with everything, and with nothing.
pub(crate) fn parts(views: &Views, text: &str, entry: &Entry) -> Vec<(&'static str, String)> {
    let render = |template, view: Result<String, crate::kit::view::ViewBroken>| {
        (template, view.unwrap_or_else(|fault| panic!("{fault}")))
    };
    vec![
        render(answer::TEMPLATE, views.render(answer::TEMPLATE, &answer(text))),
        render(plots::TEMPLATE, views.render(plots::TEMPLATE, &figures(text))),
        render(
            lists::TEMPLATE,
            views.render(lists::TEMPLATE, &lists(text, entry)),
        ),
        render(lists::TEMPLATE, views.render(lists::TEMPLATE, &no_lists())),
    ]
}

fn answer(text: &str) -> AnswerView {
    let problem = |path: &str| ProblemLine {
        at: Some(1),
        button: path.is_empty(),
        seen: path.to_owned(),
        tone: "bad",
        icon: "mail",
        title: text.to_owned(),
        why: text.to_owned(),
        since: Some(1),
        act: text.to_owned(),
        path: path.to_owned(),
        mute: path.to_owned(),
        muted: path.is_empty().then(|| MutedLine {
            reason: text.to_owned(),
            by: text.to_owned(),
            until: 1,
            part: text.to_owned(),
            kind: text.to_owned(),
            subject: text.to_owned(),
            can_end: true,
        }),
    };
    let part = |ok| PartMark {
        name: text.to_owned(),
        ok,
        path: if ok { "/mail" } else { "" },
    };
    AnswerView {
        tone: "bad",
        icon: "alert-triangle",
        title: text.to_owned(),
        note: text.to_owned(),
        problems: vec![problem("/x"), problem("")],
        parts: vec![part(true), part(false)],
    }
}

fn figures(text: &str) -> FiguresView {
    let plot = |id, rows: Vec<Row>| Plot {
        id,
        title: text.to_owned(),
        summary: text.to_owned(),
        unit: "count",
        from: 0,
        until: 60_000,
        step: 60,
        series: vec![Line {
            label: text.to_owned(),
            tone: "good",
            kind: "bar",
            text: text.to_owned(),
        }],
        filled: rows.first().map(|_| 40),
        rows,
        note: text.to_owned(),
        tone: "accent",
    };
    let cell = |value| Cell {
        value,
        text: text.to_owned(),
    };
    let row = Row {
        at: 0,
        cells: vec![cell(Some(0)), cell(None)],
    };
    FiguresView {
        choices: Range::Day.choices(),
        plots: vec![plot("one", vec![row]), plot("two", Vec::new())],
        machine: vec![plot("three", Vec::new())],
    }
}

fn lists(text: &str, entry: &Entry) -> ListsView {
    let badge = || Badge::new("good", text);
    ListsView {
        next: vec![Job {
            name: text.to_owned(),
            next_run_at: Some(1),
            ..Job::default()
        }],
        runs: vec![RunLine {
            badge: badge(),
            took: text.to_owned(),
            run: Run {
                id: text.to_owned(),
                job: text.to_owned(),
                ..Run::default()
            },
        }],
        mails: vec![MailLine {
            badge: badge(),
            mail: Summary {
                id: text.to_owned(),
                subject: text.to_owned(),
                to: text.to_owned(),
                ..Summary::default()
            },
        }],
        waiting: 2,
        acts: vec![entry.clone()],
        servers: vec![ServerLine {
            busy: text.to_owned(),
            badge: badge(),
            server: Server {
                name: text.to_owned(),
                version: text.to_owned(),
                started_at: 1,
                seen_at: Some(0),
                runs: 3,
                load: 0.5,
                state: "gone".to_owned(),
            },
        }],
    }
}

fn no_lists() -> ListsView {
    ListsView {
        next: Vec::new(),
        runs: Vec::new(),
        mails: Vec::new(),
        waiting: 0,
        acts: Vec::new(),
        servers: Vec::new(),
    }
}
