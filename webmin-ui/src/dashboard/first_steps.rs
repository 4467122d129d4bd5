//! The first steps on a fresh install. Each is done here, in its place, and ticks itself by what the server then knows.

use serde::Serialize;

use super::facts::Facts;
use crate::accounts::{scopes, users};
use crate::kit::helpers::path_segment;
use crate::kit::{Field, Form};
use crate::mail::test_mail;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) done: bool,
    pub(crate) title: &'static str,
    pub(crate) note: String,
    /// What does it, in a word.
    pub(crate) act: &'static str,
    /// The form that does it, when it asks for no more than a line or two.
    pub(crate) form: Option<Form>,
    /// The form asks for nothing.
    pub(crate) one_click: bool,
    /// Otherwise where it is done.
    pub(crate) path: String,
}

impl Step {
    fn new(done: bool, title: &'static str, note: impl Into<String>, act: &'static str) -> Self {
        Self {
            done,
            title,
            note: note.into(),
            act,
            form: None,
            one_click: false,
            path: String::new(),
        }
    }

    fn form(self, form: Form) -> Self {
        Self {
            one_click: form.fields.iter().all(|field| field.kind == "hidden"),
            form: Some(Form {
                cancel: None,
                ..form.unguarded()
            }),
            ..self
        }
    }

    fn at(self, path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            ..self
        }
    }
}

pub(super) fn of(facts: &Facts) -> Vec<Step> {
    vec![
        scope(facts),
        user(facts),
        reset(facts),
        test(facts),
        provider(facts),
        sweeper(facts),
    ]
}

fn scope(facts: &Facts) -> Step {
    let scopes = facts.scopes.as_deref().unwrap_or_default();
    let done = scopes.iter().any(|scope| !scope.from_email.is_empty());
    let title = "Make a scope for your app";
    match scopes.first() {
        Some(scope) => Step::new(
            done,
            title,
            format!("{} has no From address yet.", scope.name),
            "Enter it",
        )
        .at(format!("/scope/{}", path_segment(&scope.name))),
        None => Step::new(
            done,
            title,
            "Name it, and say who its mail comes from.",
            "New scope",
        )
        .form(scopes::first_form()),
    }
}

fn user(facts: &Facts) -> Step {
    let scopes = facts.scopes.as_deref().unwrap_or_default();
    let step = Step::new(
        facts.first_user.is_some(),
        "Add a user",
        "Yourself will do: an address you can read.",
        "New user",
    );
    if scopes.is_empty() {
        return step.at("/users/new");
    }
    step.form(users::first_form(scopes))
}

fn reset(facts: &Facts) -> Step {
    let note = "Until a provider is set the mail stays here, for you to read and to follow its link.";
    let step = Step::new(facts.reset_sent, "Send a first reset link", note, "Send a link");
    match &facts.first_user {
        Some(id) => step.at(format!("/user/{}/reset", path_segment(id))),
        None => step.at("/users"),
    }
}

fn test(facts: &Facts) -> Step {
    let note = "It shows the way that every mail takes.";
    Step::new(facts.test_sent, "Send a test mail", note, "Test mail").form(test_mail::form())
}

fn provider(facts: &Facts) -> Step {
    let active = facts
        .transports
        .iter()
        .flatten()
        .find(|transport| transport.active);
    let delivers =
        active.is_some_and(|transport| transport.name != "capture") && facts.transport_needs.is_empty();
    let title = "Connect a mail provider";
    match &facts.ready_transport {
        Some(name) => Step::new(
            delivers,
            title,
            format!("{name} is set up. Use it, and mail leaves the server."),
            "Use it",
        )
        .form(Form::new("/mail/transport", format!("Use {name}")).fields([Field::hidden("name", name)])),
        None => Step::new(
            delivers,
            title,
            "Enter its key, then choose it as transport.",
            "Plugins",
        )
        .at("/plugins"),
    }
}

fn sweeper(facts: &Facts) -> Step {
    let swept = facts
        .jobs
        .as_ref()
        .is_some_and(|jobs| jobs.iter().any(|job| job.path == "admin/pw_reset_cleanup.lua"));
    let note = "The job is ready. Adding it shows its page, where you can look at its code and run it.";
    Step::new(swept, "Sweep old reset links by a job", note, "Add the job")
        .form(Form::new("/jobs/recommended/CleanPasswordResets", "Add the job"))
}
