//! Who delivers mail: `capture`, which keeps it for reading, or a plugin that provides `mail.transport`.
//!
//! A transport that fails is left alone for a while, longer each time, so that a wrong key or a provider that is down
//! costs neither the mail nor the provider's patience (R12, R13). What operators have to do something about is an alarm.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::functions::Caller;
use crate::{Code, Core, Result};

pub(super) const CAPTURE: &str = "capture";
const KIND: &str = "mail.transport";
const SETTING: &str = "mail.transport";

/// Refusals in a row (401, 402, 403, 404) after which only one mail at a time is risked, at growing intervals.
const REFUSALS: u32 = 3;
const REFUSED_PAUSE_MS: (i64, i64) = (60_000, 15 * 60_000);
/// Passing failures in a row after which the provider is given a rest.
const FAILURES: u32 = 10;
const FAILED_PAUSE_MS: (i64, i64) = (5_000, 60_000);
/// The longest rest a provider may ask for.
const LONGEST_LIMIT_MS: i64 = 3_600_000;

/// How a transport does.
#[derive(Debug, Clone, Default)]
struct Health {
    refused: u32,
    failed: u32,
    paused_until: i64,
    alarm: Option<String>,
}

/// What an attempt says about its transport.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Sign {
    Good,
    /// Says something about the mail, not about the transport.
    Neutral,
    /// The provider does not want us: an operator has to act.
    Refused(String),
    /// Does not answer, or not as it should.
    Failed(String),
    /// Asks for a rest of so many milliseconds.
    Limited(i64),
}

/// What the transport can take now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Any number of mails.
    Open,
    /// One mail, to see whether it is back.
    Probe,
    /// None.
    Closed,
}

/// A transport, as operators see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Transport {
    pub name: String,
    /// `core`, or the plugin.
    pub provider: String,
    /// Whether mail goes out through it.
    pub active: bool,
    /// `ready`, `paused` or `missing`.
    pub state: String,
    /// What an operator has to do something about.
    pub alarm: Option<String>,
    /// Unix milliseconds.
    pub paused_until: Option<i64>,
}

pub(super) struct Transports {
    core: Core,
    health: Mutex<HashMap<String, Health>>,
    /// The active transport as it was last read. Another server may have changed it since.
    latest: Mutex<String>,
}

impl Transports {
    pub(super) fn new(core: &Core) -> Self {
        Self {
            core: core.clone(),
            health: Mutex::default(),
            latest: Mutex::new(CAPTURE.to_owned()),
        }
    }

    /// The name of the active transport.
    pub(super) async fn active(&self) -> Result<String> {
        let active = self.core.settings.get::<String>(SETTING).await?;
        let active = active.unwrap_or_else(|| CAPTURE.to_owned());
        self.latest
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(&active);
        Ok(active)
    }

    /// The active transport as it was last read.
    pub(super) fn latest(&self) -> String {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether mail is captured. That it is, is read afresh: mail kept for reading when it was to be sent would be lost.
    /// That it is not needs no reading: queued mail is looked at again before it is sent.
    pub(super) async fn is_capturing(&self) -> Result<bool> {
        let remembered = self.latest() == CAPTURE;
        Ok(remembered && self.active().await? == CAPTURE)
    }

    pub(super) async fn choose(&self, name: &str) -> Result<()> {
        self.core.settings.put(SETTING, &name).await?;
        self.active().await?;
        self.resume(name);
        Ok(())
    }

    /// The function that delivers for a transport; `None` while no running plugin provides it.
    pub(super) fn function(&self, name: &str) -> Option<String> {
        let provided = self.core.contributions.provided(KIND);
        let provided = provided.into_iter().find(|provided| provided.name == name)?;
        self.core.functions.get(&provided.function)?;
        Some(provided.function)
    }

    /// Whether a provider, such as a plugin, is the one that delivers for a transport.
    pub(super) fn belongs_to(&self, name: &str, provider: &str) -> bool {
        let holder = self.core.contributions.provider_of(KIND, name);
        holder.is_some_and(|holder| holder == provider)
    }

    /// Whether a provider delivers for any transport.
    pub(super) fn provides_any(&self, provider: &str) -> bool {
        let all = self.core.contributions.provided(KIND);
        all.iter().any(|provided| provided.provider == provider)
    }

    pub(super) fn is_known(&self, name: &str) -> bool {
        name == CAPTURE
            || self
                .core
                .contributions
                .provided(KIND)
                .iter()
                .any(|provided| provided.name == name)
    }

    pub(super) async fn list(&self, now: i64) -> Result<Vec<Transport>> {
        let active = self.active().await?;
        let mut known = vec![(CAPTURE.to_owned(), "core".to_owned())];
        for provided in self.core.contributions.provided(KIND) {
            known.push((provided.name, provided.provider));
        }
        if !known.iter().any(|(name, _)| *name == active) {
            known.push((active.clone(), String::new()));
        }
        let mut described: Vec<_> = known
            .into_iter()
            .map(|(name, provider)| self.describe(name, provider, &active, now))
            .collect();
        for transport in &mut described {
            if transport.active && transport.alarm.is_none() {
                transport.alarm = self.lacks(&transport.name).await;
            }
        }
        Ok(described)
    }

    /// What a transport that could deliver says is missing in its settings. A plugin that provides a transport may have
    /// a function `ready` beside the one that delivers; without it the first mail shows.
    async fn lacks(&self, name: &str) -> Option<String> {
        let deliver = self.function(name)?;
        let ready = format!("{}.ready", deliver.rsplit_once('.')?.0);
        self.core.functions.get(&ready)?;
        let answer = self.core.functions.call(&Caller::System, &ready, json!({})).await;
        let error = answer.err()?;
        (error.code() == Code::MailConfiguration).then(|| error.message().to_owned())
    }

    fn describe(&self, name: String, provider: String, active: &str, now: i64) -> Transport {
        let health = self.lock().get(&name).cloned().unwrap_or_default();
        let missing = name != CAPTURE && self.function(&name).is_none();
        let paused = health.paused_until > now;
        let state = match (missing, paused) {
            (true, _) => "missing",
            (false, true) => "paused",
            (false, false) => "ready",
        };
        let alarm = if missing && name == active {
            Some(format!(
                "The plugin that provides the mail transport {name} is not running. Mail waits."
            ))
        } else {
            health.alarm
        };
        Transport {
            active: name == active,
            name,
            provider,
            state: state.to_owned(),
            alarm,
            paused_until: paused.then_some(health.paused_until),
        }
    }

    pub(super) fn room(&self, name: &str, now: i64) -> Room {
        let all = self.lock();
        let Some(health) = all.get(name) else {
            return Room::Open;
        };
        if health.paused_until > now {
            Room::Closed
        } else if health.refused >= REFUSALS || health.failed >= FAILURES {
            Room::Probe
        } else {
            Room::Open
        }
    }

    /// Learns from an attempt.
    pub(super) fn note(&self, name: &str, sign: Sign, now: i64) {
        let mut all = self.lock();
        let health = all.entry(name.to_owned()).or_default();
        // Attempts that began before the pause say nothing new.
        if health.paused_until > now && !matches!(sign, Sign::Good) {
            return;
        }
        match sign {
            Sign::Good => *health = Health::default(),
            Sign::Neutral => {}
            Sign::Refused(why) => {
                health.refused += 1;
                health.paused_until = now + pause(health.refused, REFUSALS, REFUSED_PAUSE_MS);
                health.alarm = Some(why);
            }
            Sign::Failed(why) => {
                health.failed += 1;
                let rest = pause(health.failed, FAILURES, FAILED_PAUSE_MS);
                health.paused_until = now + rest;
                if rest > 0 {
                    health.alarm = Some(why);
                }
            }
            Sign::Limited(rest) => health.paused_until = now + rest.clamp(1000, LONGEST_LIMIT_MS),
        }
    }

    /// Tries again at once: an operator has acted.
    pub(super) fn resume(&self, name: &str) {
        self.lock().remove(name);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Health>> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// None before the `allowed` failure; then the shortest, doubled each time up to the longest.
fn pause(count: u32, allowed: u32, (shortest, longest): (i64, i64)) -> i64 {
    match count.checked_sub(allowed) {
        None => 0,
        Some(over) => (shortest << over.min(16)).min(longest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[tokio::test]
    async fn r12_refusals_close_a_transport_and_one_mail_probes_it() {
        let (_home, core) = testing::core().await;
        let transports = Transports::new(&core);
        let refuse = |now| transports.note("m", Sign::Refused("wrong key".to_owned()), now);
        (0..3).for_each(|_| refuse(0));
        (0..40).for_each(|_| refuse(0));
        assert_eq!(transports.room("m", 59_999), Room::Closed);
        assert_eq!(transports.room("m", 60_000), Room::Probe);
        assert_eq!(transports.room("other", 0), Room::Open);
        refuse(60_000);
        assert_eq!(transports.room("m", 179_999), Room::Closed);
        let described = transports.describe("m".to_owned(), String::new(), "capture", 60_001);
        assert_eq!(described.alarm.as_deref(), Some("wrong key"));
        transports.note("m", Sign::Good, 180_000);
        assert_eq!(transports.room("m", 180_000), Room::Open);
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pauses: Vec<_> = [9, 10, 11, 13, 14, 4000]
            .map(|n| pause(n, FAILURES, FAILED_PAUSE_MS))
            .into();
        assert_eq!(pauses, [0, 5_000, 10_000, 40_000, 60_000, 60_000]);
    }
}
