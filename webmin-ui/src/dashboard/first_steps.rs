//! The first steps on a fresh install; each ticks itself.

use serde::Serialize;

use super::health::Facts;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Step {
    pub(crate) done: bool,
    pub(crate) title: &'static str,
    pub(crate) note: &'static str,
    pub(crate) act: &'static str,
    pub(crate) path: &'static str,
}

pub(super) fn of(facts: &Facts) -> Vec<Step> {
    let scopes = facts.scopes.as_deref().unwrap_or_default();
    let transport = facts
        .transports
        .as_ref()
        .and_then(|all| all.iter().find(|transport| transport.active));
    let delivers =
        transport.is_some_and(|transport| transport.name != "capture") && facts.transport_needs.is_empty();
    let mailed = facts
        .mail
        .as_ref()
        .is_some_and(|mail| mail.sent + mail.captured > 0);
    let swept = facts
        .jobs
        .as_ref()
        .is_some_and(|jobs| jobs.iter().any(|job| job.path == "admin/pw_reset_cleanup.lua"));
    vec![
        Step {
            done: scopes.iter().any(|scope| !scope.from_email.is_empty()),
            title: "Make a scope for your app",
            note: "Name it, and say who its mail comes from.",
            act: "New scope",
            path: "/scopes/new",
        },
        Step {
            done: facts.any_user,
            title: "Add a user",
            note: "Yourself will do: an address you can read.",
            act: "New user",
            path: "/users/new",
        },
        Step {
            done: mailed,
            title: "Send a first mail",
            note: "Until a provider is set it stays here, for you to read.",
            act: "Test mail",
            path: "/mail/test",
        },
        Step {
            done: delivers,
            title: "Connect a mail provider",
            note: "Enter its key under Plugins, then choose it as transport.",
            act: "Plugins",
            path: "/plugins",
        },
        Step {
            done: swept,
            title: "Sweep old reset links by a job",
            note: "The job is ready; adding it is one click.",
            act: "Jobs Service",
            path: "/jobs",
        },
    ]
}
