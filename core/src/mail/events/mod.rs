//! What happened to a mail beside its failed attempts: what its provider told, and what operators did.

mod store;

use super::timeline::What;
use crate::functions::Actor;
use crate::random;

pub(super) use store::{all, catch_up, insert, report, told_of};

/// How far a provider's clock may be behind ours.
pub(super) const CLOCKS_MS: i64 = 60_000;

/// Something that happened to a mail.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) what: What,
    pub(super) transport: Option<String>,
    pub(super) provider_id: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) by: Option<Actor>,
    pub(super) detail: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct NewEvent {
    pub(super) mail_id: String,
    pub(super) event_id: String,
    pub(super) at: i64,
    pub(super) what: What,
    pub(super) transport: Option<String>,
    pub(super) provider_id: Option<String>,
    pub(super) recipient: Option<String>,
    pub(super) by: Option<Actor>,
    pub(super) detail: Option<String>,
}

impl NewEvent {
    pub(super) fn new(mail_id: &str, what: What, at: i64) -> Self {
        Self {
            mail_id: mail_id.to_owned(),
            event_id: random::id("evt"),
            at,
            what,
            transport: None,
            provider_id: None,
            recipient: None,
            by: None,
            detail: None,
        }
    }
}
