//! Users: found by scope, name and address, made, changed, deleted.

use coronet_core::{Error, random};
use rocket::{Route, get, post, routes};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::records::{Scope, User};
use super::users_table::table;
use crate::kit::helpers::path_segment;
use crate::kit::parts::{Confirm, FormPage};
use crate::kit::query::Query;
use crate::kit::table::{Asked, Drawn, Format};
use crate::kit::{Answer, Area, Desk, Field, Form, Posted, Reply, Rule, View, t, text};

pub(super) fn routes() -> Vec<Route> {
    routes![
        list,
        export_csv,
        export_json,
        bulk,
        bulk_is_a_button,
        new,
        create,
        show,
        update,
        ask_delete,
        delete
    ]
}

#[derive(Serialize)]
pub(crate) struct UsersView {
    pub(crate) table: Drawn,
    /// The scope that is looked at.
    pub(crate) scope: String,
    pub(crate) has_scopes: bool,
    pub(crate) can_edit: bool,
}

impl View for UsersView {
    const TEMPLATE: &'static str = "users/list";

    fn area(&self) -> Area {
        Area::Users
    }

    fn title(&self) -> String {
        t!("Users")
    }
}

#[derive(Serialize)]
pub(crate) struct UserView {
    pub(crate) user: User,
    pub(crate) form: Form,
    pub(crate) can_edit: bool,
}

impl View for UserView {
    const TEMPLATE: &'static str = "users/show";

    fn area(&self) -> Area {
        Area::Users
    }

    fn title(&self) -> String {
        self.user.username.clone()
    }
}

/// There is no scope yet that a user could belong to.
#[derive(Serialize)]
pub(crate) struct NeedsScopeView {
    pub(crate) can_edit: bool,
}

impl View for NeedsScopeView {
    const TEMPLATE: &'static str = "users/needs_scope";

    fn area(&self) -> Area {
        Area::Users
    }

    fn title(&self) -> String {
        t!("New user")
    }
}

#[get("/users")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let scopes: Vec<Scope> = desk.call("scopes.list", json!({})).await?;
    let table = table(&desk, &scopes).read(&desk, &asked).await?;
    desk.page(&UsersView {
        table,
        scope: asked.get("scope").to_owned(),
        has_scopes: !scopes.is_empty(),
        can_edit: desk.can_edit(),
    })
}

#[get("/users/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk, &[]).export(&desk, &asked, Format::Csv).await
}

#[get("/users/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table(&desk, &[]).export(&desk, &asked, Format::Json).await
}

#[post("/users/bulk", data = "<posted>")]
async fn bulk(desk: Desk<'_>, posted: Posted) -> Answer {
    table(&desk, &[]).bulk(&desk, &posted).await
}

#[get("/users/bulk")]
fn bulk_is_a_button() -> Reply {
    Reply::go("/users")
}

#[get("/users/new?<scope>")]
async fn new(desk: Desk<'_>, scope: Option<&str>) -> Answer {
    desk.needs("users.register").await?;
    let form = new_form(&desk, scope.unwrap_or_default()).await?;
    let has_scope = form.fields.iter().any(|field| !field.choices.is_empty());
    if has_scope {
        desk.page(&new_page(form))
    } else {
        desk.page(&NeedsScopeView {
            can_edit: desk.can_edit(),
        })
    }
}

#[post("/users/new", data = "<posted>")]
async fn create(desk: Desk<'_>, posted: Posted) -> Answer {
    // Nobody ever knows this password: the user sets one of their own through a reset link.
    let unknown = || random::id("pw") + &random::id("pw");
    let password = match posted.raw("password") {
        "" => unknown(),
        typed => typed.to_owned(),
    };
    let mut meta = json!({});
    for name in ["email", "group"] {
        if !posted.text(name).is_empty() {
            meta[name] = json!(posted.text(name));
        }
    }
    let parameters = json!({
        "username": posted.text("username"), "password": password, "scope": posted.text("scope"), "meta": meta,
    });
    let form = new_form(&desk, posted.text("scope")).await?;
    match desk
        .submit::<Value>("users.register", parameters, form, &posted)
        .await
    {
        Ok(id) => {
            let id = id.as_str().map(str::to_owned).unwrap_or_default();
            desk.go(format!("/user/{}", path_segment(&id)), t!("User created."))
        }
        Err(refused) => desk.refused(&refused.error, &new_page(refused.form)),
    }
}

#[get("/user/<id>")]
async fn show(desk: Desk<'_>, id: &str) -> Answer {
    let user = get(&desk, id).await?;
    let form = form(&user).disabled_unless(desk.can_edit());
    desk.page(&UserView {
        user,
        form,
        can_edit: desk.can_edit(),
    })
}

#[post("/user/<id>", data = "<posted>")]
async fn update(desk: Desk<'_>, id: &str, posted: Posted) -> Answer {
    let user = get(&desk, id).await?;
    let changes = json!({
        "username": posted.text("username"),
        "email": posted.optional("email"),
        "group": posted.optional("group"),
        "active": posted.flag("active"),
        "extra": extra(&user.extra, &posted.lines("extra")),
    });
    let parameters = json!({ "user_id": id, "update_params": changes });
    match desk
        .submit::<Value>("users.update", parameters, form(&user), &posted)
        .await
    {
        Ok(_) => desk.go(format!("/user/{}", path_segment(id)), t!("User saved.")),
        Err(refused) => desk.refused(
            &refused.error,
            &UserView {
                user,
                form: refused.form,
                can_edit: true,
            },
        ),
    }
}

#[get("/user/<id>/delete")]
async fn ask_delete(desk: Desk<'_>, id: &str) -> Answer {
    desk.needs("users.delete").await?;
    let user = get(&desk, id).await?;
    desk.page(&delete_page(&user))
}

#[post("/user/<id>/delete")]
async fn delete(desk: Desk<'_>, id: &str) -> Answer {
    let user = get(&desk, id).await?;
    match desk.call::<Value>("users.delete", json!({ "user_id": id })).await {
        Ok(_) => desk.go(
            Query::new("/users").with("scope", &user.scope).below_base(),
            t!("{name} was deleted.", name = user.username),
        ),
        Err(error) => {
            let mut page = delete_page(&user);
            page.form = page.form.refused(&error);
            desk.refused(&error, &page)
        }
    }
}

pub(super) async fn get(desk: &Desk<'_>, id: &str) -> Result<User, Error> {
    desk.call("users.get", json!({ "user_id": id })).await
}

fn delete_page(user: &User) -> Confirm {
    let path = format!("/user/{}", path_segment(&user.user_id));
    Confirm::new(
        Area::Users,
        t!("Delete {name}?", name = user.username),
        format!("{path}/delete"),
        &t!("Delete user"),
        path.clone(),
    )
    .loss()
    .line(t!(
        "The user leaves {scope} for good, and their reset links stop working. This cannot be undone.",
        scope = user.scope
    ))
}

/// What was typed as extra, with a null for each name that was taken out: only that removes it. What is no object goes
/// on as it was typed, for the function to refuse.
fn extra(present: &Map<String, Value>, typed: &str) -> Value {
    let typed = match typed.trim() {
        "" => Ok(Value::Object(Map::new())),
        typed => serde_json::from_str(typed),
    };
    match typed {
        Ok(Value::Object(mut extra)) => {
            for name in present.keys() {
                extra.entry(name.clone()).or_insert(Value::Null);
            }
            Value::Object(extra)
        }
        Ok(other) => other,
        Err(_) => Value::from("no JSON"),
    }
}

async fn new_form(desk: &Desk<'_>, scope: &str) -> Result<Form, Error> {
    let scopes: Vec<Scope> = desk.call("scopes.list", json!({})).await?;
    let choices = scopes
        .iter()
        .map(|scope| (scope.name.as_str(), scope.name.as_str()));
    let chosen = if scope.is_empty() {
        scopes.first().map_or("", |scope| &scope.name)
    } else {
        scope
    };
    let scope_field = Field::select("scope", &t!("Scope"), choices).value(chosen);
    Ok(Form::new("/users/new", t!("Create user"))
        .cancel("/users")
        .fields([
            Field {
                required: true,
                ..scope_field
            },
            Field::text("username", &t!("Username")).required().autofocus(),
            Field::email("email", &t!("E-mail")).hint(&t!("Where reset links go. Taken once in a scope.")),
            Field::text("group", &t!("Group")).help("users-and-scopes#users"),
            Field::password("password", &t!("Password"))
                .help("users-and-scopes#passwords")
                .autocomplete("new-password")
                .hint(&t!(
                    "Best left empty: send a reset link afterwards, and only the user will know it."
                ))
                .wide(),
        ]))
}

fn new_page(form: Form) -> FormPage {
    FormPage {
        area: Area::Users,
        title: t!("New user"),
        lead: String::new(),
        back: "/users",
        back_label: text!("Users"),
        form,
    }
}

fn form(user: &User) -> Form {
    let typed = if user.extra.is_empty() {
        String::new()
    } else {
        format!("{:#}", Value::Object(user.extra.clone()))
    };
    Form::new(format!("/user/{}", path_segment(&user.user_id)), t!("Save"))
        .fields([
            Field::text("username", &t!("Username"))
                .required()
                .value(&user.username),
            Field::email("email", &t!("E-mail")).value(user.email.as_deref().unwrap_or_default()),
            Field::text("group", &t!("Group")).value(user.group.as_deref().unwrap_or_default()),
            Field::switch("active", &t!("Active"), user.active)
                .hint(&t!("Off: no login, and open reset links stop working.")),
        ])
        .more(
            &t!("What the app keeps about this user"),
            [Field::code("extra", &t!("Extra"))
                .help("users-and-scopes#users")
                .value(typed)
                .rule(Rule::Json)
                .placeholder("{ \"level\": 3 }")
                .hint(&t!("Texts, numbers and booleans by name, as JSON."))],
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_taken_out_of_extra_is_removed() {
        let present = json!({ "level": 3, "vip": true });
        let changed = extra(present.as_object().unwrap(), r#"{"level": 4}"#);
        assert_eq!(changed, json!({ "level": 4, "vip": null }));
        assert_eq!(extra(&Map::new(), "[1]"), json!([1]), "the function refuses it");
    }
}
