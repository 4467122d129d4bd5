//! Scopes: the apps whose users live here.

use coronet_core::Error;
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::records::Scope;
use super::templates;
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, View, t, text};

pub(super) fn routes() -> Vec<Route> {
    let mut routes = routes![list, new, create, show, update, ask_delete, delete];
    routes.extend(templates::routes());
    routes
}

#[derive(Serialize)]
pub(crate) struct ScopesView {
    pub(crate) scopes: Vec<Scope>,
    pub(crate) can_edit: bool,
}

impl View for ScopesView {
    const TEMPLATE: &'static str = "scopes/list";

    fn area(&self) -> Area {
        Area::Scopes
    }

    fn title(&self) -> String {
        t!("Scopes")
    }
}

#[derive(Serialize)]
pub(crate) struct ScopeView {
    pub(crate) scope: Scope,
    pub(crate) form: Form,
    pub(crate) can_edit: bool,
}

impl View for ScopeView {
    const TEMPLATE: &'static str = "scopes/show";

    fn area(&self) -> Area {
        Area::Scopes
    }

    fn title(&self) -> String {
        self.scope.name.clone()
    }
}

#[get("/scopes")]
async fn list(desk: Desk<'_>) -> Answer {
    let scopes = desk.call("scopes.list", json!({})).await?;
    desk.page(&ScopesView {
        scopes,
        can_edit: desk.can_edit(),
    })
}

#[get("/scopes/new?<then>")]
async fn new(desk: Desk<'_>, then: Option<&str>) -> Answer {
    desk.needs("scopes.create").await?;
    let templates = templates::reset_mails(&desk).await?;
    desk.page(&new_page(new_form(then.unwrap_or_default(), &templates)))
}

#[post("/scopes/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let parameters = json!({ "name": posted.text("name"), "settings": settings(&posted) });
    let templates = templates::reset_mails(&desk).await?;
    match desk
        .submit::<Value>(
            "scopes.create",
            parameters,
            new_form(posted.text("then"), &templates),
            &posted,
        )
        .await
    {
        // Whoever came from a new user goes on with it.
        Ok(_) if posted.text("then") == "user" => desk.go(
            format!("/users/new?scope={}", path_segment(posted.text("name"))),
            t!("Scope created. Now add a user to it."),
        ),
        Ok(_) => desk.go(
            format!("/scope/{}", path_segment(posted.text("name"))),
            t!("Scope created."),
        ),
        Err(refused) => desk.refused(&refused.error, &new_page(refused.form)),
    }
}

#[get("/scope/<name>")]
async fn show(desk: Desk<'_>, name: &str) -> Answer {
    let scope = get(&desk, name).await?;
    let templates = templates::reset_mails(&desk).await?;
    let form = form(&scope, &templates).disabled_unless(desk.can_edit());
    desk.page(&ScopeView {
        scope,
        form,
        can_edit: desk.can_edit(),
    })
}

#[post("/scope/<name>", data = "<posted>")]
async fn update(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let parameters = json!({ "name": name, "settings": settings(&posted) });
    let scope = get(&desk, name).await?;
    let templates = templates::reset_mails(&desk).await?;
    match desk
        .submit::<Value>("scopes.update", parameters, form(&scope, &templates), &posted)
        .await
    {
        Ok(_) => desk.go(format!("/scope/{}", path_segment(name)), t!("Scope saved.")),
        Err(refused) => desk.refused(
            &refused.error,
            &ScopeView {
                scope,
                form: refused.form,
                can_edit: true,
            },
        ),
    }
}

#[get("/scope/<name>/delete")]
async fn ask_delete(desk: Desk<'_>, name: &str) -> Answer {
    desk.needs("scopes.delete").await?;
    desk.page(&delete_page(name))
}

#[post("/scope/<name>/delete", data = "<posted>")]
async fn delete(desk: Desk<'_>, name: &str, posted: Posted) -> Answer {
    let mut page = delete_page(name);
    if posted.text("confirm") != name {
        let error = Error::new(
            coronet_core::Code::ParameterInvalid,
            t!("That is not the name of the scope."),
        )
        .with_details(json!({ "parameter": "confirm" }));
        page.form = page.form.refused(&error);
        return desk.refused(&error, &page);
    }
    match desk
        .call::<Value>("scopes.delete", json!({ "name": name, "with_users": true }))
        .await
    {
        Ok(_) => desk.go("/scopes", t!("The scope {name} is gone.", name = name)),
        Err(error) => {
            page.form = page.form.refused(&error);
            desk.refused(&error, &page)
        }
    }
}

pub(super) async fn get(desk: &Desk<'_>, name: &str) -> Result<Scope, Error> {
    desk.call("scopes.get", json!({ "name": name })).await
}

fn settings(posted: &Posted) -> Value {
    let mut settings = json!({});
    for name in [
        "display_name",
        "site_url",
        "from_email",
        "subject",
        "template",
        "after_reset_url",
    ] {
        settings[name] = json!(posted.text(name));
    }
    // Minutes are what people think in; an empty field keeps the default of a day.
    let minutes = posted.number("link_lifetime");
    settings["link_lifetime_seconds"] = match minutes.as_i64() {
        Some(minutes) => json!(minutes.saturating_mul(60)),
        None if minutes.is_null() => json!(86_400),
        None => minutes,
    };
    settings
}

fn delete_page(name: &str) -> Confirm {
    let path = path_segment(name);
    Confirm::new(Area::Scopes, t!("Delete {name}?", name = name), format!("/scope/{path}/delete"), &t!("Delete scope"), format!("/scope/{path}")).loss()
        .line(t!("All users of this scope are deleted with it, and their reset links stop working. This cannot be undone."))
        .fields([Field::text("confirm", &t!("Type the scope's name to confirm")).required().placeholder(name).wide()])
}

fn new_page(form: Form) -> FormPage {
    FormPage {
        area: Area::Scopes,
        title: t!("New scope"),
        lead: t!(
            "A scope is one app: its users, its sender, its texts. Apps name it when they call Coronet."
        ),
        back: "/scopes",
        back_label: text!("Scopes"),
        form,
    }
}

fn new_form(then: &str, templates: &[String]) -> Form {
    let name = Field::text("name", &t!("Name"))
        .required()
        .autofocus()
        .placeholder("Fun Run")
        .hint(&t!(
            "What apps and jobs call the scope. It cannot be changed later."
        ))
        .wide();
    let form = Form::new("/scopes/new", t!("Create scope")).cancel("/scopes");
    fill(
        form.fields([Field::hidden("then", then), name]),
        &Scope::default(),
        templates,
    )
}

fn form(scope: &Scope, templates: &[String]) -> Form {
    fill(
        Form::new(format!("/scope/{}", path_segment(&scope.name)), t!("Save")),
        scope,
        templates,
    )
}

fn fill(form: Form, scope: &Scope, templates: &[String]) -> Form {
    let minutes = if scope.link_lifetime_seconds > 0 {
        scope.link_lifetime_seconds / 60
    } else {
        1440
    };
    form.preview(templates::PREVIEW)
        .fields([
            Field::text("display_name", &t!("Display name"))
                .value(&scope.display_name)
                .hint(&t!(
                    "What users read in mails and pages. Empty: the scope's name."
                )),
            Field::text("from_email", &t!("From address"))
                .value(&scope.from_email)
                .rule(Rule::Sender)
                .placeholder("Fun Run <noreply@example.com>")
                .hint(&t!(
                    "Who resets come from. Without it users cannot ask for a reset themselves."
                )),
            Field::text("subject", &t!("Subject"))
                .value(&scope.subject)
                .placeholder("Password Reset Request")
                .hint(&t!("Of the reset mail.")),
            templates::field("template", &scope.template, templates),
            Field::number("link_lifetime", &t!("Reset links live, in minutes"))
                .help("users-and-scopes#scopes")
                .value(minutes.to_string())
                .rule(Rule::Whole {
                    least: 10,
                    most: 1440,
                })
                .hint(&t!("10 to 1440 (a day).")),
        ])
        .more(
            &t!("Addresses"),
            [
                Field::url("site_url", &t!("Site URL"))
                    .help("users-and-scopes#scopes")
                    .value(&scope.site_url)
                    .placeholder("https://accounts.example.com")
                    .hint(&t!("Where reset links lead. Empty: this server's public URL."))
                    .wide(),
                Field::url("after_reset_url", &t!("After a reset, go to"))
                    .help("users-and-scopes#scopes")
                    .value(&scope.after_reset_url)
                    .placeholder("https://example.com/login")
                    .hint(&t!(
                        "A link to your app on the page that confirms the new password."
                    ))
                    .wide(),
            ],
        )
}
