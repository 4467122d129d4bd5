//! What the checklist does: each act goes through the registry, and leads back to the list.

use coronet_core::{Code, Error, random};
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::facts::Facts;
use super::{Checklist, FirstStepsView, away, provider_form, reset_form, scope_form};
use crate::accounts::records::{Scope, User};
use crate::jobs::list::offer;
use crate::kit::{Answer, Desk, Form, Posted, Reply, schema_form, t};
use crate::plugins::records::Details;

const DASHBOARD: &str = "/";
const SUBJECT: &str = "Password Reset Request";

pub(super) fn routes() -> Vec<Route> {
    routes![
        show, is_a_form, scope, provider, test, reset, cleanup, hide, bring_back
    ]
}

#[get("/first-steps")]
async fn show(desk: Desk<'_>) -> Answer {
    let checklist = Checklist::gather(&desk).await;
    // One that is complete would leave the dashboard again at once.
    let can_return = !checklist.is_done() && away::is_away(&desk).await?;
    desk.page(&view(checklist, can_return))
}

#[get("/first-steps/<_>", rank = 2)]
fn is_a_form() -> Reply {
    Reply::go("/first-steps")
}

#[post("/first-steps/scope", data = "<posted>")]
async fn scope(desk: Desk<'_>, posted: Posted) -> Answer {
    let sender = json!({ "from_email": posted.text("from_email") });
    let known = posted.text("known");
    let (function, name) = if known.is_empty() {
        ("scopes.create", posted.text("name"))
    } else {
        ("scopes.update", known)
    };
    let scope = (!known.is_empty()).then(|| Scope {
        name: known.to_owned(),
        ..Scope::default()
    });
    let form = scope_form(scope.as_ref());
    let parameters = json!({ "name": name, "settings": sender });
    match desk.submit::<Value>(function, parameters, form, &posted).await {
        Ok(_) => desk.go(
            DASHBOARD,
            t!("{name} is there. On to the next step.", name = name),
        ),
        Err(refused) => again(&desk, "scope", &refused.error, refused.form).await,
    }
}

/// Settings, choice and proof in one: what the provider answers to the test mail is what counts.
#[post("/first-steps/provider", data = "<posted>")]
async fn provider(desk: Desk<'_>, posted: Posted) -> Answer {
    desk.needs("plugins.configure").await?;
    let facts = Facts::gather(&desk).await;
    let Some(carrier) = &facts.carrier else {
        let error = Error::new(
            Code::NotFound,
            t!("No plugin provides a mail transport. See Plugins."),
        );
        return desk.back(DASHBOARD, error);
    };
    let mut form = provider_form(carrier).filled(&posted);
    if form.mark_mistakes(&posted) {
        let error = Error::new(Code::ParameterInvalid, t!("The form has mistakes."));
        return again(&desk, "provider", &error, form).await;
    }
    let schema = carrier.plugin.settings_schema.clone().unwrap_or(Value::Null);
    let name = carrier.transport.name.clone();
    let tried = async {
        let settings = schema_form::values(&schema, &posted)?;
        let configure = json!({ "name": carrier.transport.provider, "settings": settings });
        desk.call::<Details>("plugins.configure", configure).await?;
        // One that is in use already is tested by the way that all mail takes.
        if carrier.transport.active {
            let parameters = json!({ "to": posted.text("test_to") });
            return desk.call::<Value>("mail.test", parameters).await;
        }
        let parameters = json!({ "name": name, "test_to": posted.text("test_to") });
        desk.call::<Value>("mail.useTransport", parameters).await
    };
    match tried.await {
        Ok(_) => desk.go(
            DASHBOARD,
            t!(
                "{name} is in use, and has the test mail. Its answer is shown in a moment.",
                name = name
            ),
        ),
        Err(error) => {
            let form = form.with_mistakes(&posted, &error);
            again(&desk, "provider", &error, form).await
        }
    }
}

#[post("/first-steps/test", data = "<posted>")]
async fn test(desk: Desk<'_>, posted: Posted) -> Answer {
    let form = form_of(&desk, "test").await;
    let parameters = json!({ "to": posted.text("to") });
    match desk.submit::<Value>("mail.test", parameters, form, &posted).await {
        Ok(_) => desk.begun(
            DASHBOARD,
            t!("The test mail is in the outbox. What comes of it is shown here."),
        ),
        Err(refused) => again(&desk, "test", &refused.error, refused.form).await,
    }
}

#[post("/first-steps/reset", data = "<posted>")]
async fn reset(desk: Desk<'_>, posted: Posted) -> Answer {
    desk.needs("users.sendPasswordResetLink").await?;
    let facts = Facts::gather(&desk).await;
    let mut form = reset_form(&facts).filled(&posted);
    if form.mark_mistakes(&posted) {
        let error = Error::new(Code::ParameterInvalid, t!("The form has mistakes."));
        return again(&desk, "reset", &error, form).await;
    }
    match send(&desk, &facts, &posted).await {
        Ok(email) => desk.begun(
            DASHBOARD,
            t!("A reset link is on its way to {email}.", email = email),
        ),
        Err(error) => again(&desk, "reset", &error, form.refused(&error)).await,
    }
}

/// To a user who is there, or is made on the way: then only the user ever knows the password.
async fn send(desk: &Desk<'_>, facts: &Facts, posted: &Posted) -> Result<String, Error> {
    let mut user = posted.text("user").to_owned();
    if user.is_empty() {
        let parameters = json!({
            "username": posted.text("username"), "password": random::id("pw") + &random::id("pw"),
            "scope": posted.text("scope"), "meta": { "email": posted.text("email") },
        });
        user = desk.call("users.register", parameters).await?;
    }
    let user: User = desk.call("users.get", json!({ "user_id": user })).await?;
    let scope = facts.scopes.iter().find(|scope| scope.name == user.scope);
    let subject = scope.map_or("", |scope| scope.subject.as_str());
    let options = json!({
        "from_email": scope.map_or("", |scope| scope.from_email.as_str()),
        "subject": if subject.is_empty() { SUBJECT } else { subject },
    });
    let email = user.email.unwrap_or_default();
    let parameters = json!({ "to_email": email, "scope": user.scope, "options": options });
    desk.call::<Value>("users.sendPasswordResetLink", parameters)
        .await?;
    Ok(email)
}

#[post("/first-steps/cleanup", data = "<posted>")]
async fn cleanup(desk: Desk<'_>, posted: Posted) -> Answer {
    desk.needs("jobs.create").await?;
    let Some(parameters) = offer(&desk, posted.text("name")) else {
        let error = Error::new(Code::NotFound, t!("This job is not recommended any more."));
        return desk.back(DASHBOARD, error);
    };
    match desk.call::<Value>("jobs.create", parameters).await {
        Ok(_) => desk.go(DASHBOARD, t!("{name} was added.", name = posted.text("name"))),
        Err(error) => desk.back(DASHBOARD, error),
    }
}

#[post("/first-steps/hide")]
async fn hide(desk: Desk<'_>) -> Answer {
    away::hide(&desk).await?;
    desk.go(DASHBOARD, t!("The checklist is hidden. Help brings it back."))
}

#[post("/first-steps/bring-back")]
async fn bring_back(desk: Desk<'_>) -> Answer {
    away::bring_back(&desk).await?;
    desk.go(DASHBOARD, t!("The checklist is back on the dashboard."))
}

async fn form_of(desk: &Desk<'_>, name: &str) -> Form {
    let steps = Checklist::gather(desk).await.steps;
    let form = steps.into_iter().find(|step| step.name == name);
    form.and_then(|step| step.form)
        .unwrap_or_else(|| Form::new(DASHBOARD, ""))
}

/// The list as a page, with the form that was refused open.
async fn again(desk: &Desk<'_>, name: &str, error: &Error, form: Form) -> Answer {
    let checklist = Checklist::gather(desk).await.with(name, form);
    desk.refused(error, &view(checklist, false))
}

fn view(checklist: Checklist, hidden: bool) -> FirstStepsView {
    FirstStepsView { checklist, hidden }
}
