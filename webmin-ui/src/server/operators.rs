//! Operators: who may sign in here, and what they may do.

use coronet_core::operators::PASSWORD_LEAST;
use coronet_core::{Code, Error};
use rocket::http::CookieJar;
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sessions::{SessionRow, list as sessions};
use crate::kit::desk::Refused;
use crate::kit::helpers::path_segment;
use crate::kit::language::{Language, say};
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, View, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        new,
        add,
        show,
        update,
        new_password,
        set_password,
        invite,
        ask_revoke,
        revoke,
        ask_remove,
        remove
    ]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct OperatorRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) role: String,
    pub(crate) active: bool,
    /// Who was invited has none until they choose one.
    pub(crate) has_password: bool,
    /// Until when an open invitation works.
    pub(crate) invited_until: Option<i64>,
    pub(crate) created_at: i64,
    pub(crate) last_login_at: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct OperatorsView {
    pub(crate) operators: Vec<OperatorRow>,
    pub(crate) sessions: Vec<SessionRow>,
    pub(crate) me: String,
    pub(crate) can_admin: bool,
}

impl View for OperatorsView {
    const TEMPLATE: &'static str = "operators/list";

    fn area(&self) -> Area {
        Area::Operators
    }

    fn title(&self) -> String {
        t!("Operators")
    }
}

#[derive(Serialize)]
pub(crate) struct OperatorView {
    pub(crate) operator: OperatorRow,
    pub(crate) form: Form,
    pub(crate) mine: bool,
    pub(crate) can_admin: bool,
}

impl View for OperatorView {
    const TEMPLATE: &'static str = "operators/show";

    fn area(&self) -> Area {
        Area::Operators
    }

    fn title(&self) -> String {
        self.operator.name.clone()
    }
}

#[get("/operators")]
async fn list(desk: Desk<'_>, jar: &CookieJar<'_>) -> Answer {
    let operators = desk.call("operators.list", json!({})).await?;
    let sessions = if desk.can_admin() {
        sessions(&desk, jar).await?
    } else {
        Vec::new()
    };
    let (me, can_admin) = (desk.operator.id.clone(), desk.can_admin());
    desk.page(&OperatorsView {
        operators,
        sessions,
        me,
        can_admin,
    })
}

#[get("/operators/new")]
async fn new(desk: Desk<'_>) -> Answer {
    desk.needs("operators.add").await?;
    let can_mail = desk.webmin.operators.can_mail().await?;
    desk.page(&new_page(can_mail, new_form(&desk, can_mail, true)))
}

#[post("/operators/new", data = "<posted>")]
async fn add(desk: Desk<'_>, posted: Posted) -> Answer {
    let can_mail = desk.webmin.operators.can_mail().await?;
    let invited = posted.text("how") == INVITATION;
    let mut parameters = json!({
        "name": posted.text("name"), "role": posted.text("role"), "email": posted.text("email"),
    });
    if invited {
        parameters["invite"] = true.into();
        parameters["language"] = match Language::current() {
            Language::German => "de".into(),
            _ => "en".into(),
        };
    } else {
        parameters["password"] = posted.raw("password").into();
    }
    // Who was offered an invitation learns why it cannot be sent.
    let form = new_form(&desk, can_mail || invited, invited);
    match desk
        .submit::<Value>("operators.add", parameters, form, &posted)
        .await
    {
        Ok(_) if invited => desk.go(
            "/operators",
            t!("{name} was invited by mail.", name = posted.text("name")),
        ),
        Ok(_) => desk.go(
            "/operators",
            t!("{name} can sign in now.", name = posted.text("name")),
        ),
        Err(refused) => desk.refused(&refused.error, &new_page(can_mail, refused.form)),
    }
}

#[get("/operator/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let operator = find(&desk, id).await?;
    let form = form(&operator).disabled_unless(desk.can_admin());
    let mine = operator.id == desk.operator.id;
    desk.page(&OperatorView {
        operator,
        form,
        mine,
        can_admin: desk.can_admin(),
    })
}

#[post("/operator/<id>", data = "<posted>")]
async fn update(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let operator = find(&desk, id).await?;
    let parameters = json!({
        "id": id, "role": posted.text("role"), "active": posted.flag("active"), "email": posted.text("email"),
    });
    match desk
        .submit::<Value>("operators.update", parameters, form(&operator), &posted)
        .await
    {
        Ok(_) => desk.go("/operators", t!("Operator saved.")),
        Err(Refused { error, form }) => {
            let mine = operator.id == desk.operator.id;
            desk.refused(
                &error,
                &OperatorView {
                    operator,
                    form,
                    mine,
                    can_admin: true,
                },
            )
        }
    }
}

#[get("/operator/<id>/password")]
async fn new_password(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("operators.setPassword").await?;
    let operator = find(&desk, id).await?;
    desk.page(&password_page(&operator))
}

#[post("/operator/<id>/password", data = "<posted>")]
async fn set_password(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let operator = find(&desk, id).await?;
    let parameters = json!({ "name": operator.name, "password": posted.raw("password") });
    let mut page = password_page(&operator);
    match desk
        .submit::<Value>("operators.setPassword", parameters, page.form.clone(), &posted)
        .await
    {
        Ok(_) => desk.go(
            "/operators",
            t!(
                "New password set. {name} was signed out everywhere.",
                name = operator.name
            ),
        ),
        Err(refused) => {
            page.form = refused.form;
            desk.refused(&refused.error, &page)
        }
    }
}

#[post("/operator/<id>/invite")]
async fn invite(desk: Desk<'_>, id: &str) -> Answer {
    match desk.call::<Value>("operators.invite", json!({ "id": id })).await {
        Ok(_) => desk.go(
            "/operators",
            t!("The invitation was sent again. Links in older mails do not work any more."),
        ),
        Err(error) => desk.back("/operators", error),
    }
}

#[get("/operator/<id>/revoke")]
async fn ask_revoke(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("operators.revokeInvitation").await?;
    let operator = find(&desk, id).await?;
    let action = format!("/operator/{}/revoke", path_segment(&operator.id));
    let page = Confirm::new(
        Area::Operators,
        t!("Revoke the invitation of {name}?", name = operator.name),
        action,
        &t!("Revoke invitation"),
        "/operators",
    )
    .loss()
    .line(t!(
        "The link in the mail stops working. You can send another invitation later."
    ));
    desk.page(&page)
}

#[post("/operator/<id>/revoke")]
async fn revoke(desk: Desk<'_>, id: &str) -> Answer {
    let parameters = json!({ "id": id });
    match desk.call::<Value>("operators.revokeInvitation", parameters).await {
        Ok(_) => desk.go("/operators", t!("Invitation revoked.")),
        Err(error) => desk.back("/operators", error),
    }
}

#[get("/operator/<id>/remove")]
async fn ask_remove(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("operators.remove").await?;
    let operator = find(&desk, id).await?;
    desk.page(&remove_page(&operator))
}

#[post("/operator/<id>/remove")]
async fn remove(desk: Desk<'_>, id: &str) -> Answer {
    let operator = find(&desk, id).await?;
    match desk.call::<Value>("operators.remove", json!({ "id": id })).await {
        Ok(_) => desk.go(
            "/operators",
            t!("{name} was removed and signed out.", name = operator.name),
        ),
        Err(error) => {
            let mut page = remove_page(&operator);
            page.form = page.form.refused(&error);
            desk.refused(&error, &page)
        }
    }
}

async fn find(desk: &Desk<'_>, id: &str) -> Result<OperatorRow, Error> {
    let all: Vec<OperatorRow> = desk.call("operators.list", json!({})).await?;
    all.into_iter()
        .find(|operator| operator.id == id)
        .ok_or_else(|| Error::new(Code::NotFound, t!("There is no operator with this id.")))
}

const ROLES: [(&str, &str, &str); 3] = [
    (
        "viewer",
        text!("Viewer"),
        text!("Sees everything but secrets, changes nothing."),
    ),
    (
        "editor",
        text!("Editor"),
        text!("The daily work: users, mail, jobs, templates."),
    ),
    (
        "admin",
        text!("Admin"),
        text!("Everything, also plugins, tokens and operators."),
    ),
];

const INVITATION: &str = "invitation";

fn new_form(desk: &Desk<'_>, can_mail: bool, invited: bool) -> Form {
    let url = desk.webmin.core.config.webmin_url();
    let mut email = email_field();
    let how = if can_mail {
        // The link is made from the configuration: who reads the mail must reach the webmin by it.
        email = email.hint(&t!(
            "Links go there: the invitation, and one to choose a new password. They start with {url}",
            url = url
        ));
        let invitation = (INVITATION, t!("Send an invitation"), Vec::new());
        let password = ("password", t!("Set a password"), vec![password_field()]);
        Field::tabs("how", &t!("How they get a password"), [invitation, password])
    } else {
        password_field()
    };
    if can_mail && invited {
        email = email.required();
    }
    Form::new("/operators/new", t!("Add operator"))
        .cancel("/operators")
        .fields([
            Field::text("name", &t!("Name")).required().autofocus().wide(),
            email,
            how,
            role_field().help("webmin#operators-and-roles").value("editor"),
        ])
}

pub(crate) fn email_field() -> Field {
    Field::email("email", &t!("Mail address"))
        .help("webmin#mail-addresses-of-operators")
        .autocomplete("email")
        .hint(&t!("Where a link goes when the password is forgotten."))
        .wide()
}

fn role_field() -> Field {
    let roles = ROLES.map(|(role, name, about)| (role, say(name, &[]), say(about, &[])));
    let choices = roles
        .iter()
        .map(|(role, name, about)| (*role, name.as_str(), about.as_str()));
    Field::radio("role", &t!("Role"), choices)
}

fn password_field() -> Field {
    Field::password("password", &t!("Password"))
        .required()
        .rule(Rule::Length(PASSWORD_LEAST))
        .autocomplete("new-password")
        .hint(&t!(
            "15 characters or more. Hand it over in person, and ask them to change it under their name."
        ))
        .wide()
}

fn new_page(can_mail: bool, form: Form) -> FormPage {
    let lead = match can_mail {
        true => String::new(),
        false => t!(
            "To invite operators by mail, choose a transport under Mail → Transport, and set the default sender under Settings → Mail."
        ),
    };
    FormPage {
        area: Area::Operators,
        title: t!("Add operator"),
        lead,
        back: "/operators",
        back_label: text!("Operators"),
        form,
    }
}

fn form(operator: &OperatorRow) -> Form {
    Form::new(format!("/operator/{}", path_segment(&operator.id)), t!("Save"))
        .cancel("/operators")
        .fields([
            email_field().value(operator.email.as_deref().unwrap_or_default()),
            role_field().value(&operator.role),
            Field::switch("active", &t!("May sign in"), operator.active)
                .hint(&t!("Off ends their sessions at once.")),
        ])
}

fn password_page(operator: &OperatorRow) -> FormPage {
    let action = format!("/operator/{}/password", path_segment(&operator.id));
    FormPage {
        area: Area::Operators,
        title: t!("New password for {name}", name = operator.name),
        lead: t!("They are signed out everywhere."),
        back: "/operators",
        back_label: text!("Operators"),
        form: Form::new(action, t!("Set password"))
            .cancel("/operators")
            .fields([password_field()]),
    }
}

fn remove_page(operator: &OperatorRow) -> Confirm {
    let action = format!("/operator/{}/remove", path_segment(&operator.id));
    Confirm::new(
        Area::Operators,
        t!("Remove {name}?", name = operator.name),
        action,
        &t!("Remove operator"),
        "/operators",
    )
    .loss()
    .line(t!(
        "They are signed out at once and cannot sign in again. What they did stays in the audit log."
    ))
}
