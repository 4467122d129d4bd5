//! The list of users: its columns, its filters, and what can be done to many at once.

use coronet_core::Error;
use serde_json::{Value, json};

use super::records::{Scope, User};
use super::users::get;
use crate::kit::helpers::path_segment;
use crate::kit::parts::Badge;
use crate::kit::table::{Act, Ask, Cell, Column, Done, Empty, Filter, Link, RowAct, Table};
use crate::kit::{Area, Desk, count, t};

pub(super) fn table(desk: &Desk<'_>, scopes: &[Scope]) -> Table<User> {
    Table::<User>::new(Area::Users, "/users", "users.list", "-created")
        .names(|user| (user.user_id.clone(), user.username.clone()))
        .count(|n| count!(n, "{n} user", "{n} users"))
        .search(t!("Name or address contains"), |sent, text| {
            sent["search"] = json!(text)
        })
        .filters(filters(scopes))
        .columns(columns())
        .row_acts(row_acts)
        .acts(acts())
        .empty(empty(!scopes.is_empty(), desk.can_edit()))
}

fn filters(scopes: &[Scope]) -> [Filter; 4] {
    let names = scopes
        .iter()
        .map(|scope| (scope.name.clone(), scope.name.clone()));
    let all = (String::new(), t!("all scopes"));
    [
        Filter::choice(
            "scope",
            t!("Scope"),
            [all].into_iter().chain(names),
            |sent, scope| {
                sent["scope"] = json!(scope);
            },
        ),
        Filter::choice(
            "active",
            t!("State"),
            [("", t!("all")), ("yes", t!("active")), ("no", t!("inactive"))],
            |sent, active| sent["active"] = json!(active == "yes"),
        ),
        Filter::time(t!("Created"), |sent, bound, at| sent[bound] = json!(at)),
        Filter::text("group", t!("Group"), "", |sent, group| {
            sent["group"] = json!(group)
        }),
    ]
}

fn columns() -> Vec<Column<User>> {
    let column = Column::<User>::new;
    vec![
        column("username", t!("User"), |user| {
            let address = user.email.clone().unwrap_or_else(|| t!("no address"));
            Cell::link(format!("/user/{}", path_segment(&user.user_id)), &user.username).sub(address)
        })
        .sort("username")
        .fixed(),
        column("email", t!("E-mail"), |user| Cell::maybe(user.email.as_deref())).extra(),
        column("scope", t!("Scope"), |user| Cell::text(&user.scope)),
        column("group", t!("Group"), |user| Cell::maybe(user.group.as_deref())),
        column("state", t!("State"), |user| {
            if user.active {
                Cell::badge(Badge::new("good", t!("active")), "active")
            } else {
                Cell::badge(Badge::new("", t!("inactive")), "inactive")
            }
        }),
        column("last_login", t!("Last login"), |user| {
            Cell::ago(user.last_login_at, t!("never"))
        })
        .sort("-last_login"),
        column("created", t!("Created"), |user| Cell::ago(user.created_at, "")).sort("-created"),
        column("changed", t!("Changed"), |user| Cell::ago(user.updated_at, "")).extra(),
        column("id", t!("Id"), |user| Cell::text(&user.user_id).mono()).extra(),
    ]
}

fn row_acts(user: &User) -> Vec<RowAct> {
    let reset = RowAct {
        kind: "link",
        path: format!("/user/{}/reset", path_segment(&user.user_id)),
        icon: "key",
        label: t!("Send reset link"),
        about: t!("Send reset link: {name}", name = user.username),
        danger: false,
    };
    user.email.iter().map(|_| reset.clone()).collect()
}

fn acts() -> [Act; 3] {
    [
        Act::new(
            "activate",
            "user-check",
            t!("Activate"),
            "users.update",
            |desk, id| Box::pin(set_active(desk, id, true)),
            |n| count!(n, "{n} user is active now.", "{n} users are active now."),
        )
        .undo("deactivate"),
        Act::new(
            "deactivate",
            "user-off",
            t!("Deactivate"),
            "users.update",
            |desk, id| Box::pin(set_active(desk, id, false)),
            |n| {
                count!(
                    n,
                    "{n} user is inactive now: no login, and open reset links stopped working.",
                    "{n} users are inactive now: no login, and open reset links stopped working."
                )
            },
        )
        .undo("activate"),
        Act::new(
            "delete",
            "trash",
            t!("Delete"),
            "users.delete",
            |desk, id| Box::pin(delete(desk, id)),
            |n| count!(n, "{n} user was deleted.", "{n} users were deleted."),
        )
        .ask(Ask {
            title: |n| count!(n, "Delete {n} user?", "Delete {n} users?"),
            line: t!("They leave for good, and their reset links stop working. This cannot be undone."),
            submit: t!("Delete for good"),
            danger: true,
        }),
    ]
}

async fn set_active(desk: &Desk<'_>, id: &str, active: bool) -> Result<Done, Error> {
    if get(desk, id).await?.active == active {
        return Ok(Done::Already);
    }
    let changes = json!({ "user_id": id, "update_params": { "active": active } });
    desk.call::<Value>("users.update", changes).await?;
    Ok(Done::Changed)
}

async fn delete(desk: &Desk<'_>, id: &str) -> Result<Done, Error> {
    let gone: i64 = desk.call("users.delete", json!({ "user_id": id })).await?;
    Ok(if gone > 0 { Done::Changed } else { Done::Already })
}

fn empty(has_scopes: bool, can_edit: bool) -> Empty {
    let act = |path: &str, icon, label| {
        can_edit.then(|| Link {
            path: path.to_owned(),
            icon,
            label,
            primary: true,
        })
    };
    if has_scopes {
        Empty {
            icon: "users",
            title: t!("No user yet"),
            text: t!("Apps register users over HTTP. To try things out, make one here."),
            act: act("/users/new", "user-plus", t!("New user")),
        }
    } else {
        Empty {
            icon: "world",
            title: t!("Users need a scope"),
            text: t!("Make a scope for your app first; users belong to one."),
            act: act("/scopes/new", "plus", t!("New scope")),
        }
    }
}
