//! Mail through Mailgun: the transport `mailgun`.
//!
//! | file | holds |
//! | --- | --- |
//! | `settings` | what an operator enters, and the account that follows from it |
//! | `message` | a message of Coronet, as the fields of Mailgun's API |
//! | `answer` | what Mailgun's answers mean: sent, try again, give up |
//! | `deliver` | the request itself |
//! | `webhook`, `events` | what Mailgun tells afterwards, and whether it is Mailgun who tells |
//!
//! Source: Mailgun's OpenAPI description (mailgun/mailgun-mcp-server, `src/openapi.yaml`, 2026).

mod answer;
mod deliver;
mod events;
mod message;
mod settings;
mod webhook;

use coronet_plugin::manifest::Limits;
use coronet_plugin::prelude::*;
use std::time::Duration;

/// What an operator does with the address.
const WEBHOOK: &str = "Enter this address at Mailgun under Sending, Webhooks, for every event, and Mailgun's HTTP webhook signing key in the settings here. Then every mail shows whether it was delivered or bounced, and why.";

fn plugin() -> Plugin {
    Plugin::new("mailgun")
        .settings::<settings::Settings>()
        .required_settings(["domain", "api_key"])
        .start(deliver::Transport::start)
        .define(
            Function::new("mailgun.deliver", deliver::deliver)
                .summary("Hands one mail over to Mailgun.")
                .internal()
                // Longer than the longest timeout of the settings, which should be what ends a slow attempt.
                .deadline(settings::LONGEST_TIMEOUT + Duration::from_secs(30)),
        )
        .define(
            Function::new("mailgun.ready", deliver::ready)
                .summary("Says whether the settings are complete.")
                .internal()
                .reads(),
        )
        .define(
            Function::new("mailgun.webhook", webhook::receive)
                .summary("Takes what Mailgun tells of mails that it took.")
                .internal()
                .deadline(Duration::from_secs(20)),
        )
        .webhook("mailgun.webhook", [], WEBHOOK)
        .requires(["mail.report", "store.*"])
        .provides("mail.transport", "mailgun", "mailgun.deliver")
        .limits(Limits {
            threads: 32,
            ..Limits::default()
        })
}

export!(plugin());

#[cfg(test)]
mod tests;
