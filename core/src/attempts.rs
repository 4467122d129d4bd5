//! Attempts at passwords, and what the wrong ones cost. Users and operators are both guarded by it.
//!
//! - From one place, each wrong password for an account makes the next wait longer ([`crate::throttle`]).
//! - From all places together an account takes at most a hundred wrong passwords in a row (NIST SP 800-63B-4, section
//!   3.2.2). Strangers may use up half of them, so that places the account was used from have the rest, and the last
//!   quarter is kept for browsers that prove it: its owner still gets in. A new password starts over.
//! - One network gets a limited number of wrong passwords for all accounts together, so that trying one password on
//!   many names is slow as well.
//!
//! An attempt counts from the moment it is taken, before the password is looked at: attempts that come at once are
//! counted like attempts one after the other.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::functions::network;
use crate::throttle::{Delays, Waits, too_early};
use crate::{Code, Error, Result, Settings};

/// Wrong passwords in a row after which strangers, known places, and known browsers are refused.
const STRANGERS: u32 = 50;
const KNOWN_PLACES: u32 = 75;
const KNOWN_BROWSERS: u32 = 100;
/// How soon a network that used its wrong passwords up gets one more.
const REFILL_MS: i64 = 20_000;
/// Places remembered for an account, latest last.
const PLACES: usize = 8;
/// Accounts and networks remembered. When there are more, those that matter least are forgotten.
const REMEMBERED: usize = 20_000;
const FORGOTTEN_MS: i64 = 86_400_000;

/// What is set about attempts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) waits: Waits,
    /// Wrong passwords that one network has in a burst, for all accounts that it is no known place of.
    pub(crate) of_network: i64,
}

impl Rules {
    pub(crate) fn of(settings: &Settings) -> Self {
        let security = &settings.now().security;
        Self {
            waits: Waits {
                free: u32::try_from(security.free_attempts).unwrap_or(1),
                longest_ms: security.longest_attempt_wait_seconds * 1000,
            },
            of_network: security.network_attempts,
        }
    }
}

/// Who tries a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Guesser {
    /// Somebody at this address; `None` is this machine.
    At(Option<IpAddr>),
    /// An app at this address that logs many people in.
    App(Option<IpAddr>),
    /// A browser that proves by this name that the account was used with it.
    Browser(String),
}

impl Guesser {
    fn place(&self) -> String {
        match self {
            Self::At(None) => "here".to_owned(),
            Self::At(Some(address)) => format!("at {}", network(*address)),
            Self::App(Some(address)) => format!("app {address}"),
            Self::App(None) => "app".to_owned(),
            Self::Browser(name) => format!("browser {name}"),
        }
    }

    /// Whose share of wrong passwords for all accounts this takes from.
    fn network(&self) -> Option<IpAddr> {
        match self {
            Self::At(address) => address.map(network),
            Self::App(_) | Self::Browser(_) => None,
        }
    }
}

#[derive(Default)]
struct Account {
    wrong_in_a_row: u32,
    good_places: Vec<String>,
    latest: i64,
}

#[derive(Default)]
struct Counts {
    by_place: Delays,
    accounts: HashMap<String, Account>,
    /// When a network's burst is whole again.
    networks: HashMap<IpAddr, i64>,
}

/// The latest attempts at each account, kept by this server.
#[derive(Default)]
pub(crate) struct Attempts(Mutex<Counts>);

/// One attempt under way. It counts as wrong, unless something else is said of it.
#[must_use = "an attempt that turns out right is to be told so"]
pub(crate) struct Attempt<'a> {
    attempts: &'a Attempts,
    account: String,
    place: String,
    network: Option<IpAddr>,
    now: i64,
}

impl Attempts {
    /// Takes an attempt at the account.
    ///
    /// # Errors
    /// `RateLimited` when it comes too early, or from a stranger to an account under attack.
    pub(crate) fn take(
        &self,
        account: &str,
        guesser: &Guesser,
        now: i64,
        rules: Rules,
    ) -> Result<Attempt<'_>> {
        let place = guesser.place();
        let key = key(account, &place);
        let mut counts = self.lock();
        counts.by_place.check(&key, now, rules.waits)?;
        let known = counts
            .accounts
            .get(account)
            .is_some_and(|known| known.good_places.contains(&place));
        let most = match guesser {
            Guesser::Browser(_) => KNOWN_BROWSERS,
            _ if known => KNOWN_PLACES,
            _ => STRANGERS,
        };
        let wrong = counts
            .accounts
            .get(account)
            .map_or(0, |known| known.wrong_in_a_row);
        if wrong >= most {
            return Err(under_attack());
        }
        let network = guesser.network().filter(|_| !known);
        counts.spend(network, now, rules.of_network)?;
        counts.by_place.count(&key, now);
        let latest = counts.account(account, now);
        latest.wrong_in_a_row = latest.wrong_in_a_row.saturating_add(1);
        Ok(Attempt {
            attempts: self,
            account: account.to_owned(),
            place,
            network,
            now,
        })
    }

    /// Forgets the wrong attempts: the password is another one now.
    pub(crate) fn start_over(&self, account: &str) {
        if let Some(known) = self.lock().accounts.get_mut(account) {
            known.wrong_in_a_row = 0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The password was right: the account is used from this place.
    pub(crate) fn right(self) {
        let mut counts = self.attempts.lock();
        counts.by_place.forget(&key(&self.account, &self.place));
        counts.refund(self.network);
        let account = counts.account(&self.account, self.now);
        account.wrong_in_a_row = 0;
        account.good_places.retain(|good| *good != self.place);
        account.good_places.push(self.place);
        if account.good_places.len() > PLACES {
            account.good_places.remove(0);
        }
    }

    /// Nobody could look whether the password is right, so it tells nobody anything.
    pub(crate) fn not_looked_at(self) {
        let mut counts = self.attempts.lock();
        counts.by_place.uncount(&key(&self.account, &self.place));
        counts.refund(self.network);
        let account = counts.account(&self.account, self.now);
        account.wrong_in_a_row = account.wrong_in_a_row.saturating_sub(1);
    }
}

impl Counts {
    fn account(&mut self, account: &str, now: i64) -> &mut Account {
        if self.accounts.len() >= REMEMBERED && !self.accounts.contains_key(account) {
            self.accounts.retain(|_, known| {
                known.wrong_in_a_row >= STRANGERS / 2 || now - known.latest < FORGOTTEN_MS
            });
            if self.accounts.len() >= REMEMBERED {
                self.accounts
                    .retain(|_, known| known.wrong_in_a_row >= STRANGERS / 2);
            }
        }
        let known = self.accounts.entry(account.to_owned()).or_default();
        known.latest = now;
        known
    }

    fn spend(&mut self, network: Option<IpAddr>, now: i64, burst: i64) -> Result<()> {
        let Some(network) = network else { return Ok(()) };
        if self.networks.len() >= REMEMBERED {
            self.networks.retain(|_, whole_at| *whole_at > now);
        }
        let whole_at = self.networks.get(&network).map_or(now, |at| (*at).max(now));
        // After the clock was set back, a network waits no longer than for a whole burst.
        let whole_at = whole_at.min(now + burst * REFILL_MS);
        let wait = whole_at - now - (burst - 1) * REFILL_MS;
        if wait > 0 {
            return Err(too_early(wait));
        }
        self.networks.insert(network, whole_at + REFILL_MS);
        Ok(())
    }

    fn refund(&mut self, network: Option<IpAddr>) {
        if let Some(whole_at) = network.and_then(|network| self.networks.get_mut(&network)) {
            *whole_at -= REFILL_MS;
        }
    }
}

fn under_attack() -> Error {
    Error::new(
        Code::RateLimited,
        "Too many wrong passwords were tried for this account. Sign in from where you did so before, or set a new password.",
    )
}

fn key(account: &str, place: &str) -> String {
    format!("{account}\n{place}")
}

#[cfg(test)]
mod tests;
