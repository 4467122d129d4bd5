//! The checks, one a part. Every service is asked through the registry.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Found, Kind, Level, Part, Problem};
use crate::address::Mailbox;
use crate::functions::Call;
use crate::server::machine::{Room, disk_problem, memory_problem};
use crate::server::servers::{Server, State};
use crate::text::counted;
use crate::{Core, Error, Result, db};

/// Mail that waits longer than this is told of, unless the reason is told already.
const MAIL_WAITS_MS: i64 = 15 * 60_000;

pub(super) async fn database(core: &Core) -> Result<Found> {
    let problems = match db::in_time(core.db.ping()).await {
        Ok(()) => Vec::new(),
        Err(error) => {
            let text = format!("The database does not answer: {}", error.message());
            let silent = Problem::new(Part::Database, Kind::DatabaseSilent, Level::Bad, text);
            vec![silent.because(error.message())]
        }
    };
    Ok(Found {
        fine: "answers".to_owned(),
        problems,
    })
}

/// Adds what the database lost, or soon will.
pub(super) fn with_records(core: &Core, mut found: Found) -> Found {
    for loss in core.losses.recent(core.clock.now_ms()) {
        let text = format!(
            "{} could not be stored ({}, {} since the first): {}",
            loss.what, loss.subject, loss.count, loss.why
        );
        let lost = Problem::new(Part::Database, Kind::RecordLost, Level::Bad, text)
            .about(loss.what)
            .because(loss.why)
            .since(Some(loss.first_at))
            .measured(loss.count);
        found.problems.push(lost);
    }
    let limit = core.settings.now().retention.audit_entries;
    if core.audit_size.is_near(limit) {
        let entries = core.audit_size.entries();
        let text = format!(
            "The audit log has {entries} of the {limit} entries that are kept: past that, the oldest are deleted whatever \
             their age. Look at who writes so much, keep more entries, or keep them for fewer days."
        );
        let full = Problem::new(Part::Database, Kind::AuditFull, Level::Warn, text)
            .since(core.audit_size.trimmed_at())
            .measured(u64::try_from(entries).unwrap_or_default());
        found.problems.push(full);
    }
    found
}

pub(super) fn servers(core: &Core, all: &[Server]) -> Found {
    let problem = |kind, server: &Server, text: String| {
        Problem::new(Part::Servers, kind, Level::Bad, text)
            .about(&server.name)
            .shown_by(Some(server.id.clone()))
    };
    let mut problems: Vec<_> = all
        .iter()
        .filter_map(|server| match server.state {
            State::Running => None,
            State::Gone => {
                let text = format!(
                    "The server {} at {} gives no sign of life. Its work is done by the others.",
                    server.name, server.address
                );
                Some(problem(Kind::ServerGone, server, text).since(Some(server.seen_at)))
            }
            State::Stuck => {
                let text = format!(
                    "The scheduler of {} does not look for jobs. Restart the server.",
                    server.name
                );
                let since = server.scheduler_at.unwrap_or(server.started_at);
                Some(problem(Kind::SchedulerStuck, server, text).since(Some(since)))
            }
        })
        .collect();
    let alive = all.iter().filter(|server| server.state != State::Gone).count();
    if alive == 0 && !core.server.runs() {
        let text = "No server runs: jobs and mail wait. Start one with `coronet serve`.";
        problems = vec![Problem::new(Part::Servers, Kind::NoServer, Level::Bad, text)];
    }
    problems.extend(untrusted_proxy(core));
    problems.extend(stuck_code(core));
    Found {
        fine: format!("{alive} running"),
        problems,
    }
}

/// Limits, locks and the audit log go by the client's address: behind a proxy that is not trusted, one client could lock all
/// others out.
fn untrusted_proxy(core: &Core) -> Option<Problem> {
    let (proxy, since) = core.forwarded.proxy()?;
    let text = format!(
        "All requests come through a proxy at {proxy} that is not trusted, so all clients count as one. Set `trusted_proxies = [\"{proxy}\"]` in coronet.toml."
    );
    let problem = Problem::new(Part::Servers, Kind::ProxyNotTrusted, Level::Warn, text);
    Some(problem.about(proxy.to_string()).since(Some(since)))
}

/// Lua code on this server that does not end although it was stopped.
fn stuck_code(core: &Core) -> impl Iterator<Item = Problem> {
    let stuck = core.functions.lua_threads().stuck().into_iter();
    let now = core.clock.now_ms();
    stuck.filter(|stuck| stuck.threads > 0).map(move |stuck| {
        let text = format!(
            "{} threads of the Lua pool for {} run code that was stopped and does not end. Others took their place. \
             Find the code in the log, and restart the server to get rid of them.",
            stuck.threads, stuck.pool
        );
        let longest = i64::try_from(stuck.longest.as_millis()).unwrap_or(i64::MAX);
        Problem::new(Part::Servers, Kind::CodeStuck, Level::Bad, text)
            .about(&stuck.pool)
            .since(Some(now - longest))
            .measured(stuck.threads as u64)
    })
}

pub(super) fn machine(disk: Room, memory: Option<Room>) -> Found {
    let short = memory.and_then(memory_problem);
    Found {
        fine: "there is room on the disk and in memory".to_owned(),
        problems: disk_problem(disk).into_iter().chain(short).collect(),
    }
}

#[derive(Deserialize)]
struct Plugin {
    name: String,
    state: String,
    reason: Option<String>,
    last_error: Option<LastError>,
}

#[derive(Deserialize)]
struct LastError {
    at: i64,
    message: String,
}

pub(super) async fn plugins(call: &Call) -> Result<Found> {
    let all: Vec<Plugin> = ask(call, "plugins.list").await?;
    let problems = all.iter().filter_map(|plugin| {
        let (kind, level) = match plugin.state.as_str() {
            "failed" => (Kind::PluginFailed, Level::Bad),
            "refused" => (Kind::PluginRefused, Level::Bad),
            "restarting" => (Kind::PluginRestarting, Level::Warn),
            _ => return None,
        };
        let latest = plugin.last_error.as_ref();
        let why = plugin
            .reason
            .as_deref()
            .or(latest.map(|error| error.message.as_str()));
        let text = format!(
            "{} is {}: {}",
            plugin.name,
            plugin.state,
            why.unwrap_or("see its log.")
        );
        let since = latest.map(|error| error.at);
        Some(
            Problem::new(Part::Plugins, kind, level, text)
                .about(&plugin.name)
                .because(why.unwrap_or_default())
                .since(since),
        )
    });
    let running = all.iter().filter(|plugin| plugin.state == "running").count();
    Ok(Found {
        fine: format!("{running} running"),
        problems: problems.collect(),
    })
}

#[derive(Deserialize)]
struct Mail {
    waiting: i64,
    oldest_waiting_at: Option<i64>,
    waits_because: Option<String>,
    given_up: i64,
    given_up_at: Option<i64>,
    given_up_latest_at: Option<i64>,
    given_up_because: Option<String>,
    given_up_id: Option<String>,
    transport: String,
    provider: String,
    alarm: Option<String>,
}

pub(super) async fn mail(core: &Core, call: &Call) -> Result<Found> {
    let mail: Mail = ask(call, "mail.trouble").await?;
    let problem = |kind, text: String| Problem::new(Part::Mail, kind, Level::Bad, text);
    let late = mail
        .oldest_waiting_at
        .filter(|since| core.clock.now_ms() - since > MAIL_WAITS_MS);
    let mut problems = Vec::new();
    if let Some(alarm) = mail.alarm {
        let alarm = problem(Kind::Transport, alarm.clone()).because(alarm);
        problems.push(Problem {
            count: Some(mail.waiting),
            ..alarm
                .about(&mail.transport)
                .since(mail.oldest_waiting_at)
                .shown_by(Some(mail.provider))
        });
    } else if let Some(since) = late {
        let why = mail.waits_because.unwrap_or_default();
        let count = counted(
            mail.waiting,
            "mail waits for too long.",
            "mails wait, the first for too long.",
        );
        let text = format!("{count} {why}");
        problems.push(Problem {
            count: Some(mail.waiting),
            ..problem(Kind::MailWaits, text.trim_end().to_owned())
                .because(why)
                .since(Some(since))
        });
    }
    let default = &core.settings.now().mail.default_sender;
    if let Some(mistake) = Mailbox::parse(default).err().filter(|_| !default.is_empty()) {
        let text = format!("The default sender cannot be used. {mistake}");
        problems.push(
            problem(Kind::Sender, text)
                .about(default)
                .because(mistake.to_string()),
        );
    }
    if mail.given_up > 0 {
        let why = mail.given_up_because.unwrap_or_default();
        let count = counted(mail.given_up, "mail was given up", "mails were given up");
        let text = format!("{count} within a day. {why}");
        problems.push(Problem {
            count: Some(mail.given_up),
            ..problem(Kind::MailFailed, text.trim_end().to_owned())
                .because(why)
                .since(mail.given_up_at)
                .happened(mail.given_up_latest_at)
                .shown_by(mail.given_up_id)
        });
    }
    Ok(Found {
        fine: format!("sent by {}", mail.transport),
        problems,
    })
}

#[derive(Deserialize)]
struct Jobs {
    count: i64,
    failing: Vec<Job>,
    late: Vec<Job>,
    #[serde(default)]
    overdue: Vec<Job>,
}

#[derive(Deserialize)]
struct Job {
    name: String,
    active: bool,
    last_run: Option<String>,
    last_run_at: Option<i64>,
    next_run_at: Option<i64>,
    overdue_since: Option<i64>,
    error: Option<JobError>,
    #[serde(default)]
    deactivated: Option<Deactivated>,
}

#[derive(Deserialize)]
struct Deactivated {
    at: i64,
    failures: i64,
}

#[derive(Deserialize)]
struct JobError {
    message: String,
}

pub(super) async fn jobs(core: &Core, call: &Call) -> Result<Found> {
    // Only a command made without the Jobs Service has none.
    if core.functions.get("jobs.overview").is_none() {
        return Ok(Found {
            fine: "none".to_owned(),
            problems: Vec::new(),
        });
    }
    let jobs: Jobs = ask(call, "jobs.overview").await?;
    let failing = jobs.failing.into_iter().map(|job| {
        // While it is active it is tried again.
        let level = if job.active { Level::Warn } else { Level::Bad };
        let why = job.error.map(|error| error.message).unwrap_or_default();
        let Some(deactivated) = job.deactivated else {
            let text = format!("The job {} failed: {why}", job.name);
            return Problem::new(Part::Jobs, Kind::JobFailed, level, text)
                .about(job.name)
                .because(why)
                .since(job.last_run_at)
                .happened(job.last_run_at)
                .shown_by(job.last_run);
        };
        // Only an operator who activates it ends that, whatever runs by hand come to.
        let after = match deactivated.failures {
            0 => String::new(),
            many => format!(" after {}", counted(many, "failure", "failures")),
        };
        let text = format!("The job {} was deactivated{after}: {why}", job.name);
        let problem = Problem::new(Part::Jobs, Kind::JobFailed, Level::Bad, text)
            .about(job.name)
            .because(why)
            .since(Some(deactivated.at))
            .happened(Some(deactivated.at))
            .shown_by(job.last_run);
        Problem {
            count: Some(deactivated.failures),
            ..problem
        }
    });
    let overdue = jobs.overdue.into_iter().map(|job| {
        let text = format!("The job {} had no success for longer than it should.", job.name);
        Problem::new(Part::Jobs, Kind::JobOverdue, Level::Bad, text)
            .about(job.name)
            .since(job.overdue_since)
            .shown_by(job.last_run)
    });
    let late = jobs.late.into_iter().map(|job| {
        let text = format!("The job {} is due and does not run.", job.name);
        Problem::new(Part::Jobs, Kind::JobLate, Level::Bad, text)
            .about(job.name)
            .since(job.next_run_at)
    });
    Ok(Found {
        fine: format!("{} scheduled", jobs.count),
        problems: failing.chain(late).chain(overdue).collect(),
    })
}

#[derive(Deserialize)]
struct ScopeProblem {
    scope: String,
    message: String,
}

#[derive(Deserialize)]
struct ResetTrouble {
    failed: i64,
    first_at: Option<i64>,
    latest_at: Option<i64>,
    latest_id: Option<String>,
    latest_because: Option<String>,
}

#[derive(Deserialize)]
struct Conflict {
    user_id: String,
    username: String,
    scope: String,
}

/// What can be sent, what could not, and to whom nothing is sent. `None` when there is nothing to say: no plugin that
/// resets passwords runs.
pub(super) async fn resets(core: &Core, call: &Call) -> Result<Option<Found>> {
    let scopes: Option<Vec<ScopeProblem>> = ask_if_there(core, call, "users.passwordResetProblems").await?;
    let there = scopes.is_some();
    let scopes = scopes.into_iter().flatten().map(|problem| {
        let text = format!("No link can be sent for {}: {}", problem.scope, problem.message);
        Problem::new(Part::Resets, Kind::NoResets, Level::Bad, text)
            .about(problem.scope)
            .because(problem.message)
    });
    let failed: Option<ResetTrouble> = ask_if_there(core, call, "codes.trouble").await?;
    let failed = failed.filter(|trouble| trouble.failed > 0).map(|trouble| {
        let why = trouble.latest_because.unwrap_or_default();
        let text = format!(
            "{} within a day, after {} answered. {why}",
            counted(
                trouble.failed,
                "request for a reset link failed",
                "requests for a reset link failed"
            ),
            if trouble.failed == 1 {
                "it was"
            } else {
                "they were"
            },
        );
        Problem {
            count: Some(trouble.failed),
            ..Problem::new(Part::Resets, Kind::ResetFailed, Level::Bad, text.trim_end())
                .because(why)
                .since(trouble.first_at)
                .happened(trouble.latest_at)
                .shown_by(trouble.latest_id)
        }
    });
    let conflicts: Option<Vec<Conflict>> = ask_if_there(core, call, "users.addressConflicts").await?;
    let conflicts = conflicts.into_iter().flatten().map(|user| {
        let why = "Change the address of one of the two, or delete one.";
        let text = format!(
            "The user {} of {} gets no mail: another user has the same address in another spelling. {why}",
            user.username, user.scope
        );
        Problem::new(Part::Resets, Kind::AddressConflict, Level::Warn, text)
            .about(user.username)
            .because(why)
            .shown_by(Some(user.user_id))
    });
    let problems: Vec<_> = scopes.chain(failed).chain(conflicts).collect();
    Ok((there || !problems.is_empty()).then(|| Found {
        fine: "links can be sent".to_owned(),
        problems,
    }))
}

#[derive(Deserialize)]
struct Template {
    path: String,
    message: String,
    since: Option<i64>,
}

pub(super) async fn templates(call: &Call) -> Result<Found> {
    let failing: Vec<Template> = ask(call, "template.failures").await?;
    let problems = failing.into_iter().map(|template| {
        let why = template.message.clone();
        Problem::new(Part::Templates, Kind::TemplateFails, Level::Bad, template.message)
            .about(template.path)
            .because(why)
            .since(template.since)
    });
    Ok(Found {
        fine: "none failed".to_owned(),
        problems: problems.collect(),
    })
}

#[derive(Deserialize)]
struct Backups {
    latest: Option<Latest>,
}

#[derive(Deserialize)]
struct Latest {
    at: i64,
    error: Option<String>,
}

/// `None` as long as none was made: then there is nothing to say.
pub(super) async fn backups(core: &Core, call: &Call) -> Option<Result<Found>> {
    const BACKUPS: &str = "backups.list";
    core.functions.get(BACKUPS)?;
    let latest = match ask::<Backups>(call, BACKUPS).await {
        Ok(backups) => backups.latest?,
        Err(error) => return Some(Err(error)),
    };
    let problem = latest.error.map(|error| {
        let text = format!("The latest backup failed: {error}");
        Problem::new(Part::Backups, Kind::BackupFailed, Level::Bad, text).since(Some(latest.at))
    });
    Some(Ok(Found {
        fine: "the latest one succeeded".to_owned(),
        problems: problem.into_iter().collect(),
    }))
}

/// `None` where nobody provides the function.
async fn ask_if_there<T: DeserializeOwned>(core: &Core, call: &Call, function: &str) -> Result<Option<T>> {
    if core.functions.get(function).is_some() {
        ask(call, function).await.map(Some)
    } else {
        Ok(None)
    }
}

async fn ask<T: DeserializeOwned>(call: &Call, function: &str) -> Result<T> {
    let answer = call.invoke(function, json!({})).await?;
    serde_json::from_value(answer)
        .map_err(|cause| Error::unexpected(format_args!("{function} answered in another shape: {cause}")))
}
