//! Whether everything is all right, and if not, where: one list of checks, from which the dashboard, `server.health`,
//! `/readyz`, `coronet health` and the figures for Prometheus all draw.

mod parts;

use schemars::JsonSchema;
use serde::Serialize;

use super::alarms::{self, Muted};
use super::machine::Room;
use super::servers;
use crate::functions::Call;
use crate::text::sentences;
use crate::{Core, Result};

/// How the server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Health {
    /// Whether there is no problem, or only muted ones.
    pub ok: bool,
    pub checks: Vec<Check>,
    /// What needs an operator, the worst first.
    pub problems: Vec<Problem>,
    /// All servers that run on this database.
    pub servers: Vec<servers::Server>,
    /// The disk that the home is on.
    pub disk: Option<Room>,
    /// The memory of the machine, or what the server's container may use of it.
    pub memory: Option<Room>,
}

/// How one part of the server is.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    pub name: Part,
    pub ok: bool,
    /// What is wrong and where to look, or what is there when all is well.
    pub message: String,
}

/// A part of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    Database,
    Servers,
    Machine,
    Plugins,
    Mail,
    Jobs,
    Resets,
    Templates,
    Backups,
}

impl Part {
    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Servers => "servers",
            Self::Machine => "machine",
            Self::Plugins => "plugins",
            Self::Mail => "mail",
            Self::Jobs => "jobs",
            Self::Resets => "resets",
            Self::Templates => "templates",
            Self::Backups => "backups",
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The database does not answer.
    DatabaseSilent,
    /// No server runs on this database; only a command without a server finds that.
    NoServer,
    /// The server `subject` gave no sign of life for a while.
    ServerGone,
    /// The scheduler of the server `subject` does not look for jobs.
    SchedulerStuck,
    /// `count` Lua threads of the pool `subject` run code that was stopped and does not end.
    CodeStuck,
    DiskFull,
    MemoryShort,
    /// The plugin `subject` died too often.
    PluginFailed,
    /// The plugin `subject` cannot join as it is.
    PluginRefused,
    /// The plugin `subject` died, and is on its way up again.
    PluginRestarting,
    /// The mail transport `subject` needs an operator.
    Transport,
    /// Mail waits longer than it should.
    MailWaits,
    /// Mail was given up within the last day.
    MailFailed,
    /// The last run of the job `subject` went wrong.
    JobFailed,
    /// The job `subject` is due and does not run.
    JobLate,
    /// The job `subject` had no success for as many ticks as it may.
    JobOverdue,
    /// Users of the scope `subject` can be sent no reset link.
    NoResets,
    /// Requests for a reset link were answered and failed afterwards, within the last day.
    ResetFailed,
    /// The user `subject` has the address of another user in another spelling, and gets no mail.
    AddressConflict,
    /// The default sender is no sender, so mail without a sender of its own cannot be sent.
    Sender,
    /// The template `subject` fails when it is used.
    TemplateFails,
    /// The latest backup could not be made.
    BackupFailed,
    /// Records of the kind `subject` could not be stored, and never will be.
    RecordLost,
    /// The audit log is nearly as large as it may be: its oldest entries are deleted before their time.
    AuditFull,
    /// The proxy `subject` hands all requests on, and is not trusted: all clients are one.
    ProxyNotTrusted,
    /// The part could not be asked.
    Unknown,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something does not work.
    Bad,
    /// Something will not work soon, or mends itself if all goes well.
    Warn,
}

/// Something that needs an operator.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Problem {
    pub part: Part,
    pub kind: Kind,
    pub level: Level,
    /// What it is about: the name of a plugin, a job, a scope, a template, a transport or a server.
    pub subject: String,
    /// What is wrong, and why.
    pub message: String,
    /// The reason alone, as the part that failed says it; empty where there is no more to say.
    pub why: String,
    /// Since when, Unix milliseconds, where that is known.
    pub since: Option<i64>,
    /// How many mails, bytes that are left, or failures that deactivated a job.
    pub count: Option<i64>,
    /// The run, the mail, the server or the plugin that shows it.
    pub id: Option<String>,
    /// When it last happened, of what is counted by occurrence; Unix milliseconds.
    pub latest_at: Option<i64>,
    /// Set while an operator wants no alarm: see `server.muteAlarm`.
    pub muted: Option<Muted>,
}

impl Problem {
    pub(super) fn new(part: Part, kind: Kind, level: Level, message: impl Into<String>) -> Self {
        Self {
            part,
            kind,
            level,
            subject: String::new(),
            message: sentences(message.into()),
            why: String::new(),
            since: None,
            count: None,
            id: None,
            latest_at: None,
            muted: None,
        }
    }

    /// Its kind, as functions write it.
    pub(super) fn kind_name(&self) -> String {
        let name = serde_json::to_value(self.kind);
        name.ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    fn happened(self, latest_at: Option<i64>) -> Self {
        Self { latest_at, ..self }
    }

    fn about(self, subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ..self
        }
    }

    fn because(self, why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            ..self
        }
    }

    fn since(self, since: Option<i64>) -> Self {
        Self { since, ..self }
    }

    fn shown_by(self, id: Option<String>) -> Self {
        Self { id, ..self }
    }

    pub(super) fn measured(self, count: u64) -> Self {
        Self {
            count: i64::try_from(count).ok(),
            ..self
        }
    }
}

/// What a part said: what is there when all is well, and what is wrong.
struct Found {
    fine: String,
    problems: Vec<Problem>,
}

/// Looks at every part.
pub(super) async fn check(core: &Core, call: &Call) -> Health {
    let disk = super::machine::disk(core.config.home.clone()).await;
    let memory = super::machine::memory();
    let known = servers::list(core).await;
    let servers = known.clone().unwrap_or_default();
    let found = tokio::join!(
        parts::database(core),
        parts::plugins(call),
        parts::mail(core, call),
        parts::jobs(core, call),
        parts::resets(core, call),
        parts::templates(call),
        parts::backups(core, call)
    );
    let all = [
        (
            Part::Database,
            Some(found.0.map(|found| parts::with_records(core, found))),
        ),
        (Part::Servers, Some(known.map(|all| parts::servers(core, &all)))),
        (
            Part::Machine,
            Some(disk.clone().map(|disk| parts::machine(disk, memory))),
        ),
        (Part::Plugins, Some(found.1)),
        (Part::Mail, Some(found.2)),
        (Part::Jobs, Some(found.3)),
        (Part::Resets, found.4.transpose()),
        (Part::Templates, Some(found.5)),
        (Part::Backups, found.6),
    ];
    let mut problems = Vec::new();
    let mut parts = Vec::new();
    for (part, found) in all {
        let Some(found) = found else { continue };
        let found = found.unwrap_or_else(|error| Found {
            fine: String::new(),
            problems: vec![unknown(part, &error)],
        });
        parts.push((part, found.fine));
        problems.extend(found.problems);
    }
    alarms::mark(core, &mut problems).await;
    problems.sort_by_key(|problem| (problem.muted.is_some(), problem.level));
    let checks = parts
        .into_iter()
        .map(|(part, fine)| told(part, fine, &problems))
        .collect();
    Health {
        ok: problems.iter().all(|problem| problem.muted.is_some()),
        checks,
        problems,
        servers,
        disk: disk.ok(),
        memory,
    }
}

/// Whether the server can do anything at all: what a load balancer wants to know.
///
/// # Errors
/// Why not, in a few words that may be shown to anyone.
pub async fn ready(core: &Core) -> Result<(), &'static str> {
    if core.shutdown.is_triggered() {
        return Err("stopping\n");
    }
    match parts::database(core).await {
        Ok(found) if found.problems.is_empty() => Ok(()),
        _ => Err("the database does not answer\n"),
    }
}

/// Of muted problems a part says only that there are some.
fn told(part: Part, fine: String, problems: &[Problem]) -> Check {
    let (muted, open): (Vec<_>, Vec<_>) = problems
        .iter()
        .filter(|problem| problem.part == part)
        .partition(|problem| problem.muted.is_some());
    let messages: Vec<&str> = open.iter().map(|problem| problem.message.as_str()).collect();
    Check {
        name: part,
        ok: open.is_empty(),
        message: match (messages.as_slice(), muted.len()) {
            ([], 0) => fine,
            ([], 1) => "1 muted problem".to_owned(),
            ([], count) => format!("{count} muted problems"),
            (messages, _) => messages.join(" "),
        },
    }
}

/// A part that could not be asked. When the database is away nearly all are: that is told once, by its own check.
fn unknown(part: Part, error: &crate::Error) -> Problem {
    Problem::new(part, Kind::Unknown, Level::Bad, error.message()).because(error.message())
}

#[cfg(test)]
mod tests;
