//! What is always there: the pages, and the acts that start from nothing.

use super::{Entry, Way};
use crate::kit::{Desk, shell};

const ACT: &str = "Act";

/// All places and acts that this operator may use.
pub(super) fn all(desk: &Desk<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = shell::PLACES
        .iter()
        .map(|place| Entry::open("Page", place.icon, place.label, place.path).words(place.words))
        .collect();
    entries.extend([
        Entry::open("Page", "send", "Mail transport", "/mail/transport")
            .words("mailgun provider capture setting"),
        Entry::open("Page", "user-circle", "Your profile", "/profile").words("password theme account"),
        Entry::open("Page", "help", "Help", "/help").words("docs guides documentation"),
    ]);
    entries.extend(acts(desk));
    entries
}

fn acts(desk: &Desk<'_>) -> Vec<Entry> {
    let act = |icon, label: &str, path: &str| Entry::open(ACT, icon, label, path);
    let guarded = [
        (
            "jobs.create",
            act("plus", "New job", "/jobs/new").words("add create"),
        ),
        (
            "scopes.create",
            act("plus", "New scope", "/scopes/new").words("add create app"),
        ),
        (
            "users.register",
            act("user-plus", "New user", "/users/new").words("add create register"),
        ),
        (
            "tokens.create",
            act("plus", "New API token", "/tokens/new").words("add create key"),
        ),
        (
            "operators.add",
            act("plus", "Add an operator", "/operators/new").words("new create"),
        ),
        (
            "resources.write",
            act("plus", "New template or page", "/templates/new").words("add create file"),
        ),
        (
            "mail.test",
            act("send", "Send a test mail", "/mail/test").words("try"),
        ),
        (
            "jobs.reload",
            act("refresh", "Reload jobs", "/jobs/reload")
                .way(Way::Send)
                .words("arm again"),
        ),
        (
            "users.flushExpiredPasswordResets",
            act("trash", "Delete old reset links", "/resets/flush")
                .way(Way::Ask)
                .words("clean flush"),
        ),
    ];
    let mut acts: Vec<Entry> = guarded
        .into_iter()
        .filter(|(function, _)| desk.may(function))
        .map(|(_, act)| act)
        .collect();
    for (theme, label, icon) in [
        ("light", "Light theme", "sun"),
        ("dark", "Dark theme", "moon"),
        ("device", "Theme of the device", "sun-moon"),
    ] {
        let mut entry = act(icon, label, "/profile/theme")
            .way(Way::Send)
            .words("appearance colour mode");
        entry.theme = theme;
        acts.push(entry);
    }
    acts.push(
        act("logout", "Sign out", "/logout")
            .way(Way::Send)
            .words("log out leave"),
    );
    acts
}
