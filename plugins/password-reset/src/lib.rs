//! Password resets by mail.
//!
//! | file | holds |
//! | --- | --- |
//! | `request` | what a caller asks for: checked, and its mail rendered with a stand-in for the code |
//! | `queue` | requests of callers who must not learn whether an account exists: kept, then worked off |
//! | `send` | from a request to a mail in the outbox |
//! | `reset` | the other end: the code comes back with a new password |
//! | `pending` | what operators and jobs do with resets that wait |
//! | `problems` | which scopes could send no link |
//!
//! # Who learns what
//! An app or a page gets the same answer after the same work, whether the account exists, is inactive, or does not
//! exist (R07, R08): a request is checked and kept, the answer is `true`, and only then, a random moment later, is the
//! account looked up. Jobs and operators are trusted and get the truth: `604` for an unknown account.

mod pending;
mod problems;
mod queue;
mod request;
mod reset;
mod send;
mod words;

use coronet_plugin::manifest::{JobManifest, Limits};
use coronet_plugin::prelude::*;
use queue::Queue;
use send::Mailer;
use std::sync::Arc;

/// What reset codes are issued for; a code of another purpose is dead here (C23).
const PURPOSE: &str = "password-reset";

/// What an operator can set.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Settings {
    /// Reset mails to one account within an hour, when apps and pages ask for them. Further requests are answered as
    /// always and send nothing. Jobs and operators are not limited.
    #[schemars(range(min = 1, max = 1000))]
    mails_per_account_and_hour: i64,
    /// Whether users are told by mail that their password was changed.
    send_notice: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mails_per_account_and_hour: 10,
            send_notice: true,
        }
    }
}

/// What all calls share.
struct State {
    settings: Settings,
    queue: Queue,
    mailer: Arc<Mailer>,
}

fn start(host: &Host) -> Result<State> {
    let settings: Settings = host.settings()?;
    let mailer = Arc::new(Mailer::new()?);
    let queue = Queue::start(&host.detached(), &settings, &mailer)?;
    Ok(State {
        settings,
        queue,
        mailer,
    })
}

fn stop(host: &Host) {
    if let Ok(state) = host.state::<State>() {
        state.queue.finish();
    }
}

fn plugin() -> Plugin {
    Plugin::new("password-reset")
        .settings::<Settings>()
        .requires([
            "codes.*",
            "scopes.get",
            "scopes.list",
            "server.siteUrl",
            "store.*",
            "template.renderMail",
        ])
        .start(start)
        .stop(stop)
        .define(
            Function::new("users.sendPasswordResetLink", request::send_password_reset_link)
                .summary("Mails a user a link to choose a new password."),
        )
        .define(
            Function::new("users.checkPasswordReset", reset::check_password_reset)
                .summary("Tells whose reset a code is for, without using it up.")
                .access([Access::App, Access::Job, Access::Page])
                .reads(),
        )
        .define(
            Function::new("users.resetPassword", reset::reset_password)
                .summary("Sets a new password with a code, which is used up by it.")
                .access([Access::App, Access::Job, Access::Page]),
        )
        .define(
            Function::new("users.flushExpiredPasswordResets", pending::flush)
                .summary("Deletes reset links that are over a day old, and gives their number.")
                .access([Access::Job]),
        )
        .define(
            Function::new("users.listPasswordResets", pending::list)
                .summary("Lists resets that wait for their users, latest first.")
                .access([Access::Job])
                .reads(),
        )
        .define(
            Function::new("users.revokePasswordReset", pending::revoke)
                .summary("Makes a reset link useless.")
                .access([Access::Job]),
        )
        .define(
            Function::new("users.passwordResetProblems", problems::list)
                .summary("Lists the scopes whose users could be sent no reset link, and why.")
                .access([Access::Job])
                .reads(),
        )
        .route("/_resetpassword", "_coronium/password/password_form")
        .route("/_forgotpassword", "_coronium/password/forgot_form")
        .job(JobManifest {
            name: "CleanPasswordResets".to_owned(),
            path: "admin/pw_reset_cleanup.lua".to_owned(),
            interval: 3600,
            run_once: false,
            active: true,
            summary: "Deletes reset links that were never used, once they are over a day old.".to_owned(),
        })
        .limits(Limits {
            threads: 64,
            ..Limits::default()
        })
}

export!(plugin());

#[cfg(test)]
mod tests;
