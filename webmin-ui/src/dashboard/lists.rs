//! What comes next and what came last: runs, mail, and what operators did.

use serde::Serialize;

use super::records::Server;
use super::state::State;
use crate::jobs::records::{Job, Run};
use crate::kit::parts::Badge;
use crate::mail::records::Summary as Mail;
use crate::server::audit::Entry;

#[derive(Serialize)]
pub(crate) struct ListsView {
    /// Jobs by when they run next.
    pub(crate) next: Vec<Job>,
    /// Runs, latest first.
    pub(crate) runs: Vec<RunLine>,
    pub(crate) mails: Vec<MailLine>,
    /// Mail that waits.
    pub(crate) waiting: i64,
    /// What operators did, latest first.
    pub(crate) acts: Vec<Entry>,
    /// Told of when there are several.
    pub(crate) servers: Vec<ServerLine>,
}

#[derive(Serialize)]
pub(crate) struct RunLine {
    pub(crate) badge: Badge,
    pub(crate) took: String,
    #[serde(flatten)]
    pub(crate) run: Run,
}

#[derive(Serialize)]
pub(crate) struct MailLine {
    pub(crate) badge: Badge,
    #[serde(flatten)]
    pub(crate) mail: Mail,
}

#[derive(Serialize)]
pub(crate) struct ServerLine {
    pub(crate) badge: Badge,
    /// How busy it is, in words.
    pub(crate) busy: String,
    #[serde(flatten)]
    pub(crate) server: Server,
}

pub(super) const TEMPLATE: &str = "dashboard/part_lists";

/// What this operator may see; the rest is left out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sees {
    pub(super) mail: bool,
    pub(super) audit: bool,
    pub(super) jobs: bool,
}

pub(super) fn of(state: &State, sees: Sees) -> ListsView {
    let run = |run: &Run| RunLine {
        badge: run.badge(),
        took: run.took(),
        run: run.clone(),
    };
    let mail = |mail: &Mail| MailLine {
        badge: mail.badge(),
        mail: mail.clone(),
    };
    let servers = state.health.as_ref().map(|health| health.servers.as_slice());
    let servers = servers.filter(|servers| servers.len() > 1).unwrap_or_default();
    ListsView {
        next: shown(&state.jobs.next, sees.jobs).to_vec(),
        runs: shown(&state.jobs.latest, sees.jobs).iter().map(run).collect(),
        mails: shown(&state.mails, sees.mail).iter().map(mail).collect(),
        waiting: state.mail.waiting,
        acts: shown(&state.acts, sees.audit).to_vec(),
        servers: servers.iter().map(server).collect(),
    }
}

fn shown<T>(list: &[T], may: bool) -> &[T] {
    if may { list } else { &[] }
}

fn server(server: &Server) -> ServerLine {
    use crate::kit::{count, t};
    let badge = match server.state.as_str() {
        "running" => Badge::new("good", t!("running")),
        "stuck" => Badge::new("bad", t!("stands still")),
        _ => Badge::new("bad", t!("gone")),
    };
    let busy = count!(server.runs, "{n} run", "{n} runs");
    ServerLine {
        badge,
        busy: t!(
            "{runs}, load {load}",
            runs = busy,
            load = format!("{:.2}", server.load)
        ),
        server: server.clone(),
    }
}
