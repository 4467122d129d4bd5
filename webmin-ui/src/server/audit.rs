//! The audit log: every write, and every call that was not allowed.

use rocket::{Route, get, routes};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::kit::helpers::path_segment;
use crate::kit::language::say;
use crate::kit::parts::Badge;
use crate::kit::query::Query;
use crate::kit::table::{Asked, Cell, Column, Drawn, Empty, Filter, Format, Table};
use crate::kit::{Answer, Area, Desk, View, count, t};

pub(super) fn routes() -> Vec<Route> {
    routes![list, export_csv, export_json]
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) caller_kind: String,
    pub(crate) caller_name: String,
    pub(crate) address: String,
    pub(crate) function: String,
    pub(crate) parameters: String,
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) duration_us: i64,
    /// What it is about.
    #[serde(default)]
    pub(crate) objects: Vec<Object>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Object {
    pub(crate) kind: String,
    /// What it is found by; empty when that is not known.
    pub(crate) thing: String,
    pub(crate) name: String,
}

#[derive(Deserialize)]
pub(crate) struct Listed {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Serialize)]
pub(crate) struct AuditView {
    pub(crate) table: Drawn,
}

impl View for AuditView {
    const TEMPLATE: &'static str = "audit/list";

    fn area(&self) -> Area {
        Area::Audit
    }

    fn title(&self) -> String {
        t!("Audit log")
    }
}

#[get("/audit")]
async fn list(desk: Desk<'_>, asked: Asked) -> Answer {
    let table = table().read(&desk, &asked).await?;
    desk.page(&AuditView { table })
}

#[get("/audit/export.csv")]
async fn export_csv(desk: Desk<'_>, asked: Asked) -> Answer {
    table().export(&desk, &asked, Format::Csv).await
}

#[get("/audit/export.json")]
async fn export_json(desk: Desk<'_>, asked: Asked) -> Answer {
    table().export(&desk, &asked, Format::Json).await
}

fn table() -> Table<Entry> {
    let kinds = [
        ("", t!("anyone")),
        ("operator", t!("operators")),
        ("app", t!("apps")),
        ("job", t!("jobs")),
        ("page", t!("pages")),
        ("plugin", t!("plugins")),
        ("system", t!("Coronet itself")),
    ];
    Table::<Entry>::new(Area::Audit, "/audit", "audit.list", "-at")
        .flat()
        .names(|entry| (entry.id.clone(), entry.function.clone()))
        .count(|n| count!(n, "{n} entry", "{n} entries"))
        .search(t!("Function, object or caller contains"), |sent, text| {
            sent["search"] = json!(text)
        })
        .filters([
            Filter::choice("kind", t!("By"), kinds, |sent, kind| sent["kind"] = json!(kind)),
            Filter::choice(
                "failed",
                t!("Outcome"),
                [("", t!("all")), ("true", t!("failed only"))],
                |sent, failed| sent["failed"] = json!(failed == "true"),
            ),
            Filter::time(t!("When"), |sent, bound, at| sent[bound] = json!(at)),
            Filter::text("function", t!("Function contains"), "users.", |sent, text| {
                sent["function"] = json!(text);
            }),
            Filter::text("object", t!("Object contains"), "Fun Run", |sent, text| {
                sent["object"] = json!(text);
            }),
            Filter::text("caller", t!("Caller contains"), "", |sent, text| {
                sent["caller"] = json!(text)
            }),
        ])
        .columns(columns())
        .empty(Empty {
            icon: "list",
            title: t!("Nothing yet"),
            text: t!("The first change will be here."),
            act: None,
        })
}

fn columns() -> Vec<Column<Entry>> {
    let column = Column::<Entry>::new;
    vec![
        column("function", t!("What"), |entry| {
            Cell::link(format!("/audit/{}", path_segment(&entry.id)), &entry.function)
                .mono()
                .more(t!("Parameters"), &entry.parameters)
        })
        .sort("function")
        .fixed(),
        column("object", t!("Object"), |entry| object_cell(&entry.objects)),
        column("caller", t!("Who"), |entry| {
            let kind = say(&entry.caller_kind, &[]);
            let sub = match entry.address.as_str() {
                "" => kind,
                address => format!("{kind} · {address}"),
            };
            Cell::text(&entry.caller_name).sub(sub)
        })
        .sort("caller"),
        column("at", t!("When"), |entry| Cell::time(Some(entry.at))).sort("-at"),
        column("outcome", t!("Outcome"), |entry| match entry.code {
            0 => Cell::badge(Badge::new("good", t!("done")), "done"),
            code => Cell::badge(Badge::new("bad", code.to_string()), "failed").sub(&entry.message),
        }),
        column("duration", t!("Took"), |entry| {
            let whole = entry.duration_us / 1000;
            let tenth = entry.duration_us % 1000 / 100;
            Cell::text(format!("{whole}.{tenth} ms"))
                .export(format!("{whole}.{:03}", entry.duration_us % 1000))
        })
        .sort("-duration")
        .right()
        .extra(),
        column("caller_kind", t!("Kind of caller"), |entry| {
            Cell::text(say(&entry.caller_kind, &[])).export(&entry.caller_kind)
        })
        .extra(),
        column("address", t!("Address"), |entry| {
            Cell::text(&entry.address).mono()
        })
        .extra(),
        column("code", t!("Code"), |entry| Cell::text(entry.code.to_string()))
            .right()
            .extra(),
        column("message", t!("Message"), |entry| Cell::text(&entry.message)).extra(),
        column("parameters", t!("Parameters"), |entry| {
            Cell::text(&entry.parameters).mono()
        })
        .extra(),
        column("id", t!("Id"), |entry| Cell::text(&entry.id).mono()).extra(),
    ]
}

/// The first thing with its kind, and how many more there are. The export names them all.
fn object_cell(objects: &[Object]) -> Cell {
    let Some(first) = objects.first() else {
        return Cell::text("");
    };
    let all: Vec<String> = objects
        .iter()
        .map(|object| format!("{} {}", object.kind, object.name))
        .collect();
    let kind = kind_in_words(&first.kind);
    let more = objects.len() - 1;
    let sub = match i64::try_from(more) {
        Ok(more @ 1..) => format!("{kind}, {}", count!(more, "{n} more", "{n} more")),
        _ => kind,
    };
    let cell = match link(&first.kind, &first.thing) {
        Some(path) => Cell::link(path, &first.name),
        None => Cell::text(&first.name),
    };
    cell.sub(sub).export(all.join("; "))
}

/// What a kind of thing is called.
pub(crate) fn kind_in_words(kind: &str) -> String {
    match kind {
        "scope" => t!("Scope"),
        "user" => t!("User"),
        "job" => t!("Job"),
        "resource" => t!("File"),
        "plugin" => t!("Plugin"),
        "operator" => t!("Operator"),
        "settings" => t!("Settings"),
        "mail transport" => t!("Mail transport"),
        "mail" => t!("Mail"),
        "session" => t!("Session"),
        "token" => t!("API token"),
        "backup" => t!("Backup"),
        "alarm" => t!("Alarm"),
        "audit entry" => t!("Entry"),
        other => other.to_owned(),
    }
}

/// Where a thing of this kind is looked at.
pub(crate) fn link(kind: &str, thing: &str) -> Option<String> {
    let segment = path_segment(thing);
    if thing.is_empty() {
        return None;
    }
    Some(match kind {
        "scope" => format!("/scope/{segment}"),
        "user" => format!("/user/{segment}"),
        "job" => format!("/job/{segment}"),
        "resource" => Query::new("/templates/edit").with("path", thing).below_base(),
        "plugin" => format!("/plugin/{segment}"),
        "operator" => format!("/operator/{segment}"),
        "settings" => format!("/settings/{segment}"),
        "mail" => format!("/mail/message/{segment}"),
        "audit entry" => format!("/audit/{segment}"),
        "mail transport" => "/mail/transport".to_owned(),
        "session" => "/operators".to_owned(),
        "token" => "/tokens".to_owned(),
        "backup" => "/settings/backups".to_owned(),
        _ => return None,
    })
}

async fn read(desk: &Desk<'_>, parameters: Value) -> Result<Vec<Entry>, coronet_core::Error> {
    let listed: Listed = desk.call("audit.list", parameters).await?;
    Ok(listed.entries)
}

/// Whether a function was ever called with success, as far back as the log goes.
pub(crate) async fn was_done(desk: &Desk<'_>, function: &str) -> bool {
    let parameters = json!({ "function": function, "failed": false, "limit": 1 });
    read(desk, parameters)
        .await
        .is_ok_and(|entries| !entries.is_empty())
}
