//! What needs an operator, in words, with the way to where it is mended.

use serde::Serialize;

use super::records::Problem;
use crate::jobs::records::after_failures;
use crate::kit::helpers::path_segment;
use crate::kit::language::{count, t};

/// A problem in the list.
#[derive(Serialize)]
pub(crate) struct ProblemLine {
    /// `bad` or `warn`.
    pub(crate) tone: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) title: String,
    /// As the part that failed says it.
    pub(crate) why: String,
    pub(crate) since: Option<i64>,
    /// Closes the title, where it says when.
    pub(crate) at: Option<i64>,
    /// What mends it, or leads there.
    pub(crate) act: String,
    /// Empty where this operator cannot do anything.
    pub(crate) path: String,
    /// A button that mends it at once, and no link.
    pub(crate) button: bool,
    /// Where it shows what happened, beside a button; empty where there is nothing to see.
    pub(crate) seen: String,
    /// Where it is muted; empty for who may not, and once it is.
    pub(crate) mute: String,
    /// Set while it is muted.
    pub(crate) muted: Option<MutedLine>,
}

/// A mute, and what names it.
#[derive(Serialize)]
pub(crate) struct MutedLine {
    pub(crate) reason: String,
    pub(crate) by: String,
    pub(crate) until: i64,
    pub(crate) part: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
    /// Whether this operator may end it.
    pub(crate) can_end: bool,
}

/// What an operator may do about it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct May {
    pub(crate) forget: bool,
    pub(crate) activate: bool,
    pub(crate) mute: bool,
}

pub(super) fn line(problem: &Problem, may: May) -> ProblemLine {
    let (act, path) = act(problem, may);
    let deactivated = is_deactivated(problem);
    let muted = problem.muted.as_ref().map(|muted| MutedLine {
        reason: muted.reason.clone(),
        by: muted.by.clone(),
        until: muted.until,
        part: problem.part.clone(),
        kind: problem.kind.clone(),
        subject: problem.subject.clone(),
        can_end: may.mute,
    });
    ProblemLine {
        button: deactivated && may.activate,
        seen: match &problem.id {
            Some(run) if deactivated => format!("/run/{}", path_segment(run)),
            _ => String::new(),
        },
        at: problem.since.filter(|_| deactivated),
        tone: match (&muted, problem.level.as_str()) {
            (Some(_), _) => "muted",
            (None, "warn") => "warn",
            _ => "bad",
        },
        icon: icon(&problem.part),
        title: title(problem),
        why: problem.why.clone(),
        since: problem.since.filter(|_| !deactivated),
        act,
        path,
        mute: if may.mute && muted.is_none() {
            mute_path(problem)
        } else {
            String::new()
        },
        muted,
    }
}

/// Whether it is about a job that its failures set inactive.
fn is_deactivated(problem: &Problem) -> bool {
    problem.kind == "job_failed" && problem.count.is_some()
}

fn mute_path(problem: &Problem) -> String {
    format!(
        "/alarm/mute?part={}&kind={}&subject={}",
        path_segment(&problem.part),
        path_segment(&problem.kind),
        path_segment(&problem.subject)
    )
}

fn title(problem: &Problem) -> String {
    let name = &problem.subject;
    let many = problem.count.unwrap_or(0);
    match problem.kind.as_str() {
        "database_silent" => t!("The database does not answer"),
        "no_server" => t!("No server runs"),
        "server_gone" => t!("The server {name} is gone", name = name),
        "scheduler_stuck" => t!("The scheduler of {name} stands still", name = name),
        "code_stuck" => t!(
            "Lua code for {name} does not end: {n} threads are stuck",
            name = name,
            n = many
        ),
        "disk_full" => t!("The disk is nearly full: {free} left", free = bytes(many)),
        "memory_short" => t!("Memory is short: {free} left", free = bytes(many)),
        "plugin_failed" => t!("The plugin {name} has failed", name = name),
        "plugin_refused" => t!("The plugin {name} was refused", name = name),
        "plugin_restarting" => t!("The plugin {name} died and starts again", name = name),
        "transport" if many > 0 => t!("Mail waits: {name} cannot carry it", name = name),
        "transport" => t!("{name} cannot carry mail", name = name),
        "mail_waits" => count!(many, "{n} mail waits for too long", "{n} mails wait for too long"),
        "mail_failed" => count!(many, "{n} mail did not arrive", "{n} mails did not arrive"),
        "job_failed" if is_deactivated(problem) => t!(
            "Job {name}: {deactivated}",
            name = name,
            deactivated = after_failures(many)
        ),
        "job_failed" if problem.level == "warn" => {
            t!("The job {name} failed and is tried again", name = name)
        }
        "job_failed" => t!("The job {name} failed", name = name),
        "job_late" => t!("The job {name} is late", name = name),
        "job_overdue" => t!("The job {name} is overdue: no success for too long", name = name),
        "no_resets" => t!("{name} cannot send reset links", name = name),
        "record_lost" => count!(
            many,
            "{n} record could not be stored",
            "{n} records could not be stored"
        ),
        "audit_full" => t!("The audit log is nearly full"),
        "reset_failed" => count!(
            many,
            "{n} reset link could not be sent",
            "{n} reset links could not be sent"
        ),
        "address_conflict" => t!(
            "{name} shares an address with another user and gets no mail",
            name = name
        ),
        "sender" => t!("The default sender cannot be used: {name}", name = name),
        "template_fails" => t!("The template {name} fails", name = name),
        "proxy_not_trusted" => t!(
            "The proxy at {name} is not trusted: all clients count as one",
            name = name
        ),
        _ => t!("{part} could not be looked at", part = part_name(&problem.part)),
    }
}

fn act(problem: &Problem, may: May) -> (String, String) {
    let name = path_segment(&problem.subject);
    let id = problem.id.as_deref().map(path_segment);
    match (problem.kind.as_str(), id) {
        ("job_failed", _) if is_deactivated(problem) && may.activate => {
            (t!("Activate"), format!("/job/{name}/activate"))
        }
        ("job_failed", _) if is_deactivated(problem) => (t!("Open the job"), format!("/job/{name}")),
        ("job_failed" | "job_overdue", Some(run)) => (t!("See the run"), format!("/run/{run}")),
        ("job_failed" | "job_late" | "job_overdue", _) => (t!("Open the job"), format!("/job/{name}")),
        ("mail_waits", _) => (t!("See the mail"), "/mail?state=queued".to_owned()),
        ("mail_failed", Some(mail)) if problem.count == Some(1) => {
            (t!("Open the mail"), format!("/mail/message/{mail}"))
        }
        ("mail_failed", _) => (t!("See the mail"), "/mail?state=failed".to_owned()),
        ("transport", Some(plugin)) if !matches!(plugin.as_str(), "" | "core") => {
            (t!("Open the settings"), format!("/plugin/{plugin}"))
        }
        ("transport", _) => (t!("Choose a transport"), "/mail/transport".to_owned()),
        ("plugin_failed" | "plugin_refused" | "plugin_restarting", _) => {
            (t!("Open the plugin"), format!("/plugin/{name}"))
        }
        ("reset_failed", Some(reset)) if problem.count == Some(1) => {
            (t!("Open the reset"), format!("/reset/{reset}"))
        }
        ("reset_failed", _) => (t!("View resets"), "/resets?state=failed".to_owned()),
        ("address_conflict", Some(user)) => (t!("Open the user"), format!("/user/{user}")),
        ("sender", _) => (t!("Open the settings"), "/settings".to_owned()),
        ("no_resets", _) => (t!("Open the scope"), format!("/scope/{name}")),
        ("audit_full", _) => (t!("Open the settings"), "/settings/retention".to_owned()),
        ("template_fails", _) => (t!("Open the template"), format!("/templates/edit?path={name}")),
        ("server_gone", Some(server)) if may.forget => (t!("Forget it"), format!("/server/{server}/forget")),
        ("proxy_not_trusted", _) => (t!("What to do"), "/help/running#who-sent-a-request".to_owned()),
        _ => (
            t!("What to do"),
            "/help/running#when-something-is-wrong".to_owned(),
        ),
    }
}

fn icon(part: &str) -> &'static str {
    match part {
        "database" => "database",
        "servers" | "machine" => "server-2",
        "plugins" => "plug",
        "mail" => "mail",
        "jobs" => "calendar-event",
        "resets" => "key",
        "templates" => "template",
        "backups" => "archive",
        _ => "alert-triangle",
    }
}

/// What a part of the server is called.
pub(super) fn part_name(part: &str) -> String {
    match part {
        "database" => t!("Database"),
        "servers" => t!("Scheduler and servers"),
        "machine" => t!("Disk and memory"),
        "plugins" => t!("Plugins"),
        "mail" => t!("Mail"),
        "jobs" => t!("Jobs"),
        "resets" => t!("Password resets"),
        "templates" => t!("Templates"),
        "backups" => t!("Backups"),
        other => other.to_owned(),
    }
}

/// 1536 as `1.5 kB`.
pub(super) fn bytes(count: i64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut size = u64::try_from(count).unwrap_or(0) * 10;
    let mut unit = 0;
    while size >= 10_240 && unit + 1 < units.len() {
        size /= 1024;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    let number = if size >= 1000 || size.is_multiple_of(10) {
        (size / 10).to_string()
    } else {
        crate::kit::language::decimal(size)
    };
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kit::language::Language;

    #[test]
    fn sizes_read_naturally() {
        let cases = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 kB"),
            (118 << 20, "118 MB"),
            ((5 << 30) / 2, "2.5 GB"),
        ];
        for (count, words) in cases {
            assert_eq!(bytes(count), words);
        }
        assert_eq!(Language::German.within(|| bytes(1536)), "1,5 kB");
    }

    #[test]
    fn ux02_a_deactivated_job_says_so_and_is_activated_with_one_click() {
        let problem = Problem {
            kind: "job_failed".to_owned(),
            subject: "a/b".to_owned(),
            count: Some(3),
            since: Some(5),
            ..Problem::default()
        };
        let shown = |activate| {
            let line = line(
                &problem,
                May {
                    forget: false,
                    activate,
                    mute: false,
                },
            );
            (line.title, line.at, line.since, line.button, line.path)
        };
        let title = "Job a/b: Deactivated after 3 failures at".to_owned();
        let (at, since) = (Some(5), None);
        assert_eq!(
            shown(true),
            (title.clone(), at, since, true, "/job/a%2Fb/activate".to_owned())
        );
        assert_eq!(shown(false), (title, at, since, false, "/job/a%2Fb".to_owned()));
        let german = Language::German.within(|| shown(true).0);
        assert_eq!(german, "Job a/b: Deaktiviert nach 3 Fehlschlägen am");
    }

    #[test]
    fn every_problem_has_words_and_a_way_on() {
        let kinds = [
            "database_silent",
            "no_server",
            "server_gone",
            "scheduler_stuck",
            "code_stuck",
            "disk_full",
            "memory_short",
            "plugin_failed",
            "plugin_refused",
            "plugin_restarting",
            "transport",
            "mail_waits",
            "mail_failed",
            "job_failed",
            "job_late",
            "job_overdue",
            "no_resets",
            "reset_failed",
            "address_conflict",
            "sender",
            "template_fails",
            "record_lost",
            "audit_full",
            "proxy_not_trusted",
            "unknown",
        ];
        for kind in kinds {
            let problem = Problem {
                kind: kind.to_owned(),
                part: "jobs".to_owned(),
                subject: "a/b".to_owned(),
                ..Problem::default()
            };
            let may = May {
                forget: true,
                activate: true,
                mute: true,
            };
            let line = line(&problem, may);
            assert!(!line.title.is_empty() && !line.act.is_empty(), "{kind}");
            assert!(
                line.path.starts_with('/') && !line.path.contains("a/b"),
                "{kind}: {}",
                line.path
            );
            let known = !line.title.contains("could not be looked at");
            assert_eq!(known, kind != "unknown", "{kind}");
        }
    }
}
