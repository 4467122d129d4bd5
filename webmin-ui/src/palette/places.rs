//! What is always there: the pages, and the acts that start from nothing.

use super::{Entry, Way};
use crate::kit::language::{Language, say};
use crate::kit::{Desk, shell, t, text};

const PAGE: &str = text!("Page");
pub(super) const ACT: &str = text!("Act");

/// All places and acts that this operator may use.
pub(super) fn all(desk: &Desk<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = shell::PLACES
        .iter()
        .map(|place| {
            // Who knows a page by its English name finds it in every language.
            let words = format!("{} {}", place.label, place.words);
            Entry::open(PAGE, place.icon, say(place.label, &[]), place.path).words(words)
        })
        .collect();
    entries.extend([
        Entry::open(PAGE, "send", t!("Mail transport"), "/mail/transport")
            .words("mailgun provider capture setting"),
        Entry::open(PAGE, "user-circle", t!("Your profile"), "/profile").words("password theme account"),
        Entry::open(PAGE, "help", t!("Help"), "/help").words("docs guides documentation"),
        Entry::open(PAGE, "list-check", t!("First steps"), "/first-steps").words("checklist start setup"),
        Entry::open(PAGE, "api", "OpenAPI", "/functions/openapi").words("http rest schema swagger"),
        Entry::open(PAGE, "database", t!("Backups"), "/settings/backups").words("restore download"),
    ]);
    entries.extend(acts(desk));
    entries
}

fn acts(desk: &Desk<'_>) -> Vec<Entry> {
    let act = |icon, label: String, path: &str| Entry::open(ACT, icon, label, path);
    let guarded = [
        (
            "jobs.create",
            act("plus", t!("New job"), "/jobs/new").words("add create"),
        ),
        (
            "scopes.create",
            act("plus", t!("New scope"), "/scopes/new").words("add create app"),
        ),
        (
            "users.register",
            act("user-plus", t!("New user"), "/users/new").words("add create register"),
        ),
        (
            "tokens.create",
            act("plus", t!("New API token"), "/tokens/new").words("add create key"),
        ),
        (
            "operators.add",
            act("plus", t!("Add an operator"), "/operators/new").words("new create"),
        ),
        (
            "resources.write",
            act("plus", t!("New template or page"), "/templates/new").words("add create file"),
        ),
        (
            "mail.test",
            act("send", t!("Send a test mail"), "/mail/test").words("try"),
        ),
        (
            "mail.retry",
            act("refresh", t!("Try failed mail again"), "/mail?state=failed").words("retry send resend"),
        ),
        (
            "backups.create",
            act("database", t!("Back up now"), "/backups/make")
                .way(Way::Send)
                .words("backup make"),
        ),
        (
            "jobs.reload",
            act("refresh", t!("Reload jobs"), "/jobs/reload")
                .way(Way::Send)
                .words("arm again"),
        ),
        (
            "users.flushExpiredPasswordResets",
            act("trash", t!("Delete old reset links"), "/resets/flush")
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
        ("light", t!("Light theme"), "sun"),
        ("dark", t!("Dark theme"), "moon"),
        ("device", t!("Theme of the device"), "sun-moon"),
    ] {
        let entry = act(icon, label, "/profile/theme").choosing("theme", theme);
        acts.push(entry.words("appearance colour mode"));
    }
    for language in Language::ALL
        .into_iter()
        .filter(|language| *language != Language::current())
    {
        let entry = act("language", language.name().to_owned(), "/profile/language");
        acts.push(
            entry
                .choosing("language", language.tag())
                .note(t!("Language"))
                .words("switch translation"),
        );
    }
    acts.push(
        act("logout", t!("Sign out"), "/logout")
            .way(Way::Send)
            .words("log out leave"),
    );
    acts
}
