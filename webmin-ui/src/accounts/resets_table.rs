//! The list of password resets: its columns, its filters, and what can be done to many at once.

use coronet_core::Error;
use serde_json::json;

use super::records::Scope;
use super::resets::Reset;
use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::table::{Act, Ask, Cell, Column, Done, Empty, Filter, Link, RowAct, Table};
use crate::kit::{Area, Desk, count, t};

pub(super) fn table(scopes: &[Scope], available: bool) -> Table<Reset> {
    Table::<Reset>::new(Area::Resets, "/resets", "codes.histories", "-issued")
        .base(json!({ "filter": { "purpose": "password-reset" } }))
        .names(|reset| (reset.id.clone(), reset.username.clone()))
        .count(|n| count!(n, "{n} reset", "{n} resets"))
        .search(t!("Name or address contains"), |sent, text| {
            sent["filter"]["search"] = json!(text);
        })
        .filters(filters(scopes))
        .columns(columns())
        .row_acts(row_acts)
        .acts([revoking()])
        .empty(empty(available))
}

fn filters(scopes: &[Scope]) -> [Filter; 4] {
    let names = scopes
        .iter()
        .map(|scope| (scope.name.clone(), scope.name.clone()));
    let all = (String::new(), t!("all scopes"));
    let states = [
        ("", t!("all")),
        ("pending", t!("pending")),
        ("used", t!("used")),
        ("expired", t!("expired")),
        ("replaced", t!("replaced")),
        ("revoked", t!("revoked")),
        ("changed", t!("ended by a change")),
        ("deleted", t!("deleted")),
        ("failed", t!("not sent")),
    ];
    [
        Filter::choice(
            "scope",
            t!("Scope"),
            [all].into_iter().chain(names),
            |sent, scope| {
                sent["filter"]["scope"] = json!(scope);
            },
        ),
        Filter::choice("state", t!("State"), states, |sent, state| {
            sent["filter"]["state"] = json!(state);
        }),
        Filter::time(t!("Sent"), |sent, bound, at| sent["filter"][bound] = json!(at)),
        Filter::hidden("user", t!("User"), |sent, user| {
            sent["filter"]["user_id"] = json!(user)
        }),
    ]
}

fn columns() -> Vec<Column<Reset>> {
    let column = Column::<Reset>::new;
    vec![
        column("username", t!("User"), |reset| {
            Cell::link(format!("/reset/{}", path_segment(&reset.id)), &reset.username)
                .sub(reset.email.clone().unwrap_or_default())
        })
        .fixed(),
        column("email", t!("E-mail"), |reset| Cell::maybe(reset.email.as_deref())).extra(),
        column("scope", t!("Scope"), |reset| Cell::text(&reset.scope)),
        column("state", t!("State"), |reset| {
            let cell = Cell::badge(reset.badge(), &reset.state);
            match reset.state.as_str() {
                "pending" => cell.sub(t!("until")).sub_time(reset.expires_at),
                _ => cell,
            }
        }),
        column("asked_by", t!("Asked by"), |reset| {
            let kind = say(&reset.asked_by.kind, &[]);
            Cell::text(format!("{kind} {}", reset.asked_by.name).trim())
                .export(format!("{} {}", reset.asked_by.kind, reset.asked_by.name))
        }),
        column("issued", t!("Sent"), |reset| Cell::ago(reset.issued_at, "")).sort("-issued"),
        column("expires", t!("Works until"), |reset| {
            Cell::ago(reset.expires_at, "")
        })
        .sort("-expires")
        .extra(),
        column("ended", t!("Ended"), |reset| Cell::ago(reset.ended_at, "")).extra(),
        column("mail_state", t!("Mail"), |reset| {
            if reset.mail_id.is_empty() {
                return Cell::maybe(None);
            }
            Cell::text(say(&reset.mail_state, &[]))
                .to(format!("/mail/message/{}", path_segment(&reset.mail_id)))
                .export(&reset.mail_state)
        })
        .extra(),
        column("id", t!("Id"), |reset| Cell::text(&reset.id).mono()).extra(),
    ]
}

fn row_acts(reset: &Reset) -> Vec<RowAct> {
    if reset.state != "pending" {
        return Vec::new();
    }
    vec![RowAct {
        kind: "ask",
        path: format!("/reset/{}/revoke", path_segment(&reset.id)),
        icon: "ban",
        label: t!("Revoke"),
        about: t!("Revoke the reset link of {name}", name = reset.username),
        danger: true,
    }]
}

fn revoking() -> Act {
    Act::new(
        "revoke",
        "ban",
        t!("Revoke"),
        "users.revokePasswordReset",
        |desk, id| Box::pin(revoke(desk, id)),
        |n| {
            count!(
                n,
                "{n} reset link does not work any more.",
                "{n} reset links do not work any more."
            )
        },
    )
    .ask(Ask {
        title: |n| count!(n, "Revoke {n} reset link?", "Revoke {n} reset links?"),
        line: t!("The links in the mails stop working at once. The users can ask for new ones."),
        submit: t!("Revoke links"),
        danger: true,
    })
}

async fn revoke(desk: &Desk<'_>, id: &str) -> Result<Done, Error> {
    let gone: i64 = desk
        .call("users.revokePasswordReset", json!({ "id": id }))
        .await?;
    Ok(if gone > 0 { Done::Changed } else { Done::Already })
}

fn empty(available: bool) -> Empty {
    let act = |path: &str, icon, label, primary| {
        Some(Link {
            path: path.to_owned(),
            icon,
            label,
            primary,
        })
    };
    if available {
        Empty {
            icon: "key",
            title: t!("No reset yet"),
            text: t!(
                "When a user asks for a new password, it is listed here, with everything that happens to it. Send one from a user's page."
            ),
            act: act("/users", "users", t!("To the users"), false),
        }
    } else {
        Empty {
            icon: "plug",
            title: t!("The password-reset plugin is not running"),
            text: t!("It does everything about resets. See why it is not there."),
            act: act("/plugins", "plug", t!("Plugins"), true),
        }
    }
}
