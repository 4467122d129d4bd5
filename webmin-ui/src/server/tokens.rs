//! API tokens: made with the functions they may call, shown once, revoked.

use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, View, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![list, new, create, ask_revoke, revoke]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TokenRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) hint: String,
    pub(crate) grants: Vec<String>,
    pub(crate) created_at: i64,
    pub(crate) created_by: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) used_at: Option<i64>,
    pub(crate) state: String,
}

#[derive(Serialize)]
pub(crate) struct TokensView {
    pub(crate) tokens: Vec<TokenRow>,
    pub(crate) can_admin: bool,
}

impl View for TokensView {
    const TEMPLATE: &'static str = "tokens/list";

    fn area(&self) -> Area {
        Area::Tokens
    }

    fn title(&self) -> String {
        t!("API tokens")
    }
}

/// The one time that a token is shown.
#[derive(Serialize)]
pub(crate) struct TokenMadeView {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) site: String,
    /// A function the token may call, for the example.
    pub(crate) example: String,
}

impl View for TokenMadeView {
    const TEMPLATE: &'static str = "tokens/made";

    fn area(&self) -> Area {
        Area::Tokens
    }

    fn title(&self) -> String {
        t!("Token created")
    }
}

#[derive(Deserialize)]
struct Created {
    token: String,
}

#[get("/tokens")]
async fn list(desk: Desk<'_>) -> Answer {
    let tokens = desk.call("tokens.list", json!({})).await?;
    desk.page(&TokensView {
        tokens,
        can_admin: desk.can_admin(),
    })
}

#[get("/tokens/new")]
async fn new(desk: Desk<'_>) -> Answer {
    desk.needs("tokens.create").await?;
    desk.page(&new_page(new_form()))
}

#[post("/tokens/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let grants: Vec<&str> = posted
        .raw("grants")
        .split([',', ' ', '\r', '\n'])
        .filter(|grant| !grant.is_empty())
        .collect();
    let mut parameters = json!({ "name": posted.text("name"), "grants": grants });
    let days = posted.number("expires_in_days");
    if !days.is_null() {
        parameters["expires_in_days"] = days;
    }
    match desk
        .submit::<Created>("tokens.create", parameters, new_form(), &posted)
        .await
    {
        Ok(created) => desk.page(&TokenMadeView {
            name: posted.text("name").to_owned(),
            token: created.token,
            site: desk.webmin.core.config.site_url(),
            example: example(&grants),
        }),
        Err(refused) => desk.refused(&refused.error, &new_page(refused.form)),
    }
}

#[get("/token/<id>/revoke")]
async fn ask_revoke(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("tokens.revoke").await?;
    let all: Vec<TokenRow> = desk.call("tokens.list", json!({})).await?;
    let token = all
        .into_iter()
        .find(|token| token.id == id)
        .ok_or_else(|| Error::new(Code::NotFound, t!("There is no token with this id.")))?;
    let action = format!("/token/{}/revoke", path_segment(id));
    let page = Confirm::new(
        Area::Tokens,
        t!("Revoke {name}?", name = token.name),
        action,
        &t!("Revoke token"),
        "/tokens",
    )
    .line(t!(
        "Apps that use it are refused from now on. It cannot be made active again."
    ));
    desk.page(&page)
}

#[post("/token/<id>/revoke")]
async fn revoke(desk: Desk<'_>, id: &str) -> Answer {
    match desk.call::<Value>("tokens.revoke", json!({ "id": id })).await {
        Ok(_) => desk.go("/tokens", t!("Token revoked.")),
        Err(error) => desk.back("/tokens", error),
    }
}

fn example(grants: &[&str]) -> String {
    match grants.first() {
        Some(&"*") | None => "users.get".to_owned(),
        Some(grant) => match grant.strip_suffix(".*") {
            Some("users") => "users.get".to_owned(),
            Some(service) => format!("{service}.list"),
            None => (*grant).to_owned(),
        },
    }
}

fn new_form() -> Form {
    Form::new("/tokens/new", t!("Create token"))
        .cancel("/tokens")
        .fields([
            Field::text("name", &t!("Name"))
                .required()
                .autofocus()
                .placeholder("Fun Run backend")
                .hint(&t!("Who will use it."))
                .wide(),
            Field::code("grants", &t!("May call"))
                .help("api#tokens")
                .required()
                .placeholder("users.*\nmail.send")
                .hint(&t!(
                    "Names of functions, one a line. A star covers all of a service: users.* or mail.*"
                )),
            Field::number("expires_in_days", &t!("Expires after, in days"))
                .value("365")
                .rule(Rule::Whole {
                    least: 1,
                    most: i64::MAX,
                })
                .hint(&t!("Empty: never.")),
        ])
}

fn new_page(form: Form) -> FormPage {
    FormPage {
        area: Area::Tokens,
        title: t!("New API token"),
        lead: t!("An app shows the token with every call over HTTP. Give it only the functions it needs."),
        back: "/tokens",
        back_label: text!("API tokens"),
        form,
    }
}
