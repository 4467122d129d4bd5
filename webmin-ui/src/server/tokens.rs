//! API tokens: made with the functions they may call, shown once, revoked.

use coronet_core::functions::{Access, Effect, Function, grants_allow};
use coronet_core::{Code, Error};
use rocket::{Route, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::parts::Confirm;
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Rule, View, t};

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
    /// A command that shows the token at work. It can be pasted as it is, and changes nothing.
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

/// A function, or all of a service, in the list to choose from.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct GrantChoice {
    pub(crate) grant: String,
    pub(crate) summary: String,
    pub(crate) writes: bool,
    pub(crate) checked: bool,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct GrantGroup {
    pub(crate) service: String,
    pub(crate) all: GrantChoice,
    pub(crate) functions: Vec<GrantChoice>,
    /// Something in it is chosen.
    pub(crate) open: bool,
}

#[derive(Serialize)]
pub(crate) struct NewTokenView {
    /// Name and expiry.
    pub(crate) form: Form,
    pub(crate) everything: GrantChoice,
    pub(crate) groups: Vec<GrantGroup>,
    /// What the list does not offer.
    pub(crate) others: Field,
    /// Why what was chosen does not do.
    pub(crate) mistake: Option<String>,
}

impl View for NewTokenView {
    const TEMPLATE: &'static str = "tokens/new";

    fn area(&self) -> Area {
        Area::Tokens
    }

    fn title(&self) -> String {
        t!("New API token")
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
    desk.page(&new_view(&desk, new_form(), &[]))
}

#[post("/tokens/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    let grants = chosen(&posted);
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
            example: sample(&desk, &grants, &created.token),
            token: created.token,
        }),
        Err(refused) => {
            let mut view = new_view(&desk, refused.form, &grants);
            posted.raw(OTHERS).clone_into(&mut view.others.value);
            if grants.is_empty() {
                view.form.problem = None;
                view.mistake = Some(t!("Choose at least one function."));
            }
            desk.refused(&refused.error, &view)
        }
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
    .loss()
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

/// Before the names of the boxes.
const CHOICE: &str = "grant:";
/// The field for what has no box.
const OTHERS: &str = "grants";

/// What was chosen and typed; a function that is covered by a star beside it needs no grant of its own.
fn chosen(posted: &Posted) -> Vec<String> {
    let typed = posted
        .raw(OTHERS)
        .split([',', ' ', '\r', '\n'])
        .filter(|grant| !grant.is_empty());
    let boxes = posted.starting_with(CHOICE).map(|(grant, _)| grant);
    let all: Vec<String> = boxes.chain(typed).map(str::to_owned).collect();
    let stars: Vec<String> = all.iter().filter(|grant| grant.ends_with('*')).cloned().collect();
    let mut grants = Vec::new();
    for grant in all {
        let others: Vec<String> = stars.iter().filter(|star| **star != grant).cloned().collect();
        let covered = grants_allow(&others, grant.trim_end_matches('*'));
        if !covered && !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    grants
}

/// A command that works with this token and reads only: a function that needs no parameters, or else the description of
/// what the token may call.
fn sample(desk: &Desk<'_>, grants: &[String], token: &str) -> String {
    let site = desk.webmin.core.config.site_url();
    let needs_nothing =
        |function: &Function| function.spec.effect == Effect::Read && function.check(&json!({})).is_ok();
    let all = desk.webmin.core.functions.list();
    let reads = all.iter().map(|(_, function)| function).find(|function| {
        let name = &function.spec.name;
        function.spec.access.contains(Access::APP) && grants_allow(grants, name) && needs_nothing(function)
    });
    match reads {
        Some(function) => format!(
            "curl -X POST {site}/api/v1/{} \\\n  -H \"Authorization: Bearer {token}\" \\\n  \
             -H \"Content-Type: application/json\" \\\n  -d '{{}}'",
            function.spec.name
        ),
        None => format!("curl {site}/api/v1/openapi.json \\\n  -H \"Authorization: Bearer {token}\""),
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
                .hint(&t!("Who will use it.")),
            Field::number("expires_in_days", &t!("Expires after, in days"))
                .value("365")
                .rule(Rule::Whole { least: 1, most: 3650 })
                .hint(&t!("Empty: never.")),
        ])
}

/// The functions that are open to API tokens, by service.
fn new_view(desk: &Desk<'_>, form: Form, grants: &[String]) -> NewTokenView {
    let choice = |grant: &str, summary: &str, writes: bool| GrantChoice {
        grant: grant.to_owned(),
        summary: summary.to_owned(),
        writes,
        checked: grants.iter().any(|chosen| chosen == grant),
    };
    let mut groups: Vec<GrantGroup> = Vec::new();
    for (_, function) in desk.webmin.core.functions.list() {
        let spec = &function.spec;
        if !spec.access.contains(Access::APP) {
            continue;
        }
        let service = spec.name.split('.').next().unwrap_or_default();
        let one = choice(&spec.name, &spec.summary, spec.effect == Effect::Write);
        match groups.last_mut().filter(|last| last.service == service) {
            Some(last) => last.functions.push(one),
            None => groups.push(GrantGroup {
                service: service.to_owned(),
                all: choice(&format!("{service}.*"), "", false),
                functions: vec![one],
                open: false,
            }),
        }
    }
    for group in &mut groups {
        group.open = group.all.checked || group.functions.iter().any(|function| function.checked);
    }
    NewTokenView {
        form,
        everything: choice("*", "", false),
        groups,
        mistake: None,
        others: Field::lines(OTHERS, &t!("Other grants"))
            .placeholder("reports.*")
            .hint(&t!(
                "Names of functions, one a line. A star covers all of a service: users.* or mail.*"
            )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_star_covers_needs_no_grant_of_its_own() {
        let posted = Posted::of(&[
            ("grant:users.*", "on"),
            ("grant:users.get", "on"),
            ("grant:mail.send", "on"),
            ("grants", "mail.send\r\nreports.*, reports.daily"),
            ("name", "shop"),
        ]);
        assert_eq!(chosen(&posted), ["mail.send", "users.*", "reports.*"]);
        assert_eq!(
            chosen(&Posted::of(&[("grant:*", "on"), ("grant:users.*", "on")])),
            ["*"]
        );
    }
}
