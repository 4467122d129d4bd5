//! Sends a user a reset link. The operator starts the flow, and never sees or sets the password (C22).

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::records::{Scope, User};
use super::{scopes, users};
use crate::kit::helpers::path_segment;
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![ask, send]
}

#[get("/user/<id>/reset")]
async fn ask(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("users.sendPasswordResetLink").await?;
    let user = users::get(&desk, id).await?;
    let scope = scopes::get(&desk, &user.scope).await?;
    desk.page(&page(&user, form(&user, &scope)))
}

#[post("/user/<id>/reset", data = "<posted>")]
async fn send(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let user = users::get(&desk, id).await?;
    let scope = scopes::get(&desk, &user.scope).await?;
    let form = form(&user, &scope);
    let Some(email) = &user.email else {
        let error = Error::new(
            Code::MailAddress,
            t!("This user has no e-mail address. Add one first."),
        );
        let mut form = form.filled(&posted);
        form.problem = Some(error.message().to_owned());
        return desk.refused(&error, &page(&user, form));
    };
    let parameters = json!({ "to_email": email, "scope": user.scope, "options": options(&posted) });
    match desk
        .submit::<Value>("users.sendPasswordResetLink", parameters, form, &posted)
        .await
    {
        Ok(_) => desk.begun(
            format!("/user/{}", path_segment(id)),
            t!("A reset link is on its way to {email}.", email = email),
        ),
        Err(refused) => desk.refused(&refused.error, &page(&user, refused.form)),
    }
}

fn options(posted: &Posted) -> Value {
    let mut options = json!({ "from_email": posted.text("from_email"), "subject": posted.text("subject") });
    if !posted.text("tpl_name").is_empty() {
        options["tpl_name"] = json!(posted.text("tpl_name"));
        options["tpl_keys"] = match posted.lines("tpl_keys").trim() {
            "" => json!({}),
            // What is no JSON is marked before anything is called.
            typed => serde_json::from_str(typed).unwrap_or_default(),
        };
    }
    options
}

fn page(user: &User, form: Form) -> FormPage {
    let email = user.email.clone().unwrap_or_else(|| t!("no address"));
    FormPage {
        area: Area::Users,
        title: t!("Send {name} a reset link", name = user.username),
        lead: t!(
            "It goes to {email}. Only who reads that mail can set the new password.",
            email = email
        ),
        back: "/users",
        back_label: text!("Users"),
        form,
    }
}

fn form(user: &User, scope: &Scope) -> Form {
    let path = format!("/user/{}", path_segment(&user.user_id));
    let subject = if scope.subject.is_empty() {
        "Password Reset Request"
    } else {
        &scope.subject
    };
    Form::new(format!("{path}/reset"), t!("Send reset link"))
        .unguarded()
        .cancel(path)
        .fields([
            Field::text("from_email", &t!("From"))
                .required()
                .value(&scope.from_email)
                .rule(Rule::Sender)
                .placeholder("myapp@domain.com"),
            Field::text("subject", &t!("Subject")).required().value(subject),
        ])
        .more(
            &t!("Another template"),
            [
                Field::text("tpl_name", &t!("Template"))
                    .help("templates-and-pages#mails")
                    .placeholder("custom_reset.tpl")
                    .hint(&t!("Below templates/password/. Empty: the scope's own."))
                    .wide(),
                Field::code("tpl_keys", &t!("Keys"))
                    .help("templates-and-pages#templates")
                    .rule(Rule::Json)
                    .placeholder("{ \"username\": \"Carol\", \"app_name\": \"Fun Run\" }")
                    .hint(&t!("What the template needs beside reset_link, as JSON.")),
            ],
        )
}
