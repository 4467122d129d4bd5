//! A test mail: shows that the transport works, end to end.

use rocket::{Route, get, post, routes};
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::parts::FormPage;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![show, send]
}

#[get("/mail/test")]
async fn show(desk: Desk<'_>) -> Answer {
    desk.needs("mail.test").await?;
    desk.page(&page(form()))
}

#[post("/mail/test", data = "<posted>")]
async fn send(desk: Desk<'_>, posted: Posted) -> Answer {
    let parameters = json!({ "to": posted.text("to") });
    match desk
        .submit::<Value>("mail.test", parameters, form(), &posted)
        .await
    {
        Ok(answer) => {
            let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
            desk.begun(
                format!("/mail/message/{}", path_segment(id)),
                t!("The test mail is in the outbox. Its way is shown here."),
            )
        }
        Err(refused) => desk.refused(&refused.error, &page(refused.form)),
    }
}

pub(crate) fn form() -> Form {
    Form::new("/mail/test", t!("Send test mail"))
        .unguarded()
        .cancel("/mail")
        // As text: browsers reject `Ana <ana@example.com>` in a field of the type email.
        .fields([Field::text("to", &t!("To"))
            .rule(Rule::Sender)
            .required()
            .placeholder("you@example.com")
            .wide()])
}

fn page(form: Form) -> FormPage {
    FormPage {
        area: Area::Mail,
        title: t!("Send a test mail"),
        lead: t!(
            "It takes the same way as every mail: outbox, transport, provider. With the capture transport it stays here to be read."
        ),
        back: "/mail",
        back_label: text!("Mail"),
        form,
    }
}
