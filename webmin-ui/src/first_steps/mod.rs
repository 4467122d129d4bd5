//! The first ten minutes: a checklist that is done where it stands, on the dashboard of a fresh install, and ticks itself by
//! what the server then knows. It is a page of its own too, for whoever hid it and wants it back.

mod acts;
pub(crate) mod away;
mod facts;

use rocket::Route;
use serde::Serialize;

use crate::accounts::records::Scope;
use crate::kit::parts::Badge;
use crate::kit::{Area, Desk, Field, Form, Rule, View, schema_form, t};
use crate::mail::records::Summary as Mail;
use facts::{Carrier, Facts};

const CLEANUP: &str = "CleanPasswordResets";

pub(crate) fn routes() -> Vec<Route> {
    acts::routes()
}

/// The steps, as they are shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Checklist {
    pub(crate) steps: Vec<Step>,
    pub(crate) done: usize,
    /// Whether this operator may do them.
    pub(crate) can_edit: bool,
    /// Something in it may change any moment, so the page looks again.
    pub(crate) busy: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) done: bool,
    pub(crate) title: String,
    pub(crate) note: String,
    /// What does it, in a word.
    pub(crate) act: String,
    pub(crate) form: Option<Form>,
    /// The form asks for nothing.
    pub(crate) one_click: bool,
    pub(crate) open: bool,
    pub(crate) outcome: Option<StepOutcome>,
}

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct StepOutcome {
    pub(crate) badge: Badge,
    pub(crate) text: String,
    /// A path below the webmin's.
    pub(crate) path: String,
    pub(crate) label: String,
    /// It may change any moment, so the page looks again.
    pub(crate) busy: bool,
}

/// The checklist as a page.
#[derive(Serialize)]
pub(crate) struct FirstStepsView {
    pub(crate) checklist: Checklist,
    pub(crate) hidden: bool,
}

impl View for FirstStepsView {
    const TEMPLATE: &'static str = "dashboard/steps";

    fn area(&self) -> Area {
        Area::Dashboard
    }

    fn title(&self) -> String {
        t!("First steps")
    }
}

impl Checklist {
    pub(crate) async fn gather(desk: &Desk<'_>) -> Self {
        Self::of(&Facts::gather(desk).await, desk.can_edit(), desk.can_admin())
    }

    /// Whether nothing is left to do.
    pub(crate) fn is_done(&self) -> bool {
        self.done == self.steps.len()
    }

    fn of(facts: &Facts, can_edit: bool, can_admin: bool) -> Self {
        let mut steps = vec![scope(facts)];
        steps.extend(
            facts
                .carrier
                .as_ref()
                .map(|carrier| provider(facts, carrier, can_admin)),
        );
        steps.extend([test(facts), reset(facts), cleanup(facts)]);
        Self {
            done: steps.iter().filter(|step| step.done).count(),
            busy: steps
                .iter()
                .filter_map(|step| step.outcome.as_ref())
                .any(|outcome| outcome.busy),
            steps,
            can_edit,
        }
    }

    /// The list again, with a form that was refused.
    fn with(mut self, name: &str, form: Form) -> Self {
        if let Some(step) = self.steps.iter_mut().find(|step| step.name == name) {
            step.form = Some(own(step.name, form));
            step.open = true;
            step.done = false;
        }
        self
    }
}

impl Step {
    fn new(name: &'static str, done: bool, title: String, note: String, act: String) -> Self {
        Self {
            name,
            done,
            title,
            note,
            act,
            form: None,
            one_click: false,
            open: false,
            outcome: None,
        }
    }

    fn form(self, form: Form) -> Self {
        Self {
            one_click: form.fields.iter().all(|field| field.kind == "hidden"),
            form: Some(own(self.name, form.unguarded())),
            ..self
        }
    }
}

/// Several forms stand on one page: each has ids of its own.
fn own(step: &str, mut form: Form) -> Form {
    form.each(|field| field.id = format!("{step}-{}", field.id));
    form
}

fn scope(facts: &Facts) -> Step {
    let done = facts.scopes.iter().any(|scope| !scope.from_email.is_empty());
    let title = t!("Make a scope for your app");
    let (note, act) = match facts.scopes.first() {
        Some(scope) => (
            t!("{name} has no From address yet.", name = scope.name),
            t!("Enter it"),
        ),
        None => (t!("Name it, and say who its mail comes from."), t!("New scope")),
    };
    Step::new("scope", done, title, note, act).form(scope_form(facts.scopes.first()))
}

/// A scope that is there already is asked for its From address only.
fn scope_form(scope: Option<&Scope>) -> Form {
    let name = match scope {
        Some(scope) => Field::hidden("known", &scope.name),
        None => Field::text("name", &t!("Name")).required().placeholder("Fun Run"),
    };
    let submit = match scope {
        Some(_) => t!("Save"),
        None => t!("Create scope"),
    };
    Form::new("/first-steps/scope", submit).fields([
        name,
        Field::text("from_email", &t!("From address"))
            .required()
            .rule(Rule::Sender)
            .placeholder("Fun Run <noreply@example.com>"),
    ])
}

fn provider(facts: &Facts, carrier: &Carrier, can_admin: bool) -> Step {
    let name = &carrier.transport.name;
    let missing = carrier.plugin.missing_settings();
    let alarm = carrier
        .transport
        .alarm
        .as_ref()
        .filter(|_| carrier.transport.active);
    let refused = facts
        .test
        .as_ref()
        .filter(|mail| mail.transport.as_deref() == Some(name) && mail.state == "failed")
        .and_then(|mail| mail.detail.as_ref());
    let trouble = alarm.or(refused);
    let done = carrier.transport.active && missing.is_empty() && trouble.is_none();
    let note = if !can_admin {
        t!("An operator with the role admin enters its key.")
    } else {
        t!(
            "Enter what {name} needs. It is chosen, and a test mail shows whether it works.",
            name = name
        )
    };
    let step = Step::new(
        "provider",
        done,
        t!("Connect a mail provider"),
        note,
        t!("Set up {name}", name = name),
    );
    let step = Step {
        outcome: trouble.map(|why| StepOutcome {
            badge: Badge::new("bad", t!("refused")),
            text: why.clone(),
            path: format!(
                "/plugin/{}",
                crate::kit::helpers::path_segment(&carrier.transport.provider)
            ),
            label: t!("All settings"),
            busy: false,
        }),
        ..step
    };
    if can_admin {
        step.form(provider_form(carrier))
    } else {
        step
    }
}

/// The settings of the transport's plugin, those it cannot do without first; and to whom a test mail goes.
fn provider_form(carrier: &Carrier) -> Form {
    let fields = match &carrier.plugin.settings_schema {
        Some(schema) => schema_form::fields(schema, &carrier.plugin.form_values()),
        None => Vec::new(),
    };
    // A key that is kept need not be typed again, but it is the first to look at when the provider refuses it.
    let schema = carrier.plugin.settings_schema.as_ref();
    let is_needed = |field: &Field| schema.is_some_and(|schema| schema_form::is_required(schema, field));
    let (needed, more): (Vec<Field>, Vec<Field>) = fields.into_iter().partition(is_needed);
    let form = Form::new(
        "/first-steps/provider",
        t!("Use {name}", name = carrier.transport.name),
    );
    let form = form
        .fields(needed)
        .fields([Field::text("test_to", &t!("Send a test mail to"))
            .rule(Rule::Sender)
            .required()
            .placeholder("you@example.com")]);
    if more.is_empty() {
        return form;
    }
    form.more(&t!("More settings"), more)
}

fn test(facts: &Facts) -> Step {
    let captured = facts
        .active()
        .is_some_and(|transport| transport.name == "capture");
    let note = if captured {
        t!("It shows the way that every mail takes. Until a provider is set, it stays here to be read.")
    } else {
        t!("It shows the way that every mail takes.")
    };
    let arrived = |mail: &Mail| !matches!(mail.state.as_str(), "failed" | "bounced" | "cancelled");
    let done = facts.test_sent && facts.test.as_ref().is_none_or(arrived);
    let step = Step::new("test", done, t!("Send a test mail"), note, t!("Test mail"));
    Step {
        outcome: facts.test.as_ref().map(mail_outcome),
        ..step
    }
    .form(
        Form::new("/first-steps/test", t!("Send test mail")).fields([Field::text("to", &t!("To"))
            .rule(Rule::Sender)
            .required()
            .placeholder("you@example.com")
            .wide()]),
    )
}

fn mail_outcome(mail: &Mail) -> StepOutcome {
    let transport = mail.transport.clone().unwrap_or_default();
    let text = match mail.state.as_str() {
        "captured" => t!("Kept here for reading; it was sent to nobody."),
        "sent" | "delivered" => t!("{transport} took it.", transport = transport),
        "queued" | "sending" => t!("On its way."),
        _ => String::new(),
    };
    let said = mail.detail.clone().unwrap_or_default();
    StepOutcome {
        badge: mail.badge(),
        text: [text, said].join(" ").trim().to_owned(),
        path: format!("/mail/message/{}", crate::kit::helpers::path_segment(&mail.id)),
        label: t!("Open the mail"),
        busy: mail.waits(),
    }
}

fn reset(facts: &Facts) -> Step {
    let note = t!("To yourself: it shows what your users will see.");
    let step = Step::new(
        "reset",
        facts.reset_sent || facts.reset.is_some(),
        t!("Send a first reset link"),
        note,
        t!("Send a link"),
    );
    let outcome = facts.reset.as_ref().map(|reset| {
        let mail = Mail {
            id: reset.mail_id.clone(),
            state: reset.mail_state.clone(),
            ..Mail::default()
        };
        StepOutcome {
            badge: mail.badge(),
            text: t!("A link for {name}.", name = reset.username),
            path: match reset.mail_id.as_str() {
                "" => format!("/reset/{}", crate::kit::helpers::path_segment(&reset.id)),
                id => format!("/mail/message/{}", crate::kit::helpers::path_segment(id)),
            },
            label: t!("Open the mail"),
            busy: mail.waits(),
        }
    });
    Step { outcome, ..step }.form(reset_form(facts))
}

/// A user is chosen, or made on the way.
fn reset_form(facts: &Facts) -> Form {
    let with_address = facts.users.iter().filter(|user| user.email.is_some());
    let users: Vec<(String, String)> = with_address
        .map(|user| {
            let address = user.email.as_deref().unwrap_or_default();
            (user.user_id.clone(), format!("{} ({address})", user.username))
        })
        .collect();
    let form = Form::new("/first-steps/reset", t!("Send reset link"));
    if !users.is_empty() {
        let choices = users.iter().map(|(id, label)| (id.as_str(), label.as_str()));
        let mut user = Field::select("user", &t!("User"), choices).wide();
        user.required = true;
        return form.fields([user]);
    }
    let names = facts.scopes.iter().map(|scope| scope.name.as_str());
    let mut scope = Field::select("scope", &t!("Scope"), names.map(|name| (name, name)));
    scope.required = true;
    form.fields([
        scope,
        Field::text("username", &t!("Username")).required(),
        Field::email("email", &t!("E-mail"))
            .required()
            .hint(&t!("An address that you can read.")),
    ])
}

/// The code of the job that the last step adds.
const SWEEPER: &str = "admin/pw_reset_cleanup.lua";

fn cleanup(facts: &Facts) -> Step {
    let done = facts.jobs.iter().any(|job| job["path"] == SWEEPER);
    let note = t!("The job is ready: every hour it deletes links that are over a day old.");
    let step = Step::new(
        "cleanup",
        done,
        t!("Sweep old reset links by a job"),
        note,
        t!("Add the job"),
    );
    step.form(Form::new("/first-steps/cleanup", t!("Add the job")).fields([Field::hidden("name", CLEANUP)]))
}

#[cfg(test)]
pub(crate) fn sample(text: &str) -> Checklist {
    let scope = Scope {
        name: text.to_owned(),
        ..Scope::default()
    };
    let mail = Mail {
        id: text.to_owned(),
        state: "failed".to_owned(),
        detail: Some(text.to_owned()),
        ..Mail::default()
    };
    let facts = Facts {
        scopes: vec![scope],
        test: Some(mail),
        test_sent: true,
        reset: Some(facts::FirstReset {
            username: text.to_owned(),
            ..facts::FirstReset::default()
        }),
        ..Facts::default()
    };
    Checklist::of(&facts, true, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_ticks_itself_and_says_what_came_of_it() {
        let list = sample("x");
        let step = |name| list.steps.iter().find(|step| step.name == name).unwrap();
        assert!(!step("scope").done, "it has no From address");
        assert!(!step("test").done, "it was refused");
        assert!(step("reset").done);
        assert_eq!(step("test").outcome.as_ref().unwrap().text, "x");
        assert!(step("cleanup").one_click);
        assert_eq!(list.done, 1);
    }
}
