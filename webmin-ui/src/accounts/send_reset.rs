//! Sends a user a reset link. The operator starts the flow, and never sees or sets the password (C22).

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use super::records::{Scope, User};
use super::{scopes, users};
use crate::kit::helpers::path_segment;
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted};

pub(super) fn routes() -> Vec<Route> {
    routes![ask, send]
}

#[get("/user/<id>/reset")]
async fn ask(desk: Desk<'_>, id: &str) -> Answer {
    let user = users::get(&desk, id).await?;
    let scope = scopes::get(&desk, &user.scope).await?;
    desk.page(&page(&user, form(&user, &scope)))
}

#[post("/user/<id>/reset", data = "<posted>")]
async fn send(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let user = users::get(&desk, id).await?;
    match request(&desk, &user, &posted).await {
        Ok(()) => {
            let to = user.email.as_deref().unwrap_or_default();
            desk.go(
                format!("/user/{}", path_segment(id)),
                format!("A reset link is on its way to {to}."),
            )
        }
        Err(error) => {
            let scope = scopes::get(&desk, &user.scope).await?;
            let form = form(&user, &scope).filled(&posted).refused(&error);
            desk.refused(&error, &page(&user, form))
        }
    }
}

async fn request(desk: &Desk<'_>, user: &User, posted: &Posted) -> Result<(), Error> {
    let Some(email) = &user.email else {
        return Err(Error::new(
            Code::MailAddress,
            "This user has no e-mail address. Add one first.",
        ));
    };
    let mut options = json!({ "from_email": posted.text("from_email"), "subject": posted.text("subject") });
    if !posted.text("tpl_name").is_empty() {
        options["tpl_name"] = json!(posted.text("tpl_name"));
        options["tpl_keys"] = match posted.lines("tpl_keys").trim() {
            "" => json!({}),
            typed => serde_json::from_str(typed).map_err(|cause| {
                Error::new(
                    Code::ParameterInvalid,
                    format!("The keys must be a JSON object: {cause}."),
                )
                .with_details(json!({ "parameter": "tpl_keys" }))
            })?,
        };
    }
    let parameters = json!({ "to_email": email, "scope": user.scope, "options": options });
    desk.call::<Value>("users.sendPasswordResetLink", parameters)
        .await?;
    Ok(())
}

fn page(user: &User, form: Form) -> FormPage {
    let email = user.email.as_deref().unwrap_or("no address");
    FormPage {
        area: Area::Users,
        title: format!("Send {} a reset link", user.username),
        lead: format!("It goes to {email}. Only who reads that mail can set the new password."),
        back: "/users",
        back_label: "Users",
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
    Form::new(format!("{path}/reset"), "Send reset link")
        .unguarded()
        .cancel(path)
        .fields([
            Field::text("from_email", "From")
                .required()
                .value(&scope.from_email)
                .placeholder("myapp@domain.com"),
            Field::text("subject", "Subject").required().value(subject),
        ])
        .more(
            "Another template",
            [
                Field::text("tpl_name", "Template")
                    .placeholder("custom_reset.tpl")
                    .hint("Below templates/password/. Empty: the scope's own.")
                    .wide(),
                Field::code("tpl_keys", "Keys")
                    .placeholder("{ \"username\": \"Carol\", \"app_name\": \"Fun Run\" }")
                    .hint("What the template needs beside reset_link, as JSON."),
            ],
        )
}
