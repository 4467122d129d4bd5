//! `mail.*`.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::reports::{Report, Reported};
use super::transports::CAPTURE;
use super::trouble::Trouble;
use super::view::Filter;
use super::{Mail, MailService, Message, Stats, Summary, Transport, store, trial};
use crate::functions::{Access, Actor, Call, Caller, Change, Function, Reversal, Role};
use crate::{Code, Error, Page, PartRequest, Result};

/// A provider may take its time with the test mail.
const PATIENT: Duration = Duration::from_secs(70);

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Send {
    message: Message,
}

/// A mail in the outbox.
#[derive(Debug, Serialize, JsonSchema)]
struct Accepted {
    id: String,
}

/// A mail's source.
#[derive(Debug, Serialize, JsonSchema)]
struct Source {
    /// As RFC 5322 has it.
    source: String,
    /// Whether secrets in it are hidden.
    masked: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    filter: Option<Filter>,
    page: Option<PartRequest>,
    /// `created` or `to`; with `-` before it the other way round. `-created` if absent.
    sort: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ById {
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UseTransport {
    /// As `mail.transports` lists it.
    name: String,
    /// Who gets the test mail. The transport is used only when it takes that mail.
    test_to: Option<String>,
    /// Uses the transport without a test mail, such as before its provider can be reached. Mail that it rejects fails.
    without_test: Option<bool>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Test {
    /// Who gets the test mail.
    to: String,
    /// Who it is from; if absent, the default sender, the sender of a scope, or `coronet` at this server.
    from: Option<String>,
    /// What it is called; if absent, a test mail.
    subject: Option<String>,
    /// What it says; if absent along with `html`, the template `mail/test.tpl`.
    #[schemars(extend("format" = "secret", "contentMediaType" = "text/plain"))]
    text: Option<String>,
    #[schemars(extend("format" = "secret", "contentMediaType" = "text/html"))]
    html: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

pub(super) fn all(mail: &Arc<MailService>) -> Vec<Function> {
    let known = Access::APP | Access::JOB;
    vec![
        Function::write(
            "mail.send",
            "Puts a mail into the outbox, from where it is sent at least once.",
            mail,
            send,
        )
        .checked(mail, check)
        .access(known | Access::PAGE | Access::PLUGIN),
        Function::read("mail.list", "Lists mail, latest first.", mail, list).access(known),
        Function::read(
            "mail.get",
            "Gives a mail with its text and its attempts.",
            mail,
            get,
        )
        .access(Access::APP),
        Function::read(
            "mail.source",
            "Gives a mail as it travels: its headers and its MIME body.",
            mail,
            source,
        )
        .access(Access::APP),
        Function::write(
            "mail.retry",
            "Sends again a mail that was given up, bounced, captured or cancelled; one that waits is tried at once.",
            mail,
            retry,
        )
        .access(known),
        Function::write(
            "mail.report",
            "Takes what a provider tells of mails that it took: delivered, bounced and the like.",
            mail,
            report,
        )
        // A provider's text is made storable: one odd event must not make it send all of them again for ever.
        .any_text()
        .internal()
        .access(Access::PLUGIN),
        Function::write("mail.cancel", "Takes back a mail that waits.", mail, cancel).access(known),
        Function::read(
            "mail.transports",
            "Lists who can deliver mail, and how they do.",
            mail,
            transports,
        ),
        Function::write(
            "mail.useTransport",
            "Chooses who delivers mail, after a test mail went out by it; `capture` needs none.",
            mail,
            use_transport,
        )
        .role(Role::Admin)
        .deadline(PATIENT),
        Function::write("mail.test", "Sends a test mail.", mail, test),
        Function::read(
            "mail.stats",
            "Counts mail, and tells how its transport does.",
            mail,
            stats,
        )
        .access(known),
        Function::read(
            "mail.trouble",
            "Says what needs an operator: mail that waits too long or was given up, and the transport's alarm.",
            mail,
            trouble,
        )
        .access(known),
    ]
}

async fn send(mail: Arc<MailService>, _: Arc<Call>, input: Send) -> Result<Accepted> {
    let id = mail.send(input.message).await?;
    Ok(Accepted { id })
}

async fn check(mail: Arc<MailService>, input: Send) -> Result<()> {
    mail.check(input.message)
}

async fn list(mail: Arc<MailService>, _: Arc<Call>, input: List) -> Result<Page<Summary>> {
    let (filter, part) = (input.filter.unwrap_or_default(), input.page.unwrap_or_default());
    store::list(&mail.core.db, &filter, input.sort.as_deref(), &part).await
}

async fn get(mail: Arc<MailService>, call: Arc<Call>, input: ById) -> Result<Mail> {
    mail.get(&input.id, may_act(&call)).await
}

async fn source(mail: Arc<MailService>, call: Arc<Call>, input: ById) -> Result<Source> {
    let found = mail.get(&input.id, may_act(&call)).await?;
    Ok(Source {
        source: found.source()?,
        masked: found.masked,
    })
}

fn may_act(call: &Call) -> bool {
    // A captured reset mail holds a link that sets a password: who may only look does not get to see it.
    match &call.caller {
        Caller::Operator(operator) => operator.role >= Role::Editor,
        _ => true,
    }
}

async fn retry(mail: Arc<MailService>, call: Arc<Call>, input: ById) -> Result<bool> {
    mail.retry(&input.id, Actor::of(&call.caller))
        .await
        .map(|()| true)
}

async fn report(mail: Arc<MailService>, call: Arc<Call>, input: Report) -> Result<Reported> {
    mail.report(&call.caller, input).await
}

async fn cancel(mail: Arc<MailService>, call: Arc<Call>, input: ById) -> Result<bool> {
    mail.cancel(&input.id, Actor::of(&call.caller))
        .await
        .map(|()| true)
}

async fn transports(mail: Arc<MailService>, _: Arc<Call>, _: Nothing) -> Result<Vec<Transport>> {
    mail.transports.list(mail.core.clock.now_ms()).await
}

async fn use_transport(mail: Arc<MailService>, call: Arc<Call>, input: UseTransport) -> Result<bool> {
    let before = mail.transports.active().await?;
    mail.check_transport(&input.name)?;
    let needs_test = input.name != before && input.name != CAPTURE && !input.without_test.unwrap_or(false);
    if needs_test {
        let to = input.test_to.ok_or_else(no_test)?;
        let wish = trial::Wish {
            to,
            ..trial::Wish::default()
        };
        let message = mail.test_message(&call, wish, &input.name).await?;
        mail.try_transport(&input.name, message).await?;
    }
    mail.use_transport(&input.name).await?;
    if before != input.name {
        let change = Change::of("mail transport", &input.name)
            .before(&json!({ "transport": before }))
            .after(&json!({ "transport": input.name }));
        call.changed(change.undo(Reversal {
            function: "mail.useTransport".to_owned(),
            // It was in use, so it is known to work.
            parameters: json!({ "name": before, "without_test": true }),
            look: "mail.transports".to_owned(),
            at: json!({}),
            expect: json!({ "name": input.name, "active": true }),
        }));
    }
    Ok(true)
}

fn no_test() -> Error {
    let text = "Name an address that gets a test mail in `test_to`: the transport is used when it takes that mail. \
                `without_test` uses it untested.";
    Error::new(Code::ParameterMissing, text).with_details(json!({ "parameter": "test_to" }))
}

async fn trouble(mail: Arc<MailService>, _call: Arc<Call>, _input: Nothing) -> Result<Trouble> {
    mail.trouble().await
}

async fn stats(mail: Arc<MailService>, _: Arc<Call>, _: Nothing) -> Result<Stats> {
    mail.stats().await
}

async fn test(mail: Arc<MailService>, call: Arc<Call>, input: Test) -> Result<Accepted> {
    let transport = mail.transports.active().await?;
    let wish = trial::Wish {
        to: input.to,
        from: input.from,
        subject: input.subject,
        text: input.text,
        html: input.html,
    };
    let message = mail.test_message(&call, wish, &transport).await?;
    // Whoever asks for a test wants to see the transport try.
    mail.transports.resume(&transport);
    let id = mail.send(message).await?;
    Ok(Accepted { id })
}
