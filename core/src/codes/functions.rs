//! `codes.*`: issuing, checking and redeeming is for plugins; operators see what is pending, and may revoke it.

use std::net::IpAddr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::failures::Trouble;
use super::history::Filter;
use super::{
    Asker, Checked, Codes, FullHistory, History, Issued, LONGEST_LIFE_SECONDS, Mailed, Mailing, Pending,
    Realm, Redeemed, Redeeming,
};
use crate::accounts::Changes;
use crate::functions::{Access, Actor, Call, Caller, Function};
use crate::mail::UserMail;
use crate::{Code, Error, Page, PageRequest, PartRequest, Result};

const LONGEST_PURPOSE: usize = 64;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Issue {
    /// What the code is for, such as `password-reset`: it is no good for anything else.
    purpose: String,
    user_id: String,
    /// How long the code lives; a day at most.
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: i64,
    /// Given back by `codes.check`.
    #[serde(default)]
    data: Value,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MailCode {
    /// What the code is for, as in `codes.issue`.
    purpose: String,
    /// The user's address as somebody typed it; the mail goes to the stored one.
    email: String,
    scope: String,
    #[schemars(range(min = 1, max = 86400))]
    ttl_seconds: i64,
    mail: UserMail,
    /// What stands for the code in the mail's texts.
    #[schemars(length(min = 16, max = 64))]
    stand_in: String,
    /// Given back by `codes.check`.
    #[serde(default)]
    data: Value,
    /// When the user got so many codes of this purpose within an hour, that still live, the call is refused with 929.
    #[schemars(range(min = 1))]
    most_per_hour: Option<i64>,
    /// Who asked for it, as `codes.asker` told, when it was not the call that this call serves.
    asked: Option<Asker>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GiveUp {
    /// What the code would have been for.
    purpose: String,
    /// The user's address as somebody typed it.
    email: String,
    scope: String,
    /// Why no code can be sent.
    reason: String,
    /// Who asked for it, as `codes.asker` told, when it was not the call that this call serves.
    asked: Option<Asker>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Check {
    purpose: String,
    #[schemars(extend("format" = "secret"))]
    code: String,
    /// Whether the link is being opened, which its history tells. The code itself stays as it is.
    #[serde(default)]
    opened: bool,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Redeem {
    purpose: String,
    #[schemars(extend("format" = "secret"))]
    code: String,
    /// What changes about the user with it, as in `users.update`.
    user_changes: Changes,
    /// A mail that tells the user; it is in the outbox exactly when the code is used up. Users without an address get
    /// none.
    notice: Option<UserMail>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct List {
    purpose: Option<String>,
    scope: Option<String>,
    page: Option<PageRequest>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Histories {
    #[serde(default)]
    filter: Filter,
    page: Option<PartRequest>,
    /// `issued` or `expires`; with `-` before it the other way round. `-issued` if absent.
    sort: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneHistory {
    /// The code's id.
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Revoke {
    id: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Flush {
    purpose: String,
    /// Codes issued this long ago, or longer, are deleted; a day if absent.
    #[schemars(range(min = 0))]
    max_age_seconds: Option<i64>,
}

pub(super) fn all(codes: &Arc<Codes>) -> Vec<Function> {
    let plugin = |function: Function| function.internal().access(Access::PLUGIN);
    vec![
        plugin(Function::write(
            "codes.issue",
            "Makes a one-time code for a user.",
            codes,
            issue,
        )),
        plugin(Function::write(
            "codes.mail",
            "Makes a one-time code for the user with an address and mails it there, both or neither.",
            codes,
            mail,
        )),
        plugin(Function::write(
            "codes.giveUp",
            "Notes that a request that was answered already failed, for the user's history and for health.",
            codes,
            give_up,
        ))
        .any_text(),
        Function::read(
            "codes.trouble",
            "Counts the requests that were answered and then failed within a day, and tells of the latest.",
            codes,
            trouble,
        )
        .access(Access::APP),
        plugin(Function::read(
            "codes.check",
            "Tells what a code stands for, without using it up.",
            codes,
            check,
        )),
        plugin(Function::write(
            "codes.redeem",
            "Uses a code up, changes its user and mails a notice, all or nothing; the user's other codes die with it.",
            codes,
            redeem,
        )),
        Function::read("codes.list", "Lists codes, latest first.", codes, list).access(Access::PLUGIN),
        plugin(Function::read(
            "codes.asker",
            "Tells who started the call that is served, to be kept until `codes.mail` is called.",
            codes,
            asker,
        )),
        Function::read(
            "codes.histories",
            "Lists what became of codes that were mailed, latest first.",
            codes,
            histories,
        )
        .access(Access::PLUGIN),
        Function::read(
            "codes.history",
            "Tells what became of a code that was mailed, step by step.",
            codes,
            history,
        )
        .access(Access::PLUGIN),
        Function::write(
            "codes.revoke",
            "Deletes a code and gives the number of deleted codes.",
            codes,
            revoke,
        )
        .access(Access::PLUGIN),
        Function::write(
            "codes.flush",
            "Deletes old codes and gives the number of deleted codes.",
            codes,
            flush,
        )
        .access(Access::PLUGIN),
    ]
}

async fn issue(codes: Arc<Codes>, call: Arc<Call>, input: Issue) -> Result<Issued> {
    let realm = realm(&call.caller, &input.purpose)?;
    codes
        .issue(realm, input.user_id, input.ttl_seconds, input.data)
        .await
}

async fn mail(codes: Arc<Codes>, call: Arc<Call>, input: MailCode) -> Result<Mailed> {
    let realm = realm(&call.caller, &input.purpose)?;
    let mailing = Mailing {
        mail: input.mail,
        stand_in: input.stand_in,
        ttl_seconds: input.ttl_seconds,
        data: input.data,
        most_per_hour: input.most_per_hour,
        asked: input.asked.unwrap_or_else(|| asked_now(&codes, &call)),
    };
    codes.mail(realm, &input.email, &input.scope, mailing).await
}

async fn give_up(codes: Arc<Codes>, call: Arc<Call>, input: GiveUp) -> Result<bool> {
    let realm = realm(&call.caller, &input.purpose)?;
    let asked = input.asked.unwrap_or_else(|| asked_now(&codes, &call));
    codes
        .give_up(realm, &input.email, &input.scope, asked, &input.reason)
        .await
}

async fn trouble(codes: Arc<Codes>, _: Arc<Call>, _: Nothing) -> Result<Trouble> {
    codes.trouble().await
}

async fn check(codes: Arc<Codes>, call: Arc<Call>, input: Check) -> Result<Checked> {
    let realm = realm(&call.caller, &input.purpose)?;
    codes
        .check(&realm, &input.code, input.opened, guesser(&call.caller))
        .await
}

async fn redeem(codes: Arc<Codes>, call: Arc<Call>, input: Redeem) -> Result<Redeemed> {
    let realm = realm(&call.caller, &input.purpose)?;
    let by = Redeeming {
        changes: input.user_changes,
        notice: input.notice,
        actor: Actor::of(&call.caller),
    };
    codes.redeem(realm, &input.code, by, guesser(&call.caller)).await
}

async fn list(codes: Arc<Codes>, call: Arc<Call>, input: List) -> Result<Page<Pending>> {
    let owner = only_own(&call.caller);
    let page = input.page.unwrap_or_default();
    codes
        .list(
            owner.as_deref(),
            input.purpose.as_deref(),
            input.scope.as_deref(),
            page,
        )
        .await
}

async fn revoke(codes: Arc<Codes>, call: Arc<Call>, input: Revoke) -> Result<u64> {
    codes
        .revoke(only_own(&call.caller), input.id, Actor::of(&call.caller))
        .await
}

async fn flush(codes: Arc<Codes>, call: Arc<Call>, input: Flush) -> Result<u64> {
    let age = input.max_age_seconds.unwrap_or(LONGEST_LIFE_SECONDS);
    let by = Actor::of(&call.caller);
    codes.flush(only_own(&call.caller), input.purpose, age, by).await
}

async fn asker(codes: Arc<Codes>, call: Arc<Call>, _: Nothing) -> Result<Asker> {
    Ok(asked_now(&codes, &call))
}

async fn histories(codes: Arc<Codes>, call: Arc<Call>, input: Histories) -> Result<Page<History>> {
    let owner = only_own(&call.caller);
    let page = input.page.unwrap_or_default();
    codes
        .histories(owner.as_deref(), &input.filter, input.sort.as_deref(), &page)
        .await
}

async fn history(codes: Arc<Codes>, call: Arc<Call>, input: OneHistory) -> Result<FullHistory> {
    codes.history(only_own(&call.caller).as_deref(), &input.id).await
}

fn asked_now(codes: &Codes, call: &Call) -> Asker {
    Asker {
        by: Actor::of(&call.caller),
        at: codes.core.clock.now_ms(),
    }
}

fn realm(caller: &Caller, purpose: &str) -> Result<Realm> {
    let good = (1..=LONGEST_PURPOSE).contains(&purpose.len())
        && purpose
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !good {
        let text = "`purpose` must be 1 to 64 lower-case letters, digits and hyphens.";
        return Err(Error::new(Code::ParameterInvalid, text));
    }
    Ok(Realm {
        owner: caller.provider().to_owned(),
        purpose: purpose.to_owned(),
    })
}

/// A plugin sees its own codes only.
fn only_own(caller: &Caller) -> Option<String> {
    matches!(caller, Caller::Plugin { .. }).then(|| caller.provider().to_owned())
}

/// Where guesses come from: behind page code is everybody, all others are known.
fn guesser(caller: &Caller) -> Option<IpAddr> {
    match caller.root() {
        Caller::Page { address, .. } => *address,
        _ => None,
    }
}
