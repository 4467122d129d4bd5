//! The answer that comes first: whether everything is all right, and if not, what is wrong.

use serde::Serialize;

use super::problems::{self, May, ProblemLine, part_name};
use super::state::State;
use crate::kit::language::{count, t};

#[derive(Serialize)]
pub(crate) struct AnswerView {
    /// `good`, `warn` or `bad`.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) title: String,
    pub(crate) note: String,
    pub(crate) problems: Vec<ProblemLine>,
    pub(crate) parts: Vec<PartMark>,
}

/// One of the parts that were looked at.
#[derive(Serialize)]
pub(crate) struct PartMark {
    pub(crate) name: String,
    pub(crate) ok: bool,
    /// Empty where there is no page of it.
    pub(crate) path: &'static str,
}

pub(super) const TEMPLATE: &str = "dashboard/part_answer";

pub(super) fn of(state: &State, may: May) -> AnswerView {
    let Some(health) = &state.health else {
        return AnswerView {
            tone: "bad",
            icon: "alert-triangle",
            title: t!("It cannot be told whether everything is all right"),
            note: t!("The server does not answer for itself. Its log says why."),
            problems: Vec::new(),
            parts: Vec::new(),
        };
    };
    let problems: Vec<_> = health
        .problems
        .iter()
        .map(|problem| problems::line(problem, may))
        .collect();
    let parts = health.checks.iter().map(|check| PartMark {
        name: part_name(&check.name),
        ok: check.ok,
        path: place(&check.name),
    });
    let parts = parts.collect();
    let open = problems.iter().filter(|problem| problem.muted.is_none());
    let count = open.clone().count();
    if count == 0 {
        return AnswerView {
            tone: "good",
            icon: "circle-check",
            title: t!("Everything is all right"),
            note: calm_note(state),
            problems,
            parts,
        };
    }
    let is_bad = open.clone().any(|problem| problem.tone == "bad");
    AnswerView {
        tone: if is_bad { "bad" } else { "warn" },
        icon: "alert-triangle",
        title: count!(count, "{n} thing needs attention", "{n} things need attention"),
        note: String::new(),
        problems,
        parts,
    }
}

/// What is worth knowing although nothing is wrong.
fn calm_note(state: &State) -> String {
    if state.mail.transport == "capture" {
        return t!("Mail is kept here for reading and sent to nobody, until another transport is chosen.");
    }
    let jobs = count!(state.jobs.active, "{n} active job", "{n} active jobs");
    t!(
        "{jobs}, and mail goes out by {transport}.",
        jobs = jobs,
        transport = state.mail.transport
    )
}

fn place(part: &str) -> &'static str {
    match part {
        "plugins" => "/plugins",
        "mail" => "/mail",
        "jobs" => "/jobs",
        "resets" => "/resets",
        "templates" => "/templates",
        "backups" => "/settings/backups",
        _ => "",
    }
}
