//! How the parts of the server are, one tile each.

use coronet_core::db::Dialect;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::accounts::records::{Items, Scope, User};
use crate::jobs::records::Job;
use crate::kit::Desk;
use crate::kit::language::grouped;
use crate::mail::records::Summary as Mail;
use crate::mail::transport::needs;
use crate::server::audit;

/// One part of the server, and how it is.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Tile {
    /// `good`, `warn`, `bad` or nothing.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
    pub(crate) path: &'static str,
}

/// What the dashboard knows. `None` where the answer could not be had; the tile then says so.
pub(super) struct Facts {
    pub(super) database: (Dialect, bool),
    pub(super) plugins: Option<Vec<PluginFact>>,
    pub(super) transports: Option<Vec<TransportFact>>,
    /// What the transport in use still needs, in words.
    pub(super) transport_needs: String,
    /// One that could be used and is not.
    pub(super) ready_transport: Option<String>,
    pub(super) mail: Option<MailCounts>,
    pub(super) latest_mail: Vec<Mail>,
    pub(super) jobs: Option<Vec<Job>>,
    pub(super) scopes: Option<Vec<Scope>>,
    pub(super) first_user: Option<String>,
    /// Whether anybody was ever sent a reset link.
    pub(super) reset_sent: bool,
    pub(super) test_sent: bool,
    pub(super) resets: Option<usize>,
    /// Templates that fail when they are used.
    pub(super) failing: Vec<FailingTemplate>,
}

#[derive(Deserialize)]
pub(super) struct FailingTemplate {
    pub(super) path: String,
    pub(super) message: String,
}

#[derive(Deserialize)]
pub(super) struct PluginFact {
    pub(super) name: String,
    pub(super) state: String,
}

#[derive(Deserialize)]
pub(super) struct TransportFact {
    pub(super) name: String,
    #[serde(default)]
    pub(super) provider: String,
    #[serde(default)]
    pub(super) active: bool,
    /// What an operator has to do something about.
    #[serde(default)]
    pub(super) alarm: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MailCounts {
    pub(super) queued: i64,
    pub(super) failed: i64,
    pub(super) sent: i64,
    pub(super) captured: i64,
}

impl Facts {
    pub(super) async fn gather(desk: &Desk<'_>) -> Self {
        let database = &desk.webmin.core.db;
        let transports: Option<Vec<TransportFact>> = ask(desk, "mail.transports", json!({})).await;
        let active = transports.iter().flatten().find(|transport| transport.active);
        let transport_needs = match active {
            Some(active) => needs(desk, &active.provider).await,
            None => String::new(),
        };
        let mut ready_transport = None;
        let unused = |transport: &&TransportFact| !transport.active && transport.name != "capture";
        for transport in transports.iter().flatten().filter(unused) {
            if needs(desk, &transport.provider).await.is_empty() {
                ready_transport = Some(transport.name.clone());
            }
        }
        Self {
            database: (database.dialect(), database.ping().await.is_ok()),
            plugins: ask(desk, "plugins.list", json!({})).await,
            transports,
            transport_needs,
            ready_transport,
            mail: ask(desk, "mail.stats", json!({})).await,
            latest_mail: ask::<Items<Mail>>(desk, "mail.list", json!({ "page": { "limit": 6 } }))
                .await
                .map(|page| page.items)
                .unwrap_or_default(),
            jobs: ask(desk, "jobs.list", json!({})).await,
            scopes: ask(desk, "scopes.list", json!({})).await,
            first_user: ask::<Items<User>>(desk, "users.list", json!({ "page": { "limit": 1 } }))
                .await
                .and_then(|users| users.items.into_iter().next())
                .map(|user| user.user_id),
            test_sent: audit::was_done(desk, "mail.test").await,
            reset_sent: audit::was_done(desk, "users.sendPasswordResetLink").await,
            resets: ask::<Items<Value>>(desk, "users.listPasswordResets", json!({}))
                .await
                .map(|resets| resets.items.len()),
            failing: ask(desk, "template.failures", json!({}))
                .await
                .unwrap_or_default(),
        }
    }
}

/// One part that does not answer must not take the others with it.
async fn ask<T: DeserializeOwned>(desk: &Desk<'_>, function: &str, parameters: Value) -> Option<T> {
    desk.webmin.core.functions.get(function)?;
    desk.call(function, parameters)
        .await
        .inspect_err(|error| tracing::warn!(%error, function, "the dashboard has no answer"))
        .ok()
}

pub(super) fn tiles(facts: &Facts) -> Vec<Tile> {
    let mut tiles = vec![
        database(facts),
        mail(facts),
        transport(facts),
        jobs(facts),
        resets(facts),
        plugins(facts),
    ];
    tiles.extend(failing(facts));
    tiles
}

/// Only there when something is wrong: that a template works is seen by the mail it makes.
fn failing(facts: &Facts) -> Option<Tile> {
    let first = facts.failing.first()?;
    let value = match facts.failing.len() {
        1 => first.path.clone(),
        more => format!("{more} fail"),
    };
    Some(Tile {
        tone: "bad",
        icon: "template",
        name: "Templates",
        value,
        note: first.message.clone(),
        path: "/templates",
    })
}

fn database(facts: &Facts) -> Tile {
    let (dialect, answers) = facts.database;
    let kind = match dialect {
        Dialect::Sqlite => "SQLite",
        Dialect::Postgres => "PostgreSQL",
    };
    let tile = Tile {
        tone: "good",
        icon: "database",
        name: "Database",
        value: kind.to_owned(),
        note: "answers".to_owned(),
        path: "",
    };
    if answers {
        tile
    } else {
        Tile {
            tone: "bad",
            note: "does not answer".to_owned(),
            ..tile
        }
    }
}

fn mail(facts: &Facts) -> Tile {
    let tile = Tile {
        tone: "",
        icon: "mail",
        name: "Mail",
        value: "unknown".to_owned(),
        note: String::new(),
        path: "/mail",
    };
    let Some(mail) = &facts.mail else { return tile };
    let sent = mail.sent + mail.captured;
    if mail.failed > 0 {
        let note = format!("{} waiting, {} sent", grouped(mail.queued), grouped(sent));
        return Tile {
            tone: "bad",
            value: format!("{} failed", grouped(mail.failed)),
            note,
            ..tile
        };
    }
    let value = if mail.queued > 0 {
        format!("{} waiting", grouped(mail.queued))
    } else {
        "all sent".to_owned()
    };
    Tile {
        tone: "good",
        value,
        note: format!("{} so far", grouped(sent)),
        ..tile
    }
}

fn transport(facts: &Facts) -> Tile {
    let tile = Tile {
        tone: "",
        icon: "send",
        name: "Transport",
        value: "unknown".to_owned(),
        note: String::new(),
        path: "/mail/transport",
    };
    let active = facts
        .transports
        .as_ref()
        .and_then(|all| all.iter().find(|transport| transport.active));
    if let Some((name, alarm)) = active.and_then(|active| Some((&active.name, active.alarm.as_ref()?))) {
        return Tile {
            tone: "bad",
            value: name.clone(),
            note: alarm.clone(),
            ..tile
        };
    }
    if let Some(active) = active.filter(|_| !facts.transport_needs.is_empty()) {
        return Tile {
            tone: "bad",
            value: active.name.clone(),
            note: format!("not set up, so mail waits: {} not entered", facts.transport_needs),
            ..tile
        };
    }
    match active.map(|transport| transport.name.as_str()) {
        Some("capture") => {
            let note = "mail is kept here and not sent".to_owned();
            Tile {
                tone: "warn",
                value: "capture".to_owned(),
                note,
                ..tile
            }
        }
        Some(name) => Tile {
            tone: "good",
            value: name.to_owned(),
            note: "carries mail".to_owned(),
            ..tile
        },
        None => tile,
    }
}

fn jobs(facts: &Facts) -> Tile {
    let tile = Tile {
        tone: "",
        icon: "calendar-event",
        name: "Jobs",
        value: "unknown".to_owned(),
        note: String::new(),
        path: "/jobs",
    };
    let Some(jobs) = &facts.jobs else { return tile };
    let active = jobs.iter().filter(|job| job.active).count();
    let broken = jobs.iter().filter(|job| job.error.is_some()).count();
    let note = format!("{active} active of {}", jobs.len());
    match (broken, jobs.len()) {
        (0, 0) => Tile {
            value: "none yet".to_owned(),
            ..tile
        },
        (0, _) => Tile {
            tone: "good",
            value: "no errors".to_owned(),
            note,
            ..tile
        },
        (broken, _) => Tile {
            tone: "bad",
            value: format!("{broken} with an error"),
            note,
            ..tile
        },
    }
}

fn resets(facts: &Facts) -> Tile {
    let tile = Tile {
        tone: "",
        icon: "key",
        name: "Password resets",
        value: "unknown".to_owned(),
        note: String::new(),
        path: "/resets",
    };
    let silent = facts
        .scopes
        .iter()
        .flatten()
        .find(|scope| scope.from_email.is_empty());
    if let (Some(scope), Some(_)) = (silent, facts.resets) {
        return Tile {
            tone: "warn",
            value: "no From address".to_owned(),
            note: format!("users of {} cannot ask for a reset themselves", scope.name),
            path: "/scopes",
            ..tile
        };
    }
    match facts.resets {
        Some(pending) => Tile {
            tone: "good",
            value: format!("{pending} pending"),
            note: "links not used yet".to_owned(),
            ..tile
        },
        None => tile,
    }
}

fn plugins(facts: &Facts) -> Tile {
    let tile = Tile {
        tone: "",
        icon: "plug",
        name: "Plugins",
        value: "unknown".to_owned(),
        note: String::new(),
        path: "/plugins",
    };
    let Some(plugins) = &facts.plugins else {
        return tile;
    };
    let broken: Vec<&str> = plugins
        .iter()
        .filter(|plugin| matches!(plugin.state.as_str(), "failed" | "refused" | "restarting"))
        .map(|plugin| plugin.name.as_str())
        .collect();
    let running = plugins.iter().filter(|plugin| plugin.state == "running").count();
    let note = format!("{running} running of {}", plugins.len());
    if broken.is_empty() {
        return Tile {
            tone: "good",
            value: "all right".to_owned(),
            note,
            ..tile
        };
    }
    Tile {
        tone: "bad",
        value: format!("{} in trouble", broken.join(", ")),
        note,
        ..tile
    }
}
